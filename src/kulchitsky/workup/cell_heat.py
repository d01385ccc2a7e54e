"""Heat map of a review: cells and positive cells per square bin, at every coarseness a viewer asks for.

The bins of the automatic cells are counted once and shared by every reader of the slide; a reader's corrections are
added when a tile is asked for. Where regions are drawn any cell may have ceased to count: then the cells below the
tile are counted for it, one row of squares at a time.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kulchitsky.workup.cell_layer import CellClass, CellTable
from kulchitsky.workup.not_there import NotThere
from kulchitsky.workup.slide_review import SlideReview

FINEST_BIN_UM = 16.0
TILE_BINS = 64
MAX_BINS = 4_000_000
CHUNK_CELLS = 250_000
"""Cells binned at a time: keeps what is needed for a moment small beside the cells themselves."""

Counts = NDArray[np.uint32]
Grid = NDArray[np.uint16] | NDArray[np.uint32]


class HeatGrid:
    """Automatic cells per bin. Level 0 has the finest bins; each level doubles their side."""

    def __init__(self, table: CellTable) -> None:
        x, y = table.x_um, table.y_um
        width, height = (float(v.max()) + 1 if v.size else 1.0 for v in (x, y))
        coarser = math.sqrt(max(1.0, width * height / FINEST_BIN_UM**2 / MAX_BINS))
        self.bin_um = FINEST_BIN_UM * math.ceil(coarser)
        columns, rows = (max(1, math.ceil(side / self.bin_um)) for side in (width, height))
        self.levels = max(1, math.ceil(math.log2(max(columns, rows) / TILE_BINS)) + 1)
        """How many levels there are until one tile covers everything."""
        counted, positive = (np.zeros(columns * rows, dtype=np.uint32) for _ in range(2))
        for start in range(0, len(table), CHUNK_CELLS):
            part = slice(start, start + CHUNK_CELLS)
            _add_chunk(counted, positive, self._bins(x[part], y[part], columns, rows), table.klass[part])
        self._grids = [(_pyramid(grid.reshape(rows, columns), self.levels)) for grid in (counted, positive)]

    @property
    def nbytes(self) -> int:
        """Memory that the bins hold."""
        return sum(level.nbytes for grids in self._grids for level in grids)

    def tile(self, level: int, column: int, row: int) -> tuple[Counts, Counts]:
        """Automatic cells and positive ones of ``TILE_BINS`` × ``TILE_BINS`` bins; zero beyond the cells."""
        counted, positive = (_block(grids[level], column, row) for grids in self._grids)
        return counted, positive

    def tile_of(self, review: SlideReview, level: int, column: int, row: int) -> tuple[Counts, Counts]:
        """The same as a reader's review has it. Raises ``NotThere`` for a level that does not exist."""
        if not 0 <= level < self.levels:
            raise NotThere(f"the heat map has levels 0–{self.levels - 1}")
        if review.regions:
            return self._count_again(review, level, column, row)
        counted, positive = self.tile(level, column, row)
        cells, before, now = review.corrections()
        if cells.size:
            x, y = review.positions_of(cells)
            bins, inside = self._bins_of_tile(x, y, level, column, row)
            for grid, klass in ((counted, CellClass.OUT), (positive, None)):
                step = _counts(now[inside], klass).astype(np.int64) - _counts(before[inside], klass)
                change = np.bincount(bins, weights=step, minlength=TILE_BINS**2).astype(np.int64)
                grid += change.reshape(grid.shape).astype(np.uint32)  # modulo 2³²: a fall is a rise around it
        return counted, positive

    def _count_again(self, review: SlideReview, level: int, column: int, row: int) -> tuple[Counts, Counts]:
        side = self.bin_um * TILE_BINS * (1 << level)
        counted, positive = (np.zeros(TILE_BINS**2, dtype=np.uint32) for _ in range(2))
        box = (column * side, row * side, (column + 1) * side, (row + 1) * side)
        for x, y, klass in review.cells_within(*box):
            bins, inside = self._bins_of_tile(x, y, level, column, row)
            _add_chunk(counted, positive, bins, klass[inside])
        return counted.reshape(TILE_BINS, -1), positive.reshape(TILE_BINS, -1)

    def _bins_of_tile(
        self, x: NDArray[np.float32], y: NDArray[np.float32], level: int, column: int, row: int
    ) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Bin numbers of the cells that lie in a tile, and which cells those are."""
        side = self.bin_um * (1 << level)
        across = np.maximum((x / side).astype(np.int32), 0) - column * TILE_BINS
        down = np.maximum((y / side).astype(np.int32), 0) - row * TILE_BINS
        inside = (across >= 0) & (across < TILE_BINS) & (down >= 0) & (down < TILE_BINS)
        return down[inside] * np.int32(TILE_BINS) + across[inside], inside

    def _bins(self, x: NDArray[np.float32], y: NDArray[np.float32], columns: int, rows: int) -> NDArray[np.int32]:
        column = np.clip((x / self.bin_um).astype(np.int32), 0, columns - 1)
        row = np.clip((y / self.bin_um).astype(np.int32), 0, rows - 1)
        return row * np.int32(columns) + column


def _add_chunk(counted: Counts, positive: Counts, bins: NDArray[np.int32], klass: NDArray[np.uint8]) -> None:
    counted += np.bincount(bins[_counts(klass, CellClass.OUT)], minlength=counted.size).astype(np.uint32)
    positive += np.bincount(bins[_counts(klass, None)], minlength=positive.size).astype(np.uint32)


def _counts(klass: NDArray[np.uint8], below: CellClass | None) -> NDArray[np.bool_]:
    """Which classes count; with ``None``, which count as positive."""
    return klass == CellClass.POSITIVE if below is None else klass < below


def _pyramid(finest: Counts, levels: int) -> list[Grid]:
    """Each level sums 2 × 2 bins of the one before; the finest is kept small where its counts allow it."""
    grids: list[Grid] = [finest]
    for _ in range(levels - 1):
        below = grids[-1]
        even = np.pad(below, [(0, side % 2) for side in below.shape])
        grids.append(even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2).sum(axis=(1, 3), dtype=np.uint32))
    if finest.max(initial=0) < 1 << 16:
        grids[0] = finest.astype(np.uint16)
    return grids


def _block(grid: Grid, column: int, row: int) -> Counts:
    part = grid[row * TILE_BINS : (row + 1) * TILE_BINS, column * TILE_BINS : (column + 1) * TILE_BINS]
    full = np.zeros((TILE_BINS, TILE_BINS), dtype=np.uint32)
    full[: part.shape[0], : part.shape[1]] = part
    return full
