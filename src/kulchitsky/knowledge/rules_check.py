"""What a schema cannot say: bands partition the line, facts and sources exist, groups do not overlap.

Each function returns sentences; an empty list means that all is well.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from kulchitsky.knowledge.rules_condition import AllOf, Always, AnyOf, FactTest, Not, tests_in
from kulchitsky.knowledge.rules_facts import FactRow, unknown_fields
from kulchitsky.knowledge.rules_grading import GradingSystem, Index
from kulchitsky.knowledge.rules_staging import GroupRow, Scheme

if TYPE_CHECKING:
    from kulchitsky.knowledge.rules import Rules

_NUMBER_OPERATORS = {"lt", "le", "gt", "ge", "band"}
_STATES = {"present", "absent", "equivocal", "not_tested"}


def problems_of(rules: Rules) -> list[str]:
    """Every inconsistency of the rule base, as sentences."""
    found = [
        f"fact '{name}' names a field that no case has: {path}"
        for name, row in rules.facts.items()
        for path in unknown_fields(row)
    ]
    for condition in _conditions(rules):
        for test in tests_in(condition):
            found += _test_problems(test, rules.facts)
    for key in sorted(_cited(rules) - set(rules.references)):
        found.append(f"source '{key}' is cited but not in references.yaml")
    for system in rules.grading.systems:
        found += _system_problems(system)
    for scheme in rules.staging.schemes:
        found += scheme_problems(scheme)
    found += _id_problems(rules)
    return sorted(set(found))


def partition_problems(index: Index) -> list[str]:
    """Gaps and overlaps of the bands of ``index`` over its range."""
    bands = sorted(index.bands, key=lambda band: (band.lower, band.above is not None))
    found = []
    first, last = bands[0], bands[-1]
    if not first.holds(index.minimum) or (first.lower > index.minimum):
        found.append(f"bands of {index.fact} do not start at {index.minimum:g}")
    if index.maximum is None and last.upper != float("inf"):
        found.append(f"bands of {index.fact} end at {last.upper:g}, the range does not")
    if index.maximum is not None and not last.holds(index.maximum):
        found.append(f"bands of {index.fact} do not reach {index.maximum:g}")
    for left, right in pairwise(bands):
        if left.upper != right.lower:
            found.append(f"bands {left.id} and {right.id} of {index.fact} leave a gap or overlap")
        elif left.holds(left.upper) == right.holds(right.lower):
            found.append(f"{left.upper:g} belongs to both or neither of {left.id} and {right.id} of {index.fact}")
    return found


def scheme_problems(scheme: Scheme) -> list[str]:
    """Combinations of T, N and M with two stages, and categories that no group names."""
    found = []
    for basis in ("clinical", "pathological"):
        groups = [row for row in scheme.groups if row.basis in (basis, "both")]
        for t in scheme.t:
            for n in scheme.n:
                for m in scheme.m:
                    stages = {row.stage for row in groups if matches_group(row, t.value, n.value, m.value)}
                    if len(stages) > 1:
                        found.append(f"{scheme.id} ({basis}): {t.value} {n.value} {m.value} is {sorted(stages)}")
    for letter, rows in (("t", scheme.t), ("n", scheme.n), ("m", scheme.m)):
        values = [row.value for row in rows]
        found += [f"{scheme.id}: {value} is listed twice" for value in values if values.count(value) > 1]
        named = {value for group in scheme.groups for value in getattr(group, letter)}
        found += [
            f"{scheme.id}: a stage group names {value}, which is no category"
            for value in sorted(named)
            if not any(covers(value, row) for row in values)
        ]
    return found


def covers(listed: str, value: str) -> bool:
    """Whether a category of a stage group covers ``value``: itself or a subdivision (T1 covers T1a, N1a covers
    N1a(sn)).
    """
    if value == listed:
        return True
    rest = value.removeprefix(listed)
    if rest == value:
        return False
    return rest[0] in "abcdefgh(m" or (listed[-1].islower() and rest.isdigit())


def matches_group(row: GroupRow, t: str, n: str, m: str) -> bool:
    """Whether the stage group ``row`` holds the combination."""
    pairs = ((row.t, t), (row.n, n), (row.m, m))
    return all(not listed or any(covers(item, value) for item in listed) for listed, value in pairs)


def _test_problems(test: FactTest, facts: dict[str, FactRow]) -> list[str]:
    row = facts.get(test.fact)
    if row is None:
        return [f"a condition names the unknown fact '{test.fact}'"]
    operators = set(test.operators())
    found = []
    if operators & _NUMBER_OPERATORS and row.kind != "number":
        found.append(f"'{test.fact}' is a {row.kind}, yet a condition compares it as a number")
    if operators & {"has", "has_any"} and row.kind != "set":
        found.append(f"'{test.fact}' is a {row.kind}, yet a condition asks what it has")
    wanted = {str(value) for value in (*test.in_, *([test.is_] if test.is_ is not None else []))}
    wanted |= {test.has} if test.has else set()
    wanted |= set(test.has_any)
    allowed = set(row.values) or (_STATES if row.kind == "state" else set())
    if allowed and wanted - allowed:
        found.append(f"'{test.fact}' never takes the value {sorted(wanted - allowed)}")
    return found


def _system_problems(system: GradingSystem) -> list[str]:
    found = [f"{system.id}: {text}" for index in system.indices for text in partition_problems(index)]
    bands = {index.fact: {band.id for band in index.bands} for index in system.indices}
    for row in system.grades:
        found += [
            f"{system.id}: grade {row.grade} names the unknown band '{test.band}' of {test.fact}"
            for test in tests_in(row.when)
            if test.band is not None and test.band not in bands.get(test.fact, set())
        ]
    orders = [row.order for row in system.grades]
    if len(set(orders)) != len(orders):
        found.append(f"{system.id}: two grades have the same order")
    names = {row.grade for row in system.grades}
    if system.splits_high_grade and not set(system.splits_high_grade) <= names:
        found.append(f"{system.id}: splits_high_grade names a grade that the system lacks")
    return found


def _id_problems(rules: Rules) -> list[str]:
    plan = rules.plan
    families = {
        "prognosis": [row.id for row in plan.prognosis],
        "performance": [row.id for row in plan.performance],
        "advice": [row.id for row in plan.advice],
        "options": [row.id for row in plan.options],
        "visits": [row.id for row in plan.visits],
        "laboratory": [row.id for row in plan.laboratory],
        "schemes": [row.id for row in rules.staging.schemes],
        "systems": [row.id for row in rules.grading.systems],
    }
    found = [
        f"{family}: id {name} is used twice"
        for family, ids in families.items()
        for name in ids
        if ids.count(name) > 1
    ]
    performance = set(families["performance"])
    found += [
        f"advice {row.id}: no performance row {row.performance}"
        for row in plan.advice
        if row.performance and row.performance not in performance
    ]
    for claim in plan.claims:
        known = set(families["prognosis"]) if claim.against == "prognosis" else performance
        found += [f"claim {claim.id}: no row {name}" for name in claim.rows if name not in known]
    return found


def _conditions(model: Any) -> Iterator[FactTest | AllOf | AnyOf | Not]:
    if isinstance(model, FactTest | AllOf | AnyOf | Not):
        yield model
    elif isinstance(model, Always):
        return
    elif isinstance(model, BaseModel):
        for name in type(model).model_fields:
            yield from _conditions(getattr(model, name))
    elif isinstance(model, tuple):
        for item in model:
            yield from _conditions(item)
    elif isinstance(model, dict):
        for item in model.values():
            yield from _conditions(item)


def _cited(model: Any) -> set[str]:
    if isinstance(model, BaseModel):
        keys = {key for name in type(model).model_fields if name.endswith("sources") for key in getattr(model, name)}
        return keys.union(*(_cited(getattr(model, name)) for name in type(model).model_fields))
    if isinstance(model, tuple):
        return set().union(*(_cited(item) for item in model))
    if isinstance(model, dict):
        return set().union(*(_cited(item) for item in model.values()))
    return set()
