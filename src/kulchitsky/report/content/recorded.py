"""The case as recorded: what is present, absent, equivocal and not tested; and the facts with their text."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

from kulchitsky.case.record import MarkerResult
from kulchitsky.case.vocabulary import State
from kulchitsky.report import wording as w
from kulchitsky.report.blocks import Block, Column, Items, Paragraph, Part, Section, Table, Tag, Tone
from kulchitsky.report.content.record_parts import PARTS, joined, modality, place_of, sided, text
from kulchitsky.report.content.slides import reported_indices
from kulchitsky.report.desk import Desk, missing, quiet, say

_STATES: dict[State, tuple[str, Tone]] = {
    State.PRESENT: ("Present", "good"),
    State.ABSENT: ("Absent", "bad"),
    State.EQUIVOCAL: ("Equivocal", "warn"),
    State.NOT_TESTED: ("Not tested", "quiet"),
}


def annex(desk: Desk) -> Section:
    """Findings by state, then the rest of the record."""
    case = desk.worked.case
    parts: list[Block] = [Part("Findings by state", (_by_state(desk),))]
    made = [(title, tuple(blocks(case))) for title, blocks in PARTS]
    indices = reported_indices(desk)
    made.append(("Ki-67 as recorded", (Items(tuple(indices)),) if indices else ()))
    parts += [Part(title, blocks) for title, blocks in made if blocks]
    if case.notes:
        parts.append(Part("Notes", (Paragraph(say(case.notes)),)))
    silent = [title for title, blocks in made if not blocks]
    if silent:
        parts.append(Part("Not recorded", (missing(f"The record says nothing of: {'; '.join(silent)}."),)))
    return Section("recorded", "The case as recorded", tuple(parts), letter="A")


def _by_state(desk: Desk) -> Block:
    found: dict[State, list[str]] = {state: [] for state in _STATES}
    for state, finding in _findings(desk):
        found[state].append(finding)
    columns = (Column("State", share=2), Column("Findings", share=12))
    rows = tuple(
        (say(Tag(*_STATES[state])), say("; ".join(w.sentence_case(item) for item in items) or quiet("none recorded")))
        for state, items in found.items()
    )
    return Table("Not tested and unknown are never read as absent", columns, rows)


def _findings(desk: Desk) -> Iterator[tuple[State, str]]:
    case = desk.worked.case
    for marker in case.markers:
        yield marker.state, _marker(desk, marker)
    for feature in case.morphology.features:
        yield feature.state, joined(feature.feature, _bracketed(feature.detail))
    for symptom in case.presentation.symptoms:
        yield symptom.state, symptom.name
    for node in case.presentation.nodes:
        yield node.state, joined(sided(node.side, node.station), "nodes", _bracketed(w.words(node.found_by)))
    for study in case.imaging:
        for item in study.findings:
            yield item.state, joined(f"{modality(study)}:", item.what, place_of(item))
    for illness in case.comorbidities:
        yield illness.state, joined(illness.name, _bracketed(illness.detail))
    for result in case.molecular:
        yield result.state, joined(result.test, _bracketed(result.detail))


def _bracketed(detail: str) -> str:
    return f"({detail})" if detail else ""


def _marker(desk: Desk, marker: MarkerResult) -> str:
    percent = f"{w.number(marker.percent)}{w.PERCENT}" if marker.percent is not None else ""
    details = joined(
        *(marker.extent, marker.intensity, marker.compartment, marker.pattern, percent),
        *(marker.clone, marker.method, marker.specimen),
        between=", ",
    )
    return joined(desk.name(marker.marker), _bracketed(details))


def facts(desk: Desk) -> Section:
    """Facts read from prose, each with the words it came from."""
    title = "Facts and their text"
    if not desk.worked.facts:
        none = missing("The case was written as a record, not read from prose: there is no text to point to.")
        return Section("facts", title, (none,), letter="B")
    rows = tuple(
        (say(f.path), say(_fact_value(f.value)), say(f"“{f.text}”"), say(f"{f.start}{w.EN_DASH}{f.end}"))
        for f in desk.worked.facts
    )
    columns = (
        Column("Where in the case", share=5),
        Column("Read as", share=4),
        Column("Text", share=8),
        Column("Characters", "right", share=3),
    )
    return Section("facts", title, (Table("Facts read from the report", columns, rows),), letter="B")


def _fact_value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{w.words(str(k))} {_fact_value(v)}" for k, v in value.items() if v is not None)
    if isinstance(value, list | tuple):
        return ", ".join(_fact_value(item) for item in value)
    return text(value) if isinstance(value, str | Enum | int | float) else str(value)
