"""A worked-up case as a FHIR R4 bundle in the shapes of mCODE 4 (STU4), and back.

The bundle is a collection: patient, tumour, findings, course, grade, stage, report. A DocumentReference carries the
complete case as JSON, because FHIR has no place for many of its fields; :func:`read_bundle` takes it from there and
refuses a bundle whose other resources were edited since. Shapes follow the mCODE 4.0.0 profiles as far as the case
knows them; what is unknown is left out or given a data-absent-reason, never filled in. No identifier, name, birth
date or date other than ``diagnosed_on`` leaves the case.

Source: HL7 FHIR R4 (4.0.1); HL7 mCODE IG 4.0.0, http://hl7.org/fhir/us/mcode/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Differential, WorkedUpCase
from kulchitsky.case.vocabulary import Sex
from kulchitsky.exchange import fhir_course, fhir_findings, sealed
from kulchitsky.exchange.codes import OWN_SYSTEM, own_coding
from kulchitsky.exchange.fhir_elements import (
    Element,
    Subject,
    absent,
    coded,
    concept,
    quantity,
    reference,
    resource,
    resource_id,
)

CASE_FORMAT = f"{OWN_SYSTEM}:format:case-1"
_SEAL = f"{OWN_SYSTEM}:resources-sha256"
_DIFFERENTIAL_SHOWN = 5


def bundle(worked: WorkedUpCase) -> dict[str, Any]:
    """Return the worked-up case as a FHIR R4 Bundle (type ``collection``), ready for ``json.dumps``.

    Resource ids are stable: the same case gives the same ids. Unknown values are absent with a reason.
    """
    case = worked.case
    subject = _subject(case)
    entries = _case_resources(case, worked.names, subject, _diagnosis_words(worked), _codes(worked))
    entries += _differential(worked.differential, subject)
    entries += [fhir_findings.slide_count(count, n, subject) for n, count in enumerate(worked.counts)]
    entries += [fhir_course.grade(verdict, n, subject) for n, verdict in enumerate(worked.grade)]
    for n, reading in enumerate(worked.stage.readings):
        entries += fhir_course.stage(reading, n, subject)
    entries.append(_report(worked, entries, subject))
    created = worked.versions.created.isoformat() if worked.versions.created else None
    return _bundle(case, entries, subject, created, f"kulchitsky {worked.versions.software}")


def case_bundle(case: Case, names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return a case without verdicts as a FHIR R4 Bundle: the registry's export."""
    subject = _subject(case)
    words = _working_words(case) or "neoplasm, diagnosis not stated"
    entries = _case_resources(case, dict(names or {}), subject, words, [])
    return _bundle(case, entries, subject, None, "kulchitsky")


def read_bundle(content: Mapping[str, Any], *, source: str) -> Case:
    """Return the case that a bundle of ours carries, complete.

    Refused: anything but a Bundle, a bundle without our DocumentReference, a damaged one, and one whose other
    resources were edited after the export (the two would contradict each other).
    """
    if content.get("resourceType") != "Bundle":
        raise RefusedCase(
            f"not a FHIR Bundle but {content.get('resourceType', 'something without a resourceType')}",
            source=source,
            remedy="give a bundle that kulchitsky exported",
        )
    entries = [e.get("resource", {}) for e in content.get("entry", ()) if isinstance(e, Mapping)]
    for document in entries:
        for part in document.get("content", ()) if document.get("resourceType") == "DocumentReference" else ():
            if part.get("format", {}).get("code") == CASE_FORMAT:
                others = [e for e in entries if e is not document]
                _check_seal(document, others, source)
                return sealed.unpack(
                    part.get("attachment", {}).get("data", ""), source=source, place="DocumentReference"
                )
    raise RefusedCase(
        "the bundle carries no complete case",
        source=source,
        place="DocumentReference",
        remedy="import bundles that kulchitsky exported, or write the case as YAML",
    )


def _subject(case: Case) -> Subject:
    return Subject.of(case.id, case.diagnosed_on.isoformat() if case.diagnosed_on else None)


def _case_resources(
    case: Case, names: dict[str, str], subject: Subject, diagnosis: str, codes: list[Element]
) -> list[Element]:
    return [
        _patient(case, subject),
        _tumour(case, subject, diagnosis, codes),
        *fhir_findings.findings(case, names, subject),
        *fhir_course.course(case, subject),
    ]


def _patient(case: Case, subject: Subject) -> Element:
    gender = {Sex.FEMALE: "female", Sex.MALE: "male", Sex.OTHER: "other", Sex.UNKNOWN: "unknown"}[case.patient.sex]
    made = resource(
        "Patient",
        subject,
        "patient",
        profile="mcode-cancer-patient",
        identifier=[{"system": f"{OWN_SYSTEM}:case", "value": case.id}],
        name=[absent("masked")],
        gender=gender,
    )
    made["_birthDate"] = absent("masked")
    return made


def _tumour(case: Case, subject: Subject, diagnosis: str, codes: list[Element]) -> Element:
    entity = case.working_diagnosis.entity if case.working_diagnosis else None
    own = [own_coding("entity", entity)] if entity else []
    age = case.patient.age_years
    return resource(
        "Condition",
        subject,
        "tumour",
        profile="mcode-primary-cancer-condition",
        clinicalStatus=coded("active"),
        verificationStatus=coded("provisional"),
        category=[coded("problem_list_item")],
        code=concept(diagnosis, *own, *codes),
        bodySite=fhir_findings.body_site(case.presentation.site),
        subject=subject.patient,
        onsetAge=quantity(age, "years", "a") if age is not None else None,
        recordedDate=subject.date,
    )


def _differential(differential: Differential, subject: Subject) -> list[Element]:
    return [
        resource(
            "Condition",
            subject,
            f"differential/{rank}",
            extension=[{"url": f"{OWN_SYSTEM}:posterior", "valueDecimal": round(diagnosis.posterior, 6)}],
            verificationStatus=coded("differential"),
            code=concept(diagnosis.name, own_coding("entity", diagnosis.entity)),
            subject=subject.patient,
        )
        for rank, diagnosis in enumerate(differential.diagnoses[:_DIFFERENTIAL_SHOWN])
    ]


def _report(worked: WorkedUpCase, entries: list[Element], subject: Subject) -> Element:
    results = [
        {"reference": f"urn:uuid:{entry['id']}", "type": "Observation"}
        for entry in entries
        if entry["resourceType"] == "Observation"
    ]
    lines = [
        f"{d.name}: {d.posterior:.1%} ({d.interval_95[0]:.1%} to {d.interval_95[1]:.1%})"
        for d in worked.differential.diagnoses[:_DIFFERENTIAL_SHOWN]
    ]
    lines.append(f"none of these: {worked.differential.none_of_these:.1%}")
    lines += [f"{g.system} {g.edition}: {g.grade}" for g in worked.grade]
    lines += [f"{s.scheme_name} {s.edition} ({s.authority}): stage {s.stage}" for s in worked.stage.readings]
    lines.append("Decision support for research and education; the diagnosis is the pathologist's.")
    return resource(
        "DiagnosticReport",
        subject,
        "report",
        status="preliminary",
        category=[coded("surgical_pathology")],
        code=concept("Synoptic report of a neuroendocrine neoplasm, decision support"),
        subject=subject.patient,
        effectiveDateTime=subject.date,
        issued=worked.versions.created.isoformat()
        if worked.versions.created and worked.versions.created.tzinfo
        else None,
        specimen=[reference("Specimen", subject.case_id, f"specimen/{s.id}") for s in worked.case.specimens],
        result=results,
        conclusion="\n".join(lines),
    )


def _document(case: Case, entries: list[Element], subject: Subject, description: str) -> Element:
    attachment = {
        "contentType": "application/json",
        "data": sealed.pack(sealed.case_json(case)),
        "title": "case.json",
    }
    return resource(
        "DocumentReference",
        subject,
        "complete-case",
        extension=[{"url": _SEAL, "valueString": sealed.checksum(entries)}],
        status="current",
        type=concept("complete case record"),
        subject=subject.patient,
        description=f"Complete case as JSON, written by {description}",
        content=[{"attachment": attachment, "format": {"system": OWN_SYSTEM, "code": CASE_FORMAT}}],
    )


def _bundle(case: Case, entries: list[Element], subject: Subject, created: str | None, by: str) -> dict[str, Any]:
    document = _document(case, entries, subject, by)
    made: dict[str, Any] = {
        "resourceType": "Bundle",
        "id": resource_id(case.id, "bundle"),
        "meta": {"profile": ["http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-patient-bundle"]},
        "type": "collection",
        "entry": [{"fullUrl": f"urn:uuid:{e['id']}", "resource": e} for e in [*entries, document]],
    }
    if created and (created.endswith("Z") or "+" in created):
        made["timestamp"] = created
    return made


def _check_seal(document: Mapping[str, Any], others: list[Any], source: str) -> None:
    seals = [e.get("valueString") for e in document.get("extension", ()) if e.get("url") == _SEAL]
    if seals != [sealed.checksum(others)]:
        raise RefusedCase(
            "the resources were changed after the export and may contradict the complete case",
            source=source,
            place="DocumentReference",
            remedy="import the bundle as exported and make the change in the registry",
        )


def _working_words(case: Case) -> str:
    working = case.working_diagnosis
    return "" if working is None else working.text or (working.entity or "").replace("_", " ")


def _diagnosis_words(worked: WorkedUpCase) -> str:
    working = worked.case.working_diagnosis
    if working is not None and (working.text or working.entity):
        return working.text or worked.names.get(working.entity or "", working.entity or "")
    top = worked.differential.diagnoses[:1]
    return f"{top[0].name} (leading differential diagnosis)" if top else "neoplasm, diagnosis not stated"


def _codes(worked: WorkedUpCase) -> list[Element]:
    return [
        {"system": code.system, "code": code.code, "display": code.display}
        for code in worked.plan.codes
        if code.path in ("working_diagnosis", "working_diagnosis.entity", "diagnosis") and ":" in code.system
    ]
