"""What was seen, measured and stained, as FHIR R4 Observations in the shapes of mCODE 4 (STU4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kulchitsky.case.measure import SlideCount
from kulchitsky.case.record import Case, Imaging, Ki67, LabResult, MarkerResult, Morphology, Site, Size
from kulchitsky.case.vocabulary import State
from kulchitsky.exchange.codes import coding, own_coding
from kulchitsky.exchange.fhir_elements import (
    Element,
    Subject,
    coded,
    component,
    concept,
    observation,
    quantity,
    reference,
    resource,
)

Names = dict[str, str]
_COMPARATOR = {"at_most": "<=", "at_least": ">="}


def findings(case: Case, names: Names, subject: Subject) -> Iterator[Element]:
    """Yield the Specimens and Observations of one case, in the order of the record."""
    for specimen in case.specimens:
        yield resource(
            "Specimen",
            subject,
            f"specimen/{specimen.id}",
            profile="mcode-human-specimen",
            identifier=[{"value": specimen.id}],
            type=concept("tissue", own_coding("specimen", specimen.kind.value)),
            subject=subject.patient,
            collection={"bodySite": concept(specimen.site)} if specimen.site else None,
        )
    yield from _clinical(case, subject)
    for n, lab in enumerate(case.laboratory):
        yield _laboratory(lab, n, subject)
    for n, study in enumerate(case.imaging):
        yield _imaging(study, n, subject)
    yield from _morphology(case.morphology, subject)
    for n, marker in enumerate(case.markers):
        yield _marker(marker, n, names, subject)
    for n, index in enumerate(case.ki67):
        yield _ki67(index, n, subject)
    for n, test in enumerate(case.molecular):
        yield observation(
            subject, f"molecular/{n}", concept(test.test), note=_note(test.detail), **_state_value(test.state)
        )


def slide_count(count: SlideCount, n: int, subject: Subject) -> Element:
    """Return a counted labelling index with its cells and 95 % interval."""
    parts = [
        component("cells counted", valueInteger=count.counted),
        component("cells positive", valueInteger=count.positive),
    ]
    if count.interval_95 is not None:
        low, high = count.interval_95
        span = {"low": quantity(low, "%", "%"), "high": quantity(high, "%", "%")}
        parts.append(component("95 % interval", valueRange=span))
    value: Element = (
        {"valueQuantity": quantity(count.index_percent, "%", "%")}
        if count.index_percent is not None
        else {"dataAbsentReason": coded("unknown")}
    )
    code = (
        coded("ki67", "Ki-67 labelling index, counted")
        if count.stain == "ki67"
        else concept(f"{count.stain} labelling index, counted", own_coding("marker", count.stain))
    )
    return _marker_test(subject, f"count/{n}", code, component=parts, **value)


def _marker_test(subject: Subject, role: str, code: Element, **fields: Any) -> Element:
    made = observation(subject, role, code, focus=[subject.tumour], **fields)
    made["meta"] = {"profile": ["http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-tumor-marker-test"]}
    return made


def _clinical(case: Case, subject: Subject) -> Iterator[Element]:
    seen = case.presentation
    if case.patient.ecog is not None:
        made = observation(subject, "ecog", coded("ecog"), category="survey", valueInteger=case.patient.ecog)
        made["meta"] = {"profile": ["http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-ecog-performance-status"]}
        yield made
    if case.patient.immune_suppression is not None:
        state = case.patient.immune_suppression
        yield observation(
            subject,
            "immune",
            concept("Profound immune suppression"),
            category="exam",
            note=_note(state.cause),
            **_state_value(state.state),
        )
    if seen.size is not None and (seen.size.greatest_cm or seen.size.dimensions_cm):
        yield _size(seen.size, "size", subject)
    for n, procedure in enumerate(case.procedures):
        if procedure.tumour_size_cm is not None:
            yield _size(Size(greatest_cm=procedure.tumour_size_cm, method="gross"), f"size/{n}", subject)
    for name in ("duration_months", "growth", "consistency", "lesions", "skin_over"):
        value = getattr(seen, name)
        if value is None:
            continue
        code = concept(name.replace("_", " "), own_coding("presentation", name))
        fields: Element = (
            {"valueQuantity": quantity(value, "months", "mo")}
            if name == "duration_months"
            else {"valueCodeableConcept": concept(str(value).replace("_", " "), own_coding(name, str(value)))}
        )
        yield observation(subject, f"presentation/{name}", code, category="exam", focus=[subject.tumour], **fields)
    for n, node in enumerate(seen.nodes):
        words = f"lymph nodes, {node.side.value + ' ' if node.side else ''}{node.station} ({node.found_by})"
        yield observation(subject, f"nodes/{n}", concept(words), category="exam", **_state_value(node.state))
    for n, symptom in enumerate(seen.symptoms):
        yield observation(
            subject, f"symptom/{n}", concept(symptom.name), category="exam", **_state_value(symptom.state)
        )


def _size(size: Size, role: str, subject: Subject) -> Element:
    longest = size.greatest_cm or max(size.dimensions_cm)
    parts = [{"code": coded("tumour_longest"), "valueQuantity": quantity(longest, "cm", "cm")}]
    others = sorted(size.dimensions_cm, reverse=True)[1:]
    parts += [
        {"code": coded("tumour_other_dimension"), "valueQuantity": quantity(other, "cm", "cm")} for other in others
    ]
    made = observation(
        subject,
        role,
        coded("tumour_size"),
        focus=[subject.tumour],
        component=parts,
        method=concept(size.method) if size.method != "not_stated" else None,
    )
    made["meta"] = {"profile": ["http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-tumor-size"]}
    return made


def _laboratory(lab: LabResult, n: int, subject: Subject) -> Element:
    fields: Element = {}
    if lab.value is not None:
        fields["valueQuantity"] = quantity(lab.value, lab.unit, comparator=lab.comparator)
    if lab.interpretation is not None:
        fields["interpretation"] = [coded(f"interpretation_{lab.interpretation.value}")]
        if lab.value is None:
            fields["valueCodeableConcept"] = concept(lab.interpretation.value)
    specimen = "" if lab.specimen == "not_stated" else f" in {lab.specimen.replace('_', ' ')}"
    return observation(subject, f"laboratory/{n}", concept(lab.test + specimen), **fields)


def _imaging(study: Imaging, n: int, subject: Subject) -> Element:
    parts = [
        component(
            " ".join(
                filter(None, [f.what, f"in {f.place}" if f.place else "", f"({f.side.value})" if f.side else ""])
            ),
            **_state_value(f.state, part=True),
        )
        for f in study.findings
    ]
    code = concept(study.modality.value.replace("_", " "), own_coding("modality", study.modality.value))
    where = concept(", ".join(study.body_parts)) if study.body_parts else None
    note = _note(f"{study.months_from_diagnosis:g} months from diagnosis") if study.months_from_diagnosis else None
    value: Element = {"component": parts} if parts else {"dataAbsentReason": coded("unknown")}
    return observation(subject, f"imaging/{n}", code, category="imaging", bodySite=where, note=note, **value)


def _morphology(seen: Morphology, subject: Subject) -> Iterator[Element]:
    specimen = reference("Specimen", subject.case_id, f"specimen/{seen.specimen}") if seen.specimen else None
    plain: dict[str, list[str]] = {
        "architecture": [v.value for v in seen.architecture],
        "cell_size": [seen.cell_size.value] if seen.cell_size else [],
        "cell_shape": [v.value for v in seen.cell_shape],
        "chromatin": [v.value for v in seen.chromatin],
        "nucleoli": [seen.nucleoli.value] if seen.nucleoli else [],
        "necrosis": [seen.necrosis.value] if seen.necrosis else [],
        "differentiation": [seen.differentiation.value] if seen.differentiation else [],
    }
    for name, values in plain.items():
        if values:
            value = concept(", ".join(values).replace("_", " "), *(own_coding(name, v) for v in values))
            yield observation(
                subject,
                f"morphology/{name}",
                concept(name.replace("_", " "), own_coding("morphology", name)),
                specimen=specimen,
                valueCodeableConcept=value,
            )
    if seen.mitoses is not None:
        m = seen.mitoses
        rate = m.per_2mm2
        if rate is None and m.count is not None and m.area_mm2 is not None:
            rate = round(m.count / m.area_mm2 * 2, 2)
        value_of: Element = {"valueString": m.words or "not stated"}
        if rate is not None:
            value_of = {"valueQuantity": quantity(rate, "mitoses per 2 mm2")}
        yield observation(
            subject, "mitoses", concept("mitoses", own_coding("morphology", "mitoses")), specimen=specimen, **value_of
        )
    for n, found in enumerate(seen.features):
        code = concept(found.feature.value.replace("_", " "), own_coding("feature", found.feature.value))
        yield observation(
            subject, f"feature/{n}", code, specimen=specimen, note=_note(found.detail), **_state_value(found.state)
        )


def _marker(marker: MarkerResult, n: int, names: Names, subject: Subject) -> Element:
    name = names.get(marker.marker, marker.marker)
    code = concept(f"{name} (immunohistochemistry)", own_coding("marker", marker.marker, name))
    parts = [
        component(label, valueCodeableConcept=concept(value.value.replace("_", " "), own_coding(label, value.value)))
        for label, value in (
            ("extent", marker.extent),
            ("intensity", marker.intensity),
            ("compartment", marker.compartment),
            ("pattern", marker.pattern),
        )
        if value is not None
    ]
    if marker.percent is not None:
        parts.append(component("percent of cells", valueQuantity=quantity(marker.percent, "%", "%")))
    return _marker_test(
        subject,
        f"marker/{n}",
        code,
        specimen=reference("Specimen", subject.case_id, f"specimen/{marker.specimen}") if marker.specimen else None,
        method=concept(" ".join(filter(None, [marker.method, marker.clone])))
        if marker.method or marker.clone
        else None,
        component=parts,
        **_state_value(marker.state),
    )


def _ki67(index: Ki67, n: int, subject: Subject) -> Element:
    value: Element = {"dataAbsentReason": coded("unknown")}
    if index.percent is not None:
        value = {"valueQuantity": quantity(index.percent, "%", "%", _COMPARATOR.get(index.bound, ""))}
    elif index.low_percent is not None and index.high_percent is not None:
        ends = {"low": quantity(index.low_percent, "%", "%"), "high": quantity(index.high_percent, "%", "%")}
        value = {"valueRange": ends}
    elif index.high_percent is not None:
        value = {"valueQuantity": quantity(index.high_percent, "%", "%", "<=")}
    elif index.low_percent is not None:
        value = {"valueQuantity": quantity(index.low_percent, "%", "%", ">=")}
    parts = []
    if index.counted is not None and index.positive is not None:
        parts = [
            component("cells counted", valueInteger=index.counted),
            component("cells positive", valueInteger=index.positive),
        ]
        if index.percent is None and "valueRange" not in value:
            value = {"valueQuantity": quantity(round(100 * index.positive / index.counted, 2), "%", "%")}
    return _marker_test(
        subject,
        f"ki67/{n}",
        coded("ki67", "Ki-67 labelling index"),
        specimen=reference("Specimen", subject.case_id, f"specimen/{index.specimen}") if index.specimen else None,
        component=parts,
        note=_note("about" if index.bound == "about" else ""),
        method=concept(index.method) if index.method else None,
        **value,
    )


def _state_value(state: State, *, part: bool = False) -> Element:
    """Present, absent and equivocal are values; not tested is a value that is missing because nobody looked."""
    if state is State.NOT_TESTED:
        return {"dataAbsentReason": coded("not_performed")}
    value = concept(state.value, own_coding("state", state.value))
    if part:
        return {"valueCodeableConcept": value}
    return {"valueCodeableConcept": value, "interpretation": [concept("", coding(f"interpretation_{state.value}"))]}


def _note(text: str) -> list[Element] | None:
    return [{"text": text}] if text else None


def body_site(site: Site | None) -> list[Element] | None:
    """Return the body site of the tumour: words, topography, laterality in words."""
    if site is None or not (site.text or site.topography or site.region):
        return None
    codings = []
    if site.topography:
        codings.append({"system": "http://terminology.hl7.org/CodeSystem/icd-o-3", "code": site.topography})
    if site.region:
        codings.append(own_coding("region", site.region.value))
    if site.side:
        codings.append(own_coding("side", site.side.value))
    words = " ".join(filter(None, [site.text, f"({site.side.value})" if site.side else ""]))
    return [concept(words, *codings)]
