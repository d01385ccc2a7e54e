"""Read a stained slide and keep what looking at it needs: the reading and its pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kulchitsky.case.measure import StainReading
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.knowledge.stain_rules import load_stain_rules
from kulchitsky.slide.stain_reading import read_stain
from kulchitsky.workup.kept_results import keep_pictures, keep_reading
from kulchitsky.workup.read_stain import with_expectation
from kulchitsky.workup.slide_pictures import pictures_of_reading


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
    keep_pictures(directory, rows)
    keep_reading(directory, reading)
    return reading
