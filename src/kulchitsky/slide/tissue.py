"""Where tissue is, and which of it cannot be counted (pen ink, folds): found on the overview, before any block."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.grey_levels import percentile
from kulchitsky.slide.pages import pages

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

_BLUSH_OD: Final = 0.045
_SHOWS_NUCLEI_UM: Final = 3.0
_NUCLEUS_OD: Final = 0.1
_CLOSE_UM: Final = 40.0
_SMALLEST_MM2: Final = 0.003
_STRIP: Final = 32
"""Rows of an overview whose colours are looked at together."""


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
        if not self.pen.any() and not self.fold.any():
            return self.tissue
        return self.tissue & ~self.pen & ~self.fold

    def area_mm2(self, mask: Mask) -> float:
        """Area of a mask of this map."""
        return float(mask.sum()) * self.um_per_px**2 / 1e6


def glass_colour(overview_rgb: U8) -> NDArray[np.float64]:
    """Colour of clear glass, (3,) in grey levels: the bright mode of the overview.

    On a field without glass it is the brightest gap between cells, which serves the same end.
    """
    step = max(1, int(np.sqrt(overview_rgb.size / 3 / 250_000)))
    flat = overview_rgb[::step, ::step].reshape(-1, 3)
    light = np.minimum(np.minimum(flat[:, 0], flat[:, 1]), flat[:, 2])
    bright = flat[light >= min(percentile(light, 95), 250) - 4]
    return np.clip([percentile(channel, 50) for channel in bright.T], 120, 255).astype(np.float64)


def map_tissue(overview_rgb: U8, um_per_px: float, glass: NDArray[np.float64], threads: int = 1) -> TissueMap:
    """Find tissue, pen strokes and folds on an (H, W, 3) overview of known scale.

    Tissue is whatever absorbs a little more than glass, closed over gaps of 40 µm; a picture with hardly any clear
    glass is all tissue. Pen ink is dense and outside the colours that haematoxylin and DAB can mix; a fold is much
    denser than the rest of the tissue over more than a nucleus.
    """
    total, red, inked = _densities(overview_rgb, glass, threads)
    shows_nuclei = um_per_px <= _SHOWS_NUCLEI_UM
    smooth = cv2.GaussianBlur(total, (0, 0), float(max(0.6, 12 / um_per_px)), dst=None if shows_nuclei else total)
    mask = np.asarray(smooth > _BLUSH_OD)
    if shows_nuclei:
        # on a field that is all tissue the palest ground passes for glass; stained nuclei still show
        mask |= cv2.GaussianBlur(total, (0, 0), float(2 / um_per_px)) > _NUCLEUS_OD
    del total, smooth
    size = max(1, round(_CLOSE_UM / um_per_px))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * size + 1, 2 * size + 1))
    mask = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_CLOSE, disc).view(np.bool_)
    mask = _drop_small(mask, _SMALLEST_MM2 * 1e6 / um_per_px**2)
    area_mm2 = mask.size * um_per_px**2 / 1e6
    if area_mm2 < 4 and mask.mean() > 0.5:
        mask = np.ones_like(mask)
    pen = _pen(inked, um_per_px)
    if pen.any():
        pen &= mask
    fold = _fold(red, mask & ~pen, um_per_px)
    return TissueMap(um_per_px=um_per_px, tissue=mask, pen=pen, fold=fold)


def _drop_small(mask: Mask, smallest_px: float) -> Mask:
    if not mask.any():
        return mask
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    keep = np.zeros(count, bool)
    keep[1:] = stats[1:, cv2.CC_STAT_AREA] >= min(smallest_px, mask.size / 4)
    return np.asarray(keep[labels])


def _densities(rgb: U8, glass: NDArray[np.float64], threads: int = 1) -> tuple[F32, F32, U8]:
    """Mean density of the three channels, that of red, and 1 where no mixture of the two stains explains the colour:
    blue, green or red ink, or black. Densities below that of glass are 0. In strips that fit the cache."""
    shape = rgb.shape[:2]
    grey = np.maximum(np.arange(256), 1)
    table = np.stack([np.log10(max(g, 1.0) / grey) for g in glass], axis=1)[None].astype(np.float32)
    total, red, inked = pages(shape, np.float32), pages(shape, np.float32), pages(shape, np.uint8)

    def look(top: int) -> None:
        here = slice(top, top + _STRIP)
        r, g, b = cv2.split(cv2.LUT(rgb[here], table))
        mean = np.maximum(r, 0, out=red[here]) + np.maximum(g, 0)
        mean += np.maximum(b, 0)
        mean = np.multiply(mean, np.float32(1 / 3), out=total[here])
        some = np.nonzero((r > 0.5) | (mean > 0.35))
        inked[here][some] = _ink(*(np.asarray(plane[some], np.float32) for plane in (r, g, b, mean)))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(look, range(0, shape[0], _STRIP)))
    return total, red, inked


def _ink(r: F32, g: F32, b: F32, mean: F32) -> Mask:
    """Which of the dense or red-absorbing pixels given have a colour that the stains cannot mix."""
    blue = (r > 0.6) & (b < 0.45 * mean) & (r > 1.45 * mean)
    green = (r > 0.5) & (g < 0.65 * mean) & (b > 0.6 * mean)
    red = (r < 0.35 * mean) & (mean > 0.35) & (g > 1.1 * mean)
    return np.asarray(blue | green | red | (mean > 1.25))


def _pen(inked: U8, um_per_px: float) -> Mask:
    """Where inked pixels lie densely, and 60 µm around."""
    side = max(3, int(60 / um_per_px) | 1)
    if np.count_nonzero(inked) <= 0.6 * side * side:
        return pages(inked.shape, np.bool_)
    within = cv2.boxFilter(inked, cv2.CV_16U, (side, side), normalize=False)
    dense = np.asarray(within > 0.6 * side * side)
    if not dense.any():
        return pages(inked.shape, np.bool_)
    reach = max(1, round(60 / um_per_px))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(dense.view(np.uint8), disc).view(np.bool_)


def _fold(red: F32, tissue: Mask, um_per_px: float) -> Mask:
    """Bands at least 2.2 times as dense as tissue usually is, in the gaps between nuclei too.

    Judged on the red channel, which DAB hardly dims, and on its local minimum, so that a nest of brown nuclei is no
    fold. Not looked for on fields under half a square millimetre, which a person has chosen. ``red`` is overwritten.
    """
    if tissue.sum() < 400 or tissue.size * um_per_px**2 < 0.5e6:
        return pages(tissue.shape, np.bool_)
    reach = max(1, round(7 / um_per_px))
    gaps = cv2.erode(red, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8), dst=red)
    smooth = cv2.GaussianBlur(gaps, (0, 0), float(max(0.6, 5 / um_per_px)), dst=gaps)
    step = max(1, int(np.sqrt(tissue.sum() / 250_000)))
    usual, upper = (float(v) for v in np.percentile(smooth[::step, ::step][tissue[::step, ::step]], (50, 75)))
    spread = upper - usual
    dense = np.asarray(smooth > max(2.2 * usual, usual + 6 * spread, 0.2))
    dense = _drop_small(dense, 2500 / um_per_px**2)
    if not dense.any():
        return pages(tissue.shape, np.bool_)
    grown = max(1, round(24 / um_per_px))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grown + 1, 2 * grown + 1))
    return np.asarray(cv2.dilate(dense.view(np.uint8), disc).view(np.bool_) & tissue)
