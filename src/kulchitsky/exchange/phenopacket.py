"""A case as a GA4GH phenopacket (schema 2.0) in JSON, and back.

Symptoms and microscopic findings are phenotypic features (absent ones excluded), stains and laboratory values are
measurements, the tumour is a disease with its site, treatments are medical actions, the specimens biosamples. Terms
are our own (``KULCHITSKY:…``), declared as a resource: nothing is mapped to an ontology by guess. What a phenopacket
has no word for, *not tested* above all, stays in the complete case, which travels as a ``data:`` file.

Source: GA4GH Phenopacket Schema 2.0, https://phenopacket-schema.readthedocs.io (Jacobsen JOB, Nat Biotechnol
2022;40:817-820, doi:10.1038/s41587-022-01357-4).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import phenopackets as pp
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.timestamp_pb2 import Timestamp

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.fields import DEAD, fields_of, ki67_figure, slug
from kulchitsky.case.record import Case, MarkerResult
from kulchitsky.case.vocabulary import Sex, State, TreatmentKind
from kulchitsky.exchange import sealed

PREFIX = "KULCHITSKY"
_FORMAT = "kulchitsky-case-1"
_DATA = "data:application/json;base64,"
_SEX = {Sex.FEMALE: pp.FEMALE, Sex.MALE: pp.MALE, Sex.OTHER: pp.OTHER_SEX, Sex.UNKNOWN: pp.UNKNOWN_SEX}
_DRUGS = {
    TreatmentKind.CHEMOTHERAPY,
    TreatmentKind.IMMUNOTHERAPY,
    TreatmentKind.SOMATOSTATIN_ANALOGUE,
    TreatmentKind.TARGETED,
}


def phenopacket(case: Case, *, created: dt.datetime, names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the phenopacket of a case as JSON content; ``created`` is an aware moment, ``names`` display names."""
    labels = names or {}
    packet = pp.Phenopacket(
        id=f"{case.id}-phenopacket",
        subject=_individual(case),
        phenotypic_features=_features(case),
        measurements=[*_stains(case, labels), *_indices(case), *_laboratory(case)],
        biosamples=_biosamples(case),
        diseases=_diseases(case, labels),
        medical_actions=_actions(case),
        meta_data=_meta(created),
    )
    content: dict[str, Any] = MessageToDict(packet)
    seal = sealed.checksum(content)
    content["files"] = [
        {
            "uri": _DATA + sealed.pack(sealed.case_json(case)),
            "fileAttributes": {"fileFormat": _FORMAT, "description": "complete case", "packetSha256": seal},
        }
    ]
    return content


def read_phenopacket(content: Mapping[str, Any], *, source: str) -> Case:
    """Return the case that a phenopacket of ours carries, complete; foreign, damaged or edited ones are refused."""
    try:
        packet = ParseDict(dict(content), pp.Phenopacket())
    except ParseError as error:
        raise RefusedCase(
            f"not a phenopacket ({str(error).splitlines()[0]})",
            source=source,
            remedy="give phenopacket 2.0 JSON",
        ) from None
    for file in packet.files:
        if file.file_attributes.get("fileFormat") == _FORMAT and file.uri.startswith(_DATA):
            rest = {key: value for key, value in content.items() if key != "files"}
            if file.file_attributes.get("packetSha256") != sealed.checksum(rest):
                raise RefusedCase(
                    "the phenopacket was changed after the export and may contradict the complete case",
                    source=source,
                    place="files",
                    remedy="import it as exported and make the change in the registry",
                )
            return sealed.unpack(file.uri.removeprefix(_DATA), source=source, place="files")
    raise RefusedCase(
        "the phenopacket carries no complete case",
        source=source,
        place="files",
        remedy="import phenopackets that kulchitsky exported, or write the case as YAML",
    )


def to_text(content: Mapping[str, Any]) -> str:
    """Return the JSON text of a phenopacket."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def iso_age(years: float) -> str:
    """Return an age as ISO 8601 duration in years and months: 71.5 is ``P71Y6M``."""
    months = round(years * 12)
    return f"P{months // 12}Y" + (f"{months % 12}M" if months % 12 else "")


def _term(kind: str, word: str, label: str = "") -> pp.OntologyClass:
    return pp.OntologyClass(id=f"{PREFIX}:{kind}.{slug(word)}", label=label or word.replace("_", " "))


def _unit(code: str, label: str) -> pp.OntologyClass:
    return pp.OntologyClass(id=f"UCUM:{code}", label=label)


def _individual(case: Case) -> pp.Individual:
    made = pp.Individual(id=case.id, sex=_SEX[case.patient.sex])
    if case.patient.age_years is not None:
        made.time_at_last_encounter.CopyFrom(_age(case.patient.age_years))
    deaths = [visit for visit in case.follow_up if visit.status in DEAD]
    if deaths:
        made.vital_status.status = pp.VitalStatus.DECEASED
        made.vital_status.survival_time_in_days = round(deaths[0].months * 30.4375)
    elif any(visit.status is not None for visit in case.follow_up):
        made.vital_status.status = pp.VitalStatus.ALIVE
    return made


def _age(years: float) -> pp.TimeElement:
    return pp.TimeElement(age=pp.Age(iso8601duration=iso_age(years)))


def _features(case: Case) -> list[pp.PhenotypicFeature]:
    stated: list[tuple[pp.OntologyClass, State]] = []
    stated += [(_term("symptom", s.name), s.state) for s in case.presentation.symptoms]
    stated += [(_term("comorbidity", c.name), c.state) for c in case.comorbidities]
    stated += [(_term("feature", f.feature.value), f.state) for f in case.morphology.features]
    stated += [(_term("architecture", a.value), State.PRESENT) for a in case.morphology.architecture]
    stated += [(_term("molecular", m.test), m.state) for m in case.molecular]
    for name, value in fields_of(case).items():
        if name in ("necrosis", "nucleoli", "cell_size", "growth", "consistency", "skin_over"):
            stated.append((_term(name, str(value), f"{name.replace('_', ' ')}: {value}"), State.PRESENT))
    # equivocal is neither observed nor excluded, and not tested was not looked for: both stay in the complete case
    return [
        pp.PhenotypicFeature(type=term, excluded=state is State.ABSENT)
        for term, state in stated
        if state in (State.PRESENT, State.ABSENT)
    ]


def _stains(case: Case, names: Mapping[str, str]) -> list[pp.Measurement]:
    return [_stain(m, names) for m in case.markers if m.state is not State.NOT_TESTED]


def _stain(marker: MarkerResult, names: Mapping[str, str]) -> pp.Measurement:
    assay = _term("marker", marker.marker, f"{names.get(marker.marker, marker.marker)} immunohistochemistry")
    detail = [d.value for d in (marker.extent, marker.intensity, marker.compartment, marker.pattern) if d is not None]
    if marker.percent is not None:
        detail.append(f"{marker.percent:g} % of cells")
    value = pp.Value(ontology_class=_term("state", marker.state.value))
    return pp.Measurement(assay=assay, value=value, description=", ".join(detail).replace("_", " "))


def _indices(case: Case) -> list[pp.Measurement]:
    made = []
    for entry in case.ki67:
        figure = ki67_figure(entry)
        if figure is not None:
            words = {"at_most": "up to ", "at_least": "at least ", "about": "about "}.get(entry.bound, "")
            made.append(_quantity(_term("marker", "ki67", "Ki-67 labelling index"), figure, "%", "percent", words))
    seen = fields_of(case)
    for name, code, label in (("size_cm", "cm", "centimetre"), ("mitoses_per_2mm2", "1", "mitoses per 2 mm2")):
        value = seen.get(name)
        if isinstance(value, float | int):
            made.append(_quantity(_term("measure", name), float(value), code, label, ""))
    return made


def _laboratory(case: Case) -> list[pp.Measurement]:
    made = []
    for lab in case.laboratory:
        assay = _term("laboratory", lab.test)
        if lab.value is None:
            word = lab.interpretation.value if lab.interpretation else "not stated"
            made.append(pp.Measurement(assay=assay, value=pp.Value(ontology_class=_term("interpretation", word))))
        else:
            words = "" if lab.comparator == "=" else lab.comparator
            made.append(_quantity(assay, lab.value, lab.unit, lab.unit, words))
    return made


def _quantity(assay: pp.OntologyClass, value: float, code: str, label: str, words: str) -> pp.Measurement:
    quantity = pp.Quantity(unit=_unit(code, label), value=value)
    return pp.Measurement(assay=assay, value=pp.Value(quantity=quantity), description=words.strip())


def _biosamples(case: Case) -> list[pp.Biosample]:
    return [
        pp.Biosample(
            id=f"{case.id}-{specimen.id}",
            individual_id=case.id,
            sampled_tissue=_term("setting", specimen.setting.value) if specimen.setting else None,
            sample_type=_term("specimen", specimen.kind.value),
            description=specimen.site,
        )
        for specimen in case.specimens
    ]


def _diseases(case: Case, names: Mapping[str, str]) -> list[pp.Disease]:
    working = case.working_diagnosis
    if working is None or not (working.entity or working.text):
        return []
    term = (
        _term("entity", working.entity, names.get(working.entity, ""))
        if working.entity
        else _term("diagnosis", working.text, working.text)
    )
    made = pp.Disease(term=term)
    if case.patient.age_years is not None:
        made.onset.CopyFrom(_age(case.patient.age_years))
    site = case.presentation.site
    if site is not None and (site.topography or site.text):
        place = pp.OntologyClass(id=f"ICDO:{site.topography}", label=site.text) if site.topography else None
        made.primary_site.CopyFrom(place or _term("site", site.text, site.text))
    if site is not None and site.side is not None:
        made.laterality.CopyFrom(_term("side", site.side.value))
    return [made]


def _actions(case: Case) -> list[pp.MedicalAction]:
    made = []
    for given in case.treatments:
        label = " ".join(filter(None, [given.kind.value.replace("_", " "), given.detail]))
        term = _term("treatment", given.kind.value, label)
        if given.kind in _DRUGS:
            made.append(pp.MedicalAction(treatment=pp.Treatment(agent=term)))
        else:
            place = _term("site", given.site, given.site) if given.site else None
            made.append(pp.MedicalAction(procedure=pp.Procedure(code=term, body_site=place)))
    for done in case.procedures:
        place = _term("site", done.site, done.site) if done.site else None
        code = _term("procedure", done.kind.value)
        made.append(pp.MedicalAction(procedure=pp.Procedure(code=code, body_site=place)))
    return made


def _meta(created: dt.datetime) -> pp.MetaData:
    moment = Timestamp()
    moment.FromDatetime(created.astimezone(dt.UTC).replace(tzinfo=None))
    resources = [
        pp.Resource(
            id="kulchitsky", name="kulchitsky vocabularies and knowledge ids", url="urn:kulchitsky", version="1",
            namespace_prefix=PREFIX, iri_prefix="urn:kulchitsky:",
        ),
        pp.Resource(
            id="ucum", name="Unified Code for Units of Measure", url="https://ucum.org", version="2.1",
            namespace_prefix="UCUM", iri_prefix="https://ucum.org/",
        ),
        pp.Resource(
            id="icdo", name="International Classification of Diseases for Oncology", url="https://www.who.int",
            version="3.2", namespace_prefix="ICDO", iri_prefix="urn:icdo:",
        ),
    ]  # fmt: skip
    return pp.MetaData(created=moment, created_by="kulchitsky", resources=resources, phenopacket_schema_version="2.0")
