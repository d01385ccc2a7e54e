"""What a cohort of slides yields: one outcome a slide, the rows of the table, agreement, cost, the whole."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from kulchitsky.case.base import Record
from kulchitsky.case.issue import Issue
from kulchitsky.case.measure import Interval, SlideCount, StainReading


class SlideStatus(StrEnum):
    """How a slide of a cohort ended."""

    COUNTED = "counted"
    READ = "read"
    REFUSED = "refused"
    FAILED = "failed"


class SlideOutcome(Record):
    """What became of one slide: its measure, or why there is none.

    ``key`` is a digest of content, parameters and software: an outcome with another key is out of date. ``refused``
    is the slide's doing and final for its content; ``failed`` is an unexpected error and is tried again.
    ``worker_seconds`` adds up the time that workers spent on it, ``cpu_seconds`` what of it they computed.
    """

    slide: str
    key: str
    status: SlideStatus
    reason: str = ""
    count: SlideCount | None = None
    reading: StainReading | None = None
    width_px: int | None = None
    height_px: int | None = None
    worker_seconds: float = 0.0
    cpu_seconds: float = 0.0
    cells: str = ""
    """Path of its cells in the output folder, empty when there are none."""
    picture: str = ""
    """Path of its overview in the output folder, empty when there is none."""

    @property
    def done(self) -> bool:
        """Whether a measure came of it."""
        return self.count is not None or self.reading is not None


class CohortRow(Record):
    """One slide of the list, what was known of it beforehand, and its outcome.

    ``case`` is the registry's key where the case was found there, else the id of the list.
    """

    slide: str
    file: str
    stain: str
    outcome: SlideOutcome
    case: str = ""
    registry: dict[str, str | float | None] = Field(default_factory=dict)
    """What the registry holds of the case, empty where it was not asked or does not know it."""
    manual_percent: float | None = None
    issues: tuple[Issue, ...] = ()
    """What was noticed about the row in the cohort, beside the issues of its measure."""


class Histogram(Record):
    """How a figure is spread: ``edges`` has one more entry than ``counts``; ``left_of`` tells what lies beyond."""

    title: str
    unit: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]


class Agreement(Record):
    """An automatic index against manual counts of the same slides.

    Differences are automatic minus manual, in percentage points. ``within_20_percent`` is the share of slides whose
    automatic index lies within 20 % of the manual one, relative to it. ``grade_table`` has the grade by the manual
    count in rows, by the automatic in columns, in the order of ``grades``. Figures that are undefined are ``None``.
    """

    index: str
    slides: int
    icc_absolute: float | None = None
    icc_absolute_95: Interval | None = None
    icc_consistency: float | None = None
    icc_consistency_95: Interval | None = None
    bias: float | None = None
    bias_95: Interval | None = None
    limits: Interval | None = None
    lower_limit_95: Interval | None = None
    upper_limit_95: Interval | None = None
    pearson_r: float | None = None
    pearson_r_95: Interval | None = None
    within_20: int = 0
    within_20_percent: float | None = None
    within_20_percent_95: Interval | None = None
    kappa: float | None = None
    kappa_95: Interval | None = None
    kappa_weighted: float | None = None
    kappa_weighted_95: Interval | None = None
    grades: tuple[str, ...] = ()
    grade_cuts: tuple[str, ...] = ()
    """The cut-offs of ``grades`` in words."""
    grade_system: str = ""
    grade_table: tuple[tuple[int, ...], ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    """(manual, automatic) of each slide, percent."""


class CohortCost(Record):
    """What the cohort cost: seconds of workers by the clock, and of their processors."""

    slides: int
    gigapixels: float
    tissue_mm2: float
    worker_seconds: float
    cpu_seconds: float
    cpu_seconds_per_gigapixel: float | None = None
    cpu_seconds_per_slide: float | None = None


class CohortSummary(Record):
    """A cohort of slides, worked off."""

    name: str
    created: str
    software: str
    detector: str
    rows: tuple[CohortRow, ...]
    histograms: tuple[Histogram, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    cost: CohortCost
    worked_on: int = Field(default=0, ge=0)
    """Slides that this run worked on; the others were up to date."""
    wall_seconds: float = 0.0
    issues: tuple[Issue, ...] = ()

    def count_of(self, *statuses: SlideStatus) -> int:
        """How many slides ended so."""
        return sum(row.outcome.status in statuses for row in self.rows)


class CohortPlan(Record):
    """What a run would do, and roughly how long it would take: an estimate from a sample, not a promise."""

    slides: int
    up_to_date: int
    to_do: int
    refused: tuple[SlideOutcome, ...] = ()
    """Slides that cannot be opened."""
    gigapixels: float = 0.0
    sampled: int = 0
    """Slides whose tissue was measured."""
    timed_mm2: float = 0.0
    """Tissue counted to measure the speed."""
    tissue_mm2: float | None = None
    """Tissue of the slides to do, from the sample."""
    seconds_per_mm2: float | None = None
    workers: int = 1
    estimate_seconds: float | None = None
    issues: tuple[Issue, ...] = ()
