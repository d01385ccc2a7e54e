"""From measured cells to a reading: which cells are stained, where, in what pattern, how strongly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.case.vocabulary import Compartment, Pattern
from kulchitsky.slide.stains.cut import StainCut, background_of, find_cut
from kulchitsky.slide.stains.features import describe, net, strongest
from kulchitsky.slide.stains.find import StainedCells
from kulchitsky.slide.stains.model import CLASSES, StainModel
from kulchitsky.slide.stains.spots import spot_of_cell

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

SPOTS: Final = frozenset({"perinuclear_dot", "globular"})
_ENOUGH: Final = 8
_LEAST_OF_CUT: Final = 0.7
_TOP_SHARE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was decided. Arrays are (N,) over all cells found; ``probabilities`` (N, classes).

    ``stained`` and ``level`` (0 to 3) are of every cell; shares and means count only those in ``counted``.
    ``kind`` is the class of the slide, ``None`` where too few cells are stained to say; ``certainty`` gives the
    probability of each class for the slide, ``class_shares`` the mean probabilities over its stained cells.
    """

    kind: str | None
    class_shares: dict[str, float]
    certainty: dict[str, float]
    signal: F64
    stained: Mask
    level: NDArray[np.uint8]
    probabilities: F64
    cut: StainCut
    background_od: float


def judge(found: StainedCells, counted: Mask, model: StainModel) -> Judgement:
    """Classify the cells of a slide; ``counted`` marks its tumour cells."""
    background = background_of(found.measures.take(counted) if counted.any() else found.measures)
    level_od = np.full(len(found), background)
    probabilities = (
        model.probabilities(describe(found, level_od)) if len(found) else np.zeros((0, len(model.classes)))
    )
    kind, speaking = _kind(found, counted, probabilities, level_od, model)
    signal = signal_of(found, kind, level_od)
    cut = find_cut(signal[counted])
    stained = signal > cut.cut_od
    density = density_of(found, kind, level_od)
    return Judgement(
        kind=kind,
        class_shares=_by_class(probabilities[stained & counted].mean(axis=0), model)
        if kind and stained.any()
        else {},
        certainty=_by_class(model.slide_probabilities(probabilities[speaking]), model) if kind else {},
        signal=signal,
        stained=stained,
        level=np.where(stained, np.maximum(1, np.digitize(density, model.intensity_od)), 0).astype(np.uint8),
        probabilities=probabilities,
        cut=cut,
        background_od=background,
    )


def grouped(shares: dict[str, float], names: dict[str, str]) -> dict[str, float]:
    """Shares of classes added up by group."""
    out: dict[str, float] = {}
    for name, share in shares.items():
        out[names[name]] = out.get(names[name], 0.0) + share
    return out


COMPARTMENT_OF: Final = {name: compartment.value for name, (compartment, _) in CLASSES.items()}
PATTERN_OF: Final = {name: pattern.value for name, (_, pattern) in CLASSES.items()}


def described(kind: str) -> tuple[Compartment, Pattern]:
    """Compartment and pattern of a class."""
    return CLASSES[kind]


def signal_of(found: StainedCells, kind: str | None, background_od: F64) -> F64:
    """(N,) the density that decides whether a cell is stained, by where this stain lies.

    Of a nucleus part of the surrounding blush is taken off, as in counting; a spot counts by how far it stands above
    its surroundings.
    """
    m = found.measures
    nucleus, ring = net(m.nucleus, background_od, fill=0.0), net(m.ring, background_od, fill=0.0)
    body = net(m.body, background_od)
    body = np.where(np.isfinite(body), body, ring)
    if kind in ("nuclear", "nuclear_and_cytoplasmic"):
        return np.asarray(nucleus - 0.35 * np.minimum(ring, nucleus))
    if kind in SPOTS:
        return spot_signal(found)
    if kind == "membranous":
        # a membrane is shared with the neighbour, stained or not: what lies within it tells the two apart
        return np.asarray((net(m.rim, background_od, fill=0.0) + net(m.within, background_od, fill=0.0) + ring) / 3)
    if kind == "cytoplasmic_granular":
        return np.asarray((ring + body) / 2)
    if kind is None:
        return strongest(m, background_od)
    return body


def spot_signal(found: StainedCells) -> F64:
    """(N,) contrast of the spot that belongs to each cell, 0 where it has none.

    Spots much weaker than the usual ones are not dealt out: they are grains and noise.
    """
    contrast = found.spots.contrast
    least = _LEAST_OF_CUT * find_cut(contrast).cut_od if len(contrast) else 0.0
    owned = spot_of_cell(found.cells, found.spots, least)
    return np.where(owned >= 0, contrast[np.maximum(owned, 0)] if len(contrast) else 0.0, 0.0)


def density_of(found: StainedCells, kind: str | None, background_od: F64) -> F64:
    """(N,) the density that the intensity classes 1+ to 3+ go by: that of the compartment where the stain lies."""
    m = found.measures
    if kind in SPOTS:
        return spot_signal(found)
    if kind == "membranous":
        return net(m.rim, background_od, fill=0.0)
    if kind == "nuclear":
        return net(m.nucleus, background_od, fill=0.0)
    return signal_of(found, kind, background_od)


def _kind(
    found: StainedCells, counted: Mask, probabilities: F64, background_od: F64, model: StainModel
) -> tuple[str | None, Mask]:
    """The class of the slide by its brownest tumour cells, and which these are."""
    brown = strongest(found.measures, background_od)
    rough = find_cut(brown[counted])
    clear = counted & (brown > rough.cut_od)
    if rough.how == "floor" or clear.sum() < _ENOUGH:
        return None, np.zeros(len(found), np.bool_)
    top = clear & (brown >= np.percentile(brown[clear], 100 - _TOP_SHARE))
    return model.classes[int(np.argmax(model.slide_probabilities(probabilities[top])))], top


def _by_class(values: F64, model: StainModel) -> dict[str, float]:
    return {name: float(value) for name, value in zip(model.classes, values, strict=True)}
