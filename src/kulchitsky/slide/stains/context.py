"""Tumour cell or not, by the cell and by its neighbours: tumour cells lie among their like.

The detector's own opinion was formed on both stains together; without the DAB it is less sure, so that it is weighed
here with size, shape and chromatin relative to the slide's, and with the same of the eight nearest cells.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from kulchitsky.slide.cells import CellTable

F64 = NDArray[np.float64]

CONTEXT_FEATURES: Final = (
    "tumour_opinion",
    "area_relative",
    "hematoxylin_relative",
    "elongation",
    "opinion_around",
    "area_around",
    "elongation_around",
    "hematoxylin_around",
    "crowding",
    "area",
)
"""Names of the columns of :func:`context_features`."""

_NEIGHBOURS: Final = 8
_SMALLEST_UM2: Final = 9.0


def context_features(cells: CellTable) -> F64:
    """(N, 10) features; needs a detector with an opinion (``p_tumour``) and at least two cells."""
    opinion = np.clip(cells.p_tumour.astype(np.float64), 1e-3, 1 - 1e-3)
    opinion = np.log(opinion / (1 - opinion))
    area_um2 = np.maximum(cells.area_um2.astype(np.float64), 1.0)
    area = np.log(area_um2 / np.median(area_um2))
    hema = np.log((cells.hema_od + 0.03) / (np.median(cells.hema_od) + 0.03)).astype(np.float64)
    long = np.log(np.maximum(cells.elongation, 1.0)).astype(np.float64)
    points = np.stack([cells.x_um, cells.y_um], axis=1)
    distance, near = cKDTree(points).query(points, k=min(_NEIGHBOURS + 1, len(cells)))
    around = [v[near[:, 1:]].mean(axis=1) for v in (opinion, area, long, hema)]
    crowding = np.log(np.maximum(distance[:, -1], 1.0))
    return np.stack([opinion, area, hema, long, *around, crowding, np.log(area_um2)], axis=1)


def large_enough(cells: CellTable) -> NDArray[np.bool_]:
    """(N,) cells that are no debris."""
    return np.asarray(cells.area_um2 >= _SMALLEST_UM2)
