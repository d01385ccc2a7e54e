"""Read a stained slide and keep what looking at it needs: the reading and its two pictures."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from kulchitsky.case.measure import StainReading
from kulchitsky.case.verdict import SlidePicture
from kulchitsky.workup.count_for_review import PICTURES_FILE
from kulchitsky.workup.read_stain import read_stain
from kulchitsky.workup.slide_pictures import FOLDER

READING_FILE = "reading.json"


def read_for_review(
    slide: Path,
    directory: Path,
    *,
    marker: str,
    detector: str = "accurate",
    um_per_px: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> StainReading:
    """Read ``slide`` as ``marker`` and keep the result in ``directory``. Raises ``RefusedInput``."""
    pictures = directory / FOLDER
    pictures.mkdir(parents=True, exist_ok=True)
    gallery, field = pictures / f"{slide.stem}-gallery.png", pictures / f"{slide.stem}-field.png"
    reading = read_stain(
        slide,
        marker=marker,
        detector=detector,
        um_per_px=um_per_px,
        gallery_to=gallery,
        overlay_to=field,
        progress=progress,
    )
    rows = [
        SlidePicture(slide=slide.name, path=f"{FOLDER}/{field.name}", caption="the fullest field, every cell marked"),
        SlidePicture(slide=slide.name, path=f"{FOLDER}/{gallery.name}", caption="example cells of each kind"),
    ]
    _write(directory / PICTURES_FILE, json.dumps([row.model_dump(mode="json") for row in rows]))
    _write(directory / READING_FILE, reading.model_dump_json())
    return reading


def kept_reading(directory: Path) -> StainReading | None:
    """The reading kept in ``directory``; ``None`` if there is none."""
    path = directory / READING_FILE
    return StainReading.model_validate_json(path.read_text(encoding="utf-8")) if path.is_file() else None


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)
