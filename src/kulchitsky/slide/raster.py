"""The slide on a working grid of about 0.5 µm per pixel, whatever its levels; any block, always the same pixels.

Of all levels and half-scale decodings the coarsest that is fine enough is read; only when none lies within an eighth
of the wanted scale are pixels resampled, by exact area averaging whose weights depend on the global position alone,
so that two blocks that overlap agree to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.pages import pages
from kulchitsky.slide.reader import Slide
from kulchitsky.slide.source import U8, Mask, Window

WORK_UM: Final = 0.5
_TOLERANCE: Final = 0.13


@dataclass(frozen=True, slots=True)
class _Choice:
    level: int
    shrink: int
    um: float


class Raster:
    """Blocks of a slide on the working grid: ``um_per_px`` micrometres a pixel, ``width`` x ``height`` pixels."""

    def __init__(self, slide: Slide, *, work_um: float = WORK_UM, fill: int = 255) -> None:
        self.slide = slide
        self.fill = fill
        choice = _choose(slide, work_um)
        ratio = work_um / choice.um
        self._set(choice, 1.0 if abs(ratio - 1) <= _TOLERANCE else ratio)

    def _set(self, choice: _Choice, step: float) -> None:
        self._choice, self._step = choice, step
        self.um_per_px = choice.um * step
        level = self.slide.levels[choice.level]
        self._source_width, self._source_height = level.width // choice.shrink, level.height // choice.shrink
        self.width = max(1, int(self._source_width / step))
        self.height = max(1, int(self._source_height / step))

    def halved(self) -> Raster | None:
        """The same slide at twice the pixel width, pixel upon 2 x 2 pixels, decoded straight to that scale.

        ``None`` where tiles cannot be decoded so, or where pixels are resampled.
        """
        choice = self._choice
        if self._step != 1.0 or not self.slide.shrinks or choice.shrink > 4:
            return None
        coarse = Raster.__new__(Raster)
        coarse.slide, coarse.fill = self.slide, self.fill
        coarse._set(_Choice(choice.level, 2 * choice.shrink, 2 * choice.um), 1.0)
        return coarse

    def expect(self, windows: Sequence[Window]) -> None:
        """Announce all windows that :meth:`block` will be asked for, see :meth:`Slide.expect`."""
        sources = [self._source_window(*window) for window in windows]
        self.slide.expect(self._choice.level, sources, self._choice.shrink)

    def _source_window(self, x: int, y: int, width: int, height: int) -> Window:
        if self._step == 1.0:
            return x, y, width, height
        step = self._step
        x0, y0 = int(np.floor(x * step)) - 1, int(np.floor(y * step)) - 1
        x1, y1 = int(np.ceil((x + width) * step)) + 2, int(np.ceil((y + height) * step)) + 2
        return x0, y0, x1 - x0, y1 - y0

    @property
    def level(self) -> int:
        """The level that is read."""
        return self._choice.level

    @property
    def shrink(self) -> int:
        """By how much its tiles are shrunk while decoding."""
        return self._choice.shrink

    def block(self, x: int, y: int, width: int, height: int, wanted: Mask | None = None, out: U8 | None = None) -> U8:
        """(height, width, 3) RGB of a window in working pixels, in ``out`` if given; outside the slide, and in tiles
        that ``wanted`` does not touch, the fill colour."""
        choice, step = self._choice, self._step
        source = self.slide.read(
            choice.level,
            *self._source_window(x, y, width, height),
            shrink=choice.shrink,
            fill=self.fill,
            wanted=wanted,
            out=out if step == 1.0 else None,
        )
        if step == 1.0:
            return source
        x0, y0, _, _ = self._source_window(x, y, width, height)
        left, weights_x = _weights(x, width, step, x0)
        top, weights_y = _weights(y, height, step, y0)
        target = np.empty((height, width, 3), np.uint8) if out is None else out
        _resample(source, left, weights_x, top, weights_y, target)
        return target


def _choose(slide: Slide, work_um: float) -> _Choice:
    best: _Choice | None = None
    for number, level in enumerate(slide.levels):
        for shrink in (1, 2, 4) if slide.shrinks else (1,):
            um = slide.um_per_px * level.downsample * shrink
            fits = um <= work_um * (1 + _TOLERANCE)
            finer = best is not None and um < best.um * 0.99
            if (best is None and number == 0 and shrink == 1) or (fits and not finer):
                best = _Choice(number, shrink, um)
    assert best is not None
    return best


def _weights(start: int, count: int, step: float, origin: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Of each output pixel the first source pixel (relative to ``origin``) and the weights of it and its followers.

    A box of ``step`` source pixels when shrinking, linear interpolation when enlarging.
    """
    index = np.arange(start, start + count)
    if step >= 1:
        low, high = index * step, (index + 1) * step
        first = np.floor(low).astype(np.int64)
        taps = int(np.ceil(step)) + 1
        cells = first[:, None] + np.arange(taps)
        weights = np.minimum(high[:, None], cells + 1) - np.maximum(low[:, None], cells)
    else:
        centre = (index + 0.5) * step - 0.5
        first = np.floor(centre).astype(np.int64)
        cells = first[:, None] + np.arange(2)
        weights = 1 - np.abs(centre[:, None] - cells)
    weights = np.clip(weights, 0, None)
    return first - origin, (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _resample(source: Any, left: Any, weights_x: Any, top: Any, weights_y: Any, out: Any) -> None:
    """uint8 (rows, columns, 3) in and out."""
    rows, columns = len(top), len(left)
    height, width = source.shape[0], source.shape[1]
    line = np.empty((width, 3), np.float32)
    for i in range(rows):
        line[:] = 0
        for k in range(weights_y.shape[1]):
            w = weights_y[i, k]
            r = min(top[i] + k, height - 1)
            if w > 0:
                for j in range(width):
                    line[j, 0] += w * source[r, j, 0]
                    line[j, 1] += w * source[r, j, 1]
                    line[j, 2] += w * source[r, j, 2]
        for j in range(columns):
            red = green = blue = np.float32(0.5)
            for k in range(weights_x.shape[1]):
                w = weights_x[j, k]
                c = min(left[j] + k, width - 1)
                red += w * line[c, 0]
                green += w * line[c, 1]
                blue += w * line[c, 2]
            out[i, j, 0] = np.uint8(red)
            out[i, j, 1] = np.uint8(green)
            out[i, j, 2] = np.uint8(blue)


def overview(slide: Slide, um_per_px: float = 8.0) -> tuple[U8, float]:
    """The whole slide at about ``um_per_px`` (never coarser by more than a pixel's rounding) and its exact scale.

    Reads the coarsest level that is fine enough, in strips, averaging; memory stays bounded for slides that have one
    level only.
    """
    choice = 0
    for number, level in enumerate(slide.levels):
        if slide.um_per_px * level.downsample <= um_per_px:
            choice = number
    level = slide.levels[choice]
    um = slide.um_per_px * level.downsample
    shrink = 1
    while slide.shrinks and shrink < 8 and um * shrink * 2 <= um_per_px:
        shrink *= 2
    um *= shrink
    factor = max(1, int(um_per_px / um))
    width, height = level.width // shrink // factor, level.height // shrink // factor
    while min(width, height) < 1 and factor > 1:
        factor //= 2
        width, height = level.width // shrink // factor, level.height // shrink // factor
    out = pages((max(1, height), max(1, width), 3), np.uint8)
    if min(width, height) < 1:
        out[:] = 255
    step = max(1, 2048 // factor)
    for y in range(0, height, step):
        for x in range(0, width, step):
            h, w = min(step, height - y), min(step, width - x)
            place = out[y : y + h, x : x + w]
            if factor == 1:
                slide.read(choice, x, y, w, h, shrink=shrink, out=place)
                continue
            part = slide.read(choice, x * factor, y * factor, w * factor, h * factor, shrink=shrink)
            place[:] = cv2.resize(part, (w, h), interpolation=cv2.INTER_AREA)
    return out, um * factor
