"""The cells of one slide as arrays, sorted into squares so that a viewer can ask for a part of them.

Cells of a count come from its Parquet table; cells that a reader adds are appended behind them. A cell's id is its
row: it never changes while the count stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Ids = NDArray[np.int64]


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


class SquareIndex:
    """Which cells lie in which square of a grid: built once in O(n log n), asked in O(cells of the square)."""

    def __init__(self, x_um: Floats, y_um: Floats, side_um: float) -> None:
        self.side_um = side_um
        self.columns = _squares(x_um, side_um)
        self.rows = _squares(y_um, side_um)
        square = self._number(x_um, y_um)
        self._order: Ids = np.argsort(square, kind="stable")
        self._starts: Ids = np.searchsorted(square[self._order], np.arange(self.columns * self.rows + 1))

    def cells(self, column: int, row: int) -> Ids:
        """Ids of the cells in one square, ascending; empty outside the grid."""
        if not (0 <= column < self.columns and 0 <= row < self.rows):
            return np.empty(0, dtype=np.int64)
        number = row * self.columns + column
        return self._order[self._starts[number] : self._starts[number + 1]]

    def counts(self) -> NDArray[np.int64]:
        """Number of cells of each square, shape (rows, columns)."""
        return np.diff(self._starts).reshape(self.rows, self.columns)

    def within(self, left: float, top: float, right: float, bottom: float) -> Ids:
        """Ids of the cells of every square that touches a rectangle in µm (a superset of those inside it)."""
        first_column, last_column = self._span(left, right, self.columns)
        first_row, last_row = self._span(top, bottom, self.rows)
        parts = [
            self._order[
                self._starts[row * self.columns + first_column] : self._starts[row * self.columns + last_column]
            ]
            for row in range(first_row, last_row)
        ]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)

    def _span(self, low: float, high: float, squares: int) -> tuple[int, int]:
        first = min(max(int(low // self.side_um), 0), squares)
        return first, min(max(int(high // self.side_um) + 1, first), squares)

    def _number(self, x_um: Floats, y_um: Floats) -> Ids:
        column = np.clip((x_um / self.side_um).astype(np.int64), 0, self.columns - 1)
        row = np.clip((y_um / self.side_um).astype(np.int64), 0, self.rows - 1)
        return row * self.columns + column


def _squares(positions: Floats, side_um: float) -> int:
    return 1 if positions.size == 0 else int(max(float(positions.max()), 0.0) // side_um) + 1
