"""What a row of the knowledge base looks like: entities, markers, evidence rows, feature rows.

Counts are rows of one study each; nothing here is pooled. A row with ``poolable`` false stays out of any pooled rate
and says why (``why_not``): it is a subset of another row, an overlapping series, a selected series, or not a count.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from kulchitsky.case.base import Record
from kulchitsky.case.vocabulary import Compartment, Pattern

PART_OF_WHOLE = "part of another row"
"""``why_not`` of a row whose patients are counted in another row of the same source."""
NO_COUNT = "share without a count"
"""``why_not`` of a row that has a percentage but no numerator and denominator."""

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]


class Counts(StrEnum):
    """What the numerator of an evidence row counts."""

    STAINING = "staining"
    """Tumours whose cells stain."""
    LOSS = "loss"
    """Tumours whose cells have lost the protein."""
    ABERRANT = "aberrant"
    """Tumours with an abnormal result: over-expression, or (where the cutoff says so) complete absence too."""
    PATTERN = "pattern"
    """Tumours that show the row's pattern."""


class Read(StrEnum):
    """How the figure was read."""

    ABSTRACT = "read_in_abstract"
    FULL_TEXT = "read_in_full_text"
    QUOTED = "quoted_by_other_paper"


class Component(Record):
    """A sub-entity with rates of its own: virus-positive Merkel cell carcinoma inside Merkel cell carcinoma."""

    id: Id
    name: str


class Entity(Record):
    """A diagnosis of the differential, or (``in_differential`` false) a pooled background."""

    id: Id
    name: str
    short_name: str
    family: Id
    treatment_family: Id
    synonyms: tuple[str, ...] = ()
    icdo3_morphology: tuple[Annotated[str, StringConstraints(pattern=r"^\d{4}/[0-9]$")], ...] = ()
    topographies: tuple[Annotated[str, StringConstraints(pattern=r"^C\d{2}\.\d$")], ...] = ()
    components: tuple[Component, ...] = ()
    in_differential: bool = True


class Marker(Record):
    """A stain. ``counts`` is what ``n_positive`` of its rows counts unless a row says otherwise.

    A case always states *staining* (present, absent). For ``counts: loss`` the event of the rows is therefore
    *absent or pattern lost*; for ``aberrant`` it is pattern over-expressed or null.
    """

    id: Id
    name: str
    group: Id
    aliases: tuple[str, ...] = ()
    clones: tuple[str, ...] = ()
    compartment: Compartment | None = None
    patterns: tuple[Pattern, ...] = ()
    positive_when: str = ""
    counts: Counts = Counts.STAINING
    composite: bool = False
    """Stands for several stains reported together; ``members`` are those it implies."""
    members: tuple[Id, ...] = ()


class EvidenceRow(Record):
    """One study's count of one marker (or pattern) in one entity (or part of it)."""

    id: str
    entity: Id
    marker: Id
    counts: Counts = Counts.STAINING
    pattern: Pattern | None = None
    compartment: Compartment | None = None
    among_positive: bool = False
    """The denominator is tumours that stain at all, not all tumours."""
    cutoff: str = ""
    cutoff_percent: float | None = Field(default=None, ge=0, le=100)
    subset: str = ""
    component: str = ""
    clone: str = ""
    method: str = ""
    n_positive: float | None = Field(default=None, ge=0)
    n_tested: float | None = Field(default=None, gt=0)
    percent: float | None = Field(default=None, ge=0, le=100)
    derived: str = ""
    """How a count was worked out where the source prints only a share; empty where it is printed."""
    source: str
    read: Read
    poolable: bool
    why_not: str = ""


class FeatureRow(Record):
    """One source's statement on a clinical or morphological feature of an entity: a share, or a quantity.

    ``feature`` names a field of the case (``region``, ``architecture``, ``necrosis``, ``age``, ``ki67`` ...),
    ``value`` the vocabulary value it is about (empty for a quantity or a yes/no feature).
    """

    id: str
    entity: Id
    feature: Id
    value: str = ""
    n_with: float | None = Field(default=None, ge=0)
    n_total: float | None = Field(default=None, gt=0)
    percent: float | None = Field(default=None, ge=0, le=100)
    mean: float | None = None
    median: float | None = None
    sd: float | None = Field(default=None, ge=0)
    low: float | None = None
    high: float | None = None
    unit: str = ""
    subset: str = ""
    component: str = ""
    source: str
    read: Read
    poolable: bool
    why_not: str = ""


class CoreCell(Record):
    """A marker that matters for an entity, and why: what ``evidence --coverage`` counts over."""

    entity: Id
    marker: Id
    role: Literal["defining", "supporting", "excluding"]
