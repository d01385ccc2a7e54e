"""Schema of grading systems, of the NET G3 against NEC step, and of the caveats that go with a count."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from kulchitsky.case.base import Record
from kulchitsky.knowledge.rules_condition import Condition

Sources = tuple[str, ...]


class Band(Record):
    """An interval of a number, each end open or closed; no end means unbounded."""

    id: str
    above: float | None = None
    from_: float | None = Field(default=None, alias="from")
    below: float | None = None
    to: float | None = None

    @model_validator(mode="after")
    def _one_end_each(self) -> Band:
        if self.above is not None and self.from_ is not None:
            raise ValueError(f"band '{self.id}' has two lower ends")
        if self.below is not None and self.to is not None:
            raise ValueError(f"band '{self.id}' has two upper ends")
        return self

    @property
    def lower(self) -> float:
        """Lower end; minus infinity when unbounded."""
        ends = [e for e in (self.above, self.from_) if e is not None]
        return ends[0] if ends else float("-inf")

    @property
    def upper(self) -> float:
        """Upper end; infinity when unbounded."""
        ends = [e for e in (self.below, self.to) if e is not None]
        return ends[0] if ends else float("inf")

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies in the band, ends taken as written."""
        if self.above is not None and not value > self.above:
            return False
        if self.from_ is not None and not value >= self.from_:
            return False
        if self.below is not None and not value < self.below:
            return False
        return not (self.to is not None and not value <= self.to)

    def words(self) -> str:
        """The interval as a reader writes it."""
        low = f"> {self.above:g}" if self.above is not None else ""
        low = f">= {self.from_:g}" if self.from_ is not None else low
        high = f"< {self.below:g}" if self.below is not None else ""
        high = f"<= {self.to:g}" if self.to is not None else high
        if self.from_ is not None and self.from_ == self.to:
            return f"= {self.from_:g}"
        return " and ".join(part for part in (low, high) if part) or "any"


class Index(Record):
    """A number that a grading system cuts into bands; the bands partition the range from ``minimum`` upwards."""

    fact: str
    name: str
    unit: str
    minimum: float = 0
    maximum: float | None = None
    bands: tuple[Band, ...] = Field(min_length=2)


class GradeRow(Record):
    """One grade: higher ``order`` wins where several conditions hold.

    ``high_grade`` marks what both a NET G3 and a NEC may reach; ``explains`` is the rule in words.
    """

    grade: str
    order: int
    when: Condition
    rule: str
    provisional: bool = False
    """A provisional category: an unknown fact of its condition does not hold up the grade below."""
    sources: Sources = Field(min_length=1)


class GradingSystem(Record):
    """A grading system of one organ group and edition."""

    id: str
    name: str
    edition: str
    applies: Condition
    priority: int = 0
    borrowed: str = ""
    """Why the scale is not made for this site; such a verdict carries an issue."""
    ungraded: str = ""
    """Set where the classification gives no grade; the verdict is then 'ungraded' with this sentence."""
    leads_for: str = ""
    """Entity for which this verdict is reported first."""
    excludes_grades: bool = False
    """Set where no grade of any other system is to be given beside this verdict."""
    indices: tuple[Index, ...] = ()
    grades: tuple[GradeRow, ...] = ()
    single_index: tuple[SingleIndexRule, ...] = ()
    splits_high_grade: tuple[str, str] | None = None
    """The two names between which the NET G3 against NEC step decides, when the grade is the first of them."""
    sources: Sources = Field(min_length=1)

    @model_validator(mode="after")
    def _has_grades_or_says_none(self) -> GradingSystem:
        if bool(self.grades) == bool(self.ungraded):
            raise ValueError(f"system '{self.id}' needs either grades or the reason why there are none")
        return self


class SingleIndexRule(Record):
    """What may be said when only one of the two indices was counted."""

    missing: str
    when: Condition
    grade: str
    sentence: str
    sources: Sources = Field(min_length=1)


class Caveat(Record):
    """A remark on a count: raised as an issue when its condition holds."""

    code: str
    level: Literal["note", "warning", "serious"]
    when: Condition
    message: str
    remedy: str
    sources: Sources = Field(min_length=1)


class CountingRule(Record):
    """How a count is to be made, for the rule book and for the advice on further counting."""

    id: str
    rule: str
    value: float | None = None
    unit: str = ""
    edition: str
    sources: Sources = Field(min_length=1)


class DifferentiationRow(Record):
    """Counts of one finding in NET G3 and in NEC: n positive of N tested in each."""

    id: str
    finding: str
    when_present: Condition
    when_absent: Condition | None = None
    net_positive: float = Field(ge=0)
    net_tested: float = Field(gt=0)
    nec_positive: float = Field(ge=0)
    nec_tested: float = Field(gt=0)
    group: str
    """Findings of one group depend on each other; only the strongest of a group is weighed."""
    population: str
    sources: Sources = Field(min_length=1)

    @model_validator(mode="after")
    def _positive_among_tested(self) -> DifferentiationRow:
        if self.net_positive > self.net_tested or self.nec_positive > self.nec_tested:
            raise ValueError(f"row '{self.id}' has more positive than tested")
        return self


class DifferentiationDensity(Record):
    """Mean and standard deviation of a number in NET G3 and in NEC, for a weight from two normal densities."""

    id: str
    fact: str
    net_mean: float
    net_sd: float = Field(gt=0)
    net_n: int
    nec_mean: float
    nec_sd: float = Field(gt=0)
    nec_n: int
    group: str
    population: str
    sources: Sources = Field(min_length=1)


class Differentiation(Record):
    """NET G3 against NEC: the prior share, the findings, and when the result may be called settled."""

    prior_net: float = Field(gt=0, lt=1)
    prior_population: str
    prior_sources: Sources = Field(min_length=1)
    asks: tuple[str, ...]
    """Facts worth asking for when the step is open."""
    settled_at: float = Field(gt=0.5, lt=1)
    settled_basis: str
    not_alone: tuple[str, ...]
    """Groups of findings that never settle the step by themselves."""
    not_alone_sources: Sources = Field(min_length=1)
    log10_limit: float = Field(gt=0)
    """A single finding weighs no more than this, whatever its counts."""
    rows: tuple[DifferentiationRow, ...]
    densities: tuple[DifferentiationDensity, ...]


class Grading(Record):
    """Everything of ``grading.yaml``."""

    edition: str
    sure_at: float = Field(gt=0.5, lt=1)
    """Probability at which a grade is called sure, for the advice on further counting."""
    most_cells: int
    """Beyond this number of cells (and the area below) more counting is not offered."""
    most_area_mm2: float
    systems: tuple[GradingSystem, ...]
    caveats: tuple[Caveat, ...]
    counting: tuple[CountingRule, ...]
    differentiation: Differentiation


GradingSystem.model_rebuild()
