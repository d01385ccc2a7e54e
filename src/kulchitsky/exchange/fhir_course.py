"""Procedures, treatments, follow-up, grade and stage, as FHIR R4 resources in the shapes of mCODE 4 (STU4)."""

from __future__ import annotations

from collections.abc import Iterator

from kulchitsky.case.record import Case, FollowUp, Procedure, Treatment
from kulchitsky.case.verdict import GradeVerdict, StageReading
from kulchitsky.case.vocabulary import DiseaseStatus, State, TreatmentKind
from kulchitsky.exchange.codes import has_code, own_coding
from kulchitsky.exchange.fhir_elements import (
    MCODE,
    Element,
    Subject,
    absent,
    coded,
    concept,
    observation,
    quantity,
    reference,
    resource,
)

_TIER = {"G1": "grade_low", "G2": "grade_intermediate", "G3": "grade_high"}
_WORSE = (DiseaseStatus.RECURRENCE, DiseaseStatus.PROGRESSION)
_DRUGS = (
    TreatmentKind.CHEMOTHERAPY,
    TreatmentKind.IMMUNOTHERAPY,
    TreatmentKind.SOMATOSTATIN_ANALOGUE,
    TreatmentKind.TARGETED,
)
_ABSENT = {"undetermined": "unknown", "ungraded": "not_applicable", "not_staged": "not_applicable"}
_TREATMENT_CATEGORY = {TreatmentKind.SURGERY: "surgical_procedure", TreatmentKind.RADIOTHERAPY: "radiotherapy"}
_CATEGORY_PROFILE = {
    "T": "mcode-tnm-primary-tumor-category",
    "N": "mcode-tnm-regional-nodes-category",
    "M": "mcode-tnm-distant-metastases-category",
}


def course(case: Case, subject: Subject) -> Iterator[Element]:
    """Yield comorbidities, procedures, treatments and follow-up of one case."""
    for n, other in enumerate(case.comorbidities):
        yield resource(
            "Condition",
            subject,
            f"comorbidity/{n}",
            clinicalStatus=coded("active") if other.state is State.PRESENT else None,
            verificationStatus=coded("refuted" if other.state is State.ABSENT else "confirmed"),
            category=[coded("problem_list_item")],
            code=concept(other.name),
            subject=subject.patient,
            note=[{"text": other.detail}] if other.detail else None,
        )
    for n, procedure in enumerate(case.procedures):
        yield _procedure(procedure, n, subject)
    for n, treatment in enumerate(case.treatments):
        yield from _treatment(treatment, n, subject)
    for n, visit in enumerate(case.follow_up):
        yield from _follow_up(visit, n, subject)


def grade(verdict: GradeVerdict, n: int, subject: Subject) -> Element:
    """Return a histologic grade; *undetermined* is a missing value, its probabilities stay as components."""
    value = _no_value(verdict.grade)
    if not value:
        tier = _TIER.get(verdict.grade)
        value = {"valueCodeableConcept": coded(tier, verdict.grade) if tier else concept(verdict.grade)}
    made = observation(
        subject,
        f"grade/{n}",
        coded("histologic_grade"),
        focus=[subject.tumour],
        method=concept(f"{verdict.system} {verdict.edition}".strip()),
        component=[
            {"code": concept(f"probability of {name}"), "valueQuantity": quantity(round(p, 6), "1", "1")}
            for name, p in verdict.probabilities.items()
        ],
        **value,
    )
    made["meta"] = {"profile": [MCODE + "mcode-histologic-grade"]}
    return made


def stage(reading: StageReading, n: int, subject: Subject) -> Iterator[Element]:
    """Yield the T, N and M categories and the stage group of one reading; missing values say so."""
    method = concept(f"{reading.scheme_name}, {reading.authority} {reading.edition}")
    key = f"method_ajcc_{reading.edition.strip().split()[0].rstrip('thv.') if reading.edition.strip() else ''}"
    if reading.authority.upper().startswith("AJCC") and has_code(key):
        method = coded(key, method["text"])
    members = []
    for category in reading.categories:
        role = f"stage/{n}/{category.name}"
        prefix = "p" if category.prefix == "p" else "c" if category.prefix == "c" else ""
        code = f"category_{category.name}" + (f"_{prefix}" if prefix else "")
        value = _no_value(category.value)
        if not value:
            value = {"valueCodeableConcept": concept(category.value, own_coding("tnm", category.value))}
        made = observation(subject, role, coded(code), focus=[subject.tumour], method=method, **value)
        made["meta"] = {"profile": [MCODE + _CATEGORY_PROFILE[category.name]]}
        members.append(reference("Observation", subject.case_id, role))
        yield made
    value = _no_value(reading.stage)
    if not value:
        value = {"valueCodeableConcept": concept(f"stage {reading.stage}", own_coding("stage", reading.stage))}
    prefixes = {category.prefix for category in reading.categories}
    group = "stage_group_p" if prefixes == {"p"} else "stage_group_c" if prefixes == {"c"} else "stage_group"
    made = observation(
        subject,
        f"stage/{n}",
        coded(group),
        focus=[subject.tumour],
        method=method,
        hasMember=members,
        note=[{"text": "possible: " + ", ".join(reading.possible)}] if reading.possible else None,
        **value,
    )
    made["meta"] = {"profile": [MCODE + "mcode-tnm-stage-group"]}
    yield made


def _no_value(word: str) -> Element:
    """Return why there is no value, where the word says so; nothing where it is a value."""
    reason = _ABSENT.get(word)
    return {"dataAbsentReason": coded(reason)} if reason else {}


def _procedure(procedure: Procedure, n: int, subject: Subject) -> Element:
    notes = []
    if procedure.nodes_removed is not None:
        positive = "?" if procedure.nodes_positive is None else procedure.nodes_positive
        notes.append(f"nodes positive/removed: {positive}/{procedure.nodes_removed}")
    if procedure.structures_invaded:
        notes.append("invades " + ", ".join(procedure.structures_invaded))
    notes.append(f"margins {procedure.margins.value.replace('_', ' ')}")
    if procedure.not_done:
        notes.append(f"not done: {procedure.not_done}")
    made = resource(
        "Procedure",
        subject,
        f"procedure/{n}",
        profile="mcode-cancer-related-surgical-procedure",
        status="completed",
        category=coded("surgical_procedure"),
        code=concept(procedure.kind.value.replace("_", " "), own_coding("procedure", procedure.kind.value)),
        subject=subject.patient,
        bodySite=[concept(procedure.site)] if procedure.site else None,
        reasonReference=[subject.tumour],
        note=[{"text": "; ".join(notes)}],
    )
    made["_performedDateTime"] = absent("unknown")
    return made


def _treatment(given: Treatment, n: int, subject: Subject) -> Iterator[Element]:
    words = " ".join(filter(None, [given.kind.value.replace("_", " "), given.detail])).strip()
    code = concept(words, own_coding("treatment", given.kind.value))
    if given.kind in _DRUGS:
        yield resource(
            "MedicationStatement",
            subject,
            f"treatment/{n}",
            status="unknown",
            medicationCodeableConcept=code,
            subject=subject.patient,
            reasonReference=[subject.tumour],
        )
        return
    radiotherapy = given.kind is TreatmentKind.RADIOTHERAPY
    category = {TreatmentKind.SURGERY: "surgical_procedure", TreatmentKind.RADIOTHERAPY: "radiotherapy"}.get(
        given.kind
    )
    # not claimed to be an mCODE radiotherapy course summary: that one wants modality and technique, which no case has
    extension = []
    if radiotherapy and given.dose_gy is not None:
        dose = {"url": "totalDoseDelivered", "valueQuantity": quantity(given.dose_gy * 100, "cGy", "cGy")}
        volume = {"url": "volume", "valueReference": reference("BodyStructure", subject.case_id, f"volume/{n}")}
        extension = [{"url": MCODE + "mcode-radiotherapy-dose-delivered-to-volume", "extension": [volume, dose]}]
        yield resource(
            "BodyStructure",
            subject,
            f"volume/{n}",
            profile="mcode-radiotherapy-volume",
            location=concept(given.site or "not stated"),
            patient=subject.patient,
        )
    made = resource(
        "Procedure",
        subject,
        f"treatment/{n}",
        extension=extension,
        status="completed",
        category=coded(category) if category else None,
        code=code,
        subject=subject.patient,
        bodySite=[concept(given.site)] if given.site else None,
        reasonReference=[subject.tumour],
    )
    made["_performedDateTime"] = absent("unknown")
    yield made


def _follow_up(visit: FollowUp, n: int, subject: Subject) -> Iterator[Element]:
    status = visit.status
    value: Element = {"dataAbsentReason": coded("unknown")}
    if status is not None:
        value = {"valueCodeableConcept": concept(status.value.replace("_", " "), own_coding("status", status.value))}
    yield observation(
        subject,
        f"follow_up/{n}",
        concept("status at follow-up", own_coding("follow_up", "status")),
        category="exam",
        focus=[subject.tumour],
        component=[
            {"code": concept("months from diagnosis"), "valueQuantity": quantity(visit.months, "months", "mo")}
        ],
        note=[{"text": visit.detail}] if visit.detail else None,
        **value,
    )
    if status in _WORSE:
        # the trend value set has no word for "no evidence of disease" or "alive with disease": only a turn for the
        # worse can be said in it without distortion
        made = observation(
            subject,
            f"disease_status/{n}",
            coded("disease_status"),
            category="exam",
            focus=[subject.tumour],
            valueCodeableConcept=coded("worsened", status.value if status else ""),
        )
        made["meta"] = {"profile": [MCODE + "mcode-cancer-disease-status"]}
        yield made
