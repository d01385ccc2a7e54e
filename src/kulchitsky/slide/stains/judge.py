"""From measured cells to a reading: which cells are stained, where, in what pattern, how strongly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.stains.cut import StainCut, background_of
from kulchitsky.slide.stains.features import describe
from kulchitsky.slide.stains.find import StainedCells
from kulchitsky.slide.stains.kind import certainty_of
from kulchitsky.slide.stains.model import CLASSES, StainModel
from kulchitsky.slide.stains.signal import density_of
from kulchitsky.slide.stains.staining import borne_out, likeliest, stained_cells

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

_LEAST_PRIOR: Final = 0.02
_ENOUGH: Final = 5
"""So many stained cells, and the certainty is believed as it is."""


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


def judge(found: StainedCells, counted: Mask, certainty: dict[str, float], model: StainModel) -> Judgement:
    """Classify the cells of a slide; ``counted`` marks its tumour cells, ``certainty`` is that of the first look.

    A slide whose sample fields showed too few stained cells is judged by all of its cells.
    """
    background = background_of(found.measures.take(counted) if counted.any() else found.measures)
    level_od = np.full(len(found), background)
    certainty = certainty or certainty_of([(found, counted)] * 2, model)
    certainty = borne_out(certainty, found, counted, level_od)
    kind = likeliest(certainty)
    stained, signal, cut = stained_cells(found, counted, certainty, level_od, model)
    probabilities = _of_cells(found, level_od, certainty, model)
    density = density_of(found, kind, level_od)
    seen = int((stained & counted).sum())
    return Judgement(
        kind=kind,
        class_shares=_by_class(probabilities[stained & counted].mean(axis=0), model) if kind and seen else {},
        certainty=_by_few(certainty, seen),
        signal=signal,
        stained=stained,
        level=np.where(stained, np.maximum(1, np.digitize(density, model.intensity_od)), 0).astype(np.uint8),
        probabilities=probabilities,
        cut=cut,
        background_od=background,
    )


def _by_few(certainty: dict[str, float], seen: int) -> dict[str, float]:
    """The certainty that a handful of stained cells can give: two or three may be anything."""
    odds = {name: p ** min(1.0, seen / _ENOUGH) for name, p in certainty.items()}
    return {name: p / sum(odds.values()) for name, p in odds.items()}


def _of_cells(found: StainedCells, level_od: F64, certainty: dict[str, float], model: StainModel) -> F64:
    """(N, classes) probabilities of the cells, with half of the slide's own certainty for their prior."""
    if len(found) == 0:
        return np.zeros((0, len(model.classes)))
    own = model.probabilities(describe(found, level_od))
    prior = np.sqrt(np.asarray([certainty.get(name, 1.0) for name in model.classes]) + _LEAST_PRIOR)
    return np.asarray(own * prior / (own * prior).sum(axis=1, keepdims=True))


def grouped(shares: dict[str, float], names: dict[str, str]) -> dict[str, float]:
    """Shares of classes added up by group."""
    out: dict[str, float] = {}
    for name, share in shares.items():
        out[names[name]] = out.get(names[name], 0.0) + share
    return out


COMPARTMENT_OF: Final = {name: compartment.value for name, (compartment, _) in CLASSES.items()}
PATTERN_OF: Final = {name: pattern.value for name, (_, pattern) in CLASSES.items()}


def _by_class(values: F64, model: StainModel) -> dict[str, float]:
    return {name: float(value) for name, value in zip(model.classes, values, strict=True)}
