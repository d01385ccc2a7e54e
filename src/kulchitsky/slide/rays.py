"""Sixteen rays from a seed at once: what lies along them, where they leave the nucleus, how the outline is smoothed.

Every loop over the rays is free of branches, so that one vector instruction does all sixteen.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np

from kulchitsky.slide.safe_math import SAFE_MATH

RAYS: Final = 16
STEPS: Final = 12
STEP_UM: Final = 0.75
LONGEST_UM: Final = STEPS * STEP_UM
SHORTEST_UM: Final = 1.2

_f = np.float32


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def read_rays(
    flat: Any, rows: int, columns: int, row: int, column: int, dx: Any, dy: Any, shift_x: Any, shift_y: Any,
    reach: int, out: Any,
) -> None:  # fmt: skip
    """Bilinear values of a plane (given flat) at the shifts from a pixel and its offset (dx, dy), edges repeated.

    No shift is longer than ``reach``. Places are worked out relative to the pixel: the same to the last bit wherever
    on the plane it lies.
    """
    ahead = _f(reach)
    x0, y0 = dx + ahead, dy + ahead
    left, top = column - reach, row - reach
    if left > 0 and top > 0 and column + reach + 1 < columns and row + reach + 1 < rows:
        wide = np.int64(columns)
        start = np.int64(top) * wide + np.int64(left)
        for k in range(out.shape[0]):
            x, y = x0 + shift_x[k], y0 + shift_y[k]
            i, j = np.int64(y), np.int64(x)
            fy, fx = y - _f(i), x - _f(j)
            p = np.uint64(start + i * wide + j)
            a, b = flat[p], flat[p + np.uint64(1)]
            below = p + np.uint64(wide)
            c, d = flat[below], flat[below + np.uint64(1)]
            upper = a + fx * (b - a)
            out[k] = upper + fy * (c + fx * (d - c) - upper)
        return
    for k in range(out.shape[0]):
        x, y = x0 + shift_x[k], y0 + shift_y[k]
        i, j = np.int64(y), np.int64(x)
        fy, fx = y - _f(i), x - _f(j)
        above, under = _clip(top + i, rows) * columns, _clip(top + i + 1, rows) * columns
        before, after = _clip(left + j, columns), _clip(left + j + 1, columns)
        upper = flat[above + before] + fx * (flat[above + after] - flat[above + before])
        lower = flat[under + before] + fx * (flat[under + after] - flat[under + before])
        out[k] = upper + fy * (lower - upper)


@numba.njit(cache=True, nogil=True)
def _clip(place: Any, size: int) -> Any:
    return min(max(place, 0), size - 1)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def lows_and_falls(profile: Any, low: Any, fall: Any) -> None:
    """Lowest value and steepest fall (per µm) along each ray of (STEPS + 1, RAYS) values."""
    for k in range(RAYS):
        low[k] = profile[0, k]
        fall[k] = _f(0)
    for t in range(2, STEPS + 1):
        for k in range(RAYS):
            low[k] = min(low[k], profile[t, k])
            fall[k] = max(fall[k], profile[t - 2, k] - profile[t, k])
    for k in range(RAYS):
        fall[k] *= _f(1 / (2 * STEP_UM))


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def edges(profile: Any, centre: Any, low: Any, scratch: Any, out: Any) -> None:
    """Where each ray leaves the nucleus, in µm: half-way down, or in the valley before a neighbour."""
    half, rise, valley, place, done = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4]
    for k in range(RAYS):
        height = centre - low[k]
        half[k] = low[k] + _f(0.5) * height
        rise[k] = _f(0.12) * max(height, _f(0.05))
        valley[k] = profile[0, k]
        place[k] = _f(0)
        done[k] = _f(0)
        out[k] = _f(LONGEST_UM)
    for t in range(2, STEPS + 1):
        here = _f(t)
        for k in range(RAYS):
            v, before = profile[t, k], profile[t - 1, k]
            part = (before - half[k]) / max(before - v, _f(1e-6))
            crossing = here - _f(1) + min(_f(1), max(_f(0), part))
            # truth as 0 or 1 in the same number type: the compiler keeps all rays in one register
            below = _f(1) if v < half[k] else _f(0)
            risen = _f(1) if v > valley[k] + rise[k] else _f(0)
            parted = risen if place[k] >= _f(3) else _f(0)
            stops = max(below, parted) * (_f(1) - done[k])
            at = (below * crossing + (_f(1) - below) * place[k]) * _f(STEP_UM)
            out[k] += stops * (at - out[k])
            done[k] = max(done[k], stops)
            place[k] = here if v < valley[k] else place[k]
            valley[k] = min(valley[k], v)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def middle(values: Any, keys: Any, rank: Any) -> Any:
    """Median of sixteen values, none below zero: the mean of those with seven and with eight smaller ones.

    As whole numbers the bits of such values are in the same order; a ray's number in the last four bits parts equals.
    ``keys`` and ``rank`` are int32 scratch.
    """
    bits = values.view(np.int32)
    for k in range(RAYS):
        keys[k] = (bits[k] & np.int32(-16)) | np.int32(k)
        rank[k] = np.int32(0)
    for j in range(RAYS):
        key = keys[j]
        for k in range(RAYS):
            rank[k] += np.int32(1) if key < keys[k] else np.int32(0)
    total = _f(0)
    for k in range(RAYS):
        seventh = values[k] if rank[k] == np.int32(7) else _f(0)
        total += values[k] if rank[k] == np.int32(8) else seventh
    return total * _f(0.5)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def smoothed(raw: Any, ring: Any, medians: Any, keys: Any, rank: Any, out: Any) -> None:
    """Median of five neighbouring rays, then a short mean: one ray that runs into a neighbour is overruled.

    ``ring`` and ``medians`` are scratch of RAYS + 4, ``keys`` and ``rank`` that of :func:`middle`.
    """
    _close(raw, ring)
    inner = medians[2 : RAYS + 2]
    for k in range(RAYS):
        a, b, c, d, e = ring[k], ring[k + 1], ring[k + 2], ring[k + 3], ring[k + 4]
        f = max(min(a, b), min(d, e))
        g = min(max(a, b), max(d, e))
        inner[k] = max(min(f, g), min(max(f, g), c))
    usual = middle(inner, keys, rank)
    _close(inner, medians)
    for k in range(RAYS):
        r = (medians[k + 1] + _f(2) * medians[k + 2] + medians[k + 3]) * _f(0.25)
        out[k] = max(_f(SHORTEST_UM), min(r, _f(2.2) * usual))


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _close(values: Any, ring: Any) -> None:
    """Values with the last two put before the first and the first two after the last."""
    for k in range(RAYS):
        ring[k + 2] = values[k]
    ring[0], ring[1] = ring[RAYS], ring[RAYS + 1]
    ring[RAYS + 2], ring[RAYS + 3] = ring[2], ring[3]
