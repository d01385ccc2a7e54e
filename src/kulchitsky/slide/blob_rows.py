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
    """Weights at 0, 1, 2 … pixels from the centre, of sum 1 over both sides, up to 3.6 standard deviations."""
    radius = max(1, int(3.6 * sigma + 0.5))
    weights = np.exp(-0.5 * (np.arange(radius + 1) / sigma) ** 2)
    return np.asarray(weights / (weights[0] + 2 * weights[1:].sum()), np.float32)


@dataclass(frozen=True, slots=True)
class BlobFilter:
    """What :func:`fill_score` needs besides the stain planes, in grid pixels.

    ``soft``, ``inner`` and ``spread`` are :func:`gaussian` weights: of the log density, from there to the blob's, and
    of the votes; ``box`` pixels to each side are the surroundings. Votes go ``near`` to ``far`` along gradients of at
    least ``floor``.
    """

    dab_weight: float
    log_offset: float
    soft: F32
    inner: F32
    spread: F32
    box: int
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
        by_votes = len(self.soft) + self.margin + len(self.spread) - 1
        return max(by_votes, len(self.soft) + len(self.inner) - 2, self.box)


def fill_score(hema: F32, dab: F32, f: BlobFilter, density: F32, smooth: F32, votes: F32, score: F32) -> None:
    """Fill ``density`` (log density), ``smooth``, ``votes`` and ``score``; the last is what nuclei are peaks of.

    All have the shape of the stain planes but ``votes``, which is ``f.margin`` wider on every side.
    """
    rows, margin = len(hema), f.margin
    votes[: 2 * margin] = 0
    numbers = (np.float32(f.near), np.float32(f.far), np.float32(f.floor), margin)
    done = dense = smoothed = voted = 0
    while done < rows:
        to_do = min(rows, done + _STRIP)
        to_vote = min(rows, to_do + margin + len(f.spread))
        to_smooth = min(rows, to_vote + 1)
        to_dense = min(rows, to_smooth + len(f.soft))
        _density_rows(hema, dab, np.float32(f.dab_weight), np.float32(f.log_offset), dense, to_dense, density)
        _smooth_rows(density, f.soft, smoothed, to_smooth, smooth)
        votes[voted + 2 * margin : to_vote + 2 * margin] = 0
        _vote_rows(smooth, *numbers, voted, to_vote, votes)
        weights = (f.inner, f.spread, f.box, margin, np.float32(f.vote_weight))
        _score_rows(density, smooth, votes, *weights, done, to_do, score)
        done, dense, smoothed, voted = to_do, to_dense, to_smooth, to_vote


# compiled functions of their own: all in one, the compiler makes worse code of each
@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _density_rows(hema: Any, dab: Any, weight: Any, offset: Any, start: int, stop: int, density: Any) -> None:
    x, bits = np.empty(hema.shape[1], np.float32), np.empty(hema.shape[1], np.int32)
    for i in range(start, stop):
        _density_row(hema[i], dab[i], weight, offset, x, bits, density[i])


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _smooth_rows(density: Any, weights: Any, start: int, stop: int, smooth: Any) -> None:
    line = np.empty(density.shape[1] + 2 * len(weights) - 2, np.float32)
    for i in range(start, stop):
        blur_row(density, i, weights, line, smooth[i])


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _vote_rows(smooth: Any, near: Any, far: Any, floor: Any, margin: int, start: int, stop: int, votes: Any) -> None:
    rows, columns = smooth.shape
    along, strength = np.empty((2, columns), np.float32), np.empty(columns, np.float32)
    places = np.empty((max(2, int(far - near + _f(0.5)) + 1), columns), np.int32)
    for i in range(max(1, start), min(rows - 1, stop)):
        _vote_row(smooth, i, near, far, floor, margin, along, strength, places, votes)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _score_rows(
    density: Any, smooth: Any, votes: Any, inner: Any, spread: Any, box: int, margin: int, vote_weight: Any,
    start: int, stop: int, score: Any,
) -> None:  # fmt: skip
    columns = density.shape[1]
    blob, mean, square = np.empty(columns, np.float32), np.empty(columns, np.float32), np.empty(columns, np.float32)
    box_lines = np.empty((2, columns + 2 * box), np.float32)
    line = np.empty(columns + 2 * len(inner) - 2, np.float32)
    spread_votes = np.empty(columns + 2 * margin, np.float32)
    wide_line = np.empty(columns + 2 * margin + 2 * len(spread) - 2, np.float32)
    for i in range(start, stop):
        blur_row(smooth, i, inner, line, blob)
        blur_row(votes, i + margin, spread, wide_line, spread_votes)
        _box_row(density, i, box, box_lines, mean, square)
        _score_row(blob, mean, square, spread_votes[margin:], vote_weight, score[i])


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _density_row(hema: Any, dab: Any, weight: Any, offset: Any, x: Any, bits: Any, out: Any) -> None:
    scale = _f(1) / offset
    for j in range(x.shape[0]):
        x[j] = _f(1) + scale * (hema[j] + weight * dab[j])
    log_row(x, bits, out)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def blur_row(plane: Any, i: int, weights: Any, line: Any, out: Any) -> None:
    """Row ``i`` of the plane after a symmetric separable filter, edges repeated; ``line`` is scratch."""
    rows, columns = plane.shape
    reach = len(weights) - 1
    middle = line[reach : reach + columns]
    here = plane[i]
    for j in range(columns):
        middle[j] = weights[0] * here[j]
    k = 1
    while k < reach:
        above, below = plane[max(0, i - k)], plane[min(rows - 1, i + k)]
        above_2, below_2 = plane[max(0, i - k - 1)], plane[min(rows - 1, i + k + 1)]
        _add_pairs(middle, above, below, above_2, below_2, weights[k], weights[k + 1])
        k += 2
    if k == reach:
        _add_pair(middle, plane[max(0, i - k)], plane[min(rows - 1, i + k)], weights[k])
    for k in range(reach):
        line[k] = line[reach]
        line[reach + columns + k] = line[reach + columns - 1]
    for j in range(columns):
        out[j] = weights[0] * middle[j]
    k = 1
    while k < reach:
        left, right = line[reach - k : reach - k + columns], line[reach + k : reach + k + columns]
        left_2, right_2 = line[reach - k - 1 : reach - k - 1 + columns], line[reach + k + 1 : reach + k + 1 + columns]
        _add_pairs(out, left, right, left_2, right_2, weights[k], weights[k + 1])
        k += 2
    if k == reach:
        _add_pair(out, line[:columns], line[2 * reach : 2 * reach + columns], weights[k])


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _add_pairs(out: Any, a: Any, b: Any, c: Any, d: Any, u: Any, v: Any) -> None:
    for j in range(out.shape[0]):
        out[j] += u * (a[j] + b[j]) + v * (c[j] + d[j])


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _add_pair(out: Any, a: Any, b: Any, u: Any) -> None:
    for j in range(out.shape[0]):
        out[j] += u * (a[j] + b[j])


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _vote_row(
    smooth: Any, i: int, near: Any, far: Any, floor: Any, margin: int, along: Any, strength: Any, places: Any,
    votes: Any,
) -> None:  # fmt: skip
    """Edge pixels vote along their gradient, towards the darker side, at every distance of a nucleus' radius.

    Every other pixel votes, as on a chessboard: neighbours vote nearly alike, and half the work finds as much.
    """
    columns = smooth.shape[1]
    _aim(smooth[i - 1], smooth[i], smooth[i + 1], i + margin, near, far, floor, margin, along, strength, places)
    flat = votes.reshape(-1)
    for j in range(1 if i % 2 else 2, columns - 1, 2):
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
    columns, steps = here.shape[0], places.shape[0]
    width = np.int32(columns + 2 * margin)
    least, share = floor * floor, _f(2) / _f(steps)
    for j in range(1, columns - 1):
        corners = above[j + 1] + below[j + 1] - above[j - 1] - below[j - 1]
        gx = (_f(3) * corners + _f(10) * (here[j + 1] - here[j - 1])) * _f(1 / 32)
        corners = below[j - 1] + below[j + 1] - above[j - 1] - above[j + 1]
        gy = (_f(3) * corners + _f(10) * (below[j] - above[j])) * _f(1 / 32)
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
        for j in range(1, columns - 1):
            # rounded relative to the pixel: the same wherever the block begins
            down = np.int32(uy[j] * reach + _f(64.5)) - np.int32(64)
            across = np.int32(ux[j] * reach + _f(64.5)) - np.int32(64)
            place[j] = start + np.int32(j) + down * width + across


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _box_row(density: Any, i: int, box: int, line: Any, mean: Any, square: Any) -> None:
    """Mean of the density and of its square over ``2 * box + 1`` rows and columns; ``line`` is scratch."""
    rows, columns = density.shape
    first, second = line[0, box : box + columns], line[1, box : box + columns]
    share = _f(1) / _f((2 * box + 1) ** 2)
    _start_sums(density[i], first, second)
    k = 1
    while k < box:
        _add_rows(density[max(0, i - k)], density[min(rows - 1, i + k)], first, second)
        _add_rows(density[max(0, i - k - 1)], density[min(rows - 1, i + k + 1)], first, second)
        k += 2
    if k == box:
        _add_rows(density[max(0, i - k)], density[min(rows - 1, i + k)], first, second)
    _sum_along(line[0], box, share, mean)
    _sum_along(line[1], box, share, square)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _start_sums(row: Any, first: Any, second: Any) -> None:
    for j in range(first.shape[0]):
        first[j] = row[j]
        second[j] = row[j] * row[j]


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _add_rows(a: Any, b: Any, first: Any, second: Any) -> None:
    for j in range(first.shape[0]):
        first[j] += a[j] + b[j]
        second[j] += a[j] * a[j] + b[j] * b[j]


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _sum_along(line: Any, box: int, share: Any, out: Any) -> None:
    columns = out.shape[0]
    for k in range(box):
        line[k] = line[box]
        line[box + columns + k] = line[box + columns - 1]
    middle = line[box : box + columns]
    for j in range(columns):
        out[j] = share * middle[j]
    k = 1
    while k < box:
        left, right = line[box - k : box - k + columns], line[box + k : box + k + columns]
        left_2, right_2 = line[box - k - 1 : box - k - 1 + columns], line[box + k + 1 : box + k + 1 + columns]
        _add_pairs(out, left, right, left_2, right_2, share, share)
        k += 2
    if k == box:
        _add_pair(out, line[:columns], line[2 * box : 2 * box + columns], share)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _score_row(blob: Any, mean: Any, square: Any, votes: Any, vote_weight: Any, out: Any) -> None:
    """How far the blob stands above its surroundings, in their deviations, and the votes for it."""
    for j in range(out.shape[0]):
        deviation = np.sqrt(max(_f(0), square[j] - mean[j] * mean[j])) + _f(0.06)
        out[j] = (blob[j] - mean[j]) / deviation + vote_weight * votes[j]
