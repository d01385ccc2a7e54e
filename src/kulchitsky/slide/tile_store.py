"""Decoded tiles, kept as long as a later block needs them and no longer: each is decoded once, in little memory."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.buffers import Buffers

U8 = NDArray[np.uint8]
Key = tuple[int, int, int]
"""Level, tile number, shrink."""

MOST_BYTES: Final = 64 * 2**20
"""What is kept at most; beyond it the oldest tiles go, to be decoded again when asked for."""
_SPARE: Final = 32


class TileStore:
    """Tiles by key; safe from several threads, each of which says :meth:`used` once it has copied what it needs.

    Where :meth:`expect` has announced how often a tile will be used, it is dropped after the last use and its memory
    taken for the next; other tiles stay while there is room.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, U8] = OrderedDict()
        self._bytes = 0
        self._readers: Counter[Key] = Counter()
        self._uses: dict[tuple[int, int], NDArray[np.int32]] = {}
        self._spare: list[U8] = []
        self._scratch = Buffers()

    @property
    def held_bytes(self) -> int:
        """Size of the tiles kept now."""
        return self._bytes

    def expect(self, level: int, shrink: int, uses: NDArray[np.int32]) -> None:
        """Say how often each tile of a level will be used, by number; replaces what was said before."""
        with self._lock:
            self._uses[level, shrink] = uses.copy()

    def get(self, key: Key) -> U8 | None:
        """A tile kept from an earlier use."""
        with self._lock:
            tile = self._kept.get(key)
            if tile is not None:
                self._kept.move_to_end(key)
                self._readers[key] += 1
            return tile

    def room(self, key: Key, shape: tuple[int, int, int]) -> U8:
        """Memory to decode a tile into: fresh or spare when it will be kept, else the thread's own scratch."""
        with self._lock:
            if not self._used_again(key):
                return self._scratch.array("tile", shape, np.uint8)
            for place, spare in enumerate(self._spare):
                if spare.shape == shape:
                    return self._spare.pop(place)
        return np.empty(shape, np.uint8)

    def used(self, key: Key, tile: U8) -> None:
        """Say that a tile has been copied from: it is kept for the next use, or let go after the last."""
        with self._lock:
            again = self._used_again(key)
            uses = self._uses.get((key[0], key[2]))
            if uses is not None and key[1] < len(uses):
                uses[key[1]] -= 1
            kept = self._kept.get(key)
            if kept is tile:
                self._readers[key] -= 1
            if again and kept is None:
                self._kept[key] = tile
                self._bytes += tile.nbytes
            elif again and kept is not tile:
                self._put_aside(tile)  # another thread was first
            elif not again and kept is not None:
                self._drop(key)
            while self._bytes > self._most and len(self._kept) > 1:
                self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._kept.clear()
            self._spare.clear()
            self._uses.clear()
            self._readers.clear()
            self._bytes = 0

    def _used_again(self, key: Key) -> bool:
        uses = self._uses.get((key[0], key[2]))
        return uses is None or (key[1] < len(uses) and int(uses[key[1]]) > 1)

    def _drop(self, key: Key) -> None:
        tile = self._kept.pop(key)
        self._bytes -= tile.nbytes
        if self._readers.pop(key, 0) == 0:  # else somebody still copies from it
            self._put_aside(tile)

    def _put_aside(self, tile: U8) -> None:
        if tile.base is None and len(self._spare) < _SPARE:
            self._spare.append(tile)
