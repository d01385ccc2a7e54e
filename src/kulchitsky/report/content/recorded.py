"""The case as recorded: what is present, absent, equivocal and not tested; and the facts with their text."""

from __future__ import annotations

from enum import Enum
from typing import Any

from kulchitsky.case.record import Case, ImagingFinding, MarkerResult
from kulchitsky.case.vocabulary import MarginStatus, State
from kulchitsky.report import wording as w
from kulchitsky.report.blocks import Block, Column, Items, Pairs, Paragraph, Part, Runs, Section, Table, Tag, Tone
from kulchitsky.report.desk import Desk, missing, quiet, say, strong

_STATES: dict[State, tuple[str, Tone]] = {
    State.PRESENT: ("Present", "good"),
    State.ABSENT: ("Absent", "bad"),
    State.EQUIVOCAL: ("Equivocal", "warn"),
    State.NOT_TESTED: ("Not tested", "quiet"),
}


def annex(desk: Desk) -> Section:
    """Findings by state, then the rest of the record."""
    case = desk.worked.case
    parts: list[Block] = [Part("Findings by state", (_by_state(desk, case),))]
    parts += [Part("Patient and presentation", (Pairs(tuple(_presentation(case))),))]
    for title, blocks in (
        ("Laboratory", _laboratory(case)),
        ("Imaging", _imaging(case)),
        ("Procedures", _procedures(case)),
        ("Morphology", _morphology(case)),
        ("Treatment and course", _course(case)),
    ):
        parts.append(Part(title, tuple(blocks) or (missing(f"The record says nothing of {title.lower()}."),)))
    if case.notes:
        parts.append(Part("Notes", (Paragraph(say(case.notes)),)))
    return Section("recorded", "The case as recorded", tuple(parts), letter="A")


def _text(value: Any) -> str:
    return w.words(value.value if isinstance(value, Enum) else str(value))


def _joined(*parts: Any, between: str = " ") -> str:
    return between.join(_text(part) for part in parts if part not in (None, ""))


def _by_state(desk: Desk, case: Case) -> Block:
    found: dict[State, list[str]] = {state: [] for state in _STATES}
    for marker in case.markers:
        found[marker.state].append(_marker(desk, marker))
    for feature in case.morphology.features:
        found[feature.state].append(_joined(feature.feature, f"({feature.detail})" if feature.detail else ""))
    for symptom in case.presentation.symptoms:
        found[symptom.state].append(symptom.name)
    for node in case.presentation.nodes:
        found[node.state].append(_joined("nodes,", node.side, node.station, f"({w.words(node.found_by)})"))
    for study in case.imaging:
        for item in study.findings:
            found[item.state].append(_joined(f"{_upper_modality(study.modality.value)}:", item.what, _place(item)))
    for illness in case.comorbidities:
        found[illness.state].append(_joined(illness.name, f"({illness.detail})" if illness.detail else ""))
    for result in case.molecular:
        found[result.state].append(_joined(result.test, f"({result.detail})" if result.detail else ""))
    columns = (Column("State", share=2), Column("Findings", share=12))
    rows = tuple(
        (say(Tag(*_STATES[state])), say("; ".join(w.sentence_case(item) for item in items) or quiet("none recorded")))
        for state, items in found.items()
    )
    return Table("Not tested and unknown are never read as absent", columns, rows)


def _place(item: ImagingFinding) -> str:
    return f"in {_joined(item.side, item.place)}" if item.place or item.side else ""


def _upper_modality(modality: str) -> str:
    short = {"ct", "mri"}
    return modality.upper() if modality in short else w.words(modality)


def _marker(desk: Desk, marker: MarkerResult) -> str:
    percent = f"{w.number(marker.percent)}{w.PERCENT}" if marker.percent is not None else None
    method = _joined(marker.clone, marker.method)
    details = [marker.extent, marker.intensity, marker.compartment, marker.pattern, percent, method or None]
    words = ", ".join(_text(detail) for detail in details if detail is not None)
    return f"{desk.name(marker.marker)} ({words})" if words else desk.name(marker.marker)


def _or_unknown(text: str) -> Runs:
    return say(w.sentence_case(text)) if text else say(quiet("not stated"))


def _presentation(case: Case) -> list[tuple[str, Runs]]:
    patient, seen = case.patient, case.presentation
    age = f"{w.number(patient.age_years)} years" if patient.age_years is not None else ""
    site = _joined(seen.site.side, seen.site.text, between=", ") if seen.site else ""
    layer = _joined(seen.site.layer) if seen.site else ""
    size = (
        f"{w.number(seen.size.greatest_cm)} cm ({w.words(seen.size.method)})"
        if seen.size and seen.size.greatest_cm
        else ""
    )
    duration = f"{w.number(seen.duration_months)} months" if seen.duration_months is not None else ""
    immune = patient.immune_suppression
    pairs = [
        ("Age and sex", _joined(age, patient.sex, between=", ")),
        ("Performance (ECOG)", _joined(patient.ecog)),
        ("Immune suppression", _joined(immune.state, immune.cause, between=", ") if immune else ""),
        ("Tissue from", _joined(seen.setting)),
        ("Site", site),
        ("Deepest layer", layer),
        ("Greatest size", size),
        ("Duration and growth", _joined(duration, seen.growth, between=", ")),
        ("Consistency, skin over it", _joined(seen.consistency, seen.skin_over, between=", ")),
        ("Other tumour", seen.known_other_tumour),
    ]
    return [(term, _or_unknown(text)) for term, text in pairs]


def _laboratory(case: Case) -> list[Block]:
    rows = tuple(
        (
            say(result.test),
            say(
                _joined("" if result.comparator == "=" else result.comparator, _value(result.value), result.unit)
                or quiet("no value")
            ),
            say(w.words(result.specimen)),
            say(_joined(result.interpretation) or quiet("not stated")),
        )
        for result in case.laboratory
    )
    columns = (
        Column("Test", share=4),
        Column("Value as written", "right", share=4),
        Column("Specimen", share=3),
        Column("As interpreted", share=3),
    )
    return [Table("Laboratory results", columns, rows, narrow=True)] if rows else []


def _value(value: float | None) -> str:
    return "" if value is None else w.number(value)


def _imaging(case: Case) -> list[Block]:
    lines: list[Runs] = []
    for study in case.imaging:
        when = f", month {w.number(study.months_from_diagnosis)}" if study.months_from_diagnosis is not None else ""
        parts = f" of {w.listed(list(study.body_parts))}" if study.body_parts else ""
        found = "; ".join(
            f"{_joined(item.what, _place(item))}: {w.STATE_WORDS[item.state]}" for item in study.findings
        )
        lines.append(
            say(
                strong(f"{w.sentence_case(_upper_modality(study.modality.value))}{parts}{when}. "),
                w.stop(w.sentence_case(found)) or quiet("No finding recorded."),
            )
        )
    return [Items(tuple(lines))] if lines else []


def _procedures(case: Case) -> list[Block]:
    lines: list[Runs] = []
    for done in case.procedures:
        facts = []
        if done.tumour_size_cm is not None:
            facts.append(f"tumour {w.number(done.tumour_size_cm)} cm")
        if done.invades or done.structures_invaded:
            facts.append(f"invades {w.listed([*(_text(layer) for layer in done.invades), *done.structures_invaded])}")
        if done.margins is not MarginStatus.NOT_STATED:
            facts.append(f"margins {_text(done.margins)}")
        if done.nodes_removed is not None:
            positive = "unstated" if done.nodes_positive is None else w.number(done.nodes_positive)
            facts.append(_joined(done.node_station, f"nodes: {positive} positive of {done.nodes_removed} removed"))
        if done.not_done:
            facts.append(f"not done: {done.not_done}")
        title = w.sentence_case(_joined(done.kind, done.side, done.site, between=", "))
        lines.append(
            say(strong(f"{title}. "), w.stop(w.sentence_case("; ".join(facts))) or quiet("No detail recorded."))
        )
    return [Items(tuple(lines))] if lines else []


def _morphology(case: Case) -> list[Block]:
    seen = case.morphology
    mitoses = ""
    if seen.mitoses is not None:
        counted = (
            f"{_value(seen.mitoses.count)} in {_value(seen.mitoses.area_mm2)} mm²"
            if seen.mitoses.count is not None
            else ""
        )
        per = f"{_value(seen.mitoses.per_2mm2)} per 2 mm²" if seen.mitoses.per_2mm2 is not None else ""
        mitoses = _joined(
            counted, per, f"“{seen.mitoses.words}” (words, no number)" if seen.mitoses.words else "", between=", "
        )
    pairs = [
        ("Architecture", w.listed([_text(item) for item in seen.architecture])),
        ("Cells", _joined(seen.cell_size, *seen.cell_shape, between=", ")),
        ("Chromatin", w.listed([_text(item) for item in seen.chromatin])),
        ("Nucleoli", _joined(seen.nucleoli)),
        ("Necrosis", _joined(seen.necrosis)),
        ("Mitoses", mitoses),
        ("Differentiation, as stated", _joined(seen.differentiation)),
    ]
    if not any(text for _, text in pairs):
        return []
    return [Pairs(tuple((term, _or_unknown(text)) for term, text in pairs))]


def _course(case: Case) -> list[Block]:
    lines = [
        say(
            strong(f"{w.sentence_case(_text(item.kind))}. "),
            w.stop(
                w.sentence_case(
                    _joined(
                        item.detail, item.site, f"{_value(item.dose_gy)} Gy" if item.dose_gy else "", between=", "
                    )
                )
            )
            or quiet("No detail recorded."),
        )
        for item in case.treatments
    ]
    lines += [
        say(
            strong(f"Month {w.number(visit.months)}. "),
            w.stop(w.sentence_case(_joined(visit.status, visit.detail, between=", ")))
            or quiet("No detail recorded."),
        )
        for visit in case.follow_up
    ]
    return [Items(tuple(lines))] if lines else []


def facts(desk: Desk) -> Section:
    """Facts read from prose, each with the words it came from."""
    if not desk.worked.facts:
        none = missing("The case was written as a record, not read from prose: there is no text to point to.")
        return Section("facts", "Facts and their text", (none,), letter="B")
    rows = tuple(
        (
            say(fact.path),
            say(_fact_value(fact.value)),
            say(f"“{fact.text}”"),
            say(f"{fact.start}{w.EN_DASH}{fact.end}"),
        )
        for fact in desk.worked.facts
    )
    columns = (
        Column("Where in the case", share=5),
        Column("Read as", share=4),
        Column("Text", share=8),
        Column("Characters", "right", share=3),
    )
    return Section("facts", "Facts and their text", (Table("Facts read from the report", columns, rows),), letter="B")


def _fact_value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{w.words(str(k))} {_fact_value(v)}" for k, v in value.items() if v is not None)
    if isinstance(value, list | tuple):
        return ", ".join(_fact_value(item) for item in value)
    return _text(value) if isinstance(value, str | Enum) else str(value)
