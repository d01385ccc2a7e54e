"""Tiles of a slide for a viewer: the deep-zoom pyramid of anything the slide floor opens.

Only the scanned image itself is served. Label and macro images may carry names and record numbers: nothing here opens
them.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from kulchitsky.case.errors import RefusedSlide
from kulchitsky.slide.reader import Slide, open_slide
from kulchitsky.workup.not_there import NotThere

TILE_PX = 512
JPEG_QUALITY = 85
READ_LIMIT_PX = 1 << 24
SHRINKS = (8, 4, 2)

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class SlideGeometry:
    """What a viewer needs to know of a slide; ``um_per_px`` is ``None`` when nobody has said it yet."""

    width_px: int
    height_px: int
    um_per_px: float | None
    tile_px: int
    max_level: int
    vendor: str

    def size(self, level: int) -> tuple[int, int]:
        """Width and height of a level of the deep-zoom pyramid in its own pixels."""
        scale = 1 << (self.max_level - level)
        return math.ceil(self.width_px / scale), math.ceil(self.height_px / scale)

    def grid(self, level: int) -> tuple[int, int]:
        """Columns and rows of tiles of a level."""
        width, height = self.size(level)
        return math.ceil(width / self.tile_px), math.ceil(height / self.tile_px)


class ClosedSlide(Exception):
    """The slide was closed before it could be read: open it again."""


class SlideView:
    """An open slide that hands out JPEG tiles; safe to use from several threads."""

    def __init__(self, path: Path, *, um_per_px: float | None = None) -> None:
        """Open ``path``; ``um_per_px`` overrides what the file says. Raises ``RefusedSlide`` if it cannot be read."""
        self.path = path
        self._lock = threading.Lock()
        self._users = 0
        self._closed = False
        self._slide, scale = _open(path, um_per_px)
        self.geometry = SlideGeometry(
            width_px=self._slide.width_px,
            height_px=self._slide.height_px,
            um_per_px=scale,
            tile_px=TILE_PX,
            max_level=math.ceil(math.log2(max(self._slide.width_px, self._slide.height_px, 1))),
            vendor=self._slide.vendor,
        )

    def close(self) -> None:
        """Release the file, at once or when the last reader of a region is done with it."""
        with self._lock:
            self._closed = True
            if self._users == 0:
                self._slide.close()

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise ClosedSlide(self.path.name)
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._closed and self._users == 0:
                    self._slide.close()

    def fingerprint(self) -> str:
        """Digest of the file's content, at a fixed cost."""
        return self._slide.fingerprint()

    def tile(self, level: int, column: int, row: int) -> bytes:
        """JPEG of one deep-zoom tile.

        ``level`` counts from 0 (the whole slide in one pixel) to ``geometry.max_level`` (full resolution). Raises
        ``NotThere`` when the pyramid has no such tile.
        """
        g = self.geometry
        if not 0 <= level <= g.max_level:
            raise NotThere(f"level {level} is outside 0–{g.max_level}")
        scale = 1 << (g.max_level - level)
        left, top = column * g.tile_px, row * g.tile_px
        level_width, level_height = g.size(level)
        if not (0 <= left < level_width and 0 <= top < level_height):
            raise NotThere(f"level {level} has no tile {column}, {row}")
        width, height = min(g.tile_px, level_width - left), min(g.tile_px, level_height - top)
        pixels = self.region(left * scale, top * scale, width, height, scale)
        return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=JPEG_QUALITY))

    def region(self, x_px: int, y_px: int, width: int, height: int, downsample: int) -> Pixels:
        """RGB of shape (``height``, ``width``, 3): a region from ``x_px``, ``y_px`` of level 0, shrunk.

        Raises ``ClosedSlide`` after :meth:`close`.
        """
        with self._in_use():
            return self._region(x_px, y_px, width, height, downsample)

    def _region(self, x_px: int, y_px: int, width: int, height: int, downsample: int) -> Pixels:
        level, shrink = self._source(downsample)
        step = self._slide.levels[level].downsample * shrink
        factor = downsample / step
        read_width, read_height = max(1, round(width * factor)), max(1, round(height * factor))
        if read_width * read_height > READ_LIMIT_PX and min(width, height) > 1:
            return self._in_quarters(x_px, y_px, width, height, downsample)
        pixels = self._slide.read(
            level, round(x_px / step), round(y_px / step), read_width, read_height, shrink=shrink
        )
        if pixels.shape[:2] != (height, width):
            pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
        return pixels

    def _source(self, downsample: int) -> tuple[int, int]:
        """The coarsest level, and the shrink while decoding, that are no coarser than ``downsample``."""
        fine_enough = [i for i, level in enumerate(self._slide.levels) if level.downsample <= downsample * 1.01]
        level = max(fine_enough, key=lambda i: self._slide.levels[i].downsample, default=0)
        spare = downsample / self._slide.levels[level].downsample
        if not self._slide.shrinks:
            return level, 1
        return level, next((shrink for shrink in SHRINKS if shrink <= spare * 1.01), 1)

    def _in_quarters(self, x: int, y: int, width: int, height: int, downsample: int) -> Pixels:
        """A file without a pyramid would need the whole of level 0 for one coarse tile: read it piece by piece."""
        half_width, half_height = width // 2, height // 2
        right, below = x + half_width * downsample, y + half_height * downsample
        rows = [
            np.hstack(
                [
                    self._region(x, top, half_width, rows_px, downsample),
                    self._region(right, top, width - half_width, rows_px, downsample),
                ]
            )
            for top, rows_px in ((y, half_height), (below, height - half_height))
        ]
        return np.vstack(rows)


def _open(path: Path, um_per_px: float | None) -> tuple[Slide, float | None]:
    """The slide and its scale; a slide of unknown scale may be looked at, though not counted."""
    try:
        slide = open_slide(path, um_per_px=um_per_px)
    except RefusedSlide:
        if um_per_px is not None:
            raise
        return open_slide(path, um_per_px=1.0), None
    return slide, slide.um_per_px
