"""Which laboratory and imaging tests were done, are missing, or add nothing, with performance and post-test odds."""

from __future__ import annotations

from collections.abc import Sequence

from kulchitsky.case.issue import Issue
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import TestAdvice
from kulchitsky.knowledge.rules import Rules
from kulchitsky.knowledge.rules_plan import PerformanceRow, TestAdviceRow
from kulchitsky.reasoning.evaluate import Truth
from kulchitsky.reasoning.laboratory import laboratory_advice
from kulchitsky.reasoning.plan_facts import Candidate

_ORDER = ("missing", "optional", "superseded", "adds_nothing", "done")


def post_test(pre_test: float, sensitivity: float, specificity: float) -> tuple[float, float]:
    """Probability of disease after a positive and after a negative test, all as fractions.

    Bayes' theorem for one dichotomous test; sensitivity and specificity are taken as known exactly.
    """
    if not (0 <= pre_test <= 1 and 0 <= sensitivity <= 1 and 0 <= specificity <= 1):
        raise ValueError("probabilities, sensitivity and specificity are fractions from 0 to 1")
    positive = pre_test * sensitivity + (1 - pre_test) * (1 - specificity)
    negative = pre_test * (1 - sensitivity) + (1 - pre_test) * specificity
    after_positive = pre_test * sensitivity / positive if positive > 0 else pre_test
    after_negative = pre_test * (1 - sensitivity) / negative if negative > 0 else pre_test
    return after_positive, after_negative


def advise_tests(
    case: Case,
    rules: Rules,
    candidates: Sequence[Candidate],
    *,
    issues: Sequence[Issue] = (),
    pre_test: float | None = None,
) -> tuple[TestAdvice, ...]:
    """Advice for the candidates, most useful first; a test is named once, for the most probable entity that asks.

    ``issues`` are those of the laboratory's units. ``pre_test`` (a fraction) replaces the sourced pre-test
    probability of every row that has a performance.
    """
    found: dict[str, TestAdvice] = {}
    performance = {row.id: row for row in rules.plan.performance}
    for candidate in candidates:
        for row in rules.plan.advice:
            if row.entities and candidate.entity not in row.entities:
                continue
            if row.test in found and found[row.test].status != "adds_nothing":
                continue
            advice = _advice(row, candidate, performance, pre_test)
            if advice is not None:
                found.setdefault(row.test, advice)
    ranked = sorted(found.values(), key=lambda advice: _ORDER.index(advice.status))
    return (*ranked, *laboratory_advice(case, rules, issues))


def _advice(
    row: TestAdviceRow, candidate: Candidate, performance: dict[str, PerformanceRow], pre_test: float | None
) -> TestAdvice | None:
    done = row.done is not None and candidate.holds(row.done).truth is Truth.TRUE
    if not done and candidate.holds(row.when).truth is not Truth.TRUE:
        return None
    figures = performance.get(row.performance)
    sensitivity = figures.sensitivity_percent if figures is not None else None
    specificity = figures.specificity_percent if figures is not None else None
    prior = pre_test
    sentence = row.sentence
    if prior is None and row.pre_test is not None:
        prior = row.pre_test.percent / 100
        count = f", n={row.pre_test.n}" if row.pre_test.n is not None else ""
        sentence = f"{sentence} Pre-test probability {row.pre_test.percent:g} %: {row.pre_test.population}{count}."
    after: tuple[float | None, float | None] = (None, None)
    if prior is not None and sensitivity is not None and specificity is not None:
        after = post_test(prior, sensitivity / 100, specificity / 100)
    sources = (*row.sources, *(figures.sources if figures is not None else ()))
    return TestAdvice(
        test=row.test,
        question=row.question,
        status="done" if done else row.status,
        sentence=f"Done. {sentence}" if done else sentence,
        sensitivity_percent=sensitivity,
        specificity_percent=specificity,
        n=figures.n if figures is not None else None,
        pre_test=prior if figures is not None else None,
        post_test_if_positive=after[0],
        post_test_if_negative=after[1],
        sources=tuple(dict.fromkeys(sources)),
    )
