"""Which name a grading system gives to a set of facts: a grade, a split between NET G3 and NEC, or undetermined.

The answer is a distribution over names, because above the high-grade cut-off the counts do not choose between NET
G3 and NEC; everywhere else it is one name.
"""

from __future__ import annotations

from dataclasses import dataclass

from kulchitsky.knowledge.rules_grading import GradeRow, GradingSystem, SingleIndexRule
from kulchitsky.reasoning.differentiation import Split
from kulchitsky.reasoning.evaluate import Bands, Evaluator, Fact, Facts, Outcome, Truth

UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Naming:
    """``names`` sum to one; ``row`` and ``single`` say by which rule, ``open_rows`` what an unknown fact leaves
    open.
    """

    names: dict[str, float]
    row: GradeRow | None = None
    single: SingleIndexRule | None = None
    open_rows: tuple[tuple[GradeRow, Outcome], ...] = ()
    high_grade: bool = False

    @property
    def name(self) -> str:
        """The one name, or undetermined where there is more than one."""
        return next(iter(self.names)) if len(self.names) == 1 else UNDETERMINED


def bands_of(system: GradingSystem) -> Bands:
    """The bands of a system's indices by fact and id."""
    return {index.fact: {band.id: band for band in index.bands} for index in system.indices}


def reaches_high_grade(system: GradingSystem, facts: Facts) -> bool:
    """Whether the indices alone reach the grade that is split by differentiation."""
    if system.splits_high_grade is None:
        return False
    rows = {row.grade: row for row in system.grades}
    for word in ("well", "poor"):
        assumed = Evaluator({**facts, "differentiation": Fact(word)}, bands_of(system))
        if any(assumed.holds(rows[name].when).truth is Truth.TRUE for name in system.splits_high_grade):
            return True
    return False


def name_case(system: GradingSystem, facts: Facts, split: Split | None) -> Naming:
    """Name ``facts`` under ``system``; ``split`` is used only where differentiation is not recorded."""
    evaluator = Evaluator(facts, bands_of(system))
    row, still_open = _highest(system, evaluator)
    if row is not None and not still_open:
        high = system.splits_high_grade is not None and row.grade in system.splits_high_grade
        return Naming({row.grade: 1.0}, row=row, high_grade=high)
    if reaches_high_grade(system, facts):
        return _high_grade(system, split, still_open)
    for rule in system.single_index:
        alone = rule.missing not in facts and (row is None or row.grade == rule.grade)
        if alone and evaluator.holds(rule.when).truth is Truth.TRUE:
            return Naming({rule.grade: 1.0}, row=row, single=rule, open_rows=still_open)
    if row is not None and all(other.provisional or _only_above(other, still_open) for other, _ in still_open):
        return Naming({row.grade: 1.0}, row=row, open_rows=still_open)
    return Naming(
        {UNDETERMINED: 1.0}, open_rows=still_open if row is None else (*still_open, (row, Outcome(Truth.TRUE)))
    )


def _only_above(row: GradeRow, still_open: tuple[tuple[GradeRow, Outcome], ...]) -> bool:
    """A row that is open for the sake of differentiation alone cannot be reached while the indices stay low."""
    missing = next(outcome.missing for other, outcome in still_open if other is row)
    return missing == ("differentiation",)


def _high_grade(
    system: GradingSystem, split: Split | None, still_open: tuple[tuple[GradeRow, Outcome], ...]
) -> Naming:
    assert system.splits_high_grade is not None
    net, nec = system.splits_high_grade
    if split is None:
        return Naming({UNDETERMINED: 1.0}, open_rows=still_open, high_grade=True)
    names = {net: split.probability_net, nec: 1 - split.probability_net}
    if split.settled:
        name = max(names, key=lambda key: names[key])
        row = next(r for r in system.grades if r.grade == name)
        return Naming(names, row=row, open_rows=still_open, high_grade=True)
    return Naming(names, open_rows=still_open, high_grade=True)


def _highest(
    system: GradingSystem, evaluator: Evaluator
) -> tuple[GradeRow | None, tuple[tuple[GradeRow, Outcome], ...]]:
    """The highest grade whose condition holds, and the grades above it that an unknown fact leaves open."""
    still_open: list[tuple[GradeRow, Outcome]] = []
    for row in sorted(system.grades, key=lambda row: -row.order):
        outcome = evaluator.holds(row.when)
        if outcome.truth is Truth.TRUE:
            return row, tuple(still_open)
        if outcome.truth is Truth.UNKNOWN:
            still_open.append((row, outcome))
    return None, tuple(still_open)
