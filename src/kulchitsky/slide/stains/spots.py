"""Compact spots of DAB, and which cell each belongs to: at most one a cell."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.spatial import cKDTree

from kulchitsky.slide.cells import CellTable

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

REACHES_UM: Final = (2.5, 4.5)
"""How far from the nuclear outline a spot may lie, nearest first: a near spot is never given to a farther cell."""
_STEP_UM: Final = 0.05
_LARGEST_NUCLEUS_UM: Final = 9.0


@dataclass(frozen=True, slots=True)
class Spots:
    """Local summits of smoothed DAB outside the nuclei or on their rim.

    ``height`` and ``around`` are optical densities at the summit and lowest on a circle of up to 4.5 µm around it;
    ``radius_um`` is where the mean has fallen half-way between the two.
    """

    x_um: F64
    y_um: F64
    height: F32
    around: F32
    radius_um: F32

    def __len__(self) -> int:
        return len(self.x_um)

    @property
    def contrast(self) -> F64:
        """(M,) how far each stands above its surroundings."""
        return np.asarray(np.maximum(self.height - self.around, 0), np.float64)

    def take(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> Spots:
        """The rows chosen by a mask or by positions."""
        return Spots(*(getattr(self, f.name)[index] for f in fields(self)))


def concatenate(parts: list[Spots]) -> Spots:
    """Several tables one below the other; an empty list gives an empty table."""
    if not parts:
        none = np.zeros(0, np.float32)
        return Spots(np.zeros(0), np.zeros(0), none, none, none)
    return Spots(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Spots)))


def spot_of_cell(cells: CellTable, spots: Spots, least_contrast: float) -> NDArray[np.int64]:
    """(N,) row of the spot that belongs to each cell, or -1.

    Spots of at least ``least_contrast`` are dealt out so that as many as possible find a cell (maximum matching),
    first among pairs that lie close together, then among farther ones: crowded cells push their spots against their
    neighbours, so that the nearest nucleus alone is often the wrong one.
    """
    owner = np.full(len(cells), -1, np.int64)
    strong = np.nonzero(spots.contrast >= least_contrast)[0]
    if len(cells) == 0 or len(strong) == 0:
        return owner
    row, which, gap = _pairs(cells, spots, strong)
    free = np.ones(len(strong), np.bool_)
    for reach in REACHES_UM:
        use = (gap <= reach) & (owner[row] < 0) & free[which]
        graph = coo_matrix((np.ones(int(use.sum()), np.int8), (row[use], which[use])), (len(cells), len(strong)))
        match = np.asarray(maximum_bipartite_matching(graph.tocsr(), perm_type="column"))
        given = match >= 0
        owner[given] = strong[match[given]]
        free[match[given]] = False
    return owner


def _pairs(
    cells: CellTable, spots: Spots, strong: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64], F64]:
    """Cells and strong spots within reach of each other, and the gap between spot and nuclear outline in µm."""
    points = np.stack([cells.x_um, cells.y_um], axis=1)
    places = np.stack([spots.x_um[strong], spots.y_um[strong]], axis=1)
    near = cKDTree(points).query_ball_point(places, _LARGEST_NUCLEUS_UM + REACHES_UM[-1])
    which = np.repeat(np.arange(len(strong)), [len(n) for n in near]).astype(np.int64)
    row = np.concatenate([np.asarray(n, np.int64) for n in near])
    offset = places[which] - points[row]
    rays = cells.radii.shape[1]
    ray = np.rint(np.arctan2(offset[:, 1], offset[:, 0]) / (2 * np.pi) * rays).astype(np.int64) % rays
    gap = np.hypot(offset[:, 0], offset[:, 1]) - cells.radii[row, ray] * _STEP_UM
    keep = gap <= REACHES_UM[-1]
    return row[keep], which[keep], gap[keep]
