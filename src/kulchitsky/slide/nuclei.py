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
from kulchitsky.slide.planes import Planes
from kulchitsky.slide.rays import LONGEST_UM, RAYS, STEP_UM, STEPS, edges, lows_and_falls, middle, read_rays, smoothed
from kulchitsky.slide.safe_math import SAFE_MATH

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_FAR: Final = 64
"""Pixels, more than any outline reaches."""
_CHUNK: Final = 128
"""Nuclei measured together, step by step: short loops stay in the vector units and their data in the cache."""


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
    angle = 2 * np.pi * np.arange(RAYS) / RAYS
    distance = np.arange(STEPS + 1) * (STEP_UM / planes.um)
    shift_x = (distance[:, None] * np.cos(angle)).astype(np.float32).ravel()
    shift_y = (distance[:, None] * np.sin(angle)).astype(np.float32).ravel()
    reach = int(LONGEST_UM / planes.um) + 2
    # the pixel, and how far off its centre: exact, so that nothing depends on where the block begins
    column, row = (np.floor(v + np.float32(0.5)).astype(np.int64) for v in (x, y))
    places = (row, column, x - column.astype(np.float32), y - row.astype(np.float32))
    radii = kept.array("radii", (len(x), RAYS), np.float32)
    rest = kept.array("measures", (10, len(x)), np.float32)
    profiles = kept.array("profiles", (_CHUNK, STEPS + 1, RAYS), np.float32)
    _outline(log_density, *places, shift_x, shift_y, reach, profiles, radii, rest)
    directions = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    _look_inside(planes.hema, planes.dab, *places, radii, *directions, np.float32(1 / planes.um), rest)
    return Nuclei(radii, *rest)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _outline(
    density: Any, row: Any, column: Any, dx: Any, dy: Any, shift_x: Any, shift_y: Any, reach: int, profiles: Any,
    radii: Any, rest: Any,
) -> None:  # fmt: skip
    rows, columns = density.shape
    flat = density.reshape(-1)
    for start in range(0, len(row), _CHUNK):
        stop = min(start + _CHUNK, len(row))
        for n in range(start, stop):
            along = profiles[n - start].reshape(-1)
            read_rays(flat, rows, columns, row[n], column[n], dx[n], dy[n], shift_x, shift_y, reach, along)
        _outlines(profiles, radii[start:stop], rest[6, start:stop], rest[7, start:stop])


# a compiled function of its own: together with the rays the compiler makes worse code of both
@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _look_inside(
    hema: Any, dab: Any, row: Any, column: Any, dx: Any, dy: Any, radii: Any, cosines: Any, sines: Any, scale: Any,
    rest: Any,
) -> None:  # fmt: skip
    rows, columns = hema.shape
    flat_hema, flat_dab = hema.reshape(-1), dab.reshape(-1)
    for n in range(len(row)):
        outline = radii[n]
        rest[0, n], rest[1, n] = _shape(outline, cosines, sines)
        rest[8, n], rest[9, n] = _centroid(outline, cosines, sines)
    for n in range(len(row)):
        place = (row[n], column[n], dx[n], dy[n])
        means = _densities(flat_hema, flat_dab, rows, columns, *place, radii[n], cosines, sines, scale)
        rest[2, n], rest[3, n], rest[4, n], rest[5, n] = means


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _outlines(profiles: Any, radii: Any, contrast: Any, edge: Any) -> None:
    """Outline, contrast and edge of each nucleus from what lies along its rays."""
    scratch = np.empty((5, RAYS), np.float32)
    lows, falls = np.empty((len(radii), RAYS), np.float32), np.empty((len(radii), RAYS), np.float32)
    raw = np.empty((len(radii), RAYS), np.float32)
    keys, rank = np.empty(RAYS, np.int32), np.empty(RAYS, np.int32)
    centres = np.empty(len(radii), np.float32)
    ring, medians = np.empty(RAYS + 4, np.float32), np.empty(RAYS + 4, np.float32)
    for n in range(len(radii)):
        near = np.float32(0)
        for k in range(RAYS):
            near += profiles[n, 1, k]
        centres[n] = (near / np.float32(RAYS) + profiles[n, 0, 0]) * np.float32(0.5)
    for n in range(len(radii)):
        lows_and_falls(profiles[n], lows[n], falls[n])
    for n in range(len(radii)):
        edges(profiles[n], centres[n], lows[n], scratch, raw[n])
    for n in range(len(radii)):
        contrast[n] = centres[n] - middle(lows[n], keys, rank)
    for n in range(len(radii)):
        above = max(contrast[n], np.float32(0.05))
        edge[n] = middle(falls[n], keys, rank) / above
    for n in range(len(radii)):
        smoothed(raw[n], ring, medians, keys, rank, radii[n])


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _shape(radii: Any, cosines: Any, sines: Any) -> Any:
    area = np.float32(0)
    sxx = syy = sxy = np.float32(0)
    for k in range(RAYS):
        r = radii[k]
        area += r * radii[k + 1 if k + 1 < RAYS else 0]
        weight = r * r * r * r
        sxx += weight * cosines[k] * cosines[k]
        syy += weight * sines[k] * sines[k]
        sxy += weight * cosines[k] * sines[k]
    half = np.float32(0.5)
    mean, apart = (sxx + syy) * half, (sxx - syy) * half
    gap = np.sqrt(apart * apart + sxy * sxy)
    elongation = np.sqrt((mean + gap) / max(mean - gap, np.float32(1e-6)))
    return area * np.float32(0.5 * math.sin(2 * math.pi / RAYS)), elongation


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _densities(
    hema: Any, dab: Any, rows: int, columns: int, row: int, column: int, dx: Any, dy: Any, radii: Any, cosines: Any,
    sines: Any, scale: Any,
) -> Any:  # fmt: skip
    """Means inside 0.85 of the outline, weighted by area, and 1.8 µm outside it; nearest pixels, 64 of them."""
    last_x, last_y = columns - 1, rows - 1
    # counted from a pixel far up and left of the seed's: positive, so that cutting off rounds down
    x0, y0 = dx + np.float32(_FAR + 0.5), dy + np.float32(_FAR + 0.5)
    left, top = column - _FAR, row - _FAR
    dab_in = hema_in = weight = dab_out = hema_out = np.float32(0)
    for k in range(RAYS):
        c, s, radius = cosines[k] * scale, sines[k] * scale, radii[k]
        for part in (np.float32(0.3), np.float32(0.6), np.float32(0.85)):
            r = radius * part
            w = part * radius * radius
            j = min(max(left + int(x0 + c * r), 0), last_x)
            i = min(max(top + int(y0 + s * r), 0), last_y)
            p = np.uint64(i * columns + j)
            dab_in += w * dab[p]
            hema_in += w * hema[p]
            weight += w
        r = radius + np.float32(1.8)
        j = min(max(left + int(x0 + c * r), 0), last_x)
        i = min(max(top + int(y0 + s * r), 0), last_y)
        p = np.uint64(i * columns + j)
        dab_out += dab[p]
        hema_out += hema[p]
    share = np.float32(1 / RAYS)
    return dab_in / weight, hema_in / weight, dab_out * share, hema_out * share


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _centroid(radii: Any, cosines: Any, sines: Any) -> Any:
    """Middle of the outline relative to the seed, at most 2.5 µm away."""
    x = y = mass = np.float32(0)
    for k in range(RAYS):
        r = radii[k]
        mass += r * r
        x += r * r * r * cosines[k]
        y += r * r * r * sines[k]
    x, y = x * np.float32(2 / 3) / mass, y * np.float32(2 / 3) / mass
    length = math.sqrt(x * x + y * y)
    if length > 2.5:
        x, y = x * (2.5 / length), y * (2.5 / length)
    return x, y


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
