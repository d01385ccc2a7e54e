"""What was counted or read on a slide besides its cells, kept beside the workbench: pictures and stain readings."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from kulchitsky.case.measure import StainReading
from kulchitsky.case.verdict import SlidePicture

PICTURES_FILE = "pictures.json"
READING_FILE = "reading.json"


def keep_pictures(directory: Path, pictures: Iterable[SlidePicture]) -> None:
    """Note the pictures of a count or reading that lie in ``directory``."""
    _write(directory / PICTURES_FILE, json.dumps([p.model_dump(mode="json") for p in pictures]))


def keep_reading(directory: Path, reading: StainReading) -> None:
    """Keep a reading in ``directory``; a former one is replaced."""
    _write(directory / READING_FILE, reading.model_dump_json())


def kept_pictures(directory: Path) -> tuple[SlidePicture, ...]:
    """Pictures of the count kept in ``directory``; their paths are relative to the folder above it."""
    path = directory / PICTURES_FILE
    if not path.is_file():
        return ()
    rows = json.loads(path.read_text(encoding="utf-8"))
    pictures = (SlidePicture.model_validate(row) for row in rows)
    return tuple(p.model_copy(update={"path": f"{directory.name}/{p.path}"}) for p in pictures)


def kept_reading(directory: Path) -> StainReading | None:
    """The reading kept in ``directory``; ``None`` if there is none."""
    path = directory / READING_FILE
    return StainReading.model_validate_json(path.read_text(encoding="utf-8")) if path.is_file() else None


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)
