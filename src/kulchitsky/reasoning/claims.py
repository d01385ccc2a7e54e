"""Check the general statements of a case's own text (a quoted survival or sensitivity) against sourced rows."""

from __future__ import annotations

from collections.abc import Sequence

from kulchitsky.case.record import Case, Claim
from kulchitsky.case.verdict import ClaimCheck
from kulchitsky.knowledge.rules import Rules
from kulchitsky.knowledge.rules_plan import ClaimRow, PerformanceRow, PrognosisRow
from kulchitsky.reasoning.evaluate import Truth
from kulchitsky.reasoning.plan_facts import Candidate


def check_claims(case: Case, rules: Rules, candidates: Sequence[Candidate]) -> tuple[ClaimCheck, ...]:
    """One check a claim: the first row of the rule base whose words and condition fit decides."""
    return tuple(_check(claim, rules, candidates) for claim in case.claims)


def _check(claim: Claim, rules: Rules, candidates: Sequence[Candidate]) -> ClaimCheck:
    text = f"{claim.text} {claim.subject} {claim.endpoint}".lower()
    rows = [row for row in rules.plan.claims if row.kind == claim.kind.value]
    # a sentence may speak of two tests: the subject says which of them the figure belongs to
    by_subject = [row for row in rows if claim.subject and _says(row, claim.subject.lower())]
    for row in dict.fromkeys([*by_subject, *(row for row in rows if _says(row, text))]):
        fitting = [c for c in candidates if c.holds(row.when).truth is Truth.TRUE]
        if not fitting:
            continue
        if row.against == "statement":
            assert row.verdict is not None
            return ClaimCheck(claim=claim.text, verdict=row.verdict, sentence=row.sentence, sources=row.sources)
        if row.against == "prognosis":
            checked = _against_prognosis(claim, row, rules, fitting)
        else:
            checked = _against_performance(claim, row, rules)
        if checked is not None:
            return checked
    return ClaimCheck(
        claim=claim.text,
        verdict="cannot_be_checked",
        sentence="No sourced row of the rule base speaks to this statement for this case.",
    )


def _says(row: ClaimRow, text: str) -> bool:
    return all(any(word in text for word in group.split("|")) for group in row.words)


def _range(claim: Claim) -> tuple[float, float] | None:
    """The figures the claim allows: a point, a range, or a bound."""
    if claim.percent is not None:
        return claim.percent, claim.percent
    if claim.low_percent is None and claim.high_percent is None:
        return None
    low = claim.low_percent if claim.low_percent is not None else 0.0
    return low, claim.high_percent if claim.high_percent is not None else 100.0


def _against_prognosis(
    claim: Claim, row: ClaimRow, rules: Rules, candidates: Sequence[Candidate]
) -> ClaimCheck | None:
    rows = [figure for figure in rules.plan.prognosis if figure.id in row.rows and figure.percent is not None]
    fitting = [
        figure
        for figure in rows
        if any(c.entity in figure.entities and c.holds(figure.when).truth is Truth.TRUE for c in candidates)
    ] or rows
    claimed = _range(claim)
    if claimed is None or not fitting:
        return None
    listed = "; ".join(_figure_words(figure) for figure in fitting)
    values = [figure.percent for figure in fitting if figure.percent is not None]
    verdict, judgement = _judge(claimed, values, rules.plan.claim_tolerance_percent)
    return ClaimCheck(
        claim=claim.text,
        verdict=verdict,
        sentence=f"{row.sentence}: {listed}. {judgement}",
        sources=tuple(dict.fromkeys(key for figure in fitting for key in figure.sources)),
    )


def _figure_words(figure: PrognosisRow) -> str:
    years = f"{figure.years:g}-year " if figure.years is not None else ""
    count = f", n={figure.n:,}" if figure.n is not None else ""
    return f"{years}{figure.endpoint} {figure.percent:g} % in {figure.group} ({figure.population}{count})"


def _against_performance(claim: Claim, row: ClaimRow, rules: Rules) -> ClaimCheck | None:
    rows = [found for name in row.rows for found in rules.plan.performance if found.id == name]
    said = f"{claim.endpoint} {claim.text}".lower()
    specific = "specific" in said and "sensitiv" not in said
    claimed = _range(claim)
    if claimed is None:
        return None
    pairs = [(found, found.specificity_percent if specific else found.sensitivity_percent) for found in rows]
    known = [(found, value) for found, value in pairs if value is not None]
    word = "specificity" if specific else "sensitivity"
    if not known:
        return ClaimCheck(
            claim=claim.text,
            verdict="cannot_be_checked",
            sentence=f"No sourced row gives a {word} for this test.",
            sources=row.sources,
        )
    verdict, judgement = _judge(claimed, [value for _, value in known], rules.plan.claim_tolerance_percent)
    listed = "; ".join(_performance_words(found, value, word) for found, value in known)
    return ClaimCheck(
        claim=claim.text,
        verdict=verdict,
        sentence=f"{listed[0].upper()}{listed[1:]}. {judgement}",
        sources=tuple(dict.fromkeys(key for found, _ in known for key in found.sources)),
    )


def _performance_words(found: PerformanceRow, value: float, word: str) -> str:
    count = f", n={found.n:,} {found.n_unit}" if found.n is not None else ""
    return f"{word} of {found.test} {value:g} % ({found.population}{count})"


def _judge(claimed: tuple[float, float], values: Sequence[float], tolerance: float) -> tuple[str, str]:
    """How a claim stands to the sourced figures.

    *Supported*: every figure lies within the claim, give or take the tolerance, and the claim is no mere bound.
    *Contradicted*: none does. *Not supported*: some do, or the claim is a bound that says less than the figures.
    """
    low, high = claimed
    inside = [low - tolerance <= value <= high + tolerance for value in values]
    bound = high - low > 4 * tolerance
    if not any(inside):
        return "contradicted", "The claim fits none of these."
    if all(inside) and not bound:
        return "supported", "The claim agrees with these."
    if all(inside):
        return "not_supported", "The claim is a loose bound: these figures lie inside it, none of them is it."
    return "not_supported", "The claim fits only some of these and cannot stand as a general figure."
