"""Sixteen rays from a seed: what lies along them.

The samples of a seed are gathered first and mixed afterwards: loads of their own the processor overlaps, and the
mixing then fills its vector units.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.safe_math import SAFE_MATH

RAYS: Final = 16
STEPS: Final = 12
STEP_UM: Final = 0.75
LONGEST_UM: Final = STEPS * STEP_UM
SHORTEST_UM: Final = 1.2
SAMPLES: Final = 1 + STEPS * RAYS
"""The seed's own place, then sixteen places on each step."""

F32 = NDArray[np.float32]
_f = np.float32
_i = np.int32


def directions() -> tuple[F32, F32]:
    """(RAYS,) cosines and sines of the rays' angles from the x axis."""
    angle = 2 * np.pi * np.arange(RAYS) / RAYS
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def shifts(um_per_px: float) -> tuple[F32, F32]:
    """(SAMPLES,) ways from the seed to each sample, across and down, in pixels."""
    angle = 2 * np.pi * np.arange(RAYS) / RAYS
    distance = np.arange(1, STEPS + 1)[:, None] * (STEP_UM / um_per_px)
    both = (distance * np.cos(angle)).ravel(), (distance * np.sin(angle)).ravel()
    across, down = (np.concatenate([[0.0], way]).astype(np.float32) for way in both)
    return across, down


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def read_rays(
    flat: Any, rows: int, columns: int, row: int, column: int, dx: Any, dy: Any, shift_x: Any, shift_y: Any,
    reach: int, places: Any, parts: Any, corners: Any, out: Any,
) -> None:  # fmt: skip
    """Bilinear values of a plane (given flat) at the shifts from a pixel and its offset (dx, dy), edges repeated.

    No shift is longer than ``reach``. Places are worked out relative to the pixel: the same to the last bit wherever
    on the plane it lies. Scratch: ``places`` int32 (SAMPLES,), ``parts`` (2, SAMPLES), ``corners`` (4, SAMPLES).
    """
    left, top = column - reach, row - reach
    x0, y0 = dx + _f(reach), dy + _f(reach)
    if left > 0 and top > 0 and column + reach + 1 < columns and row + reach + 1 < rows:
        _place(x0, y0, shift_x, shift_y, _i(columns), places, parts[0], parts[1])
        _gather(flat, np.int64(top) * columns + left, np.uint64(columns), places, corners)
    else:
        for k in range(shift_x.shape[0]):
            x, y = x0 + shift_x[k], y0 + shift_y[k]
            i, j = np.int64(y), np.int64(x)
            parts[0, k], parts[1, k] = x - _f(j), y - _f(i)
            above, under = _clip(top + i, rows) * columns, _clip(top + i + 1, rows) * columns
            before, after = _clip(left + j, columns), _clip(left + j + 1, columns)
            corners[0, k], corners[1, k] = flat[above + before], flat[above + after]
            corners[2, k], corners[3, k] = flat[under + before], flat[under + after]
    _mix(corners[0], corners[1], corners[2], corners[3], parts[0], parts[1], out)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _place(x0: Any, y0: Any, shift_x: Any, shift_y: Any, wide: Any, places: Any, part_x: Any, part_y: Any) -> None:
    for k in range(places.shape[0]):
        x, y = x0 + shift_x[k], y0 + shift_y[k]
        i, j = _i(y), _i(x)
        part_x[k], part_y[k] = x - _f(j), y - _f(i)
        places[k] = _i(_i(i * wide) + j)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _gather(flat: Any, start: Any, below: Any, places: Any, corners: Any) -> None:
    one = np.uint64(1)
    for k in range(places.shape[0]):
        p = np.uint64(start + np.int64(places[k]))
        q = p + below
        corners[0, k], corners[1, k] = flat[p], flat[p + one]
        corners[2, k], corners[3, k] = flat[q], flat[q + one]


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _mix(a: Any, b: Any, c: Any, d: Any, part_x: Any, part_y: Any, out: Any) -> None:
    for k in range(out.shape[0]):
        upper = a[k] + part_x[k] * (b[k] - a[k])
        out[k] = upper + part_y[k] * (c[k] + part_x[k] * (d[k] - c[k]) - upper)


@numba.njit(cache=True, nogil=True)
def _clip(place: Any, size: int) -> Any:
    return min(max(place, 0), size - 1)
