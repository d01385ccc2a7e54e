"""What the reasoning floors conclude: verdicts, each with its reasons and its sources.

Source keys (``sources``) are keys of the reference list of the knowledge base; the report resolves them.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field

from kulchitsky.case.base import Record
from kulchitsky.case.issue import Issue
from kulchitsky.case.measure import Interval, SlideCount, StainReading
from kulchitsky.case.record import Case


class Reference(Record):
    """One source as a reader needs it: ``key`` is what verdicts cite."""

    key: str
    title: str
    authors: str = ""
    year: int | None = None
    journal: str = ""
    doi: str = ""
    url: str = ""
    read: str = ""
    """What of it was read (abstract, table, full text)."""


class Weight(Record):
    """One finding's weight for one entity against the other entities of the list.

    ``log10_lr`` is the base-10 logarithm of the likelihood ratio; positive speaks for the entity. ``group`` names the
    set of dependent findings that are weighed together, so that they do not count twice. ``kind`` says what stood
    behind it: ``counts`` (studies of this entity), ``family`` (borrowed from its family), ``default``.
    """

    finding: str
    entity: str
    log10_lr: float
    interval_95: Interval
    group: str
    kind: Literal["counts", "density", "family", "default"]
    sentence: str
    n_positive: float | None = None
    n_tested: float | None = None
    studies: int = 0
    sources: tuple[str, ...] = ()


class Diagnosis(Record):
    """One entity of the differential."""

    entity: str
    name: str
    prior: float = Field(ge=0, le=1)
    posterior: float = Field(ge=0, le=1)
    interval_95: Interval


class NextTest(Record):
    """A stain, or a set of stains, worth ordering, and what it is expected to bring."""

    markers: tuple[str, ...]
    expected_bits: float
    separates: tuple[str, ...]
    p_change_top: float
    p_change_family: float | None = None
    sentence: str = ""
    alternatives: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class Differential(Record):
    """The ``differential --json`` contract: diagnoses by posterior, ``none_of_these``, weights, next tests."""

    edition: str
    diagnoses: tuple[Diagnosis, ...]
    none_of_these: float = Field(ge=0, le=1)
    weights: tuple[Weight, ...] = ()
    next_tests: tuple[NextTest, ...] = ()
    issues: tuple[Issue, ...] = ()


class Contradiction(Record):
    """A finding improbable under the working diagnosis, or a test without which it should not be signed out."""

    kind: Literal["improbable_finding", "missing_test", "rule", "claim"]
    finding: str
    sentence: str
    probability: float | None = Field(default=None, ge=0, le=1)
    interval_95: Interval | None = None
    better_explained_by: str = ""
    log10_lr: float | None = None
    sources: tuple[str, ...] = ()


class Challenge(Record):
    """What in the case contradicts the working diagnosis, strongest first."""

    diagnosis: str
    name: str
    posterior: float | None = None
    contradictions: tuple[Contradiction, ...] = ()
    issues: tuple[Issue, ...] = ()


class Reason(Record):
    """One step of an argument: a sentence, the value it rests on, the rule that was applied."""

    sentence: str
    rule: str = ""
    sources: tuple[str, ...] = ()


class GradeVerdict(Record):
    """The ``grade --json`` contract."""

    system: str
    edition: str
    grade: str
    probabilities: dict[str, float] = Field(default_factory=dict)
    decided_by: str = ""
    basis: tuple[Reason, ...] = ()
    would_change: tuple[Reason, ...] = ()
    differentiation: dict[str, float] = Field(default_factory=dict)
    """NET G3 against NEC, as probabilities, where the question arises."""
    issues: tuple[Issue, ...] = ()


class Category(Record):
    """One TNM category with its reason; ``value`` is ``undetermined`` when the record does not settle it."""

    name: Literal["T", "N", "M"]
    value: str
    prefix: Literal["c", "p", "yp", "r"] = "p"
    reasons: tuple[Reason, ...] = ()
    missing: tuple[str, ...] = ()


class StageReading(Record):
    """A stage under one authority and edition, with what it would take to settle it."""

    scheme: str
    scheme_name: str
    edition: str
    authority: str
    categories: tuple[Category, ...] = ()
    stage: str
    possible: tuple[str, ...] = ()
    """Stages still open while something is missing."""
    reasons: tuple[Reason, ...] = ()
    missing: tuple[str, ...] = ()


class StageVerdict(Record):
    """Every reading that applies (authorities and candidates may differ), with the routing that chose them."""

    topography: str = ""
    morphology: str = ""
    routing: tuple[Reason, ...] = ()
    readings: tuple[StageReading, ...] = ()
    issues: tuple[Issue, ...] = ()


class PrognosisFigure(Record):
    """One published figure that fits the case: never without endpoint, population and source."""

    endpoint: str
    years: float | None = None
    percent: float | None = None
    interval_95: Interval | None = None
    median_months: float | None = None
    hazard_ratio: float | None = None
    population: str
    n: int | None = None
    entity: str = ""
    fits: str = ""
    """Why it applies to this case."""
    sources: tuple[str, ...] = ()


class ClaimCheck(Record):
    """A claim of the case's own text beside the sourced figures."""

    claim: str
    verdict: Literal["supported", "contradicted", "not_supported", "cannot_be_checked"]
    sentence: str
    sources: tuple[str, ...] = ()


class Prognosis(Record):
    """Published figures that fit the case, and its own claims beside them."""

    figures: tuple[PrognosisFigure, ...] = ()
    claims: tuple[ClaimCheck, ...] = ()
    issues: tuple[Issue, ...] = ()


class TestAdvice(Record):
    """A laboratory or imaging test: what it found or would find, its performance, the post-test probability."""

    __test__ = False  # the name is the field's own; pytest must not collect it

    test: str
    question: str
    status: Literal["done", "missing", "adds_nothing", "superseded", "optional"]
    sentence: str
    sensitivity_percent: float | None = None
    specificity_percent: float | None = None
    n: int | None = None
    pre_test: float | None = None
    post_test_if_positive: float | None = None
    post_test_if_negative: float | None = None
    sources: tuple[str, ...] = ()


class Option(Record):
    """A treatment option: applies or not in this case, and why. What sources say, never advice."""

    option: str
    entity: str = ""
    """The candidate entity it is judged for."""
    applies: Literal["yes", "no", "conditional", "undetermined"]
    sentence: str
    line: str = ""
    strength: str = ""
    cautions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class Visit(Record):
    """A dated (or relative) follow-up visit."""

    months: float
    date: dt.date | None = None
    what: str
    entity: str = ""
    sources: tuple[str, ...] = ()


class Code(Record):
    """A code of an outside terminology for a fact of the case."""

    system: str
    code: str
    display: str
    path: str = ""


class Plan(Record):
    """Prognosis, tests, options and follow-up together: the ``plan --json`` output."""

    prognosis: Prognosis = Field(default_factory=Prognosis)
    tests: tuple[TestAdvice, ...] = ()
    options: tuple[Option, ...] = ()
    follow_up: tuple[Visit, ...] = ()
    codes: tuple[Code, ...] = ()
    issues: tuple[Issue, ...] = ()


class Fact(Record):
    """A fact taken from prose: where in the case it went and the span of text that it came from."""

    path: str
    value: Any
    text: str
    start: int
    end: int


class NotUnderstood(Record):
    """A stretch of prose that looked like a fact and was not read."""

    text: str
    start: int
    end: int
    why: str = ""


class Reading(Record):
    """The ``read --json`` contract: the case, the facts with their spans, and what was not understood."""

    case: Case
    facts: tuple[Fact, ...] = ()
    not_understood: tuple[NotUnderstood, ...] = ()
    issues: tuple[Issue, ...] = ()


class Versions(Record):
    """What produced a result: software, knowledge edition, and the checksum of the input."""

    software: str
    knowledge_edition: str
    case_sha256: str = ""
    created: dt.datetime | None = None


class SlidePicture(Record):
    """A picture of a slide for the report: a file beside it, and what it shows."""

    slide: str
    path: str
    caption: str
    um_per_px: float | None = None


class WorkedUpCase(Record):
    """Everything that ``workup`` concludes about one case: what the report prints and the web shows."""

    case: Case
    facts: tuple[Fact, ...] = ()
    not_understood: tuple[NotUnderstood, ...] = ()
    counts: tuple[SlideCount, ...] = ()
    readings: tuple[StainReading, ...] = ()
    pictures: tuple[SlidePicture, ...] = ()
    differential: Differential
    challenge: Challenge | None = None
    grade: tuple[GradeVerdict, ...] = ()
    stage: StageVerdict
    plan: Plan
    names: dict[str, str] = Field(default_factory=dict)
    """Display names of every entity and marker id used."""
    references: tuple[Reference, ...] = ()
    issues: tuple[Issue, ...] = ()
    versions: Versions
