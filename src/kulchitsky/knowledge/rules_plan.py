"""Schema of prognosis figures, test performance, laboratory limits, options, follow-up and codes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from kulchitsky.case.base import Record
from kulchitsky.knowledge.rules_condition import Condition

Sources = tuple[str, ...]

Endpoint = Literal[
    "overall survival",
    "relative survival",
    "disease-specific survival",
    "recurrence",
    "recurrence-free survival",
    "share of recurrences that come in this time",
    "progression-free survival",
    "time to progression",
    "response",
    "nodal involvement",
    "later metastasis",
    "conditional survival",
]


class PrognosisRow(Record):
    """One published figure with its endpoint, population and source, and the cases that it fits."""

    id: str
    entities: tuple[str, ...]
    when: Condition
    endpoint: Endpoint
    years: float | None = None
    percent: float | None = Field(default=None, ge=0, le=100)
    interval_95: tuple[float, float] | None = None
    median_months: float | None = None
    hazard_ratio: float | None = None
    population: str
    group: str
    """The group of patients inside the population that the figure speaks of."""
    n: int | None = None
    edition: str = ""
    sources: Sources = Field(min_length=1)

    @model_validator(mode="after")
    def _says_a_figure(self) -> PrognosisRow:
        if self.percent is None and self.median_months is None and self.hazard_ratio is None:
            raise ValueError(f"row '{self.id}' has no figure")
        if self.interval_95 is not None:
            low, high = self.interval_95
            figure = next(v for v in (self.percent, self.median_months, self.hazard_ratio) if v is not None)
            if not low <= figure <= high:
                raise ValueError(f"row '{self.id}': {figure:g} lies outside its interval")
        return self


class PerformanceRow(Record):
    """How a test performed: sensitivity and specificity (percent) in a population, with its size."""

    id: str
    test: str
    question: str
    entities: tuple[str, ...] = ()
    """Entities the figures were measured in; empty means not tied to one."""
    aliases: tuple[str, ...] = ()
    """Words by which a claim of a report names the test."""
    sensitivity_percent: float | None = Field(default=None, ge=0, le=100)
    sensitivity_interval: tuple[float, float] | None = None
    specificity_percent: float | None = Field(default=None, ge=0, le=100)
    specificity_interval: tuple[float, float] | None = None
    n: int | None = None
    n_unit: str = "patients"
    population: str
    sources: Sources = Field(min_length=1)


class PreTest(Record):
    """A pre-test probability with a source, for the post-test arithmetic."""

    percent: float = Field(gt=0, lt=100)
    population: str
    n: int | None = None
    sources: Sources = Field(min_length=1)


class TestAdviceRow(Record):
    """Whether a test is worth doing in a case, and why; ``done`` conditions are looked at first."""

    __test__ = False

    id: str
    test: str
    question: str
    entities: tuple[str, ...] = ()
    done: Condition | None = None
    status: Literal["missing", "adds_nothing", "superseded", "optional"]
    when: Condition
    sentence: str
    performance: str = ""
    """Id of the performance row to show."""
    pre_test: PreTest | None = None
    sources: Sources = Field(min_length=1)


class UnitRule(Record):
    """A unit in which a test is plausible, with the range of values that a laboratory reports in it."""

    unit: str
    plausible_low: float
    plausible_high: float


class LabTest(Record):
    """A laboratory test: names, LOINC, units with plausible ranges, reference limits, and the usual slip."""

    id: str
    name: str
    aliases: tuple[str, ...]
    loinc: str = ""
    loinc_by_unit: dict[str, str] = Field(default_factory=dict)
    units: tuple[UnitRule, ...]
    """The first is the usual unit."""
    upper_limit: float | None = None
    lower_limit: float | None = None
    limit_unit: str = ""
    limit_note: str = ""
    molar_mass_g_per_mol: float | None = None
    says: str = ""
    """What a normal or a raised value says, and what it does not."""
    sources: Sources = Field(min_length=1)


class CautionRow(Record):
    """A remark on an option for a case with a certain condition."""

    when: Condition
    sentence: str
    sources: Sources = Field(min_length=1)


class OptionRow(Record):
    """A treatment option for some entities.

    ``requires`` decides: true gives *yes*, false *no* (with ``not_indicated``), unknown *undetermined* with what is
    missing. ``conditional`` turns a yes into *conditional*, with the sentence that says on what.
    """

    id: str
    option: str
    entities: tuple[str, ...]
    line: str
    requires: Condition
    conditional: Condition | None = None
    sentence: str
    not_indicated: str
    strength: str
    cautions: tuple[CautionRow, ...] = ()
    population: str = ""
    sources: Sources = Field(min_length=1)


class VisitRow(Record):
    """A follow-up visit, repeated from ``from_months`` to ``to_months`` every ``every_months``."""

    id: str
    entities: tuple[str, ...]
    when: Condition
    what: str
    from_months: float = Field(ge=0)
    to_months: float
    every_months: float = Field(gt=0)
    edition: str = ""
    sources: Sources = Field(min_length=1)

    @model_validator(mode="after")
    def _runs_forward(self) -> VisitRow:
        if self.to_months < self.from_months:
            raise ValueError(f"visit row '{self.id}' ends before it begins")
        return self


class NoFollowUpRow(Record):
    """Why a case needs no schedule, or why none is sourced."""

    entities: tuple[str, ...]
    when: Condition
    sentence: str
    sources: Sources = Field(min_length=1)


class CodeRow(Record):
    """A code of an outside terminology for a fact of the case."""

    system: str
    code: str
    display: str
    entities: tuple[str, ...] = ()
    when: Condition
    path: str = ""
    sources: Sources = Field(min_length=1)


class ClaimRow(Record):
    """How a claim of a case's own text is checked: by words of its subject, against figures or performance rows."""

    id: str
    kind: Literal["prognosis", "test_performance", "diagnosis_argument", "treatment"]
    words: tuple[str, ...] = Field(min_length=1)
    """All of these (lower case) must occur in the claim's text or subject; a ``|`` inside one means or."""
    when: Condition
    against: Literal["prognosis", "performance", "statement"]
    rows: tuple[str, ...] = ()
    verdict: Literal["supported", "contradicted", "not_supported", "cannot_be_checked"] | None = None
    """Fixed verdict of a statement row; computed from the figures otherwise."""
    sentence: str = ""
    sources: Sources = Field(min_length=1)


class PlanRules(Record):
    """Everything that the plan rests on."""

    edition: str
    follow_entities_above: float = Field(gt=0, lt=1)
    """Entities of the differential with at least this probability are planned for."""
    claim_tolerance_percent: float = Field(gt=0)
    """Percentage points by which a quoted figure may differ from a sourced one and still agree with it."""
    prognosis: tuple[PrognosisRow, ...]
    performance: tuple[PerformanceRow, ...]
    advice: tuple[TestAdviceRow, ...]
    laboratory: tuple[LabTest, ...]
    options: tuple[OptionRow, ...]
    visits: tuple[VisitRow, ...]
    no_follow_up: tuple[NoFollowUpRow, ...]
    codes: tuple[CodeRow, ...]
    claims: tuple[ClaimRow, ...]
