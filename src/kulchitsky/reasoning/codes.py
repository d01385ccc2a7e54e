"""Codes of outside terminologies for the facts of a case: ICD-O-3, LOINC, NCIt, mCODE profiles."""

from __future__ import annotations

from collections.abc import Sequence

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Code
from kulchitsky.knowledge.rules import Rules
from kulchitsky.reasoning.evaluate import Truth
from kulchitsky.reasoning.laboratory import find_test
from kulchitsky.reasoning.plan_facts import Candidate
from kulchitsky.reasoning.route import route_of


def codes(case: Case, rules: Rules, candidates: Sequence[Candidate]) -> tuple[Code, ...]:
    """Codes for the candidates and for every laboratory result with a known code; each code once."""
    found: dict[tuple[str, str, str], Code] = {}
    for candidate in candidates:
        route = route_of(case, rules, candidate.entity)
        if route.topography:
            code = Code(
                system="ICD-O-3 topography",
                code=route.topography,
                display=f"as {candidate.name}: {route.how}",
                path="presentation.site",
            )
            found.setdefault((code.system, code.code, code.path), code)
        for row in rules.plan.codes:
            if row.entities and candidate.entity not in row.entities:
                continue
            if candidate.holds(row.when).truth is Truth.TRUE:
                code = Code(system=row.system, code=row.code, display=row.display, path=row.path)
                found.setdefault((code.system, code.code, code.path), code)
    for index, result in enumerate(case.laboratory):
        test = find_test(result, rules)
        loinc = test.loinc_by_unit.get(result.unit, test.loinc) if test is not None else ""
        if test is not None and loinc:
            code = Code(system="LOINC", code=loinc, display=test.name, path=f"laboratory[{index}]")
            found.setdefault((code.system, code.code, code.path), code)
    return tuple(found.values())
