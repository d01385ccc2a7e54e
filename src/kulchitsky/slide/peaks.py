"""Local maxima of a plane, to a fraction of a pixel."""

from __future__ import annotations

from typing import Any

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]


def local_maxima(plane: F32, reach: int, threshold: float) -> tuple[F32, F32, F32]:
    """x, y and value of every pixel that is at least ``threshold`` and highest within ``reach`` pixels.

    Equal neighbours count once (the first in reading order); the outermost pixels are never maxima.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    x, y, value = _peaks(plane, np.asarray(cv2.dilate(plane, disc)), threshold, reach)
    return x, y, value


@numba.njit(cache=True, nogil=True)
def _peaks(score: Any, high: Any, threshold: float, reach: int) -> Any:
    """Local maxima above the threshold, refined by a parabola in each direction."""
    rows, columns = score.shape
    xs, ys, found = [np.float32(0)], [np.float32(0)], [np.float32(0)]
    for i in range(1, rows - 1):
        for j in range(1, columns - 1):
            v = score[i, j]
            if v < threshold or v < high[i, j] or _equal_before(score, i, j, reach):
                continue
            a, b = score[i, j - 1], score[i, j + 1]
            c, d = score[i - 1, j], score[i + 1, j]
            bend_x, bend_y = a - 2 * v + b, c - 2 * v + d
            dx = 0.5 * (a - b) / bend_x if bend_x < -1e-6 else 0.0
            dy = 0.5 * (c - d) / bend_y if bend_y < -1e-6 else 0.0
            xs.append(np.float32(j + min(0.5, max(-0.5, dx))))
            ys.append(np.float32(i + min(0.5, max(-0.5, dy))))
            found.append(np.float32(v))
    return np.array(xs)[1:], np.array(ys)[1:], np.array(found)[1:]


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
