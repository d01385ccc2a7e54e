"""Names the compartment and pattern of a cell: a small logistic model over :mod:`.features`, weights as data."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.case.vocabulary import Compartment, Pattern
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.stains import cell_net
from kulchitsky.slide.stains.context import CONTEXT_FEATURES, context_features, large_enough
from kulchitsky.slide.stains.features import FEATURES

F64 = NDArray[np.float64]

MODEL_FILE: Final = "stain-reader.json"

CLASSES: Final[dict[str, tuple[Compartment, Pattern]]] = {
    "nuclear": (Compartment.NUCLEAR, Pattern.DIFFUSE),
    "cytoplasmic_diffuse": (Compartment.CYTOPLASMIC, Pattern.DIFFUSE),
    "cytoplasmic_granular": (Compartment.CYTOPLASMIC, Pattern.GRANULAR),
    "membranous": (Compartment.MEMBRANOUS, Pattern.DIFFUSE),
    "perinuclear_dot": (Compartment.CYTOPLASMIC, Pattern.PERINUCLEAR_DOT),
    "globular": (Compartment.CYTOPLASMIC, Pattern.GLOBULAR),
    "nuclear_and_cytoplasmic": (Compartment.NUCLEAR_AND_CYTOPLASMIC, Pattern.DIFFUSE),
    "cytoplasmic_and_membranous": (Compartment.CYTOPLASMIC_AND_MEMBRANOUS, Pattern.DIFFUSE),
}
"""Class of the model (the names of the synthetic patterns) to compartment and pattern."""


@dataclass(frozen=True, slots=True)
class Logistic:
    """Logistic regression over standardised features and their squares: ``weights`` (classes, 2 F), ``bias``."""

    centre: F64
    spread: F64
    weights: F64
    bias: F64

    def logits(self, features: F64) -> F64:
        """(N, classes) of (N, F)."""
        return np.asarray(expand(features, self.centre, self.spread) @ self.weights.T + self.bias)

    def probabilities(self, features: F64) -> F64:
        """(N, classes) probabilities of (N, F); each row sums to 1."""
        logits = self.logits(features)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def standardised(self, features: F64) -> F64:
        """(N, F) features less their centre over their spread, cut at five spreads."""
        return standardise(features, self.centre, self.spread)


@dataclass(frozen=True, slots=True)
class StainModel:
    """``kinds`` tells the classes of cells apart over :mod:`.features`; ``slides`` those of slides, over what
    :mod:`.kind` pools from both ways of finding nuclei; ``tumour`` tumour cells over :mod:`.context`; ``staining``
    stained cells from others, for each class, over :mod:`.staining`.

    ``intensity_od`` are the lower ends of 1+, 2+ and 3+ for the mean density of the stained compartment. ``facts`` is
    all else the file says: how it was trained, on how many cells, sources. ``checksum`` is over this file and the
    network's, whose opinions are among the features.
    """

    classes: tuple[str, ...]
    kinds: Logistic
    slides: Logistic
    tumour: Logistic
    staining: dict[str, Logistic]
    intensity_od: tuple[float, float, float]
    checksum: str
    facts: dict[str, Any]

    def probabilities(self, features: F64) -> F64:
        """(N, classes) probabilities of the classes of cells from (N, features)."""
        if len(features) == 0:
            return np.zeros((0, len(self.classes)))
        return self.kinds.probabilities(features)

    def kind_probabilities(self, pooled: F64) -> F64:
        """(N, classes) probabilities of the classes of slides from (N, 4 F) pooled features."""
        return self.slides.probabilities(pooled)

    def is_tumour(self, cells: CellTable) -> NDArray[np.bool_]:
        """(N,) tumour cells among ``cells`` of a detector that has an opinion."""
        if len(cells) < 2:
            return np.ones(len(cells), np.bool_)
        return np.asarray((self.tumour.logits(context_features(cells))[:, 0] > 0) & large_enough(cells))


def standardise(features: F64, centre: F64, spread: F64) -> F64:
    """Features less their centre over their spread, cut at five spreads: (N, F)."""
    return np.asarray(np.clip((features - centre) / spread, -5, 5))


def expand(features: F64, centre: F64, spread: F64) -> F64:
    """Standardised features and their squares: (N, 2 F)."""
    plain = standardise(features, centre, spread)
    return np.concatenate([plain, plain**2 / 5], axis=1)


@cache
def load_model() -> StainModel:
    """The shipped weights; ValueError when the file belongs to other features."""
    raw = resources.files("kulchitsky.slide.models").joinpath(MODEL_FILE).read_bytes()
    data = json.loads(raw)
    columns = tuple(data["features"]), tuple(data["context_features"])
    if columns != (FEATURES, CONTEXT_FEATURES) or tuple(data["classes"]) != tuple(CLASSES):
        raise ValueError(f"{MODEL_FILE} was made for other features or classes; train it again")
    weak, moderate, strong = data["intensity_od"]
    parts = ("kinds", "slides", "tumour", "staining")
    return StainModel(
        classes=tuple(data["classes"]),
        kinds=_logistic(data["kinds"]),
        slides=_logistic(data["slides"]),
        tumour=_logistic(data["tumour"]),
        staining={name: _logistic(block) for name, block in data["staining"].items()},
        intensity_od=(float(weak), float(moderate), float(strong)),
        checksum=hashlib.sha256(raw + cell_net.weights()).hexdigest(),
        facts={k: v for k, v in data.items() if k not in parts},
    )


def _logistic(block: dict[str, Any]) -> Logistic:
    return Logistic(**{name: np.asarray(block[name], np.float64) for name in ("centre", "spread", "weights", "bias")})
