"""Tumour cell or not, by the cell and by its neighbours: tumour cells lie among their like.

The detector's own opinion was formed on both stains together; without the DAB it is less sure, so that it is weighed
here with size, shape and chromatin relative to the slide's, and with the same of the cells around, near and far.
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
    "area_below_large",
    "area_above_small",
    "hematoxylin_below_dark",
    "hematoxylin_above_pale",
    "area_spread_of_slide",
    "opinion_of_slide",
    "opinion_spread_of_slide",
    "opinion_below_surest",
    "opinion_far_around",
    "area_far_around",
    "hematoxylin_far_around",
    "elongation_far_around",
    "nearest",
    "crowding_far",
    "contrast",
    "edge",
    "score",
    "area_spread_around",
    "hematoxylin_spread_around",
    "surrounding_hematoxylin",
)
"""Names of the columns of :func:`context_features`."""

_NEAR: Final = 8
_FAR: Final = 24
_SMALLEST_UM2: Final = 9.0


def context_features(cells: CellTable) -> F64:
    """(N, 30) features; needs a detector with an opinion (``p_tumour``) and at least two cells.

    *Relative* is against the slide's median, *large*, *dark*, *surest* are its 80th, *small* and *pale* its 20th
    percentiles; *around* is the mean of the eight, *far around* of the 24 nearest cells.
    """
    opinion = np.clip(cells.p_tumour.astype(np.float64), 1e-3, 1 - 1e-3)
    opinion = np.log(opinion / (1 - opinion))
    area = np.log(np.maximum(cells.area_um2.astype(np.float64), 1.0))
    hema = np.log(np.maximum(cells.hema_od.astype(np.float64), 0.0) + 0.03)
    long = np.log(np.maximum(cells.elongation.astype(np.float64), 1.0))
    points = np.stack([cells.x_um, cells.y_um], axis=1)
    distance, near = cKDTree(points).query(points, k=min(_FAR + 1, len(cells)))
    close, wide = near[:, 1 : _NEAR + 1], near[:, 1:]
    at_eight = np.log(np.maximum(distance[:, min(_NEAR, len(cells) - 1)], 1.0))
    reach = np.log(distance[:, -1] + 1.0)
    nearest = np.log(distance[:, 1] + 0.5)
    hema_relative = hema - np.log(float(np.median(np.maximum(cells.hema_od, 0))) + 0.03)
    columns = (
        opinion,
        area - np.median(area),
        hema_relative,
        long,
        opinion[close].mean(axis=1),
        (area - np.median(area))[close].mean(axis=1),
        long[close].mean(axis=1),
        hema_relative[close].mean(axis=1),
        at_eight,
        area,
        area - np.percentile(area, 80),
        area - np.percentile(area, 20),
        hema - np.percentile(hema, 80),
        hema - np.percentile(hema, 20),
        np.full(len(cells), area.std()),
        np.full(len(cells), np.median(opinion)),
        np.full(len(cells), opinion.std()),
        opinion - np.percentile(opinion, 80),
        opinion[wide].mean(axis=1),
        area[wide].mean(axis=1) - np.median(area),
        hema[wide].mean(axis=1) - np.median(hema),
        long[wide].mean(axis=1),
        nearest - np.median(nearest),
        reach - np.median(reach),
        np.log(np.maximum(cells.contrast.astype(np.float64), 0.01)),
        np.log(np.maximum(cells.edge.astype(np.float64), 0.01)),
        cells.score.astype(np.float64),
        area[close].std(axis=1),
        hema[close].std(axis=1),
        np.log(np.maximum(cells.ring_hema_od.astype(np.float64), 0.0) + 0.03) - hema,
    )
    return np.asarray(np.nan_to_num(np.stack(columns, axis=1)))


def large_enough(cells: CellTable) -> NDArray[np.bool_]:
    """(N,) cells that are no debris."""
    return np.asarray(cells.area_um2 >= _SMALLEST_UM2)
