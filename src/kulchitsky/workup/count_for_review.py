"""Count a slide and keep everything that looking at it and correcting it needs: record, cells, pictures."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kulchitsky.case.measure import SlideCount
from kulchitsky.slide.classify import nuclear_signal
from kulchitsky.slide.count import count_slide
from kulchitsky.workup.cell_layer import SQUARE_UM, CellClass, square_order
from kulchitsky.workup.cell_measures import save_measures
from kulchitsky.workup.corrected_cells import save_outlines
from kulchitsky.workup.counted_cells import save_count
from kulchitsky.workup.kept_results import keep_pictures
from kulchitsky.workup.slide_pictures import pictures_of_count

RESUME_FOLDER = "resume"


def count_for_review(
    slide: Path,
    directory: Path,
    *,
    detector: str = "accurate",
    um_per_px: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    keep_former: bool = False,
) -> SlideCount:
    """Count ``slide`` and keep the result in ``directory``; a former count there is replaced when this one is done.

    A count that was killed goes on where it stopped. ``progress`` gets blocks done and blocks in all; an exception
    that it raises stops the count. ``keep_former`` keeps the cells of a former count, for corrections made to them.
    Raises ``RefusedSlide``.
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
    cells = result.cells.take(square_order(result.cells.x_um, result.cells.y_um, SQUARE_UM))
    klass = np.where(cells.counted, cells.positive.astype(np.uint8), np.uint8(CellClass.OUT))
    save_outlines(directory, cells)
    save_measures(directory, nuclear_signal(cells), cells.area_um2)
    save_count(directory, result.count, cells.x_um, cells.y_um, klass, keep_former=keep_former)
    keep_pictures(directory, pictures)
    shutil.rmtree(directory / RESUME_FOLDER, ignore_errors=True)
    return result.count
