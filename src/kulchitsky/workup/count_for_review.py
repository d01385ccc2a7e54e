"""Count a slide and keep everything that looking at it and correcting it needs: record, cells, pictures."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kulchitsky.case.measure import SlideCount
from kulchitsky.case.verdict import SlidePicture
from kulchitsky.slide.count import count_slide
from kulchitsky.workup.cell_layer import CellClass
from kulchitsky.workup.corrected_cells import save_outlines
from kulchitsky.workup.counted_cells import save_count
from kulchitsky.workup.slide_pictures import pictures_of_count

PICTURES_FILE = "pictures.json"
RESUME_FOLDER = "resume"


def count_for_review(
    slide: Path,
    directory: Path,
    *,
    detector: str = "accurate",
    um_per_px: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SlideCount:
    """Count ``slide`` and keep the result in ``directory``; a former count there is replaced when this one is done.

    A count that was killed goes on where it stopped. ``progress`` gets blocks done and blocks in all; an exception
    that it raises stops the count. Raises ``RefusedSlide``.
    """
    directory.mkdir(parents=True, exist_ok=True)
    result = count_slide(
        slide,
        detector=detector,
        um_per_px=um_per_px,
        progress=progress,
        resume_dir=directory / RESUME_FOLDER,
    )
    pictures = pictures_of_count(slide, result, directory)
    cells = result.cells
    klass = np.where(cells.counted, cells.positive.astype(np.uint8), np.uint8(CellClass.OUT))
    save_outlines(directory, cells)
    save_count(directory, result.count, cells.x_um, cells.y_um, klass)
    beside = directory / f"{PICTURES_FILE}.new"
    beside.write_text(json.dumps([p.model_dump(mode="json") for p in pictures]), encoding="utf-8")
    os.replace(beside, directory / PICTURES_FILE)
    shutil.rmtree(directory / RESUME_FOLDER, ignore_errors=True)
    return result.count


def kept_pictures(directory: Path) -> tuple[SlidePicture, ...]:
    """Pictures of the count kept in ``directory``; their paths are relative to the folder above it."""
    path = directory / PICTURES_FILE
    if not path.is_file():
        return ()
    rows = json.loads(path.read_text(encoding="utf-8"))
    pictures = (SlidePicture.model_validate(row) for row in rows)
    return tuple(p.model_copy(update={"path": f"{directory.name}/{p.path}"}) for p in pictures)
