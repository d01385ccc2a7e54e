"""Local maxima of a plane, to a fraction of a pixel."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

FARTHEST: Final = 0.49
"""Of the pixel's width: a refined maximum stays within its pixel, so that rounding gives the pixel back."""
_PARTS: Final = 256
"""Offsets are whole numbers of this part of a pixel: exact wherever on the plane the pixel lies."""


def local_maxima(plane: F32, reach: int, threshold: float) -> tuple[F32, F32, F32]:
    """x, y and value of every pixel that is at least ``threshold`` and highest within ``reach`` pixels.

    Equal neighbours count once (the first in reading order); the outermost pixels are never maxima.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    down, across = np.nonzero(disc)
    # nearest first: most pixels that are no maximum fall to a direct neighbour
    order = np.argsort((down - reach) ** 2 + (across - reach) ** 2, kind="stable")[1:]
    x, y, value = _peaks(plane, (down - reach)[order], (across - reach)[order], np.float32(threshold), reach)
    return x, y, value


@numba.njit(cache=True, nogil=True)
def _peaks(plane: Any, down: Any, across: Any, threshold: Any, reach: int) -> Any:
    """Local maxima above the threshold, refined by a parabola in each direction."""
    rows, columns = plane.shape
    found = np.empty((3, 1024), np.float32)
    marks = np.zeros((columns + 7) // 8 * 8, np.uint8)
    eights = marks.view(np.uint64)
    count = 0
    for i in range(1, rows - 1):
        row = plane[i]
        _mark(plane[i - 1], row, plane[i + 1], threshold, marks)
        for block in range(len(eights)):
            if eights[block] == 0:
                continue
            for j in range(8 * block, 8 * block + 8):
                if marks[j] == 0:
                    continue
                v = row[j]
                if not _highest(plane, i, j, v, down, across) or _equal_before(plane, i, j, reach):
                    continue
                if count == found.shape[1]:
                    grown = np.empty((3, 2 * count), np.float32)
                    grown[:, :count] = found
                    found = grown
                found[0, count] = j + _offset(row[j - 1], v, row[j + 1])
                found[1, count] = i + _offset(plane[i - 1, j], v, plane[i + 1, j])
                found[2, count] = v
                count += 1
    return found[0, :count].copy(), found[1, :count].copy(), found[2, :count].copy()


@numba.njit(cache=True, nogil=True)
def _mark(above: Any, row: Any, below: Any, threshold: Any, marks: Any) -> None:
    """Mark with 1 the pixels of a row that reach the threshold and no direct neighbour exceeds."""
    for j in range(1, row.shape[0] - 1):
        highest = max(max(row[j - 1], row[j + 1]), max(above[j], below[j]))
        marks[j] = np.uint8(1) if row[j] >= max(highest, threshold) else np.uint8(0)


@numba.njit(cache=True, nogil=True)
def _highest(plane: Any, i: int, j: int, v: Any, down: Any, across: Any) -> bool:
    rows, columns = plane.shape
    for k in range(len(down)):
        p, q = i + down[k], j + across[k]
        if 0 <= p < rows and 0 <= q < columns and plane[p, q] > v:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _offset(before: Any, here: Any, after: Any) -> Any:
    """Where a parabola through three values has its top, in pixels from the middle one."""
    bend = before - 2 * here + after
    if bend >= -1e-6:
        return 0.0
    offset = min(FARTHEST, max(-FARTHEST, 0.5 * (before - after) / bend))
    return np.floor(offset * _PARTS + 0.5) / _PARTS


@numba.njit(cache=True, nogil=True)
def _equal_before(score: Any, i: int, j: int, reach: int) -> bool:
    """Whether an equal value comes earlier in reading order: a plateau gives one maximum, not many."""
    v = score[i, j]
    for p in range(max(0, i - reach), i + 1):
        for q in range(max(0, j - reach), min(score.shape[1], j + reach + 1)):
            if p == i and q >= j:
                break
            if score[p, q] == v:
                return True
    return False
