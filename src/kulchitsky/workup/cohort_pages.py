"""Writes the pages of a cohort, with a small picture of every slide."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from kulchitsky.case.cohort import CohortRow, CohortSummary
from kulchitsky.report.cohort import page_name, render_cohort
from kulchitsky.report.files import write_whole

_WIDE: Final = 240
_HIGH: Final = 168


def write_pages(folder: Path, summary: CohortSummary) -> list[Path]:
    """Write ``summary.html`` (and further pages for many slides); pages of an earlier, longer run are removed."""
    written = [
        write_whole(folder / name, text.encode())
        for name, text in render_cohort(summary, lambda row: thumbnail(folder, row))
    ]
    page = len(written)
    while (folder / page_name(page)).exists():
        (folder / page_name(page)).unlink()
        page += 1
    return written


def thumbnail(folder: Path, row: CohortRow) -> bytes | None:
    """The overview of a slide as a JPEG of at most 240 by 168 pixels; ``None`` where there is none."""
    if not row.outcome.picture:
        return None
    try:
        data = np.frombuffer((folder / row.outcome.picture).read_bytes(), np.uint8)
    except OSError:
        return None
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if picture is None:
        return None
    scale = min(_WIDE / picture.shape[1], _HIGH / picture.shape[0], 1.0)
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    ok, packed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return packed.tobytes() if ok else None
