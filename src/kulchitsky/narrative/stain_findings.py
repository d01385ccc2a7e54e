"""Stains of the whole report into ``markers``: one result a stain and specimen, contradictions as issues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kulchitsky.case.issue import Level
from kulchitsky.case.vocabulary import State
from kulchitsky.narrative.lexicon import Mentions
from kulchitsky.narrative.notebook import Notebook, Place
from kulchitsky.narrative.sentences import Sentence
from kulchitsky.narrative.stain_grammar import Verdict
from kulchitsky.narrative.stains import marks_of, stains_of


@dataclass(frozen=True, slots=True)
class _Read:
    verdict: Verdict
    sentence: Sentence


def read_stains(
    book: Notebook,
    sentences: Sequence[Sentence],
    mentions: Mentions,
    squeezed: Mapping[str, str],
    specimen_at: Mapping[int, str],
) -> None:
    """Results of all stains that the case itself reports.

    ``squeezed`` gives marker ids by bare name; ``specimen_at`` the specimen by start of sentence.
    """
    found: dict[tuple[str, str], list[_Read]] = {}
    for sentence in sentences:
        stained = stains_of(book.page, sentence, mentions, squeezed)
        for one in stained:
            if one.marker != "ki67":
                key = (one.marker, specimen_at.get(sentence.start, ""))
                found.setdefault(key, []).append(_Read(one.verdict, sentence))
        if not stained:
            _unread(book, sentence, mentions, squeezed)
    told = {marker for (marker, _), reads in found.items() if any(_is_told(r) for r in reads)}
    for (marker, specimen), reads in found.items():
        if any(_is_told(r) for r in reads) or marker not in told:
            _write(book, marker, specimen, reads)


def _is_told(read: _Read) -> bool:
    return read.verdict.state is not State.NOT_TESTED


def _unread(book: Notebook, sentence: Sentence, mentions: Mentions, squeezed: Mapping[str, str]) -> None:
    """A sentence with names of stains and no result: kept as not understood, in a section about stains."""
    marks = marks_of(book.page, sentence, mentions, squeezed)
    if len([m for m in marks if m.value != "ki67"]) >= 2 or (marks and sentence.section == "stains"):
        if all(m.value == "ki67" for m in marks):
            return
        book.unread((sentence.start, sentence.end), "stains are named and no result was found for them")


def _write(book: Notebook, marker: str, specimen: str, reads: list[_Read]) -> None:
    told = [r for r in reads if r.verdict.state is not State.NOT_TESTED] or reads[:1]
    states = {r.verdict.state for r in told}
    first = told[0].verdict
    record: dict[str, Any] = {"marker": marker, "state": first.state, "specimen": specimen or None}
    places: dict[str, Place] = {
        "marker": (first.mark.start, first.mark.end),
        "state": (first.cue.start, first.cue.end),
    }
    if first.state in (State.PRESENT, State.EQUIVOCAL):
        for read in told:
            if read.verdict.state is first.state:
                _qualify(record, places, read.verdict)
    index = book.add("markers", record, places)
    if {State.PRESENT, State.ABSENT} <= states:
        book.issue(
            Level.WARNING,
            "narrative.contradiction",
            f"{marker} is said to be both positive and negative",
            remedy="look at both places and keep the right one",
            path=f"markers[{index}].state",
        )


def _qualify(record: dict[str, Any], places: dict[str, Place], verdict: Verdict) -> None:
    quals = verdict.qualifiers
    for kind, value, start, end in quals.values:
        if kind not in record:
            record[kind] = value
            places[kind] = (start, end)
    if "percent" not in record and quals.high_percent is not None and quals.bound in ("exact", "about"):
        record["percent"] = quals.high_percent
        places["percent"] = (verdict.cue.start, verdict.cue.end)
