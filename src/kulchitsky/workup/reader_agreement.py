"""How well two readers of one count agree, once both have finished."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from kulchitsky.numerics.agreement import cohen_kappa
from kulchitsky.workup.agreement_record import ReaderAgreement as ReaderAgreement
from kulchitsky.workup.cell_layer import CellClass
from kulchitsky.workup.recount import cell_count
from kulchitsky.workup.slide_review import NOT_THERE, SlideReview

SAME_CELL_UM = 3.0
"""Two added cells are one cell when their centres lie this close: the radius cells are matched with elsewhere."""


def agreement_of(first: SlideReview, second: SlideReview, names: tuple[str, str]) -> ReaderAgreement:
    """Compare two reviews of the same count. Raises ``ValueError`` if the counts differ."""
    if first.table.count_id != second.table.count_id:
        raise ValueError("two reviews can be compared only over one count")
    n = len(first.table)
    a, b = _paired_added(first, second)
    one = np.concatenate([first.classes()[:n], a])
    two = np.concatenate([second.classes()[:n], b])
    automatic = np.concatenate([first.table.klass, np.full(a.size, CellClass.OUT, dtype=np.uint8)])
    table = _table(one, two)
    touched = (one != automatic) | (two != automatic)
    corrected = _table(one[touched], two[touched])
    kappa, interval = cohen_kappa(table)
    kappa_corrected, interval_corrected = cohen_kappa(corrected)
    return ReaderAgreement(
        first=names[0],
        second=names[1],
        cells=int(one.size),
        differing=int(np.count_nonzero(one != two)),
        kappa=kappa,
        kappa_interval_95=interval,
        corrected_cells=int(np.count_nonzero(touched)),
        kappa_corrected=kappa_corrected,
        kappa_corrected_interval_95=interval_corrected,
        first_index_percent=cell_count(first.counted, first.positive).index_percent,
        second_index_percent=cell_count(second.counted, second.positive).index_percent,
        table=(_row(table, 0), _row(table, 1), _row(table, 2)),
    )


def _paired_added(first: SlideReview, second: SlideReview) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Classes of the cells that readers added, pair by pair; a cell only one reader added is out for the other."""
    points_a, klass_a = _added(first)
    points_b, klass_b = _added(second)
    partner = _partners(points_a, points_b)
    alone = np.setdiff1d(np.arange(len(klass_b)), partner[partner >= 0])
    a = np.concatenate([klass_a, np.full(alone.size, CellClass.OUT, dtype=np.uint8)])
    matched = np.full(len(klass_a), CellClass.OUT, dtype=np.uint8)
    matched[partner >= 0] = klass_b[partner[partner >= 0]]
    return a, np.concatenate([matched, klass_b[alone]])


def _partners(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.int64]:
    """For each point of ``a`` its partner in ``b``, one to one, nearest pairs first; −1 without one."""
    partner = np.full(len(a), -1, dtype=np.int64)
    if not len(a) or not len(b):
        return partner
    near = cKDTree(a).sparse_distance_matrix(cKDTree(b), SAME_CELL_UM, output_type="ndarray")
    taken: set[int] = set()
    for i, j, _ in sorted(near.tolist(), key=lambda row: (row[2], row[0], row[1])):
        if partner[i] < 0 and j not in taken:
            partner[i] = j
            taken.add(j)
    return partner


def _added(review: SlideReview) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    n = len(review.table)
    x, y = review.positions()
    klass = review.classes()[n:]
    there = klass != NOT_THERE
    return np.stack([x[n:], y[n:]], axis=1)[there], klass[there]


def _table(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.bincount(one.astype(np.int64) * 3 + two, minlength=9).reshape(3, 3)


def _row(table: NDArray[np.int64], i: int) -> tuple[int, int, int]:
    return int(table[i, 0]), int(table[i, 1]), int(table[i, 2])
