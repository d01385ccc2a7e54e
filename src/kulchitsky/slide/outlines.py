"""Where the rays leave their nuclei, and the shape of the outline: many nuclei at once.

Arrays are (rays, nuclei), and every loop runs over the nuclei, free of branches: a vector instruction does one
ray of sixteen nuclei. What a nucleus gets doesn't depend on the others in its group.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.rays import RAYS, SHORTEST_UM, STEP_UM, STEPS
from kulchitsky.slide.safe_math import SAFE_MATH

GROUP: Final = 80
"""Nuclei worked on together: their rays stay in the processor's cache, and a row of the arrays is an odd number of
cache lines, so that rows do not crowd the same ones."""
LARGEST_SHIFT_UM: Final = 2.5

_f = np.float32


def _odd_even_merges(size: int) -> NDArray[np.int64]:
    """Pairs to compare and swap, in turn, so that ``size`` values (a power of two) end in order.

    Odd-even merging: Batcher KE, AFIPS Spring Joint Computing Conference 1968;32:307-314.
    """
    pairs = []
    step = 1
    while step < size:
        apart = step
        while apart >= 1:
            for j, i in itertools.product(range(apart % step, size - apart, 2 * apart), range(apart)):
                low, high = i + j, i + j + apart
                if high < size and low // (2 * step) == high // (2 * step):
                    pairs.append((low, high))
            apart //= 2
        step *= 2
    return np.asarray(pairs, np.int64)


def _needed(pairs: NDArray[np.int64], wanted: set[int]) -> NDArray[np.int64]:
    """Of a sorting network the swaps that bear on the ``wanted`` places."""
    kept = []
    for low, high in pairs[::-1].tolist():
        if low in wanted or high in wanted:
            kept.append((low, high))
            wanted |= {low, high}
    return np.asarray(kept[::-1], np.int64)


MIDDLE_SWAPS: Final = _needed(_odd_even_merges(RAYS), {RAYS // 2 - 1, RAYS // 2})


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def measure_outlines(profiles: Any, cosines: Any, sines: Any, swaps: Any, work: Any, radii: Any, out: Any) -> None:
    """Outlines and what follows from them, of a group of nuclei.

    ``profiles`` is (SAMPLES, GROUP), ``radii`` (RAYS, GROUP) and ``out`` (6, GROUP): area, elongation, contrast,
    edge, centroid across and down. ``work`` is scratch of (9, RAYS, GROUP), ``swaps`` :data:`MIDDLE_SWAPS`.
    """
    lows, falls, raw = work[0], work[1], work[2]
    centre, contrast, edge = out[4], out[2], out[3]
    _centres(profiles, centre)
    _lows_and_falls(profiles, work[3], lows.reshape(-1), falls.reshape(-1))
    _start_edges(profiles[0], centre, lows, work)
    _edges(profiles.reshape(-1), work.reshape(9, -1))
    _middles(lows, swaps, contrast)
    _middles(falls, swaps, edge)
    _contrast_and_edge(centre, contrast, edge)
    _smoothed(raw, swaps, work[3], work[4, 0], radii)
    _shapes(radii, cosines, sines, work[3], out[0], out[1])
    _centroids(radii, cosines, sines, work[3, 0], out[4], out[5])


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _centres(profiles: Any, out: Any) -> None:
    """Density at the seed: half of the pixel's own, half of that on the first step."""
    here = profiles[0]
    out[:] = _f(0)
    for k in range(RAYS):
        _add(profiles[1 + k], out)
    for n in range(out.shape[0]):
        out[n] = (out[n] * _f(1 / RAYS) + here[n]) * _f(0.5)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _add(row: Any, out: Any) -> None:
    for n in range(out.shape[0]):
        out[n] += row[n]


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _lows_and_falls(profiles: Any, start: Any, lows: Any, falls: Any) -> None:
    """Lowest value and steepest fall (per µm) along each ray; all rays ``start`` at the seed."""
    for k in range(RAYS):
        start[k] = profiles[0]
    flat = profiles.reshape(-1)
    lows[:] = start.reshape(-1)
    falls[:] = _f(0)
    _lower(start.reshape(-1), _on_step(flat, 2), lows, falls)
    for t in range(3, STEPS + 1):
        _lower(_on_step(flat, t - 2), _on_step(flat, t), lows, falls)
    for n in range(falls.shape[0]):
        falls[n] *= _f(1 / (2 * STEP_UM))


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _on_step(flat_profiles: Any, step: int) -> Any:
    """Values of all rays on a step, ray by ray."""
    start = (1 + (step - 1) * RAYS) * GROUP
    return flat_profiles[start : start + RAYS * GROUP]


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _lower(earlier: Any, here: Any, low: Any, fall: Any) -> None:
    for n in range(low.shape[0]):
        low[n] = min(low[n], here[n])
        fall[n] = max(fall[n], earlier[n] - here[n])


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _start_edges(seed: Any, centre: Any, lows: Any, work: Any) -> None:
    stop, half, rise, valley, place, before = work[2], work[3], work[4], work[5], work[6], work[7]
    for k in range(RAYS):
        low = lows[k]
        for n in range(seed.shape[0]):
            height = centre[n] - low[n]
            half[k, n] = low[n] + _f(0.5) * height
            rise[k, n] = _f(0.12) * max(height, _f(0.05))
            valley[k, n] = seed[n]
    stop[:] = _f(STEPS + 1)
    place[:] = _f(0)
    before[:] = half
    work[8] = half


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _edges(flat_profiles: Any, work: Any) -> None:
    """Where each ray leaves the nucleus, in µm: half-way down, or in the valley before a neighbour.

    ``work`` is that of :func:`_start_edges`, flat; its row 2 receives the result.
    """
    stop, half, before, after = work[2], work[3], work[7], work[8]
    for t in range(2, STEPS + 1):
        earlier, here = _on_step(flat_profiles, t - 1), _on_step(flat_profiles, t)
        _step(earlier, here, _f(t), half, work[4], work[5], work[6], stop, before, after)
    for n in range(stop.shape[0]):
        part = (before[n] - half[n]) / max(before[n] - after[n], _f(1e-6))
        stop[n] = (stop[n] - _f(1) + min(_f(1), max(_f(0), part))) * _f(STEP_UM)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _step(
    earlier: Any, here: Any, step: Any, half: Any, rise: Any, valley: Any, place: Any, stop: Any, before: Any,
    after: Any,
) -> None:  # fmt: skip
    """A ray that stops here keeps the step, and the values before and after, between which it crosses ``half``."""
    for n in range(here.shape[0]):
        v, lowest, at, middle = here[n], valley[n], place[n], half[n]
        below = v < middle
        parted = (v > lowest + rise[n]) & (at >= _f(3))
        stops = (stop[n] > _f(STEPS)) & (below | parted)
        last = step if below else at + _f(1)
        former = earlier[n] if below else middle
        stop[n] = last if stops else stop[n]
        before[n] = former if stops else before[n]
        after[n] = v if stops else after[n]
        place[n] = step if v < lowest else at
        valley[n] = min(lowest, v)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _middles(values: Any, swaps: Any, out: Any) -> None:
    """Median over the rays; ``values`` (RAYS, GROUP) are put out of order."""
    for s in range(swaps.shape[0]):
        _swap(values[swaps[s, 0]], values[swaps[s, 1]])
    low, high = values[RAYS // 2 - 1], values[RAYS // 2]
    for n in range(out.shape[0]):
        out[n] = (low[n] + high[n]) * _f(0.5)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _swap(low: Any, high: Any) -> None:
    for n in range(low.shape[0]):
        a, b = low[n], high[n]
        low[n], high[n] = min(a, b), max(a, b)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _contrast_and_edge(centre: Any, contrast: Any, edge: Any) -> None:
    for n in range(edge.shape[0]):
        contrast[n] = centre[n] - contrast[n]
        edge[n] = edge[n] / max(contrast[n], _f(0.05))


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _smoothed(raw: Any, swaps: Any, medians: Any, usual: Any, radii: Any) -> None:
    """Median of five neighbouring rays, then a short mean: one ray that runs into a neighbour is overruled."""
    for k in range(RAYS):
        a, b, d, e = raw[(k - 2) % RAYS], raw[(k - 1) % RAYS], raw[(k + 1) % RAYS], raw[(k + 2) % RAYS]
        _median_of_five(a, b, raw[k], d, e, medians[k])
    raw[:] = medians
    _middles(raw, swaps, usual)
    for k in range(RAYS):
        _short_mean(medians[(k - 1) % RAYS], medians[k], medians[(k + 1) % RAYS], usual, radii[k])


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _median_of_five(a: Any, b: Any, c: Any, d: Any, e: Any, out: Any) -> None:
    for n in range(out.shape[0]):
        f = max(min(a[n], b[n]), min(d[n], e[n]))
        g = min(max(a[n], b[n]), max(d[n], e[n]))
        out[n] = max(min(f, g), min(max(f, g), c[n]))


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _short_mean(before: Any, here: Any, after: Any, usual: Any, out: Any) -> None:
    for n in range(out.shape[0]):
        r = (before[n] + _f(2) * here[n] + after[n]) * _f(0.25)
        out[n] = max(_f(SHORTEST_UM), min(r, _f(2.2) * usual[n]))


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _shapes(radii: Any, cosines: Any, sines: Any, sums: Any, area: Any, elongation: Any) -> None:
    """Area in µm², and long over short axis, from second moments."""
    area[:] = _f(0)
    sums[:3] = _f(0)
    for k in range(RAYS):
        c, s = cosines[k], sines[k]
        _moments(radii[k], radii[(k + 1) % RAYS], c * c, s * s, c * s, area, sums[0], sums[1], sums[2])
    half = _f(0.5)
    xx, yy, xy = sums[0], sums[1], sums[2]
    for n in range(area.shape[0]):
        mean, apart = (xx[n] + yy[n]) * half, (xx[n] - yy[n]) * half
        gap = np.sqrt(apart * apart + xy[n] * xy[n])
        elongation[n] = np.sqrt((mean + gap) / max(mean - gap, _f(1e-6)))
        area[n] *= _f(0.5 * math.sin(2 * math.pi / RAYS))


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _moments(radius: Any, following: Any, cc: Any, ss: Any, cs: Any, area: Any, xx: Any, yy: Any, xy: Any) -> None:
    for n in range(area.shape[0]):
        r = radius[n]
        area[n] += r * following[n]
        weight = r * r * r * r
        xx[n] += weight * cc
        yy[n] += weight * ss
        xy[n] += weight * cs


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _centroids(radii: Any, cosines: Any, sines: Any, mass: Any, x: Any, y: Any) -> None:
    """Middle of the outline relative to the seed, in µm, at most :data:`LARGEST_SHIFT_UM` away."""
    mass[:] = _f(0)
    x[:] = _f(0)
    y[:] = _f(0)
    for k in range(RAYS):
        _weigh(radii[k], cosines[k], sines[k], mass, x, y)
    farthest = _f(LARGEST_SHIFT_UM)
    for n in range(x.shape[0]):
        across, down = x[n] * _f(2 / 3) / mass[n], y[n] * _f(2 / 3) / mass[n]
        length = np.sqrt(across * across + down * down)
        part = farthest / length if length > farthest else _f(1)
        x[n], y[n] = across * part, down * part


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _weigh(radius: Any, cosine: Any, sine: Any, mass: Any, x: Any, y: Any) -> None:
    for n in range(x.shape[0]):
        r = radius[n]
        mass[n] += r * r
        x[n] += r * r * r * cosine
        y[n] += r * r * r * sine
