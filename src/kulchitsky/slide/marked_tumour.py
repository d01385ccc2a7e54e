"""Where a second stain marks tumour, carried over to the slide that is counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide import cells as table
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.registration import Registration
from kulchitsky.slide.tissue import TissueMap

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

GRID_UM: Final = 6.0
_SPREAD_UM: Final = 14.0
_LEAST_SHARE: Final = 0.4
_LEAST_OF_USUAL: Final = 0.25
_SMALLEST_UM2: Final = 4000.0


@dataclass(frozen=True, slots=True)
class MarkedTumour:
    """``mask`` over the stained slide at ``um`` micrometres a pixel: where the stain marks tumour."""

    mask: Mask
    um: float

    def holds(self, points_um: F64) -> Mask:
        """(N,) whether each point (micrometres on the stained slide) lies in marked tumour; outside the slide: no."""
        column = np.floor(points_um[:, 0] / self.um).astype(np.int64)
        row = np.floor(points_um[:, 1] / self.um).astype(np.int64)
        on = (row >= 0) & (column >= 0) & (row < self.mask.shape[0]) & (column < self.mask.shape[1])
        out = np.zeros(len(points_um), np.bool_)
        out[on] = self.mask[row[on], column[on]]
        return out


def marked_tumour(cells: CellTable, tissue: TissueMap) -> MarkedTumour:
    """Places where stained cells (``positive``) are dense, and make up at least two fifths of the cells nearby.

    A single stained cell marks nothing: at least a quarter of the usual density is asked for, over the size of a
    small nest. Lone unstained cells inside a nest stay in.
    """
    um = GRID_UM
    shape = tuple(int(np.ceil(side * tissue.um_per_px / um)) + 1 for side in tissue.tissue.shape)
    stained = _density(cells, cells.positive & (cells.reason != table.OUT_OF_FOCUS), shape, um)
    everyone = _density(cells, np.ones(len(cells), np.bool_), shape, um)
    there = stained[stained > 1e-6]
    if len(there) == 0:
        return MarkedTumour(np.zeros(shape, np.bool_), um)
    usual = float(np.percentile(there, 75))
    mask = (stained > _LEAST_OF_USUAL * usual) & (stained > _LEAST_SHARE * everyone)
    smallest = round(_SMALLEST_UM2 / um**2)
    for wanted in (True, False):  # small islands go, small holes close
        count, labels, stats, _ = cv2.connectedComponentsWithStats((mask == wanted).astype(np.uint8), connectivity=4)
        small = np.zeros(count, np.bool_)
        small[1:] = stats[1:, cv2.CC_STAT_AREA] < smallest
        mask = np.where(small[labels], not wanted, mask)
    return MarkedTumour(np.asarray(mask, np.bool_), um)


def leave_out_unmarked(cells: CellTable, marked: MarkedTumour, registration: Registration) -> CellTable:
    """The counted slide's cells; those counted so far that lie outside the marked tumour are left out."""
    points = registration.to_moving(np.stack([cells.x_um, cells.y_um], axis=1))
    outside = cells.counted & ~marked.holds(points)
    reason = cells.reason.copy()
    reason[outside] = table.NOT_MARKED
    return cells.with_reason(reason)


def _density(cells: CellTable, use: Mask, shape: tuple[int, ...], um: float) -> NDArray[np.float32]:
    grid = np.zeros(shape, np.float32)
    row = np.clip((cells.y_um[use] / um).astype(np.int64), 0, shape[0] - 1)
    column = np.clip((cells.x_um[use] / um).astype(np.int64), 0, shape[1] - 1)
    np.add.at(grid, (row, column), 1.0)
    return np.asarray(cv2.GaussianBlur(grid, (0, 0), _SPREAD_UM / um), np.float32)
