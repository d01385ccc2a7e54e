"""One reader's review of one counted slide: the automatic cells with that reader's corrections on top.

The state is what the edit log says, replayed. Undo and redo have no limit; a change costs the cells it touches,
whatever the size of the slide, so that the index moves at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon

from kulchitsky.case.errors import RefusedInput
from kulchitsky.workup.cell_layer import SQUARE_UM, Bytes, CellClass, CellTable, Floats, Ids, SquareIndex
from kulchitsky.workup.drawn_regions import DrawnRegion, counting_places
from kulchitsky.workup.edit_log import (
    AddCell,
    Change,
    DrawRegion,
    Finish,
    LogEntry,
    Redo,
    RemoveRegion,
    Revert,
    SetCells,
    Undo,
)

NOT_THERE = 3
"""Class of an added cell whose addition was undone: its id stays taken."""


class RefusedEdit(RefusedInput):
    """A correction that does not fit the present state."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What a change touched: cells, and whether regions moved."""

    cells: tuple[int, ...] = ()
    regions: bool = False
    everything: bool = False


class SlideReview:
    """Cells, classes and regions after every change so far; counts are kept as changes come."""

    def __init__(self, table: CellTable, index: SquareIndex | None = None) -> None:
        self.table = table
        self.index = index or SquareIndex(table.x_um, table.y_um, SQUARE_UM)
        self.version = 0
        self._added_x: list[float] = []
        self._added_y: list[float] = []
        self._added_in: dict[tuple[int, int], list[int]] = {}
        self._klass: Bytes = table.klass.copy()
        self._changed: set[int] = set()
        self._inside: NDArray[np.bool_] | None = None
        self._regions: dict[int, DrawnRegion] = {}
        self._done: list[tuple[Change, tuple[Change, ...]]] = []
        self._undone: list[tuple[Change, tuple[Change, ...]]] = []
        self._in_batch = False
        self._counted = 0
        self._positive = 0
        self._recount()

    @property
    def counted(self) -> int:
        """Cells that count now."""
        return self._counted

    @property
    def positive(self) -> int:
        """Positive cells among them."""
        return self._positive

    @property
    def regions(self) -> tuple[DrawnRegion, ...]:
        """Regions as they stand."""
        return tuple(self._regions.values())

    @property
    def can_undo(self) -> int:
        """How many changes can be undone."""
        return len(self._done)

    @property
    def can_redo(self) -> int:
        """How many undone changes can be made again."""
        return len(self._undone)

    @property
    def changed_by_reader(self) -> int:
        """Cells whose class is not the automatic one, added cells among them."""
        return len(self._changed)

    @property
    def nbytes(self) -> int:
        """Memory that this review holds beside the cells that readers share."""
        return self._klass.nbytes + (0 if self._inside is None else self._inside.nbytes)

    @property
    def size(self) -> int:
        """Cells with an id, added ones included."""
        return int(self._klass.shape[0])

    def positions(self) -> tuple[Floats, Floats]:
        """Centres of every cell in µm, added cells last."""
        if not self._added_x:
            return self.table.x_um, self.table.y_um
        return (
            np.concatenate([self.table.x_um, np.asarray(self._added_x, dtype=np.float32)]),
            np.concatenate([self.table.y_um, np.asarray(self._added_y, dtype=np.float32)]),
        )

    def positions_of(self, cells: Ids) -> tuple[Floats, Floats]:
        """Centres of some cells in µm."""
        n = len(self.table)
        counted = cells < n
        x, y = np.empty(cells.shape, dtype=np.float32), np.empty(cells.shape, dtype=np.float32)
        x[counted], y[counted] = self.table.x_um[cells[counted]], self.table.y_um[cells[counted]]
        x[~counted] = [self._added_x[cell - n] for cell in cells[~counted]]
        y[~counted] = [self._added_y[cell - n] for cell in cells[~counted]]
        return x, y

    def classes(self) -> Bytes:
        """Class of every cell as it stands; cells outside the drawn regions are ``CellClass.OUT``."""
        if self._inside is None:
            return self._klass.copy()
        shown = np.where(self._inside, self._klass, CellClass.OUT).astype(np.uint8)
        shown[self._klass == NOT_THERE] = NOT_THERE
        return shown

    def corrections(self) -> tuple[Ids, Bytes, Bytes]:
        """Cells whose class is not the automatic one, their automatic class and their class, regions left aside.

        An added cell's automatic class is ``NOT_THERE``.
        """
        cells = np.asarray(sorted(self._changed), dtype=np.int64)
        n = len(self.table)
        before = np.full(cells.size, NOT_THERE, dtype=np.uint8)
        before[cells < n] = self.table.klass[cells[cells < n]]
        return cells, before, self._klass[cells]

    def cells_within(
        self, left: float, top: float, right: float, bottom: float
    ) -> Iterator[tuple[Floats, Floats, Bytes]]:
        """Positions and classes of the cells of every square that touches a rectangle, a row of squares at a time."""
        for ids in self.index.pieces(left, top, right, bottom):
            yield self.table.x_um[ids], self.table.y_um[ids], self._counts_as(ids)
        if self._added_x:
            x, y = (np.asarray(v, dtype=np.float32) for v in (self._added_x, self._added_y))
            yield x, y, self._counts_as(np.arange(len(self.table), self.size, dtype=np.int64))

    def klass_of(self, cell: int) -> int:
        """Class of one cell, regions left aside."""
        self._check_cell(cell)
        return int(self._klass[cell])

    def position_of(self, cell: int) -> tuple[float, float]:
        """Centre of one cell in µm."""
        n = len(self.table)
        if cell < n:
            return float(self.table.x_um[cell]), float(self.table.y_um[cell])
        return self._added_x[cell - n], self._added_y[cell - n]

    def square(self, column: int, row: int) -> tuple[Ids, Floats, Floats, Bytes]:
        """Cells of one square: ids, x and y in µm, classes as they count."""
        ids = self.index.cells(column, row)
        x, y = self.table.x_um[ids], self.table.y_um[ids]
        added = [cell for cell in self._added_in.get((column, row), ()) if self._klass[cell] != NOT_THERE]
        if added:
            offset = [cell - len(self.table) for cell in added]
            ids = np.concatenate([ids, np.asarray(added, dtype=np.int64)])
            x = np.concatenate([x, np.asarray([self._added_x[i] for i in offset], dtype=np.float32)])
            y = np.concatenate([y, np.asarray([self._added_y[i] for i in offset], dtype=np.float32)])
        return ids, x, y, self._counts_as(ids)

    def _counts_as(self, cells: Ids) -> Bytes:
        """Classes of some cells, those outside the drawn regions as not counted."""
        klass = self._klass[cells]
        if self._inside is None:
            return klass
        return np.where(self._inside[cells] | (klass == NOT_THERE), klass, np.uint8(CellClass.OUT))

    def new_cell_id(self) -> int:
        """The id that the next added cell gets."""
        return self.size

    def new_region_id(self) -> int:
        """The id that the next region gets: one that no change of this log has used."""
        used = [change.region for change, _ in (*self._done, *self._undone) if isinstance(change, DrawRegion)]
        return max(used, default=0) + 1

    def replay(self, entries: Iterable[LogEntry]) -> None:
        """Bring the state to where the log stands."""
        with self.batch():
            for entry in entries:
                self.take(entry.body)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Within it many changes are made: which cells the regions hold is found out once, at the end."""
        self._in_batch = True
        try:
            yield
        finally:
            self._in_batch = False
            self._find_inside()

    def check(self, body: Change | Undo | Redo | Finish) -> None:
        """Raise ``RefusedEdit`` if ``body`` does not fit: called before it is logged."""
        if isinstance(body, Undo) and not self._done:
            raise _refused("there is nothing to undo")
        if isinstance(body, Redo) and not self._undone:
            raise _refused("there is nothing to redo")
        if isinstance(body, SetCells):
            if len(body.cells) != len(body.before) or len(set(body.cells)) != len(body.cells):
                raise _refused("cells and their former classes do not match")
            for cell in body.cells:
                self._check_cell(cell)
            if self._klass[list(body.cells)].tolist() != list(body.before):
                raise _refused("the cells have changed since")
        if isinstance(body, AddCell) and body.cell != self.new_cell_id():
            raise _refused("another cell was added meanwhile")
        if isinstance(body, DrawRegion):
            if body.region in self._regions:
                raise _refused("that region exists already")
            if not Polygon(body.polygon).is_valid:
                raise _refused("the outline of the region crosses itself")
        if isinstance(body, RemoveRegion) and body.region not in self._regions:
            raise _refused("there is no such region")

    def take(self, body: Change | Undo | Redo | Finish) -> Touched:
        """Apply one row of the log; returns what it touched."""
        self.version += 1
        if isinstance(body, Finish):
            return Touched()
        if isinstance(body, Undo):
            change, inverse = self._done.pop()
            self._undone.append((change, inverse))
            return self._all([self._apply(step) for step in reversed(inverse)], change)
        if isinstance(body, Redo):
            change, inverse = self._undone.pop()
            self._done.append((change, inverse))
            return self._all([self._apply(change)], change)
        inverse = self._inverse(body)
        touched = self._apply(body)
        self._done.append((body, inverse))
        self._undone.clear()
        return self._all([touched], body)

    def _all(self, parts: list[Touched], change: Change) -> Touched:
        cells = tuple(cell for part in parts for cell in part.cells)
        return Touched(cells=cells, regions=any(p.regions for p in parts), everything=isinstance(change, Revert))

    def _inverse(self, body: Change) -> tuple[Change, ...]:
        """The changes that take ``body`` back, to be applied last one first."""
        if isinstance(body, SetCells):
            groups: dict[int, list[int]] = {}
            for cell, before in zip(body.cells, body.before, strict=True):
                groups.setdefault(before, []).append(cell)
            return tuple(
                SetCells.model_construct(cells=tuple(c), before=(body.after,) * len(c), after=klass)
                for klass, c in groups.items()
            )
        if isinstance(body, AddCell):
            return (SetCells.model_construct(cells=(body.cell,), before=(body.after,), after=NOT_THERE),)
        if isinstance(body, DrawRegion):
            return (RemoveRegion(region=body.region),)
        if isinstance(body, RemoveRegion):
            region = self._regions[body.region]
            return (region.drawing(),)
        return tuple(self._restore_from_automatic())

    def _restore_from_automatic(self) -> Iterable[Change]:
        """The changes that lead from the automatic result to the present state (for undoing a revert)."""
        n = len(self.table)
        automatic = np.concatenate([self.table.klass, np.full(self.size - n, NOT_THERE, dtype=np.uint8)])
        differing = np.flatnonzero(automatic != self._klass)
        for klass in np.unique(self._klass[differing]):
            cells = differing[self._klass[differing] == klass]
            yield SetCells.model_construct(
                cells=tuple(int(c) for c in cells),
                before=tuple(int(k) for k in automatic[cells]),
                after=int(klass),
            )
        for region in self._regions.values():
            yield region.drawing()

    def _apply(self, body: Change) -> Touched:
        if isinstance(body, SetCells):
            for cell in body.cells:
                self._set(cell, body.after)
            return Touched(cells=body.cells)
        if isinstance(body, AddCell):
            self._add(body)
            return Touched(cells=(body.cell,))
        if isinstance(body, DrawRegion):
            self._regions[body.region] = DrawnRegion(body.region, body.role, body.polygon)
        elif isinstance(body, RemoveRegion):
            del self._regions[body.region]
        else:
            self._klass[: len(self.table)] = self.table.klass
            self._klass[len(self.table) :] = NOT_THERE
            self._changed.clear()
            self._regions.clear()
        self._find_inside()
        return Touched(regions=True)

    def _set(self, cell: int, klass: int) -> None:
        before = int(self._klass[cell])
        self._klass[cell] = klass
        if self._inside is None or self._inside[cell]:
            self._counted += (klass < CellClass.OUT) - (before < CellClass.OUT)
            self._positive += (klass == CellClass.POSITIVE) - (before == CellClass.POSITIVE)
        automatic = int(self.table.klass[cell]) if cell < len(self.table) else NOT_THERE
        if klass == automatic:
            self._changed.discard(cell)
        else:
            self._changed.add(cell)

    def _add(self, body: AddCell) -> None:
        if body.cell < self.size:
            self._set(body.cell, body.after)  # added before, undone, and now made again
            return
        self._added_x.append(body.x_um)
        self._added_y.append(body.y_um)
        square = (int(body.x_um // SQUARE_UM), int(body.y_um // SQUARE_UM))
        self._added_in.setdefault(square, []).append(body.cell)
        self._klass = np.append(self._klass, np.uint8(NOT_THERE))
        if self._inside is not None:
            inside = counting_places(self.regions, np.asarray([body.x_um]), np.asarray([body.y_um]))
            self._inside = np.append(self._inside, inside)
        self._set(body.cell, body.after)

    def _find_inside(self) -> None:
        if self._in_batch:
            return
        self._inside = counting_places(self.regions, *self.positions()) if self._regions else None
        self._recount()

    def _recount(self) -> None:
        counts = self._klass < CellClass.OUT
        if self._inside is not None:
            counts &= self._inside
        self._counted = int(np.count_nonzero(counts))
        self._positive = int(np.count_nonzero(counts & (self._klass == CellClass.POSITIVE)))

    def _check_cell(self, cell: int) -> None:
        if not 0 <= cell < self.size or self._klass[cell] == NOT_THERE:
            raise _refused(f"there is no cell {cell}")


def _refused(problem: str) -> RefusedEdit:
    return RefusedEdit(problem, source="edit", remedy="reload the page and try again")
