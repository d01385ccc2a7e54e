"""Stained or not: one small logistic model for each kind of stain, over densities relative to the slide's own.

A single density and a cut do not do where brown belongs to two cells at once: a wall shared with a stained neighbour,
a spot squeezed between two nuclei, cytoplasm that blur carries across. Each cell is therefore judged by all that was
measured of it, by its share of its walls, and by its neighbours.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from kulchitsky.slide.stains.cut import StainCut, find_cut
from kulchitsky.slide.stains.features import net, strongest
from kulchitsky.slide.stains.find import StainedCells
from kulchitsky.slide.stains.model import StainModel
from kulchitsky.slide.stains.signal import signal_of, spot_signal

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

STAINING_FEATURES: Final = (
    "signal",
    "nucleus",
    "ring",
    "body",
    "border",
    "low_sector",
    "top_sector",
    "rim",
    "rim_low",
    "within",
    "own_wall",
    "seen_wall",
    "own_spot",
    "peak",
    "signal_around",
    "strongest_around",
    "own_wall_around",
    "strength_of_slide",
    "signal_over_cut",
    "seen_as_stained",
    "seen_as_stained_around",
)
"""Names of the columns of :func:`staining_features`; densities are logarithms, relative to stained cells."""

_NEIGHBOURS: Final = 6
_FEWEST: Final = 6
_FAINT_SLIDE_OD: Final = 0.1
_USUAL_WALL: Final = 0.3
_LEAST_CERTAINTY: Final = 0.04
_SURELY: Final = 0.08
"""Cells with less than this part of the typical density are not stained, whatever the model says."""


def stained_cells(
    found: StainedCells, counted: Mask, certainty: dict[str, float], background_od: F64, model: StainModel
) -> tuple[Mask, F64, StainCut]:
    """(N,) stained cells; their signal, (N,), and the cut in the gap of its histogram, which sets the slide's scale.

    ``certainty`` gives the probability of each kind of stain of the slide: where two may be meant, the models of both
    have their say. Without a kind, or where hardly any cell is stained, the cut alone decides.
    """
    kind = likeliest(certainty)
    signal = signal_of(found, kind, background_od)
    cut = find_cut(signal[counted])
    if kind is None or cut.how == "floor" or len(found) < 2:
        return signal > cut.cut_od, signal, cut
    odds = {name: p for name, p in certainty.items() if p >= _LEAST_CERTAINTY and name in model.staining}
    chance = np.zeros(len(found))
    for name, p in odds.items():
        logit = model.staining[name].logits(staining_features(found, counted, name, background_od))[:, 0]
        chance += p / sum(odds.values()) / (1 + np.exp(-np.clip(logit, -30, 30)))
    surely = signal > cut.typical_od
    possible = np.maximum(signal, strongest(found.measures, background_od)) > _SURELY * cut.typical_od
    return np.asarray(((chance > 0.5) | surely) & possible), signal, cut


def likeliest(certainty: dict[str, float]) -> str | None:
    """The most probable kind, ``None`` of none."""
    return max(certainty, key=lambda name: certainty[name]) if certainty else None


def borne_out(
    certainty: dict[str, float], found: StainedCells, counted: Mask, background_od: F64
) -> dict[str, float]:
    """``certainty`` without the kinds that hardly any cell would bear: a stain was seen, so it is another."""
    left = {
        name: p
        for name, p in certainty.items()
        if p < _LEAST_CERTAINTY or find_cut(signal_of(found, name, background_od)[counted]).how != "floor"
    }
    total = sum(left.values())
    if not any(p >= _LEAST_CERTAINTY for p in left.values()):
        return certainty
    return {name: left.get(name, 0.0) / total for name in certainty}


def staining_features(found: StainedCells, counted: Mask, kind: str, background_od: F64) -> F64:
    """(N, 21) features of the cells of a slide of known kind; needs at least two cells."""
    m, signal = found.measures, signal_of(found, kind, background_od)
    cut = find_cut(signal[counted])
    typical = cut.typical_od
    if not np.isfinite(typical):
        typical = (
            max(_FAINT_SLIDE_OD, float(np.percentile(signal[counted], 98))) if counted.any() else _FAINT_SLIDE_OD
        )
    clear = counted & (signal > cut.cut_od)
    own, seen = (np.nan_to_num(v.astype(np.float64)) for v in (m.own_wall, m.seen_wall))
    wall = float(np.percentile(own[clear], 60)) if clear.sum() >= _FEWEST else _USUAL_WALL
    points = np.stack([found.cells.x_um, found.cells.y_um], axis=1)
    near = cKDTree(points).query(points, k=min(_NEIGHBOURS + 1, len(found)))[1][:, 1:]
    strength, walls = _relative(signal, typical), _relative(own, wall)
    opinion = found.opinion[:, 0].astype(np.float64)
    parts = (m.nucleus, m.ring, m.body, m.border, m.low_sector, m.top_sector, m.rim, m.rim_low, m.within)
    columns = (
        strength,
        *(_relative(net(v, background_od, fill=0.0), typical) for v in parts),
        walls,
        _relative(seen, wall),
        _relative(spot_signal(found), typical),
        _relative(
            net(m.peak, background_od, fill=0.0) - net(m.peak_around, background_od, fill=0.0),
            typical,
        ),
        strength[near].mean(axis=1),
        strength[near].max(axis=1),
        walls[near].mean(axis=1),
        np.full(len(found), np.log(typical + 0.02)),
        strength - _relative(np.full(len(found), cut.cut_od), typical),
        opinion,
        opinion[near].mean(axis=1),
    )
    return np.stack(columns, axis=1)


def _relative(value: F64, typical: float) -> F64:
    return np.asarray(np.log((np.maximum(value, 0) + 0.04 * typical + 0.01) / (typical + 0.01)))
