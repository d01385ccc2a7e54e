"""Stains of the whole report into ``markers``: one result a stain and specimen, contradictions as issues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kulchitsky.case.issue import Level
from kulchitsky.case.vocabulary import State
from kulchitsky.narrative.lexicon import Mentions
from kulchitsky.narrative.notebook import Notebook, Place
from kulchitsky.narrative.sentences import Sentence
from kulchitsky.narrative.stain_grammar import Verdict
from kulchitsky.narrative.stains import stains_of

_OUTSIDE = frozenset({"discussion", "introduction", "references", "conclusion", "abstract", "methods", "request"})


@dataclass(frozen=True, slots=True)
class _Read:
    verdict: Verdict
    sentence: Sentence


def read_stains(book: Notebook, sentences: Sequence[Sentence], mentions: Mentions) -> None:
    """Results of all stains that the case itself reports."""
    found: dict[str, list[_Read]] = {}
    for sentence in sentences:
        if sentence.section in _OUTSIDE:
            continue
        for stained in stains_of(book.page, sentence, mentions):
            if stained.marker != "ki67":
                found.setdefault(stained.marker, []).append(_Read(stained.verdict, sentence))
    for marker, reads in found.items():
        _write(book, marker, reads)


def _write(book: Notebook, marker: str, reads: list[_Read]) -> None:
    told = [r for r in reads if r.verdict.state is not State.NOT_TESTED] or reads[:1]
    states = {r.verdict.state for r in told}
    first = told[0].verdict
    record: dict[str, Any] = {"marker": marker, "state": first.state}
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
