"""The pictures of a report: read from beside it, and light enough to travel inside one file."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from kulchitsky.case.verdict import WorkedUpCase

HEAVY_BYTES = 300_000
"""A picture of more bytes than this is set as JPEG in the report; the file beside the report stays as it is."""

LONGEST_PX = 1600
"""Longest side inside the report: three times the width at which it is shown."""

JPEG_QUALITY = 88


def report_pictures(worked: WorkedUpCase, base: Path) -> dict[str, bytes]:
    """The bytes of each picture that lies under ``base``, by the path that the record gives it.

    A path that leads out of ``base``, by dots or by a link, is not followed. A file that is no picture is passed on
    as it is: the report says that it cannot show it.
    """
    root = base.resolve()
    found: dict[str, bytes] = {}
    for picture in worked.pictures:
        place = (root / picture.path).resolve()
        if place.is_relative_to(root) and place.is_file():
            found[picture.path] = _light(place.read_bytes())
    return found


def _light(data: bytes) -> bytes:
    if len(data) <= HEAVY_BYTES:
        return data
    try:
        with Image.open(io.BytesIO(data)) as opened:
            image = opened.convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        return data
    image.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    # full chroma: thin red and blue outlines over brown would bleed with 4:2:0
    image.save(written, "JPEG", quality=JPEG_QUALITY, subsampling=0, optimize=True)
    return written.getvalue()
