"""A tiled TIFF as a source of pixels: tiles through pread and libjpeg-turbo, each decoded once where that can be."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.source import U8, Mask, SlideLevel, TileLog, Window
from kulchitsky.slide.tiff import TiffLevel, TiffTiles, UnreadableTile
from kulchitsky.slide.tile_store import TileStore


class TiffSource:
    """Tiles of a TIFF, kept a while so that neighbouring blocks do not decode them twice."""

    def __init__(self, tiles: TiffTiles) -> None:
        self._tiles = tiles
        first = tiles.levels[0]
        self.levels = tuple(SlideLevel(v.width, v.height, first.width / v.width) for v in tiles.levels)
        self._bad: set[tuple[int, int]] = set()
        self._seen: set[tuple[int, int]] = set()
        self._lock = threading.Lock()
        self._store = TileStore()
        self._touched: tuple[int, Mask, NDArray[np.bool_]] | None = None

    def log(self) -> TileLog:
        """Tiles asked for so far, and those that could not be decoded."""
        with self._lock:
            return TileLog(frozenset(self._seen), frozenset(self._bad))

    def close(self) -> None:
        """Give the file and the memory back."""
        self._tiles.close()
        self._store.clear()

    def forget(self) -> None:
        """See :class:`kulchitsky.slide.source.Source`."""
        self._store.clear()

    def expect(self, level: int, windows: Sequence[Window], shrink: int) -> None:
        """See :class:`kulchitsky.slide.source.Source`."""
        this = self._tiles.levels[level]
        uses = np.zeros((this.rows, this.columns), np.int32)
        for window in windows:
            rows, columns = self._span(this, window, shrink)
            uses[rows, columns] += 1
        self._store.expect(level, shrink, uses.ravel())

    def region(self, level: int, window: Window, shrink: int, fill: int, wanted: Mask | None, out: U8) -> None:
        """See :class:`kulchitsky.slide.source.Source`."""
        x, y, width, height = window
        this = self._tiles.levels[level]
        tw, th = this.tile_width // shrink, this.tile_height // shrink
        touched = None if wanted is None else self._touches(level, wanted)
        rows, columns = self._span(this, window, shrink)
        for row in range(rows.start, rows.stop):
            for column in range(columns.start, columns.stop):
                x0, y0 = max(x, column * tw), max(y, row * th)
                x1, y1 = min(x + width, (column + 1) * tw), min(y + height, (row + 1) * th)
                part = out[y0 - y : y1 - y, x0 - x : x1 - x]
                skip = touched is not None and not touched[row, column]
                key = (level, row * this.columns + column, shrink)
                tile = None if skip else self._tile(key, (th, tw, 3))
                if tile is None:
                    part[:] = fill
                    continue
                part[:] = tile[y0 - row * th : y1 - row * th, x0 - column * tw : x1 - column * tw]
                self._store.used(key, tile)

    def _span(self, this: TiffLevel, window: Window, shrink: int) -> tuple[slice, slice]:
        """Rows and columns of the tiles that a window touches."""
        x, y, width, height = window
        tw, th = this.tile_width // shrink, this.tile_height // shrink
        x0, y0 = max(0, x), max(0, y)
        x1, y1 = min(this.width // shrink, x + width), min(this.height // shrink, y + height)
        if x1 <= x0 or y1 <= y0:
            return slice(0, 0), slice(0, 0)
        rows = slice(y0 // th, min(this.rows, (y1 - 1) // th + 1))
        return rows, slice(x0 // tw, min(this.columns, (x1 - 1) // tw + 1))

    def _tile(self, key: tuple[int, int, int], shape: tuple[int, int, int]) -> U8 | None:
        level, index, shrink = key
        with self._lock:
            self._seen.add((level, index))
        tile = self._store.get(key)
        if tile is not None:
            return tile
        try:
            return self._tiles.tile(level, index, shrink, self._store.room(key, shape))
        except UnreadableTile:
            with self._lock:
                self._bad.add((level, index))
            return None

    def _touches(self, level: int, wanted: Mask) -> NDArray[np.bool_]:
        """(rows, columns) tiles of the level that overlap the mask, which spans the slide."""
        last = self._touched
        if last is not None and last[0] == level and last[1] is wanted:
            return last[2]
        this = self._tiles.levels[level]
        grid = np.zeros((this.rows, this.columns), np.bool_)
        across = _edges(this.columns, this.tile_width, this.width, wanted.shape[1])
        down = _edges(this.rows, this.tile_height, this.height, wanted.shape[0])
        for row, (y0, y1) in enumerate(down):
            some = np.asarray(wanted[y0:y1].any(axis=0))
            grid[row] = [some[x0:x1].any() for x0, x1 in across]
        self._touched = (level, wanted, grid)
        return grid


def _edges(tiles: int, tile: int, size: int, mask: int) -> list[tuple[int, int]]:
    """Each tile's first and last mask pixel (exclusive), rounded outwards."""
    spans = []
    for k in range(tiles):
        start, stop = k * tile * mask // size, -(-(k + 1) * tile * mask // size)
        spans.append((start, max(stop, start + 1)))
    return spans
