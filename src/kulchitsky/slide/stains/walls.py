"""Whose membrane is brown: what lies along the walls between cells, dealt out to the cells on either side.

A brown wall between two cells says only that at least one of them is stained. Light taken away by the two membranes
adds up, so that each stretch of wall gives one equation, own + neighbour's = seen; stretches that face no neighbour
give the own share alone. Non-negative least squares over the graph of neighbours, with outlying stretches weighed
down, solves them together.

The amount is the absorbed share of light, 1 - 10^-OD, added up across the wall: blur spreads light, so that this sum
stays the same however soft the picture, while optical density does not.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.stains.territory import Territories

F32 = NDArray[np.float32]

_RAYS: Final = 24
_STEP_UM: Final = 0.25
_CLEAR_UM: Final = 0.3
_BEYOND_UM: Final = 0.8
_HALF_UM: Final = 1.25
_SHARED_UM: Final = 1.2
_TO_UM: Final = 13.0
_ROUNDS: Final = 6
_SWEEPS: Final = 25
_LEAST_SPREAD: Final = 0.02
_PRIOR: Final = 0.3
_NOISE_OD: Final = 0.03


def own_walls(dab: F32, line: F32, land: Territories, x_px: F32, y_px: F32) -> tuple[F32, F32, F32]:
    """(N,) absorbed light of each cell's own membrane, in µm of full absorption; the median of what is seen; and
    the median ridge: by what share of its own density a wall stands above the cytoplasm on both of its sides.

    ``dab`` (optical density) and ``line`` (line-like strength) are planes at the scale of ``land``; ``x_px``,
    ``y_px`` the cells' centres. NaN for cells with too few stretches.
    """
    absorbed = (1 - np.power(10.0, -np.maximum(dab, 0))).astype(np.float32)
    seen, partner, shared, ridge = _stretches(absorbed, dab, line, land.owner, land.depth_um, x_px, y_px, land.um)
    return *_solve(seen, partner, shared), ridge


@numba.njit(cache=True, nogil=True)
def _stretches(absorbed: Any, dab: Any, line: Any, owner: Any, depth: Any, cx: Any, cy: Any, um: float) -> Any:
    """(N, rays): absorbed light across the wall on each ray, the cell behind it (-1: none), the part that one has."""
    n = len(cx)
    seen = np.full((n, _RAYS), np.float32(np.nan))
    partner = np.full((n, _RAYS), -1, np.int64)
    shared = np.zeros((n, _RAYS), np.float32)
    ridge = np.full(n, np.float32(np.nan))
    ridges = np.empty(_RAYS)
    steps = int(_TO_UM / _STEP_UM)
    values, lines = np.zeros(steps), np.zeros(steps)
    for k in range(n):
        ridged = 0
        for a in range(_RAYS):
            ux, uy = math.cos(2 * math.pi * a / _RAYS), math.sin(2 * math.pi * a / _RAYS)
            first, end, after = -1, -1, -1
            last = 0
            for t in range(steps):
                px, py = cx[k] + ux * t * _STEP_UM / um, cy[k] + uy * t * _STEP_UM / um
                i, j = math.floor(py + 0.5), math.floor(px + 0.5)
                if i < 1 or j < 1 or i >= owner.shape[0] - 2 or j >= owner.shape[1] - 2:
                    break
                if end < 0:
                    if owner[i, j] != k:
                        if first >= 0 or t > 4:
                            end = t
                    elif first < 0 and depth[i, j] <= -_CLEAR_UM:
                        first = t
                if end >= 0 and after < 0 and owner[i, j] != k and owner[i, j] >= 0:
                    after = owner[i, j]
                values[t], lines[t] = _at(absorbed, px, py), _at(line, px, py)
                last = t
                if end >= 0 and (t - end) * _STEP_UM > _BEYOND_UM + _HALF_UM:
                    break
            if end < 0 or last < end:
                continue
            begin = end - 1 if first < 0 else first
            best, place = -1e9, end
            for t in range(max(begin, 1), min(last, end + int(_BEYOND_UM / _STEP_UM)) + 1):
                # where nothing is line-like the wall lies where the cells meet
                pull = 1e-3 * abs(t - end)
                if lines[t] - pull > best:
                    best, place = lines[t] - pull, t
            half = int(_HALF_UM / _STEP_UM)
            low, high = max(place - half, 0), min(place + half, last)
            total = 0.0
            for t in range(low, high + 1):
                total += values[t]
            floor = min(values[low], values[high])
            seen[k, a] = max(0.0, total - floor * (high - low + 1)) * _STEP_UM
            gap = abs(place - end) * _STEP_UM
            partner[k, a] = after
            beside = True
            for t in (low, high):
                i = math.floor(cy[k] + uy * t * _STEP_UM / um + 0.5)
                j = math.floor(cx[k] + ux * t * _STEP_UM / um + 0.5)
                beside = beside and owner[i, j] >= 0 and depth[i, j] < -_CLEAR_UM
            if beside and after >= 0 and high - low == 2 * half:
                top = _at(dab, cx[k] + ux * place * _STEP_UM / um, cy[k] + uy * place * _STEP_UM / um)
                flank = 0.0
                for t in (low, high):
                    flank = max(flank, _at(dab, cx[k] + ux * t * _STEP_UM / um, cy[k] + uy * t * _STEP_UM / um))
                ridges[ridged] = (top - flank) / (top + _NOISE_OD)
                ridged += 1
            shared[k, a] = 0.0 if after < 0 else min(1.0, max(0.0, (_SHARED_UM - gap) / (_SHARED_UM - 0.5)))
        if ridged >= 2:
            ridge[k] = np.median(ridges[:ridged])
    return seen, partner, shared, ridge


@numba.njit(cache=True, nogil=True)
def _at(plane: Any, x: float, y: float) -> float:
    i, j = math.floor(y), math.floor(x)
    v, u = y - i, x - j
    return float(
        (1 - v) * ((1 - u) * plane[i, j] + u * plane[i, j + 1])
        + v * ((1 - u) * plane[i + 1, j] + u * plane[i + 1, j + 1])
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _solve(seen: Any, partner: Any, shared: Any) -> Any:
    """Own share of each cell by coordinate descent; stretches far off the fit weigh less (iteratively)."""
    n, rays = seen.shape
    own = np.zeros(n, np.float64)
    middle = np.full(n, np.nan)
    start = np.zeros(n, np.int64)
    for k in range(n):
        good = seen[k][np.isfinite(seen[k])]
        if len(good) >= rays // 3:
            middle[k] = np.median(good)
            own[k] = 0.5 * middle[k]
    # stretches seen from the other side: one entry for each (ray, cell behind it)
    for k in range(n):
        for a in range(rays):
            if np.isfinite(seen[k, a]) and partner[k, a] >= 0:
                start[partner[k, a]] += 1
    first = np.zeros(n + 1, np.int64)
    for k in range(n):
        first[k + 1] = first[k] + start[k]
    cell, ray = np.zeros(first[n], np.int64), np.zeros(first[n], np.int64)
    fill = first[:n].copy()
    for k in range(n):
        for a in range(rays):
            if np.isfinite(seen[k, a]) and partner[k, a] >= 0:
                p = partner[k, a]
                cell[fill[p]], ray[fill[p]] = k, a
                fill[p] += 1
    weight = np.ones((n, rays))
    for _ in range(_ROUNDS):
        for _ in range(_SWEEPS):
            for k in range(n):
                top, mass = 0.0, 0.0
                for a in range(rays):
                    if not np.isfinite(seen[k, a]):
                        continue
                    other = own[partner[k, a]] * shared[k, a] if partner[k, a] >= 0 else 0.0
                    top += weight[k, a] * (seen[k, a] - other)
                    mass += weight[k, a]
                for e in range(first[k], first[k + 1]):
                    c, a = cell[e], ray[e]
                    s = shared[c, a]
                    top += weight[c, a] * s * (seen[c, a] - own[c])
                    mass += weight[c, a] * s * s
                own[k] = max(0.0, top / (mass + _PRIOR))
        for k in range(n):
            for a in range(rays):
                if np.isfinite(seen[k, a]):
                    other = own[partner[k, a]] * shared[k, a] if partner[k, a] >= 0 else 0.0
                    left = abs(seen[k, a] - own[k] - other)
                    weight[k, a] = 1 / max(left, _LEAST_SPREAD)
        scale = 0.0
        count = 0
        for k in range(n):
            for a in range(rays):
                if np.isfinite(seen[k, a]):
                    scale += weight[k, a]
                    count += 1
        if count > 0:
            weight *= count / scale
    out = np.full(n, np.float32(np.nan))
    for k in range(n):
        if np.isfinite(middle[k]):
            out[k] = own[k]
    return out, middle.astype(np.float32)
