"""From cells to optical densities: compiled loops that paint nuclei, cytoplasm, membranes and dots."""

from __future__ import annotations

import math
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Plane = NDArray[Any]

PATTERN_CODES: Final = {
    "nuclear": 0,
    "cytoplasmic_diffuse": 1,
    "cytoplasmic_granular": 2,
    "membranous": 3,
    "perinuclear_dot": 4,
    "globular": 5,
    "nuclear_and_cytoplasmic": 6,
    "cytoplasmic_and_membranous": 7,
}


@numba.njit(cache=True, nogil=True, fastmath=True)
def _outline_ratio(
    dx: float,
    dy: float,
    a: float,
    b: float,
    cos_t: float,
    sin_t: float,
    w0: float,
    w1: float,
    w2: float,
    p0: float,
    p1: float,
    p2: float,
) -> tuple[float, float]:
    """Distance from the centre over the outline's radius in that direction, and that radius."""
    u = dx * cos_t + dy * sin_t
    v = -dx * sin_t + dy * cos_t
    d = math.sqrt(u * u + v * v)
    if d < 1e-6:
        return 0.0, b
    theta = math.atan2(v, u)
    r = d / math.sqrt((u / a) ** 2 + (v / b) ** 2)
    r *= 1 + w0 * math.cos(2 * theta + p0) + w1 * math.cos(3 * theta + p1) + w2 * math.cos(4 * theta + p2)
    return d / r, r


@numba.njit(cache=True, nogil=True, fastmath=True)
def territories(
    x: Plane,
    y: Plane,
    a: Plane,
    b: Plane,
    angle: Plane,
    wobble: Plane,
    phase: Plane,
    kind: Plane,
    reach: float,
    um: float,
    height: int,
    width: int,
) -> tuple[NDArray[np.int32], F32]:
    """Which tumour cell each pixel belongs to: (height, width) int32 row number or -1, and the outline ratio there.

    A pixel belongs to the cell whose outline it is nearest to, up to ``reach`` times the outline's radius.
    """
    owner = np.full((height, width), -1, np.int32)
    ratio = np.full((height, width), np.float32(1e9))
    for n in range(len(x)):
        if kind[n] != 0:
            continue
        c, s = math.cos(angle[n]), math.sin(angle[n])
        span = a[n] * 1.3 * reach
        i0, i1 = max(0, int((y[n] - span) / um)), min(height, int((y[n] + span) / um) + 2)
        j0, j1 = max(0, int((x[n] - span) / um)), min(width, int((x[n] + span) / um) + 2)
        w, p = wobble[n], phase[n]
        for i in range(i0, i1):
            for j in range(j0, j1):
                dx, dy = (j + 0.5) * um - x[n], (i + 0.5) * um - y[n]
                q, _ = _outline_ratio(dx, dy, a[n], b[n], c, s, w[0], w[1], w[2], p[0], p[1], p[2])
                if q < reach and q < ratio[i, j]:
                    ratio[i, j] = q
                    owner[i, j] = n
    return owner, ratio


@numba.njit(cache=True, nogil=True, fastmath=True)
def paint_nuclei(
    hema: Plane,
    dab: Plane,
    x: Plane,
    y: Plane,
    a: Plane,
    b: Plane,
    angle: Plane,
    wobble: Plane,
    phase: Plane,
    h_od: Plane,
    d_od: Plane,
    vesicular: Plane,
    border_um: Plane,
    nucleolus: Plane,
    spot_angle: Plane,
    kind: Plane,
    texture: Plane,
    ox: int,
    oy: int,
    chromatin: float,
    um: float,
) -> None:
    """Add nuclei to the (height, width) density planes; overlap gives the larger density and a part of the other.

    ``texture`` is a periodic unit-variance plane read at the slide's own pixel (``ox``, ``oy`` is the window's
    corner), so that neighbouring windows fit together.
    """
    height, width = hema.shape
    size = texture.shape[0]
    for n in range(len(x)):
        c, s = math.cos(angle[n]), math.sin(angle[n])
        soft = border_um[n] if kind[n] < 3 else 0.2
        span = a[n] * 1.3 + 3 * soft
        i0, i1 = max(0, int((y[n] - span) / um)), min(height, int((y[n] + span) / um) + 2)
        j0, j1 = max(0, int((x[n] - span) / um)), min(width, int((x[n] + span) / um) + 2)
        w, p = wobble[n], phase[n]
        grain = chromatin if kind[n] == 0 else chromatin * 1.3
        # one nucleolus, off centre
        px = x[n] + 0.35 * b[n] * math.cos(spot_angle[n])
        py = y[n] + 0.35 * b[n] * math.sin(spot_angle[n])
        for i in range(i0, i1):
            for j in range(j0, j1):
                dx, dy = (j + 0.5) * um - x[n], (i + 0.5) * um - y[n]
                q, r = _outline_ratio(dx, dy, a[n], b[n], c, s, w[0], w[1], w[2], p[0], p[1], p[2])
                depth = (1 - q) * r / soft
                if depth < -4:
                    continue
                body = 1 / (1 + math.exp(-2 * depth))
                rim = 1 - vesicular[n] * max(0.0, 1 - q * q)
                t = texture[(i + oy) % size, (j + ox) % size]
                t2 = texture[(i + oy + 311) % size, (j + ox + 173) % size]
                spot = 0.0
                if nucleolus[n] > 0 and kind[n] == 0:
                    ex, ey = (j + 0.5) * um - px, (i + 0.5) * um - py
                    spot = nucleolus[n] * math.exp(-(ex * ex + ey * ey) / 0.7)
                h = h_od[n] * body * max(0.15, rim * (1 + grain * t) + spot)
                d = d_od[n] * body * max(0.2, 1 + 0.7 * grain * t2)
                # strong DAB hides part of the counterstain
                h *= 1 - 0.5 * min(1.0, d)
                hi, lo = max(hema[i, j], h), min(hema[i, j], h)
                hema[i, j] = hi + 0.3 * lo
                hi, lo = max(dab[i, j], d), min(dab[i, j], d)
                dab[i, j] = hi + 0.3 * lo


@numba.njit(cache=True, nogil=True, fastmath=True)
def paint_cytoplasm(
    hema: Plane,
    dab: Plane,
    owner: Plane,
    ratio: Plane,
    positive_od: Plane,
    pattern: int,
    reach: float,
    texture: Plane,
    ox: int,
    oy: int,
    blush: float,
    membrane_um: float,
    beside: float,
    um: float,
) -> None:
    """Counterstain blush over every cell and the DAB of positive cells: diffuse, granular or at the membrane.

    ``beside`` is the density of the cytoplasm relative to the membrane or to the nucleus.
    """
    height, width = hema.shape
    size = texture.shape[0]
    border = max(1, round(membrane_um / um))
    for i in range(height):
        for j in range(width):
            n = owner[i, j]
            if n < 0:
                continue
            t = texture[(i + oy + 97) % size, (j + ox + 59) % size]
            hema[i, j] += blush * (1 + 0.3 * t)
            od = positive_od[n]
            if od <= 0 or pattern == 4 or pattern == 5 or (pattern == 0 and beside <= 0):
                continue
            if pattern == 3 or pattern == 7:
                edge = ratio[i, j] > reach - 0.14
                for di, dj in ((border, 0), (-border, 0), (0, border), (0, -border)):
                    if 0 <= i + di < height and 0 <= j + dj < width and owner[i + di, j + dj] != n:
                        edge = True
                if edge:
                    dab[i, j] += od * max(0.3, 1 + 0.25 * t)
                elif pattern == 3:
                    dab[i, j] += beside * od
                elif ratio[i, j] > 0.97:
                    dab[i, j] += beside * od * max(0.3, 1 + 0.15 * t)
            elif ratio[i, j] > 0.97:
                if pattern == 0:
                    dab[i, j] += beside * od * max(0.3, 1 + 0.15 * t) * (reach - ratio[i, j]) / (reach - 0.97)
                elif pattern == 1 or pattern == 6:
                    share = 0.75 if pattern == 1 else beside
                    dab[i, j] += share * od * max(0.3, 1 + 0.15 * t)
                else:
                    dab[i, j] += od * (0.22 + 1.25 * min(1.0, max(0.0, t - 0.35)))


@numba.njit(cache=True, nogil=True, fastmath=True)
def paint_spots(
    dab: Plane,
    x: Plane,
    y: Plane,
    b: Plane,
    spot_angle: Plane,
    positive_od: Plane,
    kind: Plane,
    globular: bool,
    um: float,
) -> None:
    """One compact spot beside the nucleus of each positive tumour cell (a larger, softer one when globular)."""
    height, width = dab.shape
    for n in range(len(x)):
        if kind[n] != 0 or positive_od[n] <= 0:
            continue
        sigma = 1.7 if globular else 0.95
        gap = b[n] + (0.9 if globular else 0.6)
        cx, cy = x[n] + gap * math.cos(spot_angle[n]), y[n] + gap * math.sin(spot_angle[n])
        span = 3 * sigma
        i0, i1 = max(0, int((cy - span) / um)), min(height, int((cy + span) / um) + 2)
        j0, j1 = max(0, int((cx - span) / um)), min(width, int((cx + span) / um) + 2)
        for i in range(i0, i1):
            for j in range(j0, j1):
                d2 = ((j + 0.5) * um - cx) ** 2 + ((i + 0.5) * um - cy) ** 2
                # a flat top and a steep flank: dots have an edge, a Gaussian has none
                q = d2 / (sigma * sigma)
                dab[i, j] += 1.3 * positive_od[n] * math.exp(-q * q * 0.35)


def noise_texture(seed: int, size: int, correlation_um: float, um_per_px: float) -> F32:
    """Periodic Gaussian noise of unit variance, (size, size), smooth over ``correlation_um``."""
    rng = np.random.default_rng([seed, size, round(correlation_um * 1000)])
    fy, fx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]
    sigma_px = max(0.3, correlation_um / um_per_px)
    transfer = np.exp(-2 * (np.pi * sigma_px) ** 2 * (fy**2 + fx**2))
    field = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(size, size))) * transfer, s=(size, size))
    return np.asarray((field - field.mean()) / field.std(), np.float32)
