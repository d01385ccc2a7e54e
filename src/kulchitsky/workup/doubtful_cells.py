"""The cells whose class is most open to doubt: those whose staining lies nearest the cut."""

from __future__ import annotations

import numpy as np

from kulchitsky.workup.cell_layer import CellClass, Ids
from kulchitsky.workup.cell_measures import CellMeasures
from kulchitsky.workup.slide_review import SlideReview

FAINTEST_OD = 1e-3


def doubtful_cells(
    review: SlideReview,
    measures: CellMeasures,
    cut_od: float,
    *,
    circle: tuple[float, float, float] | None = None,
    most: int = 200,
) -> Ids:
    """Ids of up to ``most`` cells that count, nearest the cut (as a ratio of optical densities) first.

    Only cells inside ``circle`` (x, y and radius in µm) where one is given. Cells that the reader has corrected are
    settled, and added ones were never measured: neither is among them.
    """
    n = len(review.table)
    open_cells = review.classes()[:n] < CellClass.OUT
    corrected, _, _ = review.corrections()
    open_cells[corrected[corrected < n]] = False
    if circle is not None:
        x0, y0, radius = circle
        open_cells &= (review.table.x_um - x0) ** 2 + (review.table.y_um - y0) ** 2 <= radius**2
    cells = np.flatnonzero(open_cells)
    signal = np.asarray(measures.signal_od[cells], dtype=np.float64)
    distance = np.abs(np.log(np.maximum(signal, FAINTEST_OD) / cut_od))
    if cells.size > most:
        nearest = np.argpartition(distance, most)[:most]
        cells, distance = cells[nearest], distance[nearest]
    return np.asarray(cells[np.argsort(distance, kind="stable")], dtype=np.int64)
