"""The labelling index of a review as it stands: interval, hot spots, and what grade that makes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kulchitsky.case.base import Record
from kulchitsky.case.measure import CellCount, HotSpot, SlideCount
from kulchitsky.numerics.intervals import wilson
from kulchitsky.workup.cell_layer import CellClass, Ids
from kulchitsky.workup.slide_review import SlideReview

EDGE_UM = 0.01
"""A hot spot's farthest cell lies on its edge: positions kept in single precision must not lose it."""


class Recount(Record):
    """What a reader sees move: the index of the slide and of each hot spot, and how far the log can go back."""

    version: int
    total: CellCount
    automatic: CellCount
    hotspots: tuple[CellCount, ...] = ()
    changed_cells: int
    can_undo: int
    can_redo: int


def cell_count(counted: int, positive: int) -> CellCount:
    """Index in percent with its Wilson 95 % interval; neither where nothing was counted."""
    if counted == 0:
        return CellCount(counted=0, positive=0)
    low, high = wilson(positive, counted)
    return CellCount(
        counted=counted,
        positive=positive,
        index_percent=100 * positive / counted,
        interval_95=(100 * float(low), 100 * float(high)),
    )


def recount(review: SlideReview, hotspots: tuple[HotSpot, ...] = ()) -> Recount:
    """The review in figures. Hot spots keep their place: their cells are counted anew, not searched for again."""
    klass = review.table.klass
    automatic = cell_count(int(np.count_nonzero(klass < CellClass.OUT)), int(np.count_nonzero(klass == 1)))
    return Recount(
        version=review.version,
        total=cell_count(review.counted, review.positive),
        automatic=automatic,
        hotspots=tuple(count_in_circle(review, spot.centre_um, spot_radius_um(spot)) for spot in hotspots),
        changed_cells=review.changed_by_reader,
        can_undo=review.can_undo,
        can_redo=review.can_redo,
    )


def corrected_count(
    review: SlideReview, automatic: SlideCount, hotspots: tuple[HotSpot, ...], reader: str
) -> SlideCount:
    """The count as a reader corrected it, in the form that the report takes.

    ``hotspots`` keep their place and what chance alone would show, their cells are counted anew; figures that only
    the automatic cells support (shrunken index, curve of cuts, cells left out) are left out.
    """
    spots = tuple(
        HotSpot(
            **count_in_circle(review, spot.centre_um, spot_radius_um(spot)).model_dump(),
            area_mm2=spot.area_mm2,
            centre_um=spot.centre_um,
            radius_um=spot.radius_um,
            cells_wanted=spot.cells_wanted,
            area_wanted_mm2=spot.area_wanted_mm2,
            null_index_percent=spot.null_index_percent,
            null_interval_95=spot.null_interval_95,
        )
        for spot in hotspots
    )
    return automatic.model_copy(
        update={
            **cell_count(review.counted, review.positive).model_dump(),
            "hotspots": spots,
            "left_out": (),
            "index_with_left_out_percent": None,
            "cut_curve": (),
            "method": {
                **automatic.method,
                "corrected_by": reader,
                "corrected_cells": review.changed_by_reader,
                "corrected_regions": len(review.regions),
                "automatic_index_percent": automatic.index_percent,
            },
        }
    )


def spot_radius_um(spot: HotSpot) -> float:
    """Radius of a hot spot; that of a circle of its area where none is given."""
    return spot.radius_um if spot.radius_um is not None else math.sqrt(spot.area_mm2 / math.pi) * 1000


def count_in_circle(review: SlideReview, centre_um: tuple[float, float], radius_um: float) -> CellCount:
    """Cells that count inside a circle."""
    x0, y0 = centre_um
    side = review.index.side_um
    squares = [
        review.square(column, row)
        for row in range(int((y0 - radius_um) // side), int((y0 + radius_um) // side) + 1)
        for column in range(int((x0 - radius_um) // side), int((x0 + radius_um) // side) + 1)
    ]
    counted = positive = 0
    for _, x, y, klass in squares:
        inside = ((x - x0) ** 2 + (y - y0) ** 2 <= (radius_um + EDGE_UM) ** 2) & (klass < CellClass.OUT)
        counted += int(np.count_nonzero(inside))
        positive += int(np.count_nonzero(inside & (klass == CellClass.POSITIVE)))
    return cell_count(counted, positive)


def nearest_cell(review: SlideReview, x_um: float, y_um: float, within_um: float) -> int | None:
    """Id of the cell nearest to a point, if one lies within reach."""
    side = review.index.side_um
    best: tuple[float, int] | None = None
    for row in range(int((y_um - within_um) // side), int((y_um + within_um) // side) + 1):
        for column in range(int((x_um - within_um) // side), int((x_um + within_um) // side) + 1):
            ids, x, y, _ = review.square(column, row)
            best = _nearer(best, ids, np.hypot(x - x_um, y - y_um))
    return best[1] if best is not None and best[0] <= within_um else None


def _nearer(best: tuple[float, int] | None, ids: Ids, distance: NDArray[np.floating]) -> tuple[float, int] | None:
    if ids.size == 0:
        return best
    i = int(np.argmin(distance))
    found = (float(distance[i]), int(ids[i]))
    return found if best is None or found < best else best
