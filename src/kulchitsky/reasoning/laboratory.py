"""Laboratory results of a case: unit checks, comparison with the limit, and what a value says."""

from __future__ import annotations

from collections.abc import Sequence

from kulchitsky.case.issue import Issue
from kulchitsky.case.record import Case, LabResult
from kulchitsky.case.units import PlausibleRange, check_unit, convert
from kulchitsky.case.verdict import TestAdvice
from kulchitsky.knowledge.rules import Rules
from kulchitsky.knowledge.rules_plan import LabTest


def find_test(result: LabResult, rules: Rules) -> LabTest | None:
    """The laboratory test that a result names, by id, name or alias; a urine specimen prefers a urine test."""
    name = result.test.strip().lower()
    for test in rules.plan.laboratory:
        if name in {test.id, test.name.lower(), *(alias.lower() for alias in test.aliases)}:
            return test
    return None


def laboratory_issues(case: Case, rules: Rules) -> tuple[Issue, ...]:
    """Units that are unknown, of the wrong kind, or probably a slip (CEA in ng/dL)."""
    issues = []
    for index, result in enumerate(case.laboratory):
        test = find_test(result, rules)
        if test is None or result.value is None:
            continue
        ranges = [PlausibleRange(row.unit, row.plausible_low, row.plausible_high) for row in test.units]
        issue = check_unit(
            test.name,
            result.value,
            result.unit,
            ranges,
            molar_mass_g_per_mol=test.molar_mass_g_per_mol,
            path=f"laboratory[{index}].unit",
        )
        if issue is not None:
            issues.append(issue)
    return tuple(issues)


def laboratory_advice(case: Case, rules: Rules, issues: Sequence[Issue]) -> tuple[TestAdvice, ...]:
    """What each known result says, with its limit where one is sourced; ``issues`` are those of its units."""
    found = []
    doubtful = {issue.path for issue in issues}
    for index, result in enumerate(case.laboratory):
        test = find_test(result, rules)
        if test is None or not test.says:
            continue
        doubt = " The unit is doubtful." if f"laboratory[{index}].unit" in doubtful else ""
        found.append(
            TestAdvice(
                test=test.name,
                question="What does the result say?",
                status="done",
                sentence=f"{_result_words(result, test)}{doubt} {test.says}",
                sources=test.sources,
            )
        )
    return tuple(found)


def _result_words(result: LabResult, test: LabTest) -> str:
    if result.value is None:
        assert result.interpretation is not None
        return f"Reported as {result.interpretation.value}."
    shown = f"{'' if result.comparator == '=' else result.comparator + ' '}{result.value:g} {result.unit}"
    if test.upper_limit is None:
        return f"{shown}."
    value = convert(result.value, result.unit, test.limit_unit, molar_mass_g_per_mol=test.molar_mass_g_per_mol)
    limit = f"limit {test.upper_limit:g} {test.limit_unit}"
    note = f"; {test.limit_note}" if test.limit_note else ""
    if value is None:
        return f"{shown} ({limit}{note}; not comparable with it)."
    side = "above" if value > test.upper_limit else "not above"
    return f"{shown}, {side} the {limit}{note}."
