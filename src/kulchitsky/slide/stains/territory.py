"""Nuclei and the cells around them as label planes: every pixel belongs to the nearest nucleus, up to a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.cells import CellTable

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
Mask = NDArray[np.bool_]

REACH_UM: Final = 4.0
"""How far a cell may reach beyond its nucleus. Neuroendocrine tumour cells have scant to moderate cytoplasm."""
BORDER_UM: Final = 0.8
"""Half width of the strip along the boundary of two cells in which membrane staining is looked for."""


@dataclass(frozen=True, slots=True)
class Territories:
    """Planes of a block, (rows, columns), ``um`` micrometres a pixel.

    ``owner`` is the row of the cell a pixel belongs to, or -1; ``depth_um`` is the distance to the outline of the
    nucleus: above 0 inside it, below 0 outside; ``border`` marks the strip along the boundary with another cell.
    """

    owner: I32
    depth_um: F32
    border: Mask
    um: float


def territories(cells: CellTable, shape: tuple[int, int], um_per_px: float) -> Territories:
    """Draw the nuclei of ``cells`` (micrometres from the block's corner) and grow them to cells.

    Growth is limited by :data:`REACH_UM` and by the neighbours (a Voronoi partition by distance to the nuclear
    outline, as in Jones TR et al., CVBIA 2005, without its image term).
    """
    nuclei = _draw(cells, shape, um_per_px)
    inside = nuclei >= 0
    outward, nearest = cv2.distanceTransformWithLabels(
        np.where(inside, 0, 1).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    seeds = np.full(int(np.asarray(nearest).max()) + 1, -1, np.int32)
    seeds[np.asarray(nearest)[inside]] = nuclei[inside]
    near = inside | (np.asarray(outward) * um_per_px <= REACH_UM)
    owner = np.where(near, seeds[np.asarray(nearest)], -1).astype(np.int32)
    inward = np.asarray(cv2.distanceTransform(_interior(nuclei), cv2.DIST_L2, 5))
    depth = (np.where(inside, inward - 0.5, 0.5 - np.asarray(outward)) * um_per_px).astype(np.float32)
    return Territories(owner=owner, depth_um=depth, border=_border(owner, um_per_px), um=um_per_px)


def _draw(cells: CellTable, shape: tuple[int, int], um_per_px: float) -> I32:
    """Row numbers in the outlines; where two overlap, the surer one lies on top."""
    plane = np.full(shape, -1, np.int32)
    for row in np.argsort(cells.score, kind="stable"):
        outline = cells.outline_um(int(row)) / um_per_px - 0.5
        points = np.rint(outline * 16).astype(np.int32)
        cv2.fillPoly(plane, [points], int(row), lineType=cv2.LINE_8, shift=4)
    return plane


def _interior(nuclei: I32) -> NDArray[np.uint8]:
    """Nuclei cut apart where two touch, so that depth is measured to the own outline."""
    out = (nuclei >= 0).astype(np.uint8)
    out[:, 1:][(nuclei[:, 1:] != nuclei[:, :-1])] = 0
    out[1:][(nuclei[1:] != nuclei[:-1])] = 0
    return out


def _border(owner: I32, um_per_px: float) -> Mask:
    edge = np.asarray(_meeting(owner))
    reach = max(1, round(BORDER_UM / um_per_px))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(edge, disc)).astype(bool)


@numba.njit(cache=True, nogil=True)
def _meeting(owner: Any) -> Any:
    rows, columns = owner.shape
    out = np.zeros((rows, columns), np.uint8)
    for i in range(rows - 1):
        for j in range(columns - 1):
            n = owner[i, j]
            right, below = owner[i, j + 1], owner[i + 1, j]
            if n >= 0 and ((right >= 0 and right != n) or (below >= 0 and below != n)):
                out[i, j] = 1
    return out
