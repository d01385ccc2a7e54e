"""Lays one serial section over another: first turned and shifted as a whole, then bent where it has to be.

Rigid: every rotation in steps of six degrees is tried on coarse maps by cross-correlation, the best refined by
maximising the enhanced correlation coefficient (Evangelidis GD, Psarakis EZ, IEEE TPAMI 2008;30:1858-1865). Elastic:
patches of the one map are looked for near their place in the other by normalised cross-correlation, the
displacements that are sure smoothed by thin plates (block matching as in Ourselin S et al., Image Vis Comput
2001;19:25-31). The quality figure is how well the displacement of a patch is foretold by its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from kulchitsky.slide.registration_map import SectionMap

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_COARSE_PX: Final = 220
_TURN_DEG: Final = 6.0
_CANDIDATES: Final = 4
_PATCH_UM: Final = 320.0
_SPACING_UM: Final = 150.0
_SEARCH_UM: Final = 90.0
_LEAST_NCC: Final = 0.5
_LEAST_TISSUE: Final = 0.5
_FEWEST_PATCHES: Final = 6
_SMOOTHING: Final = 2.0


@dataclass(frozen=True, slots=True)
class Registration:
    """Where each point of the fixed section lies on the moving one, and how well that is known.

    ``matrix`` (2, 3) maps fixed to moving micrometres rigidly; ``anchors`` (K, 2) and ``shifts`` (K, 2), in
    micrometres of the moving section after the rigid step, bend it (none: rigid only). ``correlation`` is that of
    the two maps where both show tissue, ``overlap`` the Dice coefficient of the tissue, ``residual_um`` the median
    difference between a patch's displacement and what its neighbours foretell (NaN without patches).
    """

    matrix: F64
    anchors: F64
    shifts: F64
    correlation: float
    overlap: float
    residual_um: float

    def to_moving(self, points_um: F64) -> F64:
        """(N, 2) points of the fixed section, x and y in micrometres, on the moving one."""
        rigid = points_um @ self.matrix[:, :2].T + self.matrix[:, 2]
        if len(self.anchors) < _FEWEST_PATCHES or len(points_um) == 0:
            return np.asarray(rigid)
        return np.asarray(rigid + _bend(self.anchors, self.shifts)(points_um))


def register(fixed: SectionMap, moving: SectionMap) -> Registration:
    """Register ``moving`` to ``fixed``; both may have any scale."""
    first, second = _normalised(fixed), _normalised(moving)
    second = _rescale(second, moving.um / fixed.um)
    moving_tissue = _rescale(moving.tissue.astype(np.float32), moving.um / fixed.um) > 0.5
    warp = _refine(first, second, _coarse(first, second))
    anchors, shifts = np.zeros((0, 2)), np.zeros((0, 2))
    residual = float("nan")
    for _ in range(2):
        warped = _apply(second, warp, anchors, shifts, fixed.density.shape)
        where, step = _match_patches(first, warped, fixed.tissue, fixed.um)
        if len(where) < _FEWEST_PATCHES:
            break
        # displacements add up: the second round looks for what the first has left
        before = _bend(anchors, shifts)(where) if len(anchors) >= _FEWEST_PATCHES else np.zeros_like(step)
        # found along the axes of the fixed section, applied along those of the moving one
        anchors, shifts = _believable(where, before + step @ warp[:, :2].T)
        residual = _left_out_residual(anchors, shifts) * fixed.um
    straight = _apply(second, warp, anchors[:0], shifts[:0], fixed.density.shape)
    warped = _apply(second, warp, anchors, shifts, fixed.density.shape)
    inside = fixed.tissue
    if _correlation(first[inside], warped[inside]) < _correlation(first[inside], straight[inside]):
        # bending made it worse: patches found a likeness that is none
        anchors, shifts, warped = anchors[:0], shifts[:0], straight
    there = _apply(moving_tissue.astype(np.float32), warp, anchors, shifts, fixed.density.shape) > 0.5
    both = fixed.tissue & there
    dice = 2 * float(both.sum()) / max(1.0, float(fixed.tissue.sum() + there.sum()))
    return Registration(
        matrix=_in_um(warp, fixed.um),
        anchors=(anchors + 0.5) * fixed.um,
        shifts=shifts * fixed.um,
        correlation=_correlation(first[both], warped[both]),
        overlap=dice,
        residual_um=residual,
    )


def _normalised(section: SectionMap) -> F32:
    """Density with mean 0 and spread 1 over the tissue, 0 on glass."""
    inside = section.density[section.tissue]
    if len(inside) < 50:
        raise ValueError("a section without tissue cannot be registered")
    values = np.clip((section.density - inside.mean()) / (inside.std() + 1e-6), -3, 3)
    # glass counts as the palest tissue: the outline takes part
    return np.where(section.tissue, values, -2.0).astype(np.float32)


def _rescale(plane: F32, factor: float) -> F32:
    size = (max(8, round(plane.shape[1] * factor)), max(8, round(plane.shape[0] * factor)))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _coarse(fixed: F32, moving: F32) -> list[F64]:
    """Best rotations with their shifts, as (2, 3) warps from fixed to moving pixels."""
    scale = min(1.0, _COARSE_PX / max(*fixed.shape, *moving.shape))
    a, b = _rescale(fixed, scale), _rescale(moving, scale)
    side = int(np.ceil(np.hypot(*b.shape))) + max(a.shape)
    spectrum = np.fft.rfft2(_placed(a + 2.0, side))
    scored: list[tuple[float, F64]] = []
    middle = np.asarray([(b.shape[1] - 1) / 2, (b.shape[0] - 1) / 2])
    for turn in np.arange(0.0, 360.0, _TURN_DEG):
        rotation = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), float(turn), 1.0)
        rotation[:, 2] += (side - 1) / 2 - middle
        turned = np.asarray(cv2.warpAffine(b + 2.0, rotation, (side, side)), np.float32)
        product = np.fft.irfft2(np.fft.rfft2(turned) * np.conj(spectrum), s=(side, side))
        dy, dx = np.unravel_index(int(np.argmax(product)), product.shape)
        power = float(np.sqrt((turned**2).sum()) + 1e-9)
        # fixed pixel p lies at p + (dx, dy) of the turned picture, hence at its inverse rotation in the moving one
        shift = np.asarray([dx - side if dx > side / 2 else dx, dy - side if dy > side / 2 else dy], np.float64)
        back = np.asarray(cv2.invertAffineTransform(rotation))
        warp = np.column_stack([back[:, :2], back[:, :2] @ shift + back[:, 2]])
        warp[:, 2] = (warp[:, 2] + 0.5 - warp[:, :2] @ np.full(2, 0.5)) / scale - 0.5 + warp[:, :2] @ np.full(2, 0.5)
        scored.append((float(product[dy, dx]) / power, warp))
    scored.sort(key=lambda item: -item[0])
    return [warp for _, warp in scored[:_CANDIDATES]]


def _placed(plane: F32, side: int) -> F32:
    out = np.zeros((side, side), np.float32)
    out[: plane.shape[0], : plane.shape[1]] = plane
    return out


def _refine(fixed: F32, moving: F32, candidates: list[F64]) -> F64:
    """The candidate that correlates best after refinement, from coarse to fine."""
    best, found = -2.0, candidates[0]
    for start in candidates:
        warp = start.astype(np.float64)
        for level in (8.0, 3.0):
            a = cv2.GaussianBlur(fixed, (0, 0), level)
            b = cv2.GaussianBlur(moving, (0, 0), level)
            try:
                stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-5)
                mask = np.ones(moving.shape, np.uint8)
                _, refined = cv2.findTransformECC(a, b, warp.astype(np.float32), cv2.MOTION_EUCLIDEAN, stop, mask, 1)
                warp = np.asarray(refined, np.float64)
            except cv2.error:
                break  # it does not converge from here: the candidate stays as good as it was
        none = np.zeros((0, 2))
        score = _correlation(fixed.ravel(), _apply(moving, warp, none, none, fixed.shape).ravel())
        if score > best:
            best, found = score, warp
    return found


def _apply(moving: F32, warp: F64, anchors: F64, shifts: F64, shape: tuple[int, ...]) -> F32:
    """The moving plane seen through the transform, on the fixed grid; glass outside."""
    ys, xs = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float64)
    mx = warp[0, 0] * xs + warp[0, 1] * ys + warp[0, 2]
    my = warp[1, 0] * xs + warp[1, 1] * ys + warp[1, 2]
    if len(anchors) >= _FEWEST_PATCHES:
        step = 8
        gy, gx = np.mgrid[0 : shape[0] + step : step, 0 : shape[1] + step : step]
        coarse = _bend(anchors, shifts)(np.stack([gx.ravel(), gy.ravel()], axis=1).astype(np.float64))
        for axis, plane in ((0, mx), (1, my)):
            grid = coarse[:, axis].reshape(gx.shape).astype(np.float32)
            plane += cv2.remap(grid, (xs / step).astype(np.float32), (ys / step).astype(np.float32), cv2.INTER_LINEAR)
    border = -2.0 if moving.min() < 0 else 0.0
    seen = cv2.remap(
        moving, mx.astype(np.float32), my.astype(np.float32), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=border,
    )  # fmt: skip
    return np.asarray(seen, np.float32)


def _match_patches(fixed: F32, warped: F32, tissue: NDArray[np.bool_], um: float) -> tuple[F64, F64]:
    """Centres of patches (K, 2) and how far their likeness lies from there, both in pixels."""
    half, search, step = (max(4, round(v / um)) for v in (_PATCH_UM / 2, _SEARCH_UM, _SPACING_UM))
    padded = cv2.copyMakeBorder(warped, search, search, search, search, cv2.BORDER_CONSTANT, value=-2.0)
    rows, columns = fixed.shape
    where, moved = [], []
    for y in range(half, rows - half, step):
        for x in range(half, columns - half, step):
            cut = (slice(y - half, y + half + 1), slice(x - half, x + half + 1))
            patch = fixed[cut]
            if tissue[cut].mean() < _LEAST_TISSUE or patch.std() < 0.1:
                continue
            around = padded[y - half : y + half + 1 + 2 * search, x - half : x + half + 1 + 2 * search]
            score = np.asarray(cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED))
            dy, dx = np.unravel_index(int(np.argmax(score)), score.shape)
            if score[dy, dx] < _LEAST_NCC or dx in (0, 2 * search) or dy in (0, 2 * search):
                continue
            where.append((x, y))
            moved.append(
                (dx - search + _parabola(score[dy], int(dx)), dy - search + _parabola(score[:, dx], int(dy)))
            )
    return np.asarray(where, np.float64).reshape(-1, 2), np.asarray(moved, np.float64).reshape(-1, 2)


def _parabola(values: NDArray[Any], at: int) -> float:
    left, middle, right = (float(v) for v in values[at - 1 : at + 2])
    bend = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < -1e-9 else 0.0


def _believable(where: F64, moved: F64) -> tuple[F64, F64]:
    """Without the displacements that stand out from those of their neighbours by more than three spreads."""
    away = np.linalg.norm(moved - _foretold(where, moved), axis=1)
    keep = away <= max(3.0, 3 * 1.4826 * float(np.median(away)))
    return where[keep], moved[keep]


def _foretold(where: F64, moved: F64) -> F64:
    """Median displacement of the eight nearest other patches, (K, 2)."""
    distance = np.linalg.norm(where[:, None] - where[None], axis=2)
    near = np.argsort(distance, axis=1, kind="stable")[:, 1:9]
    return np.asarray(np.median(moved[near], axis=1))


def _left_out_residual(where: F64, moved: F64) -> float:
    return float(np.median(np.linalg.norm(moved - _foretold(where, moved), axis=1)))


def _bend(anchors: F64, shifts: F64) -> RBFInterpolator:
    neighbours = min(40, len(anchors))
    return RBFInterpolator(anchors, shifts, kernel="linear", smoothing=_SMOOTHING, neighbors=neighbours, degree=0)


def _in_um(warp: F64, um: float) -> F64:
    """A warp between pixels (centres at whole numbers) as one between micrometres (pixel corner at 0)."""
    half = np.full(2, 0.5)
    return np.column_stack([warp[:, :2], (warp[:, 2] + half - warp[:, :2] @ half) * um])


def _correlation(a: F32, b: F32) -> float:
    if a.size < 2 or a.std() < 1e-9 or b.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
