"""The fast detector's filters, row by row: each stage follows close behind the one it needs.

The rows that the stages share stay in the processor's cache, so that a plane is written once and not read back from
memory. Sums are taken afresh for every pixel, never carried along a row: a pixel's value depends on its surroundings
alone, to the last bit, wherever a block begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.planes import log_row
from kulchitsky.slide.safe_math import SAFE_MATH

F32 = NDArray[np.float32]
_f = np.float32

_STRIP: Final = 64
"""Rows that a stage works off before the next one follows."""


def gaussian(sigma: float) -> F32:
    """Weights at 0, 1, 2 … pixels from the centre, of sum 1 over both sides, up to 2.5 standard deviations."""
    radius = max(1, int(2.5 * sigma + 0.5))
    weights = np.exp(-0.5 * (np.arange(radius + 1) / sigma) ** 2)
    return np.asarray(weights / (weights[0] + 2 * weights[1:].sum()), np.float32)


def square(width: float) -> F32:
    """Weights at 0, 1, 2 … cells of two pixels of a window ``width`` pixels wide, of sum ½ over both sides: applied
    across and down to sums over 2 x 2 pixels, they give the mean."""
    cells = max(1.0, width / 2)
    whole = int((cells - 1) / 2)
    weights = np.asarray([1.0] * (whole + 1) + [(cells - 1) / 2 - whole])
    return np.asarray(weights / (2 * cells), np.float32)


@dataclass(frozen=True, slots=True)
class BlobFilter:
    """What :func:`fill_score` needs besides the stain planes, in grid pixels.

    ``soft`` and ``spread`` are :func:`gaussian` weights: of the log density, and of what speaks for a nucleus;
    ``around`` those of the :func:`square` of its surroundings. Votes go ``near`` to ``far`` along gradients of at
    least ``floor``.
    """

    dab_weight: float
    log_offset: float
    soft: F32
    spread: F32
    around: F32
    near: float
    far: float
    floor: float
    vote_weight: float

    @property
    def margin(self) -> int:
        """How much farther than the block, on every side, the plane of votes reaches: no vote falls off it."""
        return int(self.far) + 2

    @property
    def reach(self) -> int:
        """How far away a pixel can be that bears on a score."""
        return len(self.spread) - 1 + max(len(self.soft) + self.margin, 2 * len(self.around))


@dataclass(frozen=True, slots=True)
class BlobPlanes:
    """What :func:`fill_score` fills, each as large as the stain planes if nothing else is said.

    ``density`` is the log density; ``signs`` how far a pixel stands above its surroundings, and the votes for it;
    ``score``, which is ``signs`` smoothed, is what nuclei are peaks of. ``votes`` is ``margin`` wider on every side,
    ``sums`` (2, half the rows, half the columns, rounded up) holds the sums of 2 x 2 densities and of their squares.
    """

    density: F32
    signs: F32
    score: F32
    votes: F32
    sums: F32


def fill_score(hema: F32, dab: F32, f: BlobFilter, planes: BlobPlanes) -> None:
    """Fill the planes from those of the two stains. Their first pixel must lie at an even row and column of the
    slide's grid: what is worked out for pairs of pixels is then the same wherever a block begins."""
    rows, margin = len(hema), f.margin
    density, signs, votes = planes.density, planes.signs, planes.votes
    votes[: 2 * margin] = 0
    numbers = (np.float32(f.near), np.float32(f.far), np.float32(f.floor), margin)
    done = dense = pooled = smoothed = voted = told = 0
    while done < rows:
        to_do = min(rows, done + _STRIP)
        to_tell = _even(to_do + len(f.spread), rows)
        to_pool = _even(to_tell + 2 * len(f.around), rows)
        to_vote = min(rows, to_tell + margin + 1)
        to_smooth = min(rows, to_vote + 1)
        to_dense = max(to_pool, min(rows, to_smooth + len(f.soft)))
        _density_rows(hema, dab, np.float32(f.dab_weight), np.float32(f.log_offset), dense, to_dense, density)
        _pool_rows(density, pooled, to_pool, planes.sums)
        _blur_rows(density, f.soft, smoothed, to_smooth, signs)
        votes[voted + 2 * margin : to_vote + 2 * margin] = 0
        _vote_rows(signs, *numbers, voted, to_vote, votes)
        # the smoothed density has done its duty in these rows: all that can vote for them has voted
        _sign_rows(planes.sums, f.around, votes, margin, np.float32(f.vote_weight), told, to_tell, signs)
        _blur_rows(signs, f.spread, done, to_do, planes.score)
        done, dense, pooled, smoothed, voted, told = to_do, to_dense, to_pool, to_smooth, to_vote, to_tell


def _even(row: int, rows: int) -> int:
    return min(rows, row + row % 2)


# compiled functions of their own: all in one, the compiler makes worse code of each
@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _density_rows(hema: Any, dab: Any, weight: Any, offset: Any, start: int, stop: int, density: Any) -> None:
    x, bits = np.empty(hema.shape[1], np.float32), np.empty(hema.shape[1], np.int32)
    for i in range(start, stop):
        _density_row(hema[i], dab[i], weight, offset, x, bits, density[i])


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _pool_rows(density: Any, start: int, stop: int, sums: Any) -> None:
    """Sums over 2 x 2 pixels of the density and of its square, from an even row on; an odd end is repeated."""
    rows, columns = density.shape
    for i in range(start, stop, 2):
        _pool_row(density[i], density[min(i + 1, rows - 1)], sums[0, i // 2], sums[1, i // 2])
        if columns % 2:
            a, b = density[i, columns - 1], density[min(i + 1, rows - 1), columns - 1]
            sums[0, i // 2, columns // 2] = _f(2) * (a + b)
            sums[1, i // 2, columns // 2] = _f(2) * (a * a + b * b)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _pool_row(top: Any, low: Any, first: Any, second: Any) -> None:
    for j in range(top.shape[0] // 2):
        a, b, c, d = top[2 * j], top[2 * j + 1], low[2 * j], low[2 * j + 1]
        first[j] = (a + b) + (c + d)
        second[j] = (a * a + b * b) + (c * c + d * d)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _blur_rows(plane: Any, weights: Any, start: int, stop: int, out: Any) -> None:
    rows, columns = plane.shape
    flat, line = plane.reshape(-1), np.empty(columns + 2 * len(weights) - 2, np.float32)
    for i in range(start, stop):
        blur_row(flat, rows, columns, i, weights, line, out[i])


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _vote_rows(smooth: Any, near: Any, far: Any, floor: Any, margin: int, start: int, stop: int, votes: Any) -> None:
    rows, columns = smooth.shape
    along, strength = np.empty((2, columns // 2), np.float32), np.empty(columns // 2, np.float32)
    places = np.empty((max(2, int(far - near + _f(0.5)) + 1), columns // 2), np.int32)
    for i in range(max(2, start + start % 2), min(rows - 1, stop), 2):
        _vote_row(smooth, i, near, far, floor, margin, along, strength, places, votes)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _sign_rows(
    sums: Any, around: Any, votes: Any, margin: int, vote_weight: Any, start: int, stop: int, signs: Any
) -> None:
    columns = signs.shape[1]
    tall, wide = sums.shape[1], sums.shape[2]
    flat, flat_squares = sums[0].reshape(-1), sums[1].reshape(-1)
    mean, part = np.empty(wide, np.float32), np.empty(wide, np.float32)
    line = np.empty(wide + 2 * len(around) - 2, np.float32)
    for i in range(start, stop, 2):
        blur_row(flat, tall, wide, i // 2, around, line, mean)
        blur_row(flat_squares, tall, wide, i // 2, around, line, part)
        _deviations(mean, part)
        for k in range(i, min(i + 2, stop)):
            _sign_row(signs[k], mean, part, votes[k + margin, margin : margin + columns], vote_weight)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _density_row(hema: Any, dab: Any, weight: Any, offset: Any, x: Any, bits: Any, out: Any) -> None:
    scale = _f(1) / offset
    for j in range(x.shape[0]):
        x[j] = _f(1) + scale * (hema[j] + weight * dab[j])
    log_row(x, bits, out)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def blur_row(flat: Any, rows: int, columns: int, i: int, weights: Any, line: Any, out: Any) -> None:
    """Row ``i`` of a plane (given flat) after a symmetric separable filter, edges repeated; ``line`` is scratch."""
    reach, zero = len(weights) - 1, _f(0)
    second, third = min(2, reach), min(3, reach)
    w2, w3 = weights[second] if reach > 1 else zero, weights[third] if reach > 2 else zero
    before = max(0, i - 1) * columns, max(0, i - second) * columns, max(0, i - third) * columns
    after = min(rows - 1, i + 1) * columns, min(rows - 1, i + second) * columns, min(rows - 1, i + third) * columns
    middle = line[reach : reach + columns]
    _start(flat, i * columns, before, after, weights[0], weights[1], w2, w3, middle)
    for k in range(4, reach + 1, 2):
        m = min(k + 1, reach)
        a, b = max(0, i - k) * columns, min(rows - 1, i + k) * columns
        c, d = max(0, i - m) * columns, min(rows - 1, i + m) * columns
        _add_pairs(flat, a, b, c, d, weights[k], weights[m] if m > k else zero, middle)
    for k in range(reach):
        line[k] = line[reach]
        line[reach + columns + k] = line[reach + columns - 1]
    before, after = (reach - 1, reach - second, reach - third), (reach + 1, reach + second, reach + third)
    _start(line, reach, before, after, weights[0], weights[1], w2, w3, out)
    for k in range(4, reach + 1, 2):
        m = min(k + 1, reach)
        _add_pairs(line, reach - k, reach + k, reach - m, reach + m, weights[k], weights[m] if m > k else zero, out)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _start(flat: Any, here: int, before: Any, after: Any, w: Any, u: Any, v: Any, x: Any, out: Any) -> None:
    o = np.uint64(here)
    a, c, e = np.uint64(before[0]), np.uint64(before[1]), np.uint64(before[2])
    b, d, f = np.uint64(after[0]), np.uint64(after[1]), np.uint64(after[2])
    for j in range(out.shape[0]):
        k = np.uint64(j)
        near, far = u * (flat[a + k] + flat[b + k]), v * (flat[c + k] + flat[d + k])
        out[j] = w * flat[o + k] + near + far + x * (flat[e + k] + flat[f + k])


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _add_pairs(flat: Any, a: int, b: int, c: int, d: int, u: Any, v: Any, out: Any) -> None:
    a_, b_, c_, d_ = np.uint64(a), np.uint64(b), np.uint64(c), np.uint64(d)
    for j in range(out.shape[0]):
        k = np.uint64(j)
        out[j] += u * (flat[a_ + k] + flat[b_ + k]) + v * (flat[c_ + k] + flat[d_ + k])


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _vote_row(
    smooth: Any, i: int, near: Any, far: Any, floor: Any, margin: int, along: Any, strength: Any, places: Any,
    votes: Any,
) -> None:  # fmt: skip
    """Edge pixels vote along their gradient, towards the darker side, at every distance of a nucleus' radius.

    Those of every other row and column do: neighbours vote nearly alike, and a quarter of the work finds as much.
    """
    _aim(smooth[i - 1], smooth[i], smooth[i + 1], i + margin, near, far, floor, margin, along, strength, places)
    flat = votes.reshape(-1)
    for j in range(1, smooth.shape[1] // 2):
        w = strength[j]
        if w > _f(0):
            for k in range(places.shape[0]):
                flat[np.uint32(places[k, j])] += w


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _aim(
    above: Any, here: Any, below: Any, row: int, near: Any, far: Any, floor: Any, margin: int, along: Any,
    strength: Any, places: Any,
) -> None:  # fmt: skip
    """Strength of each pixel's vote and the places it goes to, by Scharr's gradient."""
    steps, half = places.shape[0], here.shape[0] // 2
    width = np.int32(here.shape[0] + 2 * margin)
    least, share = floor * floor, _f(4) / _f(steps)
    for j in range(1, half):
        m = 2 * j
        corners = above[m + 1] + below[m + 1] - above[m - 1] - below[m - 1]
        gx = (_f(3) * corners + _f(10) * (here[m + 1] - here[m - 1])) * _f(1 / 32)
        corners = below[m - 1] + below[m + 1] - above[m - 1] - above[m + 1]
        gy = (_f(3) * corners + _f(10) * (below[m] - above[m])) * _f(1 / 32)
        steep2 = gx * gx + gy * gy
        steep = np.sqrt(steep2)
        unit = _f(1) / max(steep, _f(1e-12))
        along[0, j], along[1, j] = gx * unit, gy * unit
        strength[j] = share * steep / (steep + _f(0.06)) if steep2 >= least else _f(0)
    start = np.int32(row) * width + np.int32(margin)
    ux, uy = along[0], along[1]
    for k in range(steps):
        reach = near + (far - near) * _f(k) / _f(steps - 1)
        place = places[k]
        for j in range(1, half):
            # rounded relative to the pixel: the same wherever the block begins
            down = np.int32(uy[j] * reach + _f(64.5)) - np.int32(64)
            across = np.int32(ux[j] * reach + _f(64.5)) - np.int32(64)
            place[j] = start + np.int32(2 * j) + down * width + across


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _deviations(mean: Any, square: Any) -> None:
    """One over the deviation, in place of the mean square."""
    for j in range(mean.shape[0]):
        square[j] = _f(1) / (np.sqrt(max(_f(0), square[j] - mean[j] * mean[j])) + _f(0.06))


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _sign_row(here: Any, mean: Any, part: Any, votes: Any, vote_weight: Any) -> None:
    """In place: how far the density stands above its surroundings, in their deviations, and the votes."""
    for j in range(here.shape[0] // 2):
        a, b = 2 * j, 2 * j + 1
        here[a] = (here[a] - mean[j]) * part[j] + vote_weight * votes[a]
        here[b] = (here[b] - mean[j]) * part[j] + vote_weight * votes[b]
    if here.shape[0] % 2:
        last = here.shape[0] - 1
        here[last] = (here[last] - mean[last // 2]) * part[last // 2] + vote_weight * votes[last]
