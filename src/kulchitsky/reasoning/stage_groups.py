"""Categories and stage group of a set of facts under one scheme, with what is still possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Reason
from kulchitsky.case.vocabulary import SpecimenKind, State
from kulchitsky.knowledge.rules_check import matches_group
from kulchitsky.knowledge.rules_staging import CategoryRow, Scheme, WhatIf
from kulchitsky.reasoning.evaluate import Evaluator, Fact, Facts, Truth

UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class FoundCategory:
    """A category: one value or undetermined, the values still possible, the reason and what is missing."""

    value: str
    possible: tuple[str, ...]
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Staged:
    """The stage of a set of facts under one scheme; ``possible`` holds the stages that missing facts leave open."""

    stage: str
    possible: tuple[str, ...]
    categories: dict[str, FoundCategory]
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]
    pathological: bool
    facts: Facts

    def turned(self, scheme: Scheme, what_if: WhatIf) -> Reason | None:
        """What the stage would be had one fact been otherwise; nothing where the fact is not as ``from`` says."""
        fact = self.facts.get(what_if.fact)
        if fact is None or not isinstance(fact.value, State) or fact.value.value != what_if.from_:
            return None
        turned: dict[str, Fact] = {**self.facts, what_if.fact: Fact(State(what_if.to), fact.path)}
        if what_if.fact.startswith("distant_"):
            turned["distant_any"] = Fact(State.PRESENT, fact.path)
        other = stage_under(scheme, turned)
        if other.stage == self.stage and other.categories == self.categories:
            return None
        values = " ".join(other.categories[letter].value for letter in ("T", "N", "M"))
        return Reason(
            sentence=f"{what_if.sentence}: {values}, {_stage_words(other)}.",
            rule=f"staging.{scheme.id}.what_if.{what_if.fact}",
            sources=what_if.sources,
        )

    def distant_proven(self, case: Case) -> bool:
        """Whether the metastasis that makes M1 was seen under the microscope."""
        if not self.categories["M"].value.startswith("M1"):
            return False
        paths = {fact.path for name, fact in self.facts.items() if name.startswith("distant_")}
        if any(path.startswith("procedures[") for path in paths):
            return True
        return any(
            s.kind is SpecimenKind.METASTASIS and f"specimens[{i}]" in paths for i, s in enumerate(case.specimens)
        )


def stage_under(scheme: Scheme, facts: Facts) -> Staged:
    """Stage ``facts`` under ``scheme``.

    A suspected metastasis (an equivocal fact) leaves M0 standing with the M1 stage among the possible ones: nothing
    is called metastatic on suspicion, and nothing is called free of it.
    """
    evaluator = Evaluator(facts)
    found = {letter: _category(letter, rows, evaluator, scheme) for letter, rows in _rows(scheme)}
    examined = facts.get("nodes_examined")
    pathological = examined is not None and examined.value in ("positive", "negative")
    basis = "pathological" if pathological else "clinical"
    m_now = ("M0",) if _only_suspected(found["M"]) else found["M"].possible
    now = _stages(scheme, basis, found["T"].possible, found["N"].possible, m_now)
    later = _stages(scheme, basis, found["T"].possible, found["N"].possible, found["M"].possible)
    stage = now[0] if len(now) == 1 else UNDETERMINED
    missing = tuple(dict.fromkeys(name for category in found.values() for name in category.missing))
    if _only_suspected(found["M"]):
        found["M"] = _standing_m0(found["M"])
    reasons = (_group_reason(scheme, basis, found, stage, now, later),)
    return Staged(stage, later, found, reasons, missing, pathological, facts)


def _rows(scheme: Scheme) -> tuple[tuple[str, tuple[CategoryRow, ...]], ...]:
    return (("T", scheme.t), ("N", scheme.n), ("M", scheme.m))


def _category(letter: str, rows: Sequence[CategoryRow], evaluator: Evaluator, scheme: Scheme) -> FoundCategory:
    """The highest row that holds, with every higher row that an unknown fact leaves open."""
    possible: list[CategoryRow] = []
    missing: list[str] = []
    certain: CategoryRow | None = None
    final = [row for row in rows if row.final and evaluator.holds(row.when).truth is Truth.TRUE]
    for row in sorted(final or rows, key=lambda row: -row.order):
        outcome = evaluator.holds(row.when)
        if outcome.truth is Truth.TRUE:
            possible.append(row)
            certain = row
            break
        if outcome.truth is Truth.UNKNOWN:
            possible.append(row)
            missing += outcome.missing
    value = possible[0].value if len(possible) == 1 and certain is not None else UNDETERMINED
    if len(possible) == 1 and certain is None:
        value = possible[0].value
    reasons = tuple(
        Reason(
            sentence=f"{row.value}: {row.rule}{_read_from(row, evaluator)}",
            rule=f"staging.{scheme.id}.{letter}.{row.value}",
            sources=row.sources,
        )
        for row in reversed(possible)
    )
    values = tuple(row.value for row in reversed(possible))
    return FoundCategory(value, values, reasons, tuple(dict.fromkeys(missing)))


def _read_from(row: CategoryRow, evaluator: Evaluator) -> str:
    """Where in the record the deciding facts stand, what was taken as none, and which entry leaves it open."""
    outcome = evaluator.holds(row.when)
    known = [evaluator.facts[name] for name in outcome.used if name in evaluator.facts]
    if outcome.truth is Truth.UNKNOWN:
        known = [fact for fact in known if fact.value is not State.ABSENT]
    paths = ", ".join(dict.fromkeys(fact.path for fact in known if fact.path))
    remarks = "; ".join(dict.fromkeys(fact.remark for fact in known if fact.remark))
    undecided = [evaluator.facts[name].path for name in outcome.missing if name in evaluator.facts]
    doubts = ", ".join(dict.fromkeys(path for path in undecided if path))
    words = f" ({paths})" if paths else ""
    words += f" (open: {doubts})" if doubts else ""
    return f"{words} [{remarks}]" if remarks else words


def _only_suspected(category: FoundCategory) -> bool:
    """M0 and M1 both open because a distant finding is suspected, not proven."""
    return category.value == UNDETERMINED and "M0" in category.possible and bool(category.missing)


def _standing_m0(category: FoundCategory) -> FoundCategory:
    note = (
        "Suspected but not proven, so M0 stands: "
        + ", ".join(v for v in category.possible if v != "M0")
        + " is possible."
    )
    first = category.reasons[0]
    reasons = (Reason(sentence=note, rule=first.rule, sources=first.sources), *category.reasons)
    return FoundCategory("M0", category.possible, reasons, category.missing)


def _stages(scheme: Scheme, basis: str, t: Sequence[str], n: Sequence[str], m: Sequence[str]) -> tuple[str, ...]:
    """Every stage that a combination of the possible categories gives, in the order of the scheme."""
    groups = [row for row in scheme.groups if row.basis in (basis, "both")]
    found = {
        row.stage for one in product(t or ("",), n or ("",), m or ("",)) for row in groups if matches_group(row, *one)
    }
    order = list(dict.fromkeys(row.stage for row in scheme.groups))
    return tuple(sorted(found, key=order.index))


def _stage_words(staged: Staged) -> str:
    if staged.stage != UNDETERMINED:
        return f"stage {staged.stage}"
    return f"stage {' or '.join(staged.possible)}" if staged.possible else "no stage group"


def _group_reason(
    scheme: Scheme,
    basis: str,
    found: dict[str, FoundCategory],
    stage: str,
    now: tuple[str, ...],
    later: tuple[str, ...],
) -> Reason:
    values = " ".join(
        category.value
        if category.value != UNDETERMINED
        else f"{letter}? ({' or '.join(category.possible) or 'unknown'})"
        for letter, category in found.items()
    )
    if stage != UNDETERMINED:
        sentence = f"{values}: stage {stage} ({basis})."
        if later != now:
            others = " or ".join(name for name in later if name != stage)
            sentence = f"{values}: stage {stage} ({basis}) on what is proven; {others} possible."
    elif now:
        sentence = f"{values}: stage {' or '.join(now)} ({basis}), not settled."
    elif not scheme.groups:
        sentence = f"{values}: the stage groups of this edition are not in the rule base."
    else:
        sentence = f"{values}: no stage group of the scheme holds this combination ({basis})."
    sources = tuple(dict.fromkeys(key for row in scheme.groups if row.stage in now for key in row.sources))
    return Reason(sentence=sentence, rule=f"staging.{scheme.id}.group", sources=sources or scheme.sources)
