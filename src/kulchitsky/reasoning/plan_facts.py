"""The facts that prognosis, tests, options and follow-up rest on, for one candidate entity of a case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import GradeVerdict, StageReading, StageVerdict
from kulchitsky.case.vocabulary import DiseaseStatus, ProcedureKind, State, TreatmentKind
from kulchitsky.knowledge.rules import Rules
from kulchitsky.knowledge.rules_condition import Condition
from kulchitsky.reasoning.evaluate import Evaluator, Fact, Outcome, Span
from kulchitsky.reasoning.facts import FactTable, facts_of, number
from kulchitsky.reasoning.grade import UNGRADED
from kulchitsky.reasoning.grade_naming import UNDETERMINED
from kulchitsky.reasoning.route import entity_route, route_of, site_group
from kulchitsky.reasoning.stage_facts import at_diagnosis, stage_facts

_REMOVED = {ProcedureKind.EXCISION, ProcedureKind.WIDE_EXCISION, ProcedureKind.RESECTION}
_ALIVE = {
    DiseaseStatus.NO_EVIDENCE_OF_DISEASE,
    DiseaseStatus.ALIVE,
    DiseaseStatus.ALIVE_WITH_DISEASE,
    DiseaseStatus.RECURRENCE,
    DiseaseStatus.PROGRESSION,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One entity that is planned for: its facts, the stage reading that goes with it, and an evaluator over them."""

    entity: str
    name: str
    facts: FactTable
    reading: StageReading | None
    labels: dict[str, str]

    def holds(self, condition: Condition) -> Outcome:
        """The outcome of a condition over this candidate's facts."""
        return Evaluator(self.facts).holds(condition)

    def words(self, names: Sequence[str]) -> str:
        """The named facts of this candidate in words, for the reason of a rule."""
        known = [name for name in names if name in self.facts]
        return "; ".join(
            f"{self.labels.get(name, name.replace('_', ' '))} {_words(self.facts[name])}" for name in known
        )


def candidates_of(
    case: Case,
    rules: Rules,
    entities: Sequence[str],
    names: dict[str, str],
    grade: Sequence[GradeVerdict],
    stage: StageVerdict,
) -> tuple[Candidate, ...]:
    """The candidates in the order of ``entities``, each with its own facts."""
    base = facts_of(case, rules, entities=entities)
    return tuple(_candidate(case, rules, entity, names, base, grade, stage) for entity in entities)


def _candidate(
    case: Case,
    rules: Rules,
    entity: str,
    names: dict[str, str],
    base: FactTable,
    grade: Sequence[GradeVerdict],
    stage: StageVerdict,
) -> Candidate:
    route = route_of(case, rules, entity)
    group = site_group(route.topography, rules) if route.topography else None
    lists = [row for row in rules.staging.node_lists if group is not None and group.id in row.sites]
    facts: FactTable = {**base, **stage_facts(at_diagnosis(case, rules), rules, lists[0] if lists else None)}
    facts["entity"] = Fact(entity)
    coded = entity_route(entity, rules)
    if coded is not None:
        facts["differentiation_class"] = Fact(coded.kind)
        if "organ" not in facts and coded.organ:
            facts["organ"] = Fact(coded.organ)
    reading = _reading_of(rules, route.row.family if route.row is not None else "", stage)
    facts |= _stage_outcome(reading)
    extent = _extent(facts)
    if extent:
        facts["extent"] = Fact(extent)
    graded = next((g.grade for g in grade if g.grade not in (UNDETERMINED, UNGRADED)), None)
    if graded is not None:
        facts["grade"] = Fact(graded)
    facts |= _course(case)
    return Candidate(entity, names.get(entity, entity.replace("_", " ")), facts, reading, _labels(rules))


def _labels(rules: Rules) -> dict[str, str]:
    """Short names of facts as sentences use them."""
    return {name: row.label for name, row in rules.facts.items() if row.label}


def _words(fact: Fact) -> str:
    if isinstance(fact.value, Span):
        exact = fact.value.exact
        return f"{exact:g}" if exact is not None else f"{fact.value.low:g} to {fact.value.high:g}"
    if isinstance(fact.value, State):
        return fact.value.value.replace("_", " ")
    if isinstance(fact.value, frozenset):
        return ", ".join(sorted(fact.value)) or "none"
    return fact.value.replace("_", " ")


def _reading_of(rules: Rules, family: str, stage: StageVerdict) -> StageReading | None:
    schemes = {scheme.id for scheme in rules.staging.schemes if scheme.family == family}
    readings = [reading for reading in stage.readings if reading.scheme in schemes]
    settled = [reading for reading in readings if reading.stage != UNDETERMINED]
    return next(iter(settled or readings), None)


def _stage_outcome(reading: StageReading | None) -> FactTable:
    if reading is None:
        return {}
    table: FactTable = {}
    if reading.stage != UNDETERMINED:
        table["stage"] = Fact(reading.stage, "stage")
    for category in reading.categories:
        if category.value != UNDETERMINED and category.name in ("T", "N"):
            table[f"stage_{category.name.lower()}"] = Fact(category.value, "stage")
    return table


def _extent(facts: FactTable) -> str:
    """Local, nodal or distant by what is proven or seen; empty where the nodes are unknown."""
    if facts["distant_any"].value is State.PRESENT:
        return "distant"
    clinical = facts.get("nodes_clinical")
    examined = facts["nodes_examined"].value
    if examined == "positive" or facts["in_transit"].value is State.PRESENT:
        return "nodal"
    if examined == "negative":
        return "local"
    if clinical is not None and clinical.value is State.PRESENT:
        return "nodal"
    return "local" if clinical is not None and clinical.value is State.ABSENT else ""


def _course(case: Case) -> FactTable:
    table: FactTable = {}
    surgery = any(p.kind in _REMOVED for p in case.procedures)
    operated = surgery or any(t.kind is TreatmentKind.SURGERY for t in case.treatments)
    if case.procedures or case.treatments:
        table["resected"] = Fact(State.PRESENT if operated else State.ABSENT, "procedures")
    alive = [visit for visit in case.follow_up if visit.status in _ALIVE]
    if alive:
        table["months_survived"] = number(max(visit.months for visit in alive), "follow_up")
    return table
