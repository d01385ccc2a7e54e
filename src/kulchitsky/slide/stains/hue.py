"""The hue of haematoxylin on this very slide, taken from its unstained nuclei, so that it does not show as DAB.

The calibration of a count takes the hue of all bluish pixels, mixed with a reference. That suffices for nuclei, where
DAB is strong; a dot or a membrane is told from what purple chromatin leaves in the DAB channel only when the hue is
right.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.calibration import REFERENCE_DAB, REFERENCE_HEMATOXYLIN, Calibration
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.stains.territory import territories

F64 = NDArray[np.float64]

_CORE_UM: Final = 0.8
_OUTSIDE_UM: Final = -0.6
_FEWEST_PX: Final = 6
_FEWEST_NUCLEI: Final = 20
_FAINTEST: Final = 0.15
_PALEST: Final = 25.0
_BANDWIDTH: Final = 0.03
_LEAST_SHARE: Final = 0.04
_WITHIN: Final = 0.06
_BROWNEST: Final = 0.3
_FROM, _TO, _STEPS = -0.8, 1.6, 481
_WIDEST_TURN_DEG: Final = 28.0


def nuclear_densities(rgb: NDArray[np.uint8], cells: CellTable, um_per_px: float, calibration: Calibration) -> F64:
    """(M, 3) mean optical densities of the cores of nuclei above the palest quarter of what lies between them.

    ``rgb`` is (H, W, 3), cells in micrometres from its corner; nuclei too small or too pale to say are left out.
    """
    od = calibration.od_table()
    density = np.stack([od[c][rgb[..., c]] for c in range(3)], axis=-1).astype(np.float64)
    land = territories(cells, rgb.shape[:2], um_per_px)
    core, outside = land.depth_um > _CORE_UM, density[land.depth_um < _OUTSIDE_UM]
    owner, n = land.owner[core], len(cells)
    pixels = np.bincount(owner, minlength=n)
    sums = np.stack([np.bincount(owner, density[..., c][core], minlength=n) for c in range(3)], axis=1)
    mean = sums[pixels >= _FEWEST_PX] / pixels[pixels >= _FEWEST_PX, None]
    if len(outside):
        total = outside.sum(axis=1)
        mean = mean - np.median(outside[total <= np.percentile(total, _PALEST)], axis=0)
    return np.asarray(mean[mean.sum(axis=1) > _FAINTEST])


def with_own_hematoxylin(calibration: Calibration, nuclei: F64) -> Calibration:
    """The calibration with the haematoxylin vector of the bluest group of ``nuclei``, (M, 3) optical densities.

    Nuclei are laid out by their angle from haematoxylin to DAB. Unstained ones form a group at its blue end, however
    few they are: the first mode that holds at least a twenty-fifth of the nuclei is theirs. Fewer than twenty nuclei,
    a hue browner than any haematoxylin, or one more than 28° off the reference, leave the calibration as it is.
    """
    if len(nuclei) < _FEWEST_NUCLEI:
        return calibration
    axes = np.stack([_unit(np.asarray(REFERENCE_HEMATOXYLIN)), _unit(np.asarray(REFERENCE_DAB))])
    amounts = nuclei @ np.linalg.pinv(axes.T).T
    angle = np.arctan2(amounts[:, 1], amounts[:, 0])
    mode = _bluest_mode(angle)
    group = np.abs(angle - mode) < _WITHIN
    # where every nucleus is brown the bluest of them are brown as well
    if mode > _BROWNEST or not group.any():
        return calibration
    seen = _unit(nuclei[group].sum(axis=0))
    turn = np.degrees(np.arccos(np.clip(seen @ axes[0], -1, 1)))
    if turn > _WIDEST_TURN_DEG:
        return calibration
    vector = (float(seen[0]), float(seen[1]), float(seen[2]))
    return replace(calibration, stains=(vector, calibration.stains[1]), estimated=(True, calibration.estimated[1]))


def _bluest_mode(angle: F64) -> float:
    grid = np.linspace(_FROM, _TO, _STEPS)
    density = np.exp(-0.5 * ((grid[:, None] - angle[None]) / _BANDWIDTH) ** 2).sum(axis=1)
    rises, falls = density[1:-1] >= density[:-2], density[1:-1] > density[2:]
    for place in grid[1:-1][rises & falls]:
        if np.mean((angle > place - 2 * _BANDWIDTH) & (angle < place + _BANDWIDTH)) > _LEAST_SHARE:
            return float(place)
    return float(grid[int(np.argmax(density))])


def _unit(vector: F64) -> F64:
    return np.asarray(vector / np.linalg.norm(vector))
