"""Geometry of the pictures on pages: bars of weights, and the prognosis plot. Lengths are in SVG units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kulchitsky.case.verdict import Diagnosis, Differential, PrognosisFigure, Weight

SHOWN_POSTERIOR = 0.01
SHOWN_AT_MOST = 10
HALF_WIDTH = 100.0
SCALES_LOG10_LR = (1.0, 1.5, 2.0, 3.0)
"""Where bars may end; a weight beyond the end is drawn at the edge, its figure stands beside it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One finding's bar: from the middle (100) to the right for, to the left against; whisker = interval."""

    weight: Weight
    x: float
    width: float
    low: float
    high: float
    speaks_for: bool


@dataclass(frozen=True, slots=True)
class Ranked:
    """One entity of the ranked list with its bars, strongest first; ``shown`` if it is not in the fold."""

    diagnosis: Diagnosis
    before: float
    total: float
    bars: tuple[Bar, ...]
    shown: bool


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One published figure as a row of the plot: 0–100 % on the x axis."""

    figure: PrognosisFigure
    y: float
    label: str


def ranked(differential: Differential, before: Mapping[str, float]) -> tuple[Ranked, ...]:
    """Entities by posterior; those under 1 % or beyond the tenth are folded away."""
    by_entity: dict[str, list[Weight]] = defaultdict(list)
    for weight in differential.weights:
        by_entity[weight.entity].append(weight)
    end = bar_end(differential)
    return tuple(
        Ranked(
            diagnosis=diagnosis,
            before=before.get(diagnosis.entity, diagnosis.posterior),
            total=sum(w.log10_lr for w in by_entity[diagnosis.entity]),
            bars=tuple(_bar(w, end) for w in sorted(by_entity[diagnosis.entity], key=lambda w: -abs(w.log10_lr))),
            shown=place < SHOWN_AT_MOST and (diagnosis.posterior >= SHOWN_POSTERIOR or place < 3),
        )
        for place, diagnosis in enumerate(differential.diagnoses)
    )


def forest(figures: Sequence[PrognosisFigure]) -> tuple[ForestRow, ...]:
    """Figures that are percentages, in the order given; never on one axis with medians or ratios."""
    rows = [figure for figure in figures if figure.percent is not None]
    return tuple(
        ForestRow(figure, 26.0 + 30 * i, f"{figure.years:g} years" if figure.years else "")
        for i, figure in enumerate(rows)
    )


def bar_end(differential: Differential) -> float:
    """Where the bars of a differential end: the smallest scale that holds nearly every weight."""
    sizes = sorted(abs(w.log10_lr) for w in differential.weights)
    nearly_largest = sizes[int(0.98 * (len(sizes) - 1))] if sizes else 0.0
    return next((scale for scale in SCALES_LOG10_LR if scale >= nearly_largest), SCALES_LOG10_LR[-1])


def _bar(weight: Weight, end: float) -> Bar:
    tip, low, high = (_place(v, end) for v in (weight.log10_lr, *weight.interval_95))
    middle = HALF_WIDTH
    return Bar(weight, min(middle, tip), abs(tip - middle), low, high, weight.log10_lr >= 0)


def _place(log10_lr: float, end: float) -> float:
    return HALF_WIDTH * (1 + max(-end, min(end, log10_lr)) / end)
