"""From a seed to a nucleus: outline by rays, area, shape, and stain densities inside and around it.

Sixteen rays leave each seed and end where the density falls half-way to its surroundings, or where a neighbour
begins. That gives a star-convex outline at a thousandth of the cost of a watershed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.buffers import Buffers
from kulchitsky.slide.outlines import GROUP, MIDDLE_SWAPS, measure_outlines
from kulchitsky.slide.planes import Planes
from kulchitsky.slide.rays import LONGEST_UM, RAYS, SAMPLES, directions, read_rays, shifts
from kulchitsky.slide.safe_math import SAFE_MATH

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_FAR: Final = 64
"""Pixels, more than any outline reaches."""
_RINGS: Final = (0.3, 0.6, 0.85)
"""Parts of the radius at which the inside is looked at."""
_OUTSIDE_UM: Final = 1.8


@dataclass(frozen=True, slots=True)
class Nuclei:
    """One row per seed. ``radii_um`` is (N, 16): distance to the outline at angles 2πk/16 from the x axis.

    ``dab_od`` and ``hema_od`` are means over the nucleus, ``ring_dab_od`` the mean DAB just outside it,
    ``contrast`` how far the log density stands above its surroundings, ``elongation`` long over short axis, ``edge``
    the steepest fall along a ray, per µm and relative to the contrast (median of the rays): low when out of focus.
    ``centroid_x_um`` and ``centroid_y_um`` lead from the seed to the middle of the outline, at most 2.5 µm.
    """

    radii_um: F32
    area_um2: F32
    elongation: F32
    dab_od: F32
    hema_od: F32
    ring_dab_od: F32
    ring_hema_od: F32
    contrast: F32
    edge: F32
    centroid_x_um: F32
    centroid_y_um: F32


def measure_nuclei(planes: Planes, log_density: F32, x: F32, y: F32, buffers: Buffers | None = None) -> Nuclei:
    """Measure the nuclei at seeds given in grid pixels of the planes; with ``buffers``, valid until the next call."""
    kept = buffers or Buffers()
    reach = int(LONGEST_UM / planes.um) + 2
    # the pixel, and how far off its centre: exact, so that nothing depends on where the block begins
    column, row = (np.floor(v + np.float32(0.5)).astype(np.int64) for v in (x, y))
    seeds = (row, column, x - column.astype(np.float32), y - row.astype(np.float32))
    radii = kept.array("radii", (len(x), RAYS), np.float32)
    rest = kept.array("measures", (10, len(x)), np.float32)
    along = (*shifts(planes.um), *directions(), MIDDLE_SWAPS)
    scale = np.float32(1 / planes.um)
    _measure(log_density, planes.hema, planes.dab, *seeds, *along, reach, scale, radii, rest)
    return Nuclei(radii, *rest)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _measure(
    density: Any, hema: Any, dab: Any, row: Any, column: Any, dx: Any, dy: Any, shift_x: Any, shift_y: Any,
    cosines: Any, sines: Any, swaps: Any, reach: int, scale: Any, radii: Any, rest: Any,
) -> Any:  # fmt: skip
    """Fill ``radii`` and ``rest``, a group of seeds after the other; what is returned has no meaning."""
    rows, columns = density.shape
    flat = density.reshape(-1)
    places, parts = np.empty(SAMPLES, np.int32), np.empty((2, SAMPLES), np.float32)
    corners, samples = np.empty((4, SAMPLES), np.float32), np.empty(SAMPLES, np.float32)
    profiles, work = np.zeros((SAMPLES, GROUP), np.float32), np.empty((9, RAYS, GROUP), np.float32)
    outline, shape = np.empty((RAYS, GROUP), np.float32), np.empty((6, GROUP), np.float32)
    spots, means = np.empty((4 * RAYS, GROUP), np.int32), np.empty((6, GROUP), np.float32)
    touched = np.float32(0)
    for start in range(0, len(row), GROUP):
        stop = min(start + GROUP, len(row))
        count = stop - start
        seeds = (row[start:stop], column[start:stop], dx[start:stop], dy[start:stop])
        touched = max(touched, _fetch(density, row[start:stop], column[start:stop], reach - 1))
        for n in range(count):
            a = start + n
            read_rays(
                flat, rows, columns, row[a], column[a], dx[a], dy[a], shift_x, shift_y, reach, places, parts, corners,
                samples,
            )  # fmt: skip
            for k in range(SAMPLES):
                profiles[k, n] = samples[k]
        touched = max(touched, _fetch(hema, row[start:stop], column[start:stop], reach // 2))
        touched = max(touched, _fetch(dab, row[start:stop], column[start:stop], reach // 2))
        measure_outlines(profiles, cosines, sines, swaps, work, outline, shape)
        _look_inside(hema, dab, *seeds, outline, cosines, sines, scale, spots, means)
        for n in range(count):
            for k in range(RAYS):
                radii[start + n, k] = outline[k, n]
        rest[0, start:stop], rest[1, start:stop] = shape[0, :count], shape[1, :count]
        for m in range(4):
            rest[2 + m, start:stop] = means[m, :count]
            rest[6 + m, start:stop] = shape[2 + m, :count]
    return touched


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _fetch(plane: Any, row: Any, column: Any, reach: int) -> Any:
    """Touch what lies around the seeds: loads that wait for nothing come from memory many at a time.

    What is returned has no meaning; handed on, it keeps the compiler from leaving the loads out.
    """
    rows, columns = plane.shape
    flat = plane.reshape(-1)
    left = right = np.float32(0)
    for n in range(len(row)):
        i, j = row[n] - reach, column[n] - reach
        if i >= 0 and j >= 0 and i + 2 * reach < rows and j + 2 * reach < columns:
            p = np.uint64(i * columns + j)
            for _ in range(2 * reach + 1):
                left = max(left, flat[p])
                right = max(right, flat[p + np.uint64(2 * reach)])
                p += np.uint64(columns)
    return max(left, right)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _look_inside(
    hema: Any, dab: Any, row: Any, column: Any, dx: Any, dy: Any, radii: Any, cosines: Any, sines: Any, scale: Any,
    spots: Any, means: Any,
) -> None:  # fmt: skip
    """Means inside 0.85 of the outline, weighted by area, and 1.8 µm outside it; nearest pixels, 64 of them.

    ``means`` are DAB and haematoxylin inside, then outside; two more rows of it are scratch.
    """
    rows, columns = hema.shape
    count = row.shape[0]
    means[:] = np.float32(0)
    weight, seen = means[4, :count], means[5, :count]
    for k in range(RAYS):
        c, s, radius = cosines[k] * scale, sines[k] * scale, radii[k]
        for ring in range(len(_RINGS)):
            part = np.float32(_RINGS[ring])
            _spots(row, column, dx, dy, radius, part, np.float32(0), c, s, rows, columns, spots[4 * k + ring])
            _weigh(radius, part, weight)
        one, away = np.float32(1), np.float32(_OUTSIDE_UM)
        _spots(row, column, dx, dy, radius, one, away, c, s, rows, columns, spots[4 * k + 3])
    for plane in range(2):
        flat = (dab if plane == 0 else hema).reshape(-1)
        for k in range(RAYS):
            for ring in range(len(_RINGS)):
                _see(flat, spots[4 * k + ring], seen)
                _add_weighted(seen, radii[k], np.float32(_RINGS[ring]), means[plane, :count])
            _see(flat, spots[4 * k + 3], seen)
            _add(seen, means[2 + plane, :count])
    share = np.float32(1 / RAYS)
    for n in range(count):
        means[0, n] /= weight[n]
        means[1, n] /= weight[n]
        means[2, n] *= share
        means[3, n] *= share


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _spots(
    row: Any, column: Any, dx: Any, dy: Any, radius: Any, part: Any, away: Any, c: Any, s: Any, rows: int,
    columns: int, out: Any,
) -> None:  # fmt: skip
    """Places (in the flat planes) of the pixels that lie ``part`` of the radius and ``away`` µm along a ray."""
    half = np.float32(_FAR + 0.5)
    for n in range(row.shape[0]):
        r = radius[n] * part + away
        # counted from a pixel far up and left of the seed's: positive, so that cutting off rounds down
        j = column[n] - _FAR + np.int64(np.int32(dx[n] + half + c * r))
        i = row[n] - _FAR + np.int64(np.int32(dy[n] + half + s * r))
        out[n] = np.int32(min(max(i, 0), rows - 1) * columns + min(max(j, 0), columns - 1))


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _see(flat: Any, spots: Any, out: Any) -> None:
    for n in range(out.shape[0]):
        out[n] = flat[np.uint64(spots[n])]


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _weigh(radius: Any, part: Any, weight: Any) -> None:
    for n in range(weight.shape[0]):
        weight[n] += part * radius[n] * radius[n]


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _add_weighted(seen: Any, radius: Any, part: Any, total: Any) -> None:
    for n in range(total.shape[0]):
        total[n] += part * radius[n] * radius[n] * seen[n]


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _add(seen: Any, total: Any) -> None:
    for n in range(total.shape[0]):
        total[n] += seen[n]


def repeated(x_um: F64, y_um: F64, score: F32, radii_um: F32, *, within: float) -> NDArray[np.bool_]:
    """(N,) seeds that lie inside the outline of a surer seed: the same nucleus found twice.

    ``within`` is the part of the outline's radius that counts as inside. The answer for a seed depends on its
    neighbours within 9 µm alone, so overlapping blocks agree on it.
    """
    order = np.argsort(y_um, kind="stable")
    return np.asarray(_repeated(x_um, y_um, score, radii_um, order, within))


def bearing_um(within: float, seed_um: float, outline_um: float) -> float:
    """How far from a nucleus all lies that can bear on it: on its own finding and outline, and on those of a surer
    neighbour that may swallow it (see :func:`repeated`).

    ``seed_um`` is how far the finding of a seed looks, ``outline_um`` how far a value of the plane does on which
    outlines are measured.
    """
    return within * LONGEST_UM + max(seed_um, LONGEST_UM + 1.8 + outline_um)


@numba.njit(cache=True, nogil=True)
def _repeated(xs: Any, ys: Any, score: Any, radii: Any, order: Any, within: float) -> Any:
    out = np.zeros(len(xs), np.bool_)
    for a in range(len(order)):
        i = order[a]
        for b in range(a + 1, len(order)):
            j = order[b]
            dy = ys[j] - ys[i]
            if dy > LONGEST_UM:
                break
            dx = xs[j] - xs[i]
            d2 = dx * dx + dy * dy
            if d2 > LONGEST_UM * LONGEST_UM:
                continue
            d = math.sqrt(d2)
            first = score[i] > score[j] or (
                score[i] == score[j] and (ys[i] < ys[j] or (ys[i] == ys[j] and xs[i] < xs[j]))
            )
            strong, weak = (i, j) if first else (j, i)
            angle = math.atan2(ys[weak] - ys[strong], xs[weak] - xs[strong])
            k = math.floor(angle / (2 * math.pi) * RAYS + 0.5) % RAYS
            if d < within * radii[strong, k]:
                out[weak] = True
    return out
