"""Published figures that fit a case, and the claims of its own text beside them.

A figure is shown with endpoint, years, population, N and source; figures of different endpoints are never compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Prognosis, PrognosisFigure
from kulchitsky.case.vocabulary import State
from kulchitsky.knowledge.rules import Rules
from kulchitsky.knowledge.rules_plan import PrognosisRow
from kulchitsky.reasoning.claims import check_claims
from kulchitsky.reasoning.evaluate import Outcome, Truth
from kulchitsky.reasoning.plan_facts import Candidate

_ONLY_IF = "only if the suspected distant disease is proven"


def prognosis(case: Case, rules: Rules, candidates: Sequence[Candidate]) -> Prognosis:
    """Figures for every candidate entity, most probable entity first, and the claims checked against them."""
    figures = [figure for candidate in candidates for figure in _figures(rules.plan.prognosis, candidate)]
    return Prognosis(
        figures=tuple(figures), claims=check_claims(case, rules, candidates), issues=_issues(candidates, figures)
    )


def _figures(rows: Iterable[PrognosisRow], candidate: Candidate) -> list[PrognosisFigure]:
    found = []
    for row in rows:
        if candidate.entity not in row.entities:
            continue
        outcome = candidate.holds(row.when)
        if outcome.truth is Truth.TRUE:
            found.append(_figure(row, candidate, outcome))
    return sorted(found, key=lambda figure: _ONLY_IF in figure.fits)


def _figure(row: PrognosisRow, candidate: Candidate, outcome: Outcome) -> PrognosisFigure:
    why = candidate.words(outcome.used)
    suspected = "distant_any" in outcome.used and candidate.facts["distant_any"].value is State.EQUIVOCAL
    caveat = f" ({_ONLY_IF})" if suspected else ""
    return PrognosisFigure(
        endpoint=row.endpoint,
        years=row.years,
        percent=row.percent,
        interval_95=row.interval_95,
        median_months=row.median_months,
        hazard_ratio=row.hazard_ratio,
        population=f"{row.population}: {row.group}",
        n=row.n,
        entity=candidate.entity,
        fits=f"As {candidate.name}: {why or 'any stage'}{caveat}.",
        sources=row.sources,
    )


def _issues(candidates: Sequence[Candidate], figures: Sequence[PrognosisFigure]) -> tuple[Issue, ...]:
    issues = [
        Issue(
            level=Level.NOTE,
            code="prognosis.none",
            message=f"No sourced figure fits this case as {candidate.name}.",
        )
        for candidate in candidates
        if not any(figure.entity == candidate.entity for figure in figures)
    ]
    if len({figure.endpoint for figure in figures}) > 1:
        issues.append(
            Issue(
                level=Level.NOTE,
                code="prognosis.endpoints",
                message="Overall, relative and disease-specific survival and recurrence are different endpoints: "
                "read each figure with its own, never beside another's.",
            )
        )
    return tuple(issues)
