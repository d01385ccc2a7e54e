"""Corrections of an earlier count of a slide, made again on a new one where the cell is found again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from kulchitsky.workup.cell_layer import Bytes, CellClass, Floats, Ids
from kulchitsky.workup.edit_log import AddCell, Change, DrawRegion, SetCells
from kulchitsky.workup.slide_review import NOT_THERE, SlideReview

SAME_CELL_UM = 3.0
"""Two cells are one when their centres lie this close: the radius cells are matched with elsewhere."""


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """Changes that bring a review of the new count to where the earlier one stood, and what became of each part.

    ``placed`` corrections need a change or already agree with the new count (``agreeing`` of them). Of the cells that
    the new count does not find, ``gone`` had been taken out anyway; ``not_placed`` had been flipped.
    """

    changes: tuple[Change, ...]
    placed: int
    agreeing: int
    gone: int
    not_placed: int
    regions: int


def carry_over(earlier: SlideReview, now: SlideReview) -> CarriedOver:
    """What of ``earlier`` has to be done to ``now``; done twice, the second time has nothing to do.

    The earlier review's final state is carried, not its steps. Each cell of the new count stands for one corrected
    cell at most: the nearest pairs are matched first.
    """
    cells, before, after = earlier.corrections()
    kept = after != NOT_THERE  # an addition that was undone leaves nothing to carry
    cells, before, after = cells[kept], before[kept], after[kept]
    x, y = earlier.positions_of(cells)
    found = _matches(now, x, y)
    hit = found >= 0
    klass = np.full(cells.size, NOT_THERE, dtype=np.uint8)
    klass[hit] = [now.klass_of(int(cell)) for cell in found[hit]]
    added = ~hit & (before == NOT_THERE) & (after < CellClass.OUT)
    settled = ~hit & (after == CellClass.OUT)
    regions = _new_regions(earlier, now)
    changes: tuple[Change, ...] = (
        *_sets(found, klass, after, hit),
        *_additions(now, x[added], y[added], after[added]),
        *regions,
    )
    return CarriedOver(
        changes=changes,
        placed=int(np.count_nonzero(hit | added)),
        agreeing=int(np.count_nonzero(hit & (klass == after))),
        gone=int(np.count_nonzero(settled)),
        not_placed=int(np.count_nonzero(~hit & ~added & ~settled)),
        regions=len(regions),
    )


def _matches(now: SlideReview, x: Floats, y: Floats) -> Ids:
    """For each place the cell that stands there now, or -1; no cell twice."""
    matched = np.full(x.size, -1, dtype=np.int64)
    if x.size == 0 or now.size == 0:
        return matched
    there = np.flatnonzero(now.classes() != NOT_THERE)
    px, py = now.positions()
    tree = cKDTree(np.column_stack([px[there], py[there]]))
    near = tree.query_ball_point(np.column_stack([x, y]), SAME_CELL_UM)
    pairs = [
        (float(np.hypot(px[c] - x[i], py[c] - y[i])), i, int(c)) for i, ids in enumerate(near) for c in there[ids]
    ]
    taken: set[int] = set()
    for _, place, cell in sorted(pairs):
        if matched[place] < 0 and cell not in taken:
            matched[place] = cell
            taken.add(cell)
    return matched


def _sets(found: Ids, klass: Bytes, after: Bytes, hit: NDArray[np.bool_]) -> Iterator[SetCells]:
    for wanted in CellClass:
        these = np.flatnonzero(hit & (after == wanted) & (klass != wanted))
        if these.size:
            cells, before = tuple(int(c) for c in found[these]), tuple(int(k) for k in klass[these])
            yield SetCells(cells=cells, before=before, after=int(wanted))


def _additions(now: SlideReview, x: Floats, y: Floats, after: Bytes) -> Iterator[AddCell]:
    for number, (x_um, y_um, klass) in enumerate(zip(x, y, after, strict=True)):
        yield AddCell(cell=now.new_cell_id() + number, x_um=float(x_um), y_um=float(y_um), after=int(klass))


def _new_regions(earlier: SlideReview, now: SlideReview) -> tuple[DrawRegion, ...]:
    known = {(region.role, region.polygon) for region in now.regions}
    fresh = [region for region in earlier.regions if (region.role, region.polygon) not in known]
    first = now.new_region_id()
    return tuple(
        region.drawing().model_copy(update={"region": first + number}) for number, region in enumerate(fresh)
    )
