"""The kind of stain of a slide, that is compartment and pattern together, from its clearly stained tumour cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.stains.cut import background_of, find_cut
from kulchitsky.slide.stains.features import describe, strongest
from kulchitsky.slide.stains.find import StainedCells
from kulchitsky.slide.stains.model import StainModel

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

NUCLEAR_KINDS: Final = ("nuclear", "nuclear_and_cytoplasmic")
_ENOUGH: Final = 8
_VOTES: Final = 1.0
"""Cells of a slide are alike: all of them together count for so many beside the model of slides."""
_LEAST_OF_CELL: Final = 0.03
_NEVER_NONE: Final = 1e-6
_TOP_SHARE: Final = 60.0


def certainty_of(seen: Sequence[tuple[StainedCells, Mask]], model: StainModel) -> dict[str, float]:
    """The probability of each kind, from the same cells found in the counterstain and found in both stains.

    Each of ``seen`` is a table with the mask of its tumour cells. Where one of the two shows too few stained cells
    the other stands in for it; where both do, the answer is empty.
    """
    pools = [pooled_features(found, counted, model) for found, counted in seen]
    known = [p for p in pools if p is not None]
    if not known:
        return {}
    row = np.concatenate([p if p is not None else known[0] for p in pools])
    words = [_word_of_cells(f, c, model) for (f, c), p in zip(seen, pools, strict=True) if p is not None]
    logits = np.log(model.kind_probabilities(row[None])[0] + _NEVER_NONE) + _VOTES * np.mean(words, axis=0)
    odds = np.exp(logits - logits.max())
    return {name: float(value) for name, value in zip(model.classes, odds / odds.sum(), strict=True)}


def _word_of_cells(found: StainedCells, counted: Mask, model: StainModel) -> F64:
    """(classes,) mean log probability of the brownest tumour cells; no cell may rule a class out."""
    background = np.full(len(found), background_of(found.measures.take(counted)))
    top = clearly_stained(found, counted, background)
    each = model.probabilities(describe(found, background)[top])
    return np.asarray(np.log(np.clip(each, _LEAST_OF_CELL, 1)).mean(axis=0))


def pooled_features(found: StainedCells, counted: Mask, model: StainModel) -> F64 | None:
    """(2 F,) of the brownest tumour cells: median and spread (80th less 20th percentile) of their features.

    ``None`` where fewer than eight tumour cells are clearly stained.
    """
    if not counted.any():
        return None
    background = np.full(len(found), background_of(found.measures.take(counted)))
    top = clearly_stained(found, counted, background)
    if top.sum() < _ENOUGH:
        return None
    standard = model.kinds.standardised(describe(found, background)[top])
    low, middle, high = np.percentile(standard, (20, 50, 80), axis=0)
    return np.concatenate([middle, high - low])


def clearly_stained(found: StainedCells, counted: Mask, background_od: F64) -> Mask:
    """(N,) the browner 60 % of the clearly stained tumour cells; none where the slide hardly shows any."""
    brown = strongest(found.measures, background_od)
    rough = find_cut(brown[counted])
    clear = counted & (brown > rough.cut_od)
    if rough.how == "floor" or clear.sum() < _ENOUGH:
        return np.zeros(len(found), np.bool_)
    return np.asarray(clear & (brown >= np.percentile(brown[clear], 100 - _TOP_SHARE)))
