"""The cells of one slide as arrays, sorted into squares so that a viewer can ask for a part of them.

Cells of a count come from the table kept with it; cells that a reader adds are appended behind them. A cell's id is
its row: it never changes while the count stays the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Ids = NDArray[np.int64]
Order = NDArray[np.uint32]

SQUARE_UM = 512.0
"""Side of the squares in which cells are handed to a viewer."""


class CellClass(IntEnum):
    """What a cell counts as."""

    NEGATIVE = 0
    POSITIVE = 1
    OUT = 2
    """Found, but not counted: left out by the counter (lymphocyte, debris) or by a reader."""


@dataclass(frozen=True, slots=True)
class CellTable:
    """Cells as counted: centres in µm from the slide's top-left corner, float32 of shape (n,); class uint8 (n,).

    ``count_id`` names the count that they come from: edits of one count are never applied to another.
    """

    x_um: Floats
    y_um: Floats
    klass: Bytes
    count_id: str

    def __post_init__(self) -> None:
        if not (self.x_um.shape == self.y_um.shape == self.klass.shape and self.x_um.ndim == 1):
            raise ValueError("x_um, y_um and klass must be one-dimensional and of one length")

    def __len__(self) -> int:
        return int(self.x_um.shape[0])

    @property
    def nbytes(self) -> int:
        """Memory that the cells hold."""
        return self.x_um.nbytes + self.y_um.nbytes + self.klass.nbytes


class SquareIndex:
    """Which cells lie in which square of a grid, asked in O(cells of the square).

    A table whose rows already run square by square (:func:`square_order`) is taken as it lies and costs one pass;
    any other is sorted once, and its order kept.
    """

    def __init__(self, x_um: Floats, y_um: Floats, side_um: float) -> None:
        self.side_um = side_um
        self.columns = _squares(x_um, side_um)
        self.rows = _squares(y_um, side_um)
        number = _square_numbers(x_um, y_um, side_um, self.columns, self.rows)
        self._order: Order | None = None
        if number.size and bool(np.any(number[1:] < number[:-1])):
            self._order = np.argsort(number, kind="stable").astype(np.uint32)
        sizes = np.bincount(number, minlength=self.columns * self.rows)
        self._starts: Ids = np.concatenate([[0], np.cumsum(sizes)])

    @property
    def nbytes(self) -> int:
        """Memory that the index holds."""
        return self._starts.nbytes + (0 if self._order is None else self._order.nbytes)

    def cells(self, column: int, row: int) -> Ids:
        """Ids of the cells in one square, ascending; empty outside the grid."""
        if not (0 <= column < self.columns and 0 <= row < self.rows):
            return np.empty(0, dtype=np.int64)
        number = row * self.columns + column
        return self._ids(int(self._starts[number]), int(self._starts[number + 1]))

    def counts(self) -> NDArray[np.int64]:
        """Number of cells of each square, shape (rows, columns)."""
        return np.diff(self._starts).reshape(self.rows, self.columns)

    def pieces(self, left: float, top: float, right: float, bottom: float) -> Iterator[Ids]:
        """Ids of the cells of every square that touches a rectangle in µm, one row of squares at a time."""
        first_column, last_column = self._span(left, right, self.columns)
        first_row, last_row = self._span(top, bottom, self.rows)
        for row in range(first_row, last_row):
            start = int(self._starts[row * self.columns + first_column])
            yield self._ids(start, int(self._starts[row * self.columns + last_column]))

    def within(self, left: float, top: float, right: float, bottom: float) -> Ids:
        """Ids of the cells of every square that touches a rectangle in µm (a superset of those inside it)."""
        return np.concatenate([np.empty(0, dtype=np.int64), *self.pieces(left, top, right, bottom)])

    def _ids(self, start: int, stop: int) -> Ids:
        if self._order is None:
            return np.arange(start, stop, dtype=np.int64)
        return self._order[start:stop].astype(np.int64)

    def _span(self, low: float, high: float, squares: int) -> tuple[int, int]:
        first = min(max(int(low // self.side_um), 0), squares)
        return first, min(max(int(high // self.side_um) + 1, first), squares)


def square_order(x_um: NDArray[np.floating], y_um: NDArray[np.floating], side_um: float) -> Ids:
    """The order in which cells run square by square, row of squares by row: an index of cells kept so is free."""
    x, y = np.asarray(x_um, dtype=np.float32), np.asarray(y_um, dtype=np.float32)
    columns, rows = _squares(x, side_um), _squares(y, side_um)
    return np.argsort(_square_numbers(x, y, side_um, columns, rows), kind="stable")


def _square_numbers(x_um: Floats, y_um: Floats, side_um: float, columns: int, rows: int) -> NDArray[np.int32]:
    column = np.clip((x_um / side_um).astype(np.int32), 0, columns - 1)
    row = np.clip((y_um / side_um).astype(np.int32), 0, rows - 1)
    return row * np.int32(columns) + column


def _squares(positions: Floats, side_um: float) -> int:
    return 1 if positions.size == 0 else int(max(float(positions.max()), 0.0) // side_um) + 1
