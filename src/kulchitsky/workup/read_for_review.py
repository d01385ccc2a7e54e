"""Read a stained slide and keep what looking at it needs: the reading and its pictures."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kulchitsky.case.measure import StainReading
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.knowledge.stain_rules import load_stain_rules
from kulchitsky.slide.stain_reading import read_stain
from kulchitsky.workup.count_for_review import PICTURES_FILE
from kulchitsky.workup.read_stain import with_expectation
from kulchitsky.workup.slide_pictures import pictures_of_reading

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
    directory.mkdir(parents=True, exist_ok=True)
    result = read_stain(slide, marker=marker, detector=detector, um_per_px=um_per_px, progress=progress)
    known = load_knowledge().markers.get(marker)
    reading = result.reading
    if known is not None:
        reading = with_expectation(reading, known, load_stain_rules())
    rows = pictures_of_reading(slide, replace(result, reading=reading), directory)
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
