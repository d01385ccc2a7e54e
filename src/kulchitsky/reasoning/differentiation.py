"""NET G3 against NEC: a step of its own, from sourced counts of p53, Rb1, ATRX/DAXX, SSTR2, morphology and Ki-67.

Each finding weighs the logarithm of the ratio of its rates in NET G3 and in NEC; rates are posterior means under
Jeffreys' prior, so a cell of 0 of 4 never weighs infinitely, and a single finding is capped (``log10_limit``). Of
findings that depend on each other (one ``group``) only the strongest is weighed. Small series: the result is a
guide to what to stain, and the name is given only where the probability reaches the level of the rule base.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kulchitsky.case.verdict import Reason
from kulchitsky.knowledge.rules_grading import Differentiation, DifferentiationDensity, DifferentiationRow
from kulchitsky.reasoning.evaluate import Evaluator, Facts, Span, Truth


@dataclass(frozen=True, slots=True)
class _Finding:
    group: str
    log10_lr: float
    """Positive speaks for NEC."""
    sentence: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """Probability of NET G3 (the rest is NEC), with the findings weighed and what would help."""

    probability_net: float
    reasons: tuple[Reason, ...]
    ask: tuple[str, ...]
    settled: bool


def split_high_grade(rules: Differentiation, facts: Facts) -> Split:
    """Weigh every finding of the case that has a row, starting from the prior share of NET G3."""
    evaluator = Evaluator(facts)
    findings = [f for row in rules.rows if (f := _row_finding(row, evaluator)) is not None]
    findings += [f for row in rules.densities if (f := _density_finding(row, facts)) is not None]
    strongest: dict[str, _Finding] = {}
    for finding in findings:
        kept = strongest.get(finding.group)
        if kept is None or abs(finding.log10_lr) > abs(kept.log10_lr):
            strongest[finding.group] = finding
    limit = rules.log10_limit
    log10_odds_net = math.log10(rules.prior_net / (1 - rules.prior_net))
    reasons = [
        Reason(
            sentence=f"Before any finding, {100 * rules.prior_net:.0f} % are NET G3: {rules.prior_population}",
            rule="differentiation.prior",
            sources=rules.prior_sources,
        )
    ]
    for finding in sorted(strongest.values(), key=lambda f: -abs(f.log10_lr)):
        weight = max(-limit, min(limit, finding.log10_lr))
        log10_odds_net -= weight
        side = "NEC" if weight > 0 else "NET G3"
        reasons.append(
            Reason(
                sentence=f"{finding.sentence} Odds of {side} times {10 ** abs(weight):.2g}.",
                rule=f"differentiation.{finding.group}",
                sources=finding.sources,
            )
        )
    probability = 1 / (1 + 10**-log10_odds_net)
    other_findings = set(strongest) - set(rules.not_alone)
    settled = bool(other_findings) and max(probability, 1 - probability) >= rules.settled_at
    ask = tuple(name for name in rules.asks if name not in facts)
    return Split(probability, tuple(reasons), ask, settled)


def _row_finding(row: DifferentiationRow, evaluator: Evaluator) -> _Finding | None:
    present = evaluator.holds(row.when_present).truth
    absent = evaluator.holds(row.when_absent).truth if row.when_absent is not None else Truth.UNKNOWN
    if present is not Truth.TRUE and absent is not Truth.TRUE:
        return None
    net = (row.net_positive + 0.5) / (row.net_tested + 1)
    nec = (row.nec_positive + 0.5) / (row.nec_tested + 1)
    shown = present is Truth.TRUE
    ratio = nec / net if shown else (1 - nec) / (1 - net)
    counts = f"{row.net_positive:g} of {row.net_tested:g} NET G3 and {row.nec_positive:g} of {row.nec_tested:g} NEC"
    sentence = f"{row.finding}: {'yes' if shown else 'no'} (found in {counts}; {row.population.rstrip('.')})."
    return _Finding(row.group, math.log10(ratio), sentence, row.sources)


def _log_student(t: float, degrees: int) -> float:
    """Logarithm of Student's density."""
    constant = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - math.log(degrees * math.pi) / 2
    return constant - (degrees + 1) / 2 * math.log1p(t * t / degrees)


def _density_finding(row: DifferentiationDensity, facts: Facts) -> _Finding | None:
    """Student densities of the predictive distribution: few cases make wide tails."""
    fact = facts.get(row.fact)
    if fact is None or not isinstance(fact.value, Span) or fact.value.exact is None:
        return None
    value = fact.value.exact

    def log_density(mean: float, sd: float, n: int) -> float:
        scale = sd * math.sqrt(1 + 1 / n)
        return _log_student((value - mean) / scale, n - 1) - math.log(scale)

    log10_lr = (
        log_density(row.nec_mean, row.nec_sd, row.nec_n) - log_density(row.net_mean, row.net_sd, row.net_n)
    ) / (math.log(10))
    sentence = (
        f"Ki-67 {value:g} %: mean {row.net_mean:g} (SD {row.net_sd:g}, n={row.net_n}) in NET G3, "
        f"{row.nec_mean:g} (SD {row.nec_sd:g}, n={row.nec_n}) in NEC."
    )
    return _Finding(row.group, log10_lr, sentence, row.sources)
