"""Heat map of a review: cells and positive cells per square bin, at every coarseness a viewer asks for."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kulchitsky.workup.cell_layer import CellClass
from kulchitsky.workup.not_there import NotThere
from kulchitsky.workup.slide_review import SlideReview

FINEST_BIN_UM = 16.0
TILE_BINS = 64
MAX_BINS = 4_000_000
CHUNK_CELLS = 250_000
"""Cells binned at a time: keeps what is needed for a moment small beside the cells themselves."""

Counts = NDArray[np.uint32]


class HeatMap:
    """Counts per bin at one version of a review. Level 0 has the finest bins; each level doubles their side."""

    def __init__(self, review: SlideReview) -> None:
        self.version = review.version
        x, y = review.positions()
        width, height = (float(v.max()) + 1 if v.size else 1.0 for v in (x, y))
        coarser = math.sqrt(max(1.0, width * height / FINEST_BIN_UM**2 / MAX_BINS))
        self.bin_um = FINEST_BIN_UM * math.ceil(coarser)
        self.columns, self.rows = math.ceil(width / self.bin_um), math.ceil(height / self.bin_um)
        klass = review.classes()
        self._counted = np.zeros(self.columns * self.rows, dtype=np.uint32)
        self._positive = np.zeros_like(self._counted)
        for start in range(0, len(klass), CHUNK_CELLS):
            part = slice(start, start + CHUNK_CELLS)
            self._add(x[part], y[part], klass[part])

    @property
    def levels(self) -> int:
        """How many levels there are until one tile covers everything."""
        return max(1, math.ceil(math.log2(max(self.columns, self.rows) / TILE_BINS)) + 1)

    def tile(self, level: int, column: int, row: int) -> tuple[Counts, Counts]:
        """Cells and positive cells of ``TILE_BINS`` × ``TILE_BINS`` bins; zero beyond the cells.

        Raises ``NotThere`` for a level that does not exist.
        """
        if not 0 <= level < self.levels:
            raise NotThere(f"the heat map has levels 0–{self.levels - 1}")
        shape = (self.rows, self.columns)
        counted, positive = self._counted.reshape(shape), self._positive.reshape(shape)
        return self._block(counted, level, column, row), self._block(positive, level, column, row)

    def _block(self, grid: Counts, level: int, column: int, row: int) -> Counts:
        step = 1 << level
        span = TILE_BINS * step
        part = grid[row * span : (row + 1) * span, column * span : (column + 1) * span]
        full = np.zeros((span, span), dtype=np.uint32)
        full[: part.shape[0], : part.shape[1]] = part
        summed: Counts = full.reshape(TILE_BINS, step, TILE_BINS, step).sum(axis=(1, 3), dtype=np.uint32)
        return summed

    def _add(self, x: NDArray[np.float32], y: NDArray[np.float32], klass: NDArray[np.uint8]) -> None:
        column = np.clip((x / self.bin_um).astype(np.int32), 0, self.columns - 1)
        row = np.clip((y / self.bin_um).astype(np.int32), 0, self.rows - 1)
        number = row * self.columns + column
        bins = self.columns * self.rows
        self._counted += np.bincount(number[klass < CellClass.OUT], minlength=bins).astype(np.uint32)
        self._positive += np.bincount(number[klass == CellClass.POSITIVE], minlength=bins).astype(np.uint32)
