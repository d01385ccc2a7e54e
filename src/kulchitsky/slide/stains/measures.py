"""What the DAB of each cell looks like: in the nucleus, around it, at the border, as grains, as one spot."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Final

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.stains.spots import Spots
from kulchitsky.slide.stains.territory import Territories
from kulchitsky.slide.stains.walls import own_walls

F32 = NDArray[np.float32]

SECTORS: Final = 8
_CORE_UM: Final = 0.6
_CLEAR_UM: Final = 0.3
_RING_UM: Final = 1.5
_BODY_UM: Final = 3.0
_RIM_UM: Final = 1.2
_FAINTEST_SPOT_OD: Final = 0.06
_SUMMIT_UM: Final = 0.8
_AROUND_UM: Final = 30.0
_PROFILE_STEP_UM: Final = 0.25
_PROFILE_STEPS: Final = 18
_RAYS: Final = 16
_RAY_FROM_UM: Final = 0.8
_RAY_TO_UM: Final = 12.0


@dataclass(frozen=True, slots=True)
class Measures:
    """Columns of one row a cell; optical densities of DAB unless said otherwise. NaN where there was no pixel.

    ``nucleus``: mean over the nucleus without its outermost 0.6 µm. ``ring``: 0.3 to 1.5 µm outside it. ``body``: the
    cytoplasm, 0.3 to 3 µm outside the nucleus, without the strip along the border to other cells. ``border``: mean
    over that strip. ``low_sector``, ``top_sector``: second lowest and highest of eight sectors of the two together.
    ``grain``: root mean square of the structure at 0.4 to 1 µm. ``line``, ``blob``: mean strength of line-like and of
    spot-like structure of 0.7 µm. ``peak``: highest summit (of smoothed values)
    outside the nucleus or on its rim, 0 where there is none.
    ``peak_around``: lowest mean on a circle of up to 4.5 µm around it. ``peak_radius_um``: where it has fallen
    half-way to that. ``peak_x_um``, ``peak_y_um``: where it lies. ``peak_depth_um``: how deep in the nucleus
    (negative: outside). ``rim``: DAB where each of 16 rays from the centre crosses its most line-like place outside
    the nucleus (median of the rays). ``rim_low``: the fourth lowest of them. ``rim_line``: line-like strength
    there. ``within``: DAB between the nucleus and that place. ``outside``: mean of what no cell owns within 30 µm.
    ``body_um2``: area of the cytoplasm. ``own_wall``, ``seen_wall``, ``ridge``: the cell's share of the DAB along its
    walls, all that is seen there, and how far it stands out; see :mod:`.walls`.
    """

    nucleus: F32
    ring: F32
    body: F32
    border: F32
    low_sector: F32
    top_sector: F32
    grain: F32
    line: F32
    blob: F32
    peak: F32
    peak_around: F32
    peak_radius_um: F32
    peak_x_um: F32
    peak_y_um: F32
    peak_depth_um: F32
    rim: F32
    rim_low: F32
    rim_line: F32
    within: F32
    outside: F32
    body_um2: F32
    own_wall: F32
    seen_wall: F32
    ridge: F32

    def __len__(self) -> int:
        return len(self.nucleus)

    def take(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> Measures:
        """The rows chosen by a mask or by positions."""
        return Measures(*(getattr(self, f.name)[index] for f in fields(self)))


def concatenate(parts: list[Measures]) -> Measures:
    """Several tables one below the other; an empty list gives an empty table."""
    if not parts:
        return Measures(*(np.zeros(0, np.float32) for _ in fields(Measures)))
    return Measures(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Measures)))


def measure(dab: F32, land: Territories, cells: CellTable) -> tuple[Measures, Spots]:
    """Measure every cell of a block, and its spots.

    ``dab`` is at the scale of ``land``; all coordinates are micrometres from the block's corner.
    """
    um = land.um
    smooth = _blur(dab, 0.5 / um)
    fine = _blur(dab, 0.3 / um) - _blur(dab, 1.0 / um)
    line, blob = _structure(_blur(dab, 0.7 / um), 0.7, um)
    thin, _ = _structure(_blur(dab, 0.4 / um), 0.4, um)
    outside = _outside(dab, land)
    centre_x, centre_y = ((v / um - 0.5).astype(np.float32) for v in (cells.x_um, cells.y_um))
    summit = _summits(smooth, um)
    sums = _accumulate(
        dab, smooth, summit, fine, line, blob, land.owner, land.depth_um, land.border, centre_x, centre_y, um
    )
    nucleus, ring, body, border, low, top, grain, lines, blobs, peak, px, py, depth, area = sums
    around, radius = _profile(smooth, px, py, peak, um)
    rim, rim_low, rim_line, within = _rim(
        _blur(dab, 0.3 / um), thin, land.owner, land.depth_um, centre_x, centre_y, um
    )
    own_wall, seen_wall, ridge = own_walls(dab, thin, land, centre_x, centre_y)
    rows = np.clip(centre_y.astype(np.int64), 0, dab.shape[0] - 1)
    columns = np.clip(centre_x.astype(np.int64), 0, dab.shape[1] - 1)
    measured = Measures(
        nucleus=nucleus,
        ring=ring,
        body=body,
        border=border,
        low_sector=low,
        top_sector=top,
        grain=grain,
        line=lines,
        blob=blobs,
        peak=peak,
        peak_around=around,
        peak_radius_um=radius,
        peak_x_um=((px + 0.5) * um).astype(np.float32),
        peak_y_um=((py + 0.5) * um).astype(np.float32),
        peak_depth_um=depth,
        rim=rim,
        rim_low=rim_low,
        rim_line=rim_line,
        within=within,
        outside=outside[rows, columns],
        body_um2=area,
        own_wall=own_wall,
        seen_wall=seen_wall,
        ridge=ridge,
    )
    return measured, _spots(smooth, summit, land)


def _spots(smooth: F32, summit: NDArray[np.bool_], land: Territories) -> Spots:
    """Every summit that is not inside a nucleus and stands out at all."""
    rows, columns = np.nonzero(summit & (land.depth_um < _RIM_UM) & (smooth > _FAINTEST_SPOT_OD))
    height = smooth[rows, columns]
    around, radius = _profile(smooth, columns.astype(np.float32), rows.astype(np.float32), height, land.um)
    keep = height - around > _FAINTEST_SPOT_OD
    x, y = (columns + 0.5) * land.um, (rows + 0.5) * land.um
    return Spots(x[keep], y[keep], height[keep], around[keep], radius[keep])


def _blur(plane: F32, sigma_px: float) -> F32:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), max(0.2, float(sigma_px))), np.float32)


def _structure(smooth: F32, sigma_um: float, um: float) -> tuple[F32, F32]:
    """Line-like and spot-like strength from the eigenvalues of the Hessian, in optical density.

    A bright line bends across itself alone, a spot in both directions (Frangi AF et al., MICCAI 1998).
    """
    scale = (sigma_um / um) ** 2 / 4
    xx = np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 2, 0, ksize=3)) * scale
    yy = np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 0, 2, ksize=3)) * scale
    xy = np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 1, 1, ksize=3)) * scale
    mean, gap = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    across, along = np.maximum(-(mean - gap), 0), np.maximum(-(mean + gap), 0)
    return np.asarray(across - along, np.float32), np.asarray(along, np.float32)


def _summits(smooth: F32, um: float) -> NDArray[np.bool_]:
    """Pixels that are highest within 0.8 µm: the flank of a neighbour's spot is none of the cell's own."""
    reach = max(1, round(_SUMMIT_UM / um))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(smooth >= np.asarray(cv2.dilate(smooth, disc)))


def _outside(dab: F32, land: Territories) -> F32:
    """Mean DAB of what no cell owns, in a window around each pixel; NaN where there is hardly any."""
    free = (land.owner < 0).astype(np.float32)
    side = 2 * round(_AROUND_UM / land.um) + 1
    mass = np.asarray(cv2.boxFilter(free, cv2.CV_32F, (side, side)))
    total = np.asarray(cv2.boxFilter(dab * free, cv2.CV_32F, (side, side)))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(mass > 0.02, total / mass, np.nan).astype(np.float32)


@numba.njit(cache=True, nogil=True, fastmath=False)
def _accumulate(
    dab: Any, smooth: Any, summit: Any, fine: Any, line: Any, blob: Any, owner: Any, depth: Any, border: Any,
    cx: Any, cy: Any, um: float,
) -> Any:  # fmt: skip
    n = len(cx)
    sums = np.zeros((n, 4), np.float64)  # nucleus, ring, body, border
    counts = np.zeros((n, 4), np.int64)
    shape = np.zeros((n, 3), np.float64)  # grain, line, blob
    shape_n = np.zeros(n, np.int64)
    sector = np.zeros((n, SECTORS), np.float64)
    sector_n = np.zeros((n, SECTORS), np.int64)
    peak = np.zeros(n, np.float32)
    px, py = np.zeros(n, np.float32), np.zeros(n, np.float32)
    peak_depth = np.zeros(n, np.float32)
    for i in range(dab.shape[0]):
        for j in range(dab.shape[1]):
            k = owner[i, j]
            if k < 0:
                continue
            d = depth[i, j]
            v = dab[i, j]
            if d > _CORE_UM:
                sums[k, 0] += v
                counts[k, 0] += 1
            if summit[i, j] and d < _RIM_UM and smooth[i, j] > peak[k]:
                peak[k], px[k], py[k], peak_depth[k] = smooth[i, j], j, i, d
            if d >= -_CLEAR_UM:
                continue
            if d > -_RING_UM:
                sums[k, 1] += v
                counts[k, 1] += 1
            if border[i, j]:
                sums[k, 3] += v
                counts[k, 3] += 1
            elif d > -_BODY_UM:
                sums[k, 2] += v
                counts[k, 2] += 1
            if d > -_BODY_UM:
                shape[k, 0] += fine[i, j] * fine[i, j]
                shape[k, 1] += line[i, j]
                shape[k, 2] += blob[i, j]
                shape_n[k] += 1
                angle = math.atan2(i - cy[k], j - cx[k]) + math.pi
                s = int(angle / (2 * math.pi) * SECTORS) % SECTORS
                sector[k, s] += v
                sector_n[k, s] += 1
    nan = np.float32(np.nan)
    means = np.full((n, 4), nan, np.float32)
    forms = np.full((n, 3), nan, np.float32)
    low, top = np.full(n, nan, np.float32), np.full(n, nan, np.float32)
    values = np.empty(SECTORS)
    for k in range(n):
        for c in range(4):
            if counts[k, c] >= 4:
                means[k, c] = sums[k, c] / counts[k, c]
        if shape_n[k] >= 4:
            forms[k, 0] = math.sqrt(shape[k, 0] / shape_n[k])
            forms[k, 1], forms[k, 2] = shape[k, 1] / shape_n[k], shape[k, 2] / shape_n[k]
        seen = 0
        for s in range(SECTORS):
            if sector_n[k, s] >= 3:
                values[seen] = sector[k, s] / sector_n[k, s]
                seen += 1
        if seen >= 3:
            ordered = np.sort(values[:seen])
            low[k], top[k] = ordered[1], ordered[seen - 1]
    area = (shape_n * um * um).astype(np.float32)
    return (
        means[:, 0].copy(), means[:, 1].copy(), means[:, 2].copy(), means[:, 3].copy(), low, top,
        forms[:, 0].copy(), forms[:, 1].copy(), forms[:, 2].copy(), peak, px, py, peak_depth, area,
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _profile(smooth: Any, px: Any, py: Any, peak: Any, um: float) -> Any:
    """Lowest mean on a circle around each peak, and the radius at which the mean has fallen half-way to it."""
    n = len(px)
    around, radius = np.zeros(n, np.float32), np.zeros(n, np.float32)
    rows, columns = smooth.shape
    profile = np.empty(_PROFILE_STEPS)
    for k in range(n):
        lowest = float(peak[k])
        for t in range(_PROFILE_STEPS):
            r = (t + 1) * _PROFILE_STEP_UM / um
            total = 0.0
            for a in range(12):
                i = int(py[k] + r * math.sin(a * math.pi / 6) + 0.5)
                j = int(px[k] + r * math.cos(a * math.pi / 6) + 0.5)
                total += smooth[min(max(i, 0), rows - 1), min(max(j, 0), columns - 1)]
            profile[t] = total / 12
            lowest = min(lowest, profile[t])
        half = (peak[k] + lowest) / 2
        before, where = float(peak[k]), _PROFILE_STEPS * _PROFILE_STEP_UM
        for t in range(_PROFILE_STEPS):
            if profile[t] < half:
                part = (before - half) / max(before - profile[t], 1e-6)
                where = (t + part) * _PROFILE_STEP_UM
                break
            before = profile[t]
        around[k], radius[k] = lowest, where
    return around, radius


@numba.njit(cache=True, nogil=True)
def _rim(dab: Any, thin: Any, owner: Any, depth: Any, cx: Any, cy: Any, um: float) -> Any:
    """Along rays to the end of the cell, and 0.5 µm on: DAB at the most line-like place, and before it."""
    n = len(cx)
    nan = np.float32(np.nan)
    rim, low = np.full(n, nan, np.float32), np.full(n, nan, np.float32)
    strength, within = np.full(n, nan, np.float32), np.full(n, nan, np.float32)
    rows, columns = dab.shape
    step = 0.5
    on = int(0.5 / um / step + 0.5)
    at, lines, inner = np.empty(_RAYS), np.empty(_RAYS), np.empty(_RAYS)
    for k in range(n):
        seen = 0
        for a in range(_RAYS):
            ux, uy = math.cos(2 * math.pi * a / _RAYS), math.sin(2 * math.pi * a / _RAYS)
            best, value, count, over = -1.0, 0.0, 0, 0
            total, best_total, best_count = 0.0, 0.0, 0
            t = 0.0
            while t < _RAY_TO_UM / um and over <= on:
                t += step
                i, j = int(cy[k] + uy * t + 0.5), int(cx[k] + ux * t + 0.5)
                if i < 0 or j < 0 or i >= rows or j >= columns:
                    break
                if owner[i, j] != k:
                    over += 1
                    if over > on:
                        break
                elif depth[i, j] > -_CLEAR_UM:
                    continue
                if over == 0 and depth[i, j] > -_RAY_FROM_UM:
                    total += dab[i, j]
                    count += 1
                    continue
                if thin[i, j] > best:
                    best, value, best_total, best_count = thin[i, j], dab[i, j], total, count
                total += dab[i, j]
                count += 1
            if best >= 0:
                at[seen], lines[seen] = value, best
                inner[seen] = best_total / best_count if best_count > 0 else value
                seen += 1
        if seen >= _RAYS // 2:
            ordered = np.sort(at[:seen])
            rim[k], low[k] = np.median(at[:seen]), ordered[seen // 4]
            strength[k], within[k] = np.median(lines[:seen]), np.median(inner[:seen])
    return rim, low, strength, within
