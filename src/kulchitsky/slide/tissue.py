"""Where tissue is, and which of it cannot be counted (pen ink, folds): found on the overview, before any block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

_BLUSH_OD: Final = 0.045
_SHOWS_NUCLEI_UM: Final = 3.0
_NUCLEUS_OD: Final = 0.1
_CLOSE_UM: Final = 40.0
_SMALLEST_MM2: Final = 0.003


@dataclass(frozen=True, slots=True)
class TissueMap:
    """Masks over the slide at ``um_per_px``; ``tissue`` still holds what ``pen`` and ``fold`` take out."""

    um_per_px: float
    tissue: Mask
    pen: Mask
    fold: Mask

    @property
    def countable(self) -> Mask:
        """Tissue without pen and folds."""
        return self.tissue & ~self.pen & ~self.fold

    def area_mm2(self, mask: Mask) -> float:
        """Area of a mask of this map."""
        return float(mask.sum()) * self.um_per_px**2 / 1e6


def glass_colour(overview_rgb: U8) -> NDArray[np.float64]:
    """Colour of clear glass, (3,) in grey levels: the bright mode of the overview.

    On a field without glass it is the brightest gap between cells, which serves the same end.
    """
    step = max(1, int(np.sqrt(overview_rgb.size / 3 / 250_000)))
    flat = overview_rgb[::step, ::step].reshape(-1, 3).astype(np.float32)
    light = flat.min(axis=1)
    cut = np.percentile(light, 95)
    bright = flat[light >= min(cut, 250) - 4]
    return np.asarray(np.clip(np.median(bright, axis=0), 120, 255), np.float64)


def map_tissue(overview_rgb: U8, um_per_px: float, glass: NDArray[np.float64]) -> TissueMap:
    """Find tissue, pen strokes and folds on an (H, W, 3) overview of known scale.

    Tissue is whatever absorbs a little more than glass, closed over gaps of 40 µm; a picture with hardly any clear
    glass is all tissue. Pen ink is dense and outside the colours that haematoxylin and DAB can mix; a fold is much
    denser than the rest of the tissue over more than a nucleus.
    """
    grey = np.maximum(np.arange(256), 1)
    red, green, blue = (
        np.log10(max(g, 1.0) / grey).astype(np.float32)[overview_rgb[..., c]] for c, g in enumerate(glass)
    )
    total = np.maximum(red, 0)
    for plane in (green, blue):
        total += np.maximum(plane, 0)
    total /= 3
    smooth = cv2.GaussianBlur(total, (0, 0), float(max(0.6, 12 / um_per_px)))
    mask = smooth > _BLUSH_OD
    if um_per_px <= _SHOWS_NUCLEI_UM:
        # on a field that is all tissue the palest ground passes for glass; stained nuclei still show
        mask |= cv2.GaussianBlur(total, (0, 0), float(2 / um_per_px)) > _NUCLEUS_OD
    size = max(1, round(_CLOSE_UM / um_per_px))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * size + 1, 2 * size + 1))
    mask = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc).astype(bool)
    mask = _drop_small(mask, _SMALLEST_MM2 * 1e6 / um_per_px**2)
    area_mm2 = mask.size * um_per_px**2 / 1e6
    if area_mm2 < 4 and mask.mean() > 0.5:
        mask = np.ones_like(mask)
    pen = _pen(red, green, blue, total, um_per_px)
    del green, blue
    fold = _fold(np.maximum(red, 0, out=red), mask & ~pen, um_per_px)
    return TissueMap(um_per_px=um_per_px, tissue=mask, pen=pen & mask, fold=fold & mask)


def _drop_small(mask: Mask, smallest_px: float) -> Mask:
    if not mask.any():
        return mask
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    keep = np.zeros(count, bool)
    keep[1:] = stats[1:, cv2.CC_STAT_AREA] >= min(smallest_px, mask.size / 4)
    return np.asarray(keep[labels])


def _pen(r: F32, g: F32, b: F32, total: F32, um_per_px: float) -> Mask:
    """Dense, even, and of a hue that no mixture of the two stains has: blue-green or green ink, or black."""
    strength = np.maximum(total, 1e-3)
    blue = (r > 0.6) & (b < 0.45 * strength) & (r > 1.45 * strength)
    green = (r > 0.5) & (g < 0.65 * strength) & (b > 0.6 * strength)
    red = (r < 0.35 * strength) & (total > 0.35) & (g > 1.1 * strength)
    black = total > 1.25
    inked = blue | green | red | black
    if not inked.any():
        return inked
    side = max(3, int(60 / um_per_px) | 1)
    dense = cv2.boxFilter(inked.astype(np.float32), -1, (side, side)) > 0.6
    reach = max(1, round(60 / um_per_px))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(dense.astype(np.uint8), disc)).astype(bool)


def _fold(red: F32, tissue: Mask, um_per_px: float) -> Mask:
    """Bands at least 2.2 times as dense as tissue usually is, in the gaps between nuclei too.

    Judged on the red channel, which DAB hardly dims, and on its local minimum, so that a nest of brown nuclei is no
    fold. Not looked for on fields under half a square millimetre, which a person has chosen.
    """
    if tissue.sum() < 400 or tissue.size * um_per_px**2 < 0.5e6:
        return np.zeros_like(tissue)
    reach = max(1, round(7 / um_per_px))
    gaps = cv2.erode(red, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    smooth = cv2.GaussianBlur(gaps, (0, 0), float(max(0.6, 5 / um_per_px)))
    usual = float(np.median(smooth[tissue]))
    spread = float(np.percentile(smooth[tissue], 75)) - usual
    dense = _drop_small(smooth > max(2.2 * usual, usual + 6 * spread, 0.2), 2500 / um_per_px**2)
    grown = max(1, round(24 / um_per_px))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grown + 1, 2 * grown + 1))
    return np.asarray(cv2.dilate(dense.astype(np.uint8), disc)).astype(bool) & tissue
