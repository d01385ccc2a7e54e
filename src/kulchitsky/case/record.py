"""The record of a case, as a person writes it by hand.

Three rules hold everywhere: a finding has a state (present, absent, equivocal, not tested) and silence is none of
them; units stand in the name or beside the number; what came from where is kept (``specimen``, ``origin``).
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from kulchitsky.case import vocabulary as v
from kulchitsky.case.base import Record

KnowledgeId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
"""An id of the knowledge base (entity or marker); aliases are resolved when a case is read."""

Text = Annotated[str, StringConstraints(max_length=4000, strip_whitespace=True)]
Percent = Annotated[float, Field(ge=0, le=100)]


class ImmuneSuppression(Record):
    """Profound immune suppression, a registry item for Merkel cell carcinoma."""

    state: v.State
    cause: Text = ""


class Patient(Record):
    """Who, without identifiers: age, sex, condition."""

    age_years: float | None = Field(default=None, ge=0, le=120)
    sex: v.Sex = v.Sex.UNKNOWN
    ecog: int | None = Field(default=None, ge=0, le=5)
    immune_suppression: ImmuneSuppression | None = None


class Site(Record):
    """Where the lesion sits: words, side, region, layer, and the ICD-O-3 topography if someone coded it."""

    text: Text = ""
    side: v.Side | None = None
    region: v.Region | None = None
    layer: v.Layer | None = None
    topography: Annotated[str, StringConstraints(pattern=r"^C\d{2}\.\d$")] | None = None


class Size(Record):
    """Size of the tumour; ``greatest_cm`` is what staging uses, ``dimensions_cm`` what was measured."""

    greatest_cm: float | None = Field(default=None, gt=0, le=100)
    dimensions_cm: tuple[float, ...] = Field(default=(), max_length=3)
    method: Literal["clinical", "imaging", "gross", "microscopic", "not_stated"] = "not_stated"

    @model_validator(mode="after")
    def _greatest_covers_dimensions(self) -> Size:
        if self.greatest_cm is not None and self.dimensions_cm and max(self.dimensions_cm) > self.greatest_cm:
            raise ValueError(
                f"greatest_cm {self.greatest_cm:g} is smaller than a dimension of {max(self.dimensions_cm):g} cm"
            )
        return self


class Symptom(Record):
    """A symptom asked for: present or denied (absent)."""

    name: Text
    state: v.State


class NodeStation(Record):
    """A clinical finding on a group of lymph nodes, before any microscope."""

    station: Text
    side: v.Side | None = None
    state: v.State
    found_by: Literal["palpation", "imaging", "surgery", "not_stated"] = "not_stated"


class Presentation(Record):
    """How the tumour came to notice."""

    setting: v.Setting | None = None
    site: Site | None = None
    primary_found: v.State | None = None
    """Whether a primary tumour was found; ``absent`` means searched for and not found."""
    size: Size | None = None
    duration_months: float | None = Field(default=None, ge=0, le=1200)
    growth: v.Growth | None = None
    consistency: Literal["hard", "firm", "soft", "cystic"] | None = None
    lesions: v.Lesions | None = None
    skin_over: Literal["normal", "red", "ulcerated", "adherent", "violaceous"] | None = None
    nodes: tuple[NodeStation, ...] = ()
    symptoms: tuple[Symptom, ...] = ()
    known_other_tumour: Text = ""
    """A previous or concurrent tumour elsewhere, in words; a candidate primary."""


class Comorbidity(Record):
    name: Text
    state: v.State = v.State.PRESENT
    detail: Text = ""


class LabResult(Record):
    """One laboratory value with its unit as written; ``unit`` is any UCUM or common spelling."""

    test: Text
    value: float | None = None
    comparator: Literal["<", ">", "<=", ">=", "="] = "="
    unit: Text = ""
    specimen: Literal["blood", "serum", "plasma", "urine_24h", "urine_spot", "csf", "not_stated"] = "not_stated"
    interpretation: v.LabInterpretation | None = None
    """As the laboratory or the text says it; the value itself is compared by the knowledge base."""

    @model_validator(mode="after")
    def _says_something(self) -> LabResult:
        if self.value is None and self.interpretation is None:
            raise ValueError("a laboratory result needs a value or an interpretation (low, normal, high)")
        if self.value is not None and not self.unit:
            raise ValueError("a laboratory value needs its unit (write unit: '1' for a ratio)")
        return self


class ImagingFinding(Record):
    """Something looked for at a place: present or expressly not there."""

    what: Text
    place: Text = ""
    side: v.Side | None = None
    state: v.State


class Imaging(Record):
    modality: v.Modality
    body_parts: tuple[Text, ...] = ()
    months_from_diagnosis: float | None = None
    findings: tuple[ImagingFinding, ...] = ()


class Procedure(Record):
    """An intervention that yields tissue: what was taken, how far the tumour reached, nodes and margins."""

    kind: v.ProcedureKind
    site: Text = ""
    side: v.Side | None = None
    tumour_size_cm: float | None = Field(default=None, gt=0, le=100)
    invades: tuple[v.Layer, ...] = ()
    structures_invaded: tuple[Text, ...] = ()
    margins: v.MarginStatus = v.MarginStatus.NOT_STATED
    margin_mm: float | None = Field(default=None, ge=0)
    nodes_removed: int | None = Field(default=None, ge=0, le=200)
    nodes_positive: int | None = Field(default=None, ge=0, le=200)
    node_station: Text = ""
    in_transit: v.State | None = None
    not_done: Text = ""
    """What was left, and why (pelvic nodes not dissected)."""

    @model_validator(mode="after")
    def _positive_among_removed(self) -> Procedure:
        if self.nodes_positive is not None:
            if self.nodes_removed is None:
                raise ValueError("nodes_positive is given without nodes_removed")
            if self.nodes_positive > self.nodes_removed:
                raise ValueError(f"nodes_positive {self.nodes_positive} exceeds nodes_removed {self.nodes_removed}")
        return self


class Specimen(Record):
    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]
    kind: v.SpecimenKind = v.SpecimenKind.UNKNOWN
    site: Text = ""
    setting: v.Setting | None = None
    after_treatment: bool = False


class Mitoses(Record):
    """Mitoses as counted: number and the area they were counted in; ``per_2mm2`` only when the area is unknown.

    ``words`` keeps a statement without a number ("rare"), which no rule turns into one.
    """

    count: float | None = Field(default=None, ge=0, le=5000)
    area_mm2: float | None = Field(default=None, gt=0, le=200)
    per_2mm2: float | None = Field(default=None, ge=0, le=2000)
    words: Text = ""

    @model_validator(mode="after")
    def _count_with_area(self) -> Mitoses:
        if (self.count is None) != (self.area_mm2 is None):
            raise ValueError("give mitoses as count together with area_mm2 (or per_2mm2 where the area is unknown)")
        if self.count is not None and self.area_mm2 is not None and self.per_2mm2 is not None:
            computed = self.count / self.area_mm2 * 2
            if abs(computed - self.per_2mm2) > max(0.5, 0.05 * computed):
                raise ValueError(
                    f"per_2mm2 {self.per_2mm2:g} contradicts {self.count:g} in {self.area_mm2:g} mm2 ({computed:.3g})"
                )
        return self


class FeatureFinding(Record):
    feature: v.Feature
    state: v.State
    detail: Text = ""


class Morphology(Record):
    """What the haematoxylin-eosin sections show."""

    specimen: str = ""
    architecture: tuple[v.Architecture, ...] = ()
    cell_size: v.CellSize | None = None
    cell_shape: tuple[v.CellShape, ...] = ()
    chromatin: tuple[v.Chromatin, ...] = ()
    nucleoli: v.Nucleoli | None = None
    necrosis: v.NecrosisExtent | None = None
    mitoses: Mitoses | None = None
    differentiation: v.Differentiation | None = None
    features: tuple[FeatureFinding, ...] = ()


class MarkerResult(Record):
    """One immunohistochemical stain: the marker contract of ``read --json``."""

    marker: KnowledgeId
    state: v.State
    extent: v.Extent | None = None
    intensity: v.Intensity | None = None
    compartment: v.Compartment | None = None
    pattern: v.Pattern | None = None
    percent: Percent | None = None
    clone: Text = ""
    method: Text = ""
    specimen: str = ""
    origin: v.IndexSource = v.IndexSource.REPORT

    @model_validator(mode="after")
    def _no_detail_without_stain(self) -> MarkerResult:
        if self.state is v.State.NOT_TESTED and (self.extent or self.intensity or self.percent is not None):
            raise ValueError(f"{self.marker} is not_tested, yet has an extent, intensity or percent")
        if self.state is v.State.ABSENT and self.percent is not None and self.percent > 10:
            raise ValueError(f"{self.marker} is absent, yet {self.percent:g} percent of cells stain")
        return self


class Ki67(Record):
    """A Ki-67 labelling index from text or from a slide.

    Text often gives a range (``low_percent``–``high_percent``) or a bound ("up to 65 %": ``bound: at_most``).
    ``counted`` and ``positive`` are cells; they make the interval, without them the figure has none.
    """

    percent: Percent | None = None
    low_percent: Percent | None = None
    high_percent: Percent | None = None
    bound: Literal["exact", "at_most", "at_least", "about"] = "exact"
    counted: int | None = Field(default=None, ge=1)
    positive: int | None = Field(default=None, ge=0)
    hotspot: bool | None = None
    method: Text = ""
    specimen: str = ""
    origin: v.IndexSource = v.IndexSource.REPORT

    @model_validator(mode="after")
    def _is_consistent(self) -> Ki67:
        if self.percent is None and self.low_percent is None and self.high_percent is None and self.counted is None:
            raise ValueError("a Ki-67 entry needs percent, a range, or counted and positive")
        if self.low_percent is not None and self.high_percent is not None and self.low_percent > self.high_percent:
            raise ValueError(f"low_percent {self.low_percent:g} exceeds high_percent {self.high_percent:g}")
        if (self.counted is None) != (self.positive is None):
            raise ValueError("counted and positive cells belong together: give both")
        if self.counted is not None and self.positive is not None:
            if self.positive > self.counted:
                raise ValueError(f"positive {self.positive} exceeds counted {self.counted}")
            share = 100 * self.positive / self.counted
            if self.percent is not None and abs(share - self.percent) > 1.5:
                raise ValueError(
                    f"percent {self.percent:g} contradicts {self.positive} of {self.counted} ({share:.1f})"
                )
        return self


class MolecularResult(Record):
    """A gene, fusion or virus looked for by a molecular method."""

    test: Text
    state: v.State
    detail: Text = ""


class SlideRef(Record):
    """A slide that belongs to the case: a path relative to the case file, and what it is stained for."""

    path: Text
    stain: KnowledgeId
    specimen: str = ""
    um_per_px: float | None = Field(default=None, gt=0.02, le=10)
    regions: Text = ""


class WorkingDiagnosis(Record):
    """What the submitting pathologist calls it; ``entity`` only where it maps to one id."""

    text: Text = ""
    entity: KnowledgeId | None = None


class Claim(Record):
    """A general statement of the case's own text (a quoted survival, a quoted sensitivity), kept to be checked."""

    kind: v.ClaimKind
    text: Text
    subject: Text = ""
    endpoint: Text = ""
    percent: Percent | None = None
    low_percent: Percent | None = None
    high_percent: Percent | None = None
    years: float | None = Field(default=None, gt=0, le=50)


class Treatment(Record):
    kind: v.TreatmentKind
    detail: Text = ""
    site: Text = ""
    dose_gy: float | None = Field(default=None, gt=0, le=200)
    months_from_diagnosis: float | None = None


class FollowUp(Record):
    months: float = Field(ge=0, le=1200)
    status: v.DiseaseStatus | None = None
    detail: Text = ""


class Case(Record):
    """A case: one patient, one tumour, everything known and the states of what was asked."""

    schema_version: Literal[1] = 1
    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,80}$")] = "case"
    diagnosed_on: dt.date | None = None
    """Only if the writer wants dates for the follow-up calendar; left out by de-identification."""
    patient: Patient = Field(default_factory=Patient)
    presentation: Presentation = Field(default_factory=Presentation)
    comorbidities: tuple[Comorbidity, ...] = ()
    laboratory: tuple[LabResult, ...] = ()
    imaging: tuple[Imaging, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    specimens: tuple[Specimen, ...] = ()
    morphology: Morphology = Field(default_factory=Morphology)
    markers: tuple[MarkerResult, ...] = ()
    ki67: tuple[Ki67, ...] = ()
    molecular: tuple[MolecularResult, ...] = ()
    slides: tuple[SlideRef, ...] = ()
    working_diagnosis: WorkingDiagnosis | None = None
    claims: tuple[Claim, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    follow_up: tuple[FollowUp, ...] = ()
    notes: Text = ""

    @model_validator(mode="after")
    def _specimens_exist(self) -> Case:
        known = {s.id for s in self.specimens}
        if len(known) != len(self.specimens):
            raise ValueError("two specimens have the same id")
        used = {self.morphology.specimen}
        used |= (
            {m.specimen for m in self.markers} | {k.specimen for k in self.ki67} | {s.specimen for s in self.slides}
        )
        for name in sorted(used - known - {""}):
            raise ValueError(f"specimen '{name}' is used but not listed under specimens")
        return self
