"""How well the counts of a cohort agree with manual counts of the same slides.

The frame is that asked of a method that counts Ki-67 in neuroendocrine tumours by AJCP 2021;156:607
(doi:10.1093/ajcp/aqaa275): intraclass correlation, bias with limits of agreement, correlation, the share of cases
close to the manual count, and agreement of the grade.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from kulchitsky.case.cohort import Agreement, CohortRow
from kulchitsky.case.measure import SlideCount
from kulchitsky.knowledge.rules import load_rules
from kulchitsky.knowledge.rules_condition import tests_in
from kulchitsky.knowledge.rules_grading import Band, GradingSystem, Index
from kulchitsky.numerics.agreement import cohen_kappa
from kulchitsky.numerics.agreement_icc import intraclass_correlations
from kulchitsky.numerics.agreement_limits import limits_of_agreement, pearson, within_share

SYSTEM: Final = "who_digestive"
_FACT: Final = "ki67_percent"
_TOLERANCE: Final = 0.20
_FEWEST: Final = 3


def agreements(rows: Sequence[CohortRow]) -> tuple[Agreement, ...]:
    """Agreement of each automatic index (whole slide, hot spots) with the manual count; those with three pairs."""
    counted = [r for r in rows if r.manual_percent is not None and r.outcome.count is not None]
    sizes = sorted({h.cells_wanted for r in counted for h in _count(r).hotspots if h.cells_wanted is not None})
    readers: list[tuple[str, Callable[[SlideCount], float | None]]] = [("whole slide", lambda c: c.index_percent)]
    readers += [(f"hottest {size} cells", _hottest(size)) for size in sizes]
    found = []
    for name, read in readers:
        pairs = [(float(r.manual_percent or 0), v) for r in counted if (v := read(_count(r))) is not None]
        if len(pairs) >= _FEWEST:
            found.append(agreement_of(name, pairs))
    return tuple(found)


def agreement_of(index: str, pairs: Sequence[tuple[float, float]]) -> Agreement:
    """Agreement of (manual, automatic) pairs in percent, at least three."""
    manual, automatic = (np.asarray(side, dtype=float) for side in zip(*pairs, strict=True))
    icc = intraclass_correlations(np.stack([manual, automatic], axis=1))
    limits = limits_of_agreement(manual, automatic)
    r, r_interval = pearson(manual, automatic)
    hits, n, share = within_share(manual, automatic, _TOLERANCE)
    names, cuts, bands, system = ki67_grades()
    table = _grade_table(manual.tolist(), automatic.tolist(), bands)
    kappa, kappa_interval = cohen_kappa(table)
    weighted, weighted_interval = cohen_kappa(table, weights="linear")
    return Agreement(
        index=index,
        slides=n,
        icc_absolute=icc.absolute.value,
        icc_absolute_95=icc.absolute.interval,
        icc_consistency=icc.consistency.value,
        icc_consistency_95=icc.consistency.interval,
        bias=limits.bias if limits else None,
        bias_95=limits.bias_interval if limits else None,
        limits=limits.limits if limits else None,
        lower_limit_95=limits.lower_interval if limits else None,
        upper_limit_95=limits.upper_interval if limits else None,
        pearson_r=r,
        pearson_r_95=r_interval,
        within_20=hits,
        within_20_percent=100 * hits / n,
        within_20_percent_95=(100 * share[0], 100 * share[1]) if share else None,
        kappa=kappa,
        kappa_95=kappa_interval,
        kappa_weighted=weighted,
        kappa_weighted_95=weighted_interval,
        grades=names,
        grade_cuts=cuts,
        grade_system=f"{system.name}, {system.edition}",
        grade_table=tuple(tuple(row) for row in table),
        points=tuple((float(m), float(a)) for m, a in pairs),
    )


def ki67_grades() -> tuple[tuple[str, ...], tuple[str, ...], tuple[Band, ...], GradingSystem]:
    """The grades that the Ki-67 index alone can reach in the digestive system: names, cut-offs in words, bands."""
    system = next(s for s in load_rules().grading.systems if s.id == SYSTEM)
    index = next(index for index in system.indices if index.fact == _FACT)
    bands = index.bands
    names = []
    for band in bands:
        reached = [
            row.grade
            for row in sorted(system.grades, key=lambda row: row.order)
            if any(test.fact == _FACT and test.band == band.id for test in tests_in(row.when))
        ]
        names.append(" or ".join(reached))
    return tuple(names), tuple(_cut_words(band, index) for band in bands), bands, system


def _cut_words(band: Band, index: Index) -> str:
    """The cut-offs of a band, without the ends of the scale."""
    ends = {"from_": None} if band.from_ == index.minimum else {}
    ends |= {"to": None} if band.to == index.maximum else {}
    words = band.model_copy(update=ends).words().replace(">=", "≥").replace("<=", "≤")
    return f"{words} %"


def _grade_table(manual: list[float], automatic: list[float], bands: tuple[Band, ...]) -> list[list[int]]:
    table = [[0] * len(bands) for _ in bands]
    for m, a in zip(manual, automatic, strict=True):
        table[_band(m, bands)][_band(a, bands)] += 1
    return table


def _band(percent: float, bands: tuple[Band, ...]) -> int:
    return next(k for k, band in enumerate(bands) if band.holds(percent))


def _count(row: CohortRow) -> SlideCount:
    assert row.outcome.count is not None
    return row.outcome.count


def _hottest(size: int) -> Callable[[SlideCount], float | None]:
    return lambda count: next((h.index_percent for h in count.hotspots if h.cells_wanted == size), None)
