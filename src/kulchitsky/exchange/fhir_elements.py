"""Small FHIR R4 elements as plain dictionaries: concepts, quantities, references, resource shells."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from kulchitsky.exchange.codes import coding

Element = dict[str, Any]

MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/"
UCUM = "http://unitsofmeasure.org"
DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_NAMESPACE = uuid.UUID("6f9619ff-8b86-5d11-b42d-00c04fc964ff")


@dataclass(frozen=True, slots=True)
class Subject:
    """What every resource of one case points at: the case id (for stable ids), patient and tumour references."""

    case_id: str
    patient: Element
    tumour: Element
    date: str | None

    @classmethod
    def of(cls, case_id: str, date: str | None) -> Subject:
        """Make the references of one case; ``date`` is the ISO date of diagnosis where known."""
        return cls(case_id, reference("Patient", case_id, "patient"), reference("Condition", case_id, "tumour"), date)


def resource_id(case_id: str, role: str) -> str:
    """Return the stable UUID of one resource: the same case and role always give the same id."""
    return str(uuid.uuid5(_NAMESPACE, f"{case_id}/{role}"))


def reference(kind: str, case_id: str, role: str) -> Element:
    """Return a Reference to a resource of the same bundle."""
    return {"reference": f"urn:uuid:{resource_id(case_id, role)}", "type": kind}


def concept(text: str = "", *codings: Element) -> Element:
    """Return a CodeableConcept of words and any codings."""
    made: Element = {}
    if codings:
        made["coding"] = list(codings)
    if text:
        made["text"] = text
    return made


def coded(key: str, text: str = "") -> Element:
    """Return a CodeableConcept of one row of ``codes.csv``."""
    return concept(text, coding(key))


def quantity(value: float, unit: str, ucum: str = "", comparator: str = "") -> Element:
    """Return a Quantity; the UCUM code is given only where the unit is known to be one."""
    made: Element = {"value": value, "unit": unit}
    if ucum:
        made |= {"system": UCUM, "code": ucum}
    if comparator and comparator != "=":
        made["comparator"] = comparator
    return made


def absent(reason: str) -> Element:
    """Return the element extension that says why a value is missing."""
    return {"extension": [{"url": DATA_ABSENT, "valueCode": reason}]}


def resource(kind: str, case: Subject, role: str, /, *, profile: str = "", **fields: Any) -> Element:
    """Return a resource shell with id and profile; fields that are ``None``, empty text or lists are left out."""
    made: Element = {"resourceType": kind, "id": resource_id(case.case_id, role)}
    if profile:
        made["meta"] = {"profile": [MCODE + profile]}
    made.update({k: v for k, v in fields.items() if v is not None and v not in ("", [], {})})
    return made


def observation(
    case: Subject, role: str, code: Element, /, *, category: str = "laboratory", **fields: Any
) -> Element:
    """Return a final Observation on the patient, focused on the tumour, dated where the case is."""
    return resource(
        "Observation",
        case,
        role,
        status=fields.pop("status", "final"),
        category=[coded(category)],
        code=code,
        subject=case.patient,
        effectiveDateTime=case.date,
        **fields,
    )


def component(text: str, own: Element | None = None, **value: Any) -> Element:
    """Return an Observation component named in words, with our own code where there is one."""
    return {"code": concept(text, *([own] if own else [])), **value}
