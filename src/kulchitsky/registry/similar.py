"""The nearest cases, by a distance that can be read term by term.

The distance is Gower's: the weighted mean, over the findings that the asked case knows, of a difference between 0
(same) and 1 (as different as can be). Numbers differ by their distance over the range of the middle 90 % of the
registry, cut at 1; words and states by being different (equivocal against either is one half); sets, such as growth
patterns, by the share of members not common to both (Jaccard). A finding that the other case does not know cannot
be left out, or the emptiest record would be everyone's neighbour: it counts as the mean difference from the asked
case over all cases that do know it, together with one made-up case at one half, so that a finding that hardly anyone
knows is taken as evidence of nothing. Diagnosis, treatment and outcome are no findings and play no part.

Source: Gower JC, Biometrics 1971;27:857-871, doi:10.2307/2528823; the rule for unknown findings is our own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.case.fields import STATES, Value, fields_of
from kulchitsky.case.record import Case
from kulchitsky.registry.packing import EQUIVOCAL, PRESENT, STATE_BITS, STATE_WORDS, PackedCases

NUMERIC_FINDINGS = ("age_years", "size_cm", "duration_months", "ki67_percent", "mitoses_per_2mm2", "nodes_positive")
NOMINAL_FINDINGS = (
    "sex",
    "setting",
    "region",
    "layer",
    "growth",
    "consistency",
    "lesions",
    "skin_over",
    "cell_size",
    "nucleoli",
    "necrosis",
    "differentiation",
)
SET_FINDINGS = ("architecture", "cell_shape", "chromatin", "pattern")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Term:
    """One finding's part in the distance between the asked case and a neighbour.

    ``difference`` is between 0 and 1; ``share`` is what it adds to the distance, and all shares sum to it.
    """

    finding: str
    asked: str
    other: str
    outcome: Literal["same", "near", "different", "unknown"]
    difference: float
    share: float


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A case of the registry with its distance and the terms that make it, largest share first.

    ``known`` is the weighted share of the asked case's findings that the neighbour knows at all.
    """

    row_id: int
    distance: float
    known: float
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class _Column:
    finding: str
    asked: str
    weight: float
    difference: Floats
    unknown: NDArray[np.bool_]
    word: Callable[[int], str]


def nearest(
    case: Case,
    packed: PackedCases,
    *,
    k: int = 5,
    weights: Mapping[str, float] | None = None,
    leave_out: Sequence[int] = (),
) -> list[Neighbour]:
    """Return the ``k`` nearest of ``packed`` to ``case``, nearest first; equal distances by row id.

    ``weights`` gives findings, or their group before the dot (``marker``), a weight other than 1; 0 leaves them out.
    ``leave_out`` are row ids not to be returned, such as the case itself. A case without any finding is refused: to
    it everything would be equally near.
    """
    columns = _columns(fields_of(case), packed, weights or {})
    if not columns:
        raise RefusedRegistry(
            "the case has no finding to compare", source=case.id, remedy="record age, site, morphology or stains"
        )
    if len(packed) == 0:
        return []
    total = sum(c.weight for c in columns)
    distance = np.zeros(len(packed))
    known = np.zeros(len(packed))
    for column in columns:
        distance += column.weight / total * column.difference
        known += column.weight / total * ~column.unknown
    ranked = distance.copy()
    ranked[np.isin(packed.ids, np.asarray(leave_out, dtype=np.int64))] = np.inf
    k = min(k, int(np.isfinite(ranked).sum()))
    if k == 0:
        return []
    cut = np.partition(ranked, k - 1)[k - 1]
    near = np.flatnonzero(ranked <= cut)
    order = near[np.lexsort((packed.ids[near], ranked[near]))][:k]
    return [
        Neighbour(int(packed.ids[i]), float(distance[i]), float(known[i]), _terms(columns, int(i), total))
        for i in order
    ]


def _terms(columns: Sequence[_Column], i: int, total: float) -> tuple[Term, ...]:
    made = []
    for c in columns:
        difference = float(c.difference[i])
        outcome: Literal["same", "near", "different", "unknown"] = "different"
        if c.unknown[i]:
            outcome = "unknown"
        elif difference == 0:
            outcome = "same"
        elif difference < 0.5:
            outcome = "near"
        made.append(Term(c.finding, c.asked, c.word(i), outcome, difference, c.weight / total * difference))
    return tuple(sorted(made, key=lambda term: (-term.share, term.finding)))


def _columns(fields: Mapping[str, Value], packed: PackedCases, weights: Mapping[str, float]) -> list[_Column]:
    columns = []
    for name, value in fields.items():
        group = name.split(".", 1)[0]
        weight = weights.get(name, weights.get(group, 1.0))
        if weight < 0:
            raise ValueError(f"the weight of {name} is negative: {weight:g}")
        if weight == 0:
            continue
        if name in NUMERIC_FINDINGS and isinstance(value, float | int):
            columns.append(_numeric(name, float(value), weight, packed))
        elif name in NOMINAL_FINDINGS:
            columns.append(_nominal(name, str(value), weight, packed))
        elif group in SET_FINDINGS and isinstance(value, tuple):
            columns.append(_set(name, value, weight, packed))
        elif group in STATES and STATE_BITS[str(value)]:
            columns.append(_state(name, str(value), weight, packed))
    return columns


def _column(
    finding: str,
    asked: str,
    weight: float,
    difference: Floats,
    unknown: NDArray[np.bool_],
    word: Callable[[int], str],
) -> _Column:
    known = ~unknown
    expected = _expected(float(difference.sum(where=known)), int(known.sum()))
    return _Column(finding, asked, weight, np.where(unknown, expected, difference), unknown, word)


def _expected(total: float, known: int) -> float:
    """Return what an unknown finding counts as: the mean over those who know it and one made-up case at one half."""
    return (total + 0.5) / (known + 1)


def _numeric(name: str, asked: float, weight: float, packed: PackedCases) -> _Column:
    column = packed.numbers(name).astype(np.float64)
    unknown = np.isnan(column)
    span = 0.0
    if not unknown.all():
        low, high = np.percentile(column[~unknown], [5, 95])
        span = float(high - low)
    gap = np.abs(column - asked)
    # a registry in which everyone has one value gives no scale: any other value is then wholly different
    difference = np.minimum(gap / span, 1.0) if span > 0 else (gap > 0).astype(np.float64)
    return _column(
        name, f"{asked:g}", weight, difference, unknown, lambda i: "unknown" if unknown[i] else f"{column[i]:.4g}"
    )


def _nominal(name: str, asked: str, weight: float, packed: PackedCases) -> _Column:
    codes = packed.names(name)
    unknown = codes == 0
    same_code = next((code for code, word in packed.values.items() if word == f"{name}={asked}"), 0)
    difference = (codes != same_code).astype(np.float64)
    return _column(
        name,
        asked,
        weight,
        difference,
        unknown,
        lambda i: packed.values[int(codes[i])].split("=", 1)[1] if codes[i] else "unknown",
    )


def _state(name: str, asked: str, weight: float, packed: PackedCases) -> _Column:
    states = packed.state(name)
    gap = np.array([abs(_level(STATE_BITS[asked]) - _level(state)) for state in range(4)])
    counts = np.bincount(states, minlength=4)[1:]
    gap[0] = _expected(float(counts @ gap[1:]), int(counts.sum()))  # 0 is unknown
    return _Column(name, asked, weight, gap[states], states == 0, lambda i: STATE_WORDS[int(states[i])])


def _level(state: int) -> float:
    return {PRESENT: 1.0, EQUIVOCAL: 0.5}.get(state, 0.0)


def _set(name: str, asked: tuple[str, ...], weight: float, packed: PackedCases) -> _Column:
    members = sorted(b for b in packed.bits if b.rsplit(".", 1)[0] == name)
    have = {m.rsplit(".", 1)[1]: packed.state(m) == PRESENT for m in members}
    size = np.zeros(len(packed))
    common = np.zeros(len(packed))
    for word, column in have.items():
        size += column
        if word in asked:
            common += column
    difference = 1 - common / (len(asked) + size - common)
    return _column(
        name,
        "+".join(asked),
        weight,
        difference,
        size == 0,
        lambda i: "+".join(word for word, column in have.items() if column[i]) or "unknown",
    )
