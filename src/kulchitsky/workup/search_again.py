"""Search the hot spots of a slide again, among the cells as a reader corrected them."""

from __future__ import annotations

import numpy as np

from kulchitsky.case.measure import HotSpot
from kulchitsky.slide.hotspot import hotspot_by_cells
from kulchitsky.workup.cell_layer import CellClass
from kulchitsky.workup.slide_review import SlideReview


def search_hotspots(review: SlideReview, cells_wanted: tuple[int, ...]) -> tuple[HotSpot, ...]:
    """The hottest windows among the cells as corrected; sizes that the slide does not hold are left out."""
    x, y = review.positions()
    klass = review.classes()
    counts = klass < CellClass.OUT
    columns = x[counts].astype(np.float64), y[counts].astype(np.float64), klass[counts] == CellClass.POSITIVE
    found = (hotspot_by_cells(*columns, wanted) for wanted in cells_wanted)
    return tuple(spot for spot in found if spot is not None)
