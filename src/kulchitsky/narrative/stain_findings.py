"""Stains of the whole report into ``markers``: one result a stain and specimen, contradictions as issues."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kulchitsky.case.issue import Level
from kulchitsky.case.vocabulary import SpecimenKind, State
from kulchitsky.narrative.lexicon import Mentions
from kulchitsky.narrative.notebook import Notebook, Place
from kulchitsky.narrative.sentences import Sentence
from kulchitsky.narrative.specimens import (
    EARLIER_ROW,
    foreign_kinds,
    in_history_brackets,
    is_part,
    part_of,
    part_row,
    read_specimens,
    settle_specimens,
)
from kulchitsky.narrative.stain_context import Verdict
from kulchitsky.narrative.stains import Stained, marks_of, stains_of

_LAST_WORD = re.compile(
    r"\b(?:final|definitive|repeat(?:ed)?|revised|addendum|amended|corrected|on review)\b", re.IGNORECASE
)
_METHOD = re.compile(
    r"\b(?:LSAB|EnVision|streptavidin[\s-]biotin|ABC method|polymer(?: detection| method)?|APAAP)\b", re.IGNORECASE
)
_STAIN_LIKE = re.compile(
    r"(?<![\w-])(?:CD\d{1,3}[a-z]?|[A-Z]{2,5}[A-Za-z]{0,3}-?\d{1,3}[A-Z]?)(?=\s?(?:[,;:.()+-]|and\b|positive"
    r"|negative|was\b|were\b))"
)
_LOSS = re.compile(r"\b(?:lost|loss)\b", re.IGNORECASE)
_AE1 = re.compile(r"AE\s?1", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Read:
    verdict: Verdict
    sentence: Sentence


_Found = dict[tuple[str, str], list[_Read]]
"""What was read of each stain in each specimen."""


def read_stains(
    book: Notebook, sentences: Sequence[Sentence], mentions: Mentions, squeezed: Mapping[str, str]
) -> dict[int, str]:
    """Results of all stains that the case itself reports; gives the specimen by start of sentence.

    ``squeezed`` gives marker ids by bare name.
    """
    specimen_at, specimens = read_specimens(sentences, mentions)
    found: _Found = {}
    homes: dict[str, str] = {}
    before: Verdict | None = None
    for sentence in sentences:
        stained = stains_of(book.page, sentence, mentions, squeezed, before)
        before = stained[-1].verdict if stained else None
        for one in stained:
            if one.marker != "ki67":
                where = _where(sentence, one, specimen_at, specimens, homes)
                found.setdefault((one.marker, where), []).append(_Read(one.verdict, sentence))
        if not stained:
            _unread(book, sentence, mentions, squeezed)
        elif len(stained) > 1:
            _unknown(book, sentence, mentions)
    foreign = _foreign(found)
    found = _parts_at_home(found, homes, foreign)
    told = {marker for (marker, _), reads in found.items() if any(_is_told(r) for r in reads)}
    used = [specimen for (_, specimen), reads in found.items() if any(_is_told(r) for r in reads)]
    names = settle_specimens(book, specimens, used, foreign)
    merged: _Found = {}
    for (marker, specimen), reads in found.items():
        if any(_is_told(r) for r in reads) or marker not in told:
            merged.setdefault((marker, names.get(specimen, "")), []).extend(reads)
    for (marker, specimen), reads in merged.items():
        _write(book, marker, specimen, reads, mentions)
    return {start: names.get(specimen, "") for start, specimen in specimen_at.items()}


def _where(
    sentence: Sentence,
    one: Stained,
    specimen_at: Mapping[int, str],
    specimens: dict[str, tuple[dict[str, Any], Place]],
    homes: dict[str, str],
) -> str:
    """The specimen, earlier tumour or labelled part of a stain; ``homes`` keeps the specimen of a part."""
    where = specimen_at.get(sentence.start, "")
    place = (sentence.start, sentence.end)
    if in_history_brackets(sentence, one.verdict.mark.start - sentence.start):
        where = "earlier"
        specimens.setdefault(where, (dict(EARLIER_ROW), place))
    part = part_of(sentence.text[_segment_start(sentence, one) :]) if where != "earlier" else ""
    if part:
        homes.setdefault(part, where)
        specimens.setdefault(part, (part_row(part), place))
    return part or where


def _foreign(found: _Found) -> dict[str, SpecimenKind]:
    """Specimens and parts that aren't the tumour's own, from the stains positive in each."""
    positive: dict[str, set[str]] = {}
    for (marker, specimen), reads in found.items():
        positive.setdefault(specimen, set())
        if any(r.verdict.state is State.PRESENT for r in reads):
            positive[specimen].add(marker)
    return foreign_kinds({name: frozenset(markers) for name, markers in positive.items()})


def _parts_at_home(found: _Found, homes: Mapping[str, str], foreign: Mapping[str, SpecimenKind]) -> _Found:
    """Labelled parts that are the tumour's own count as its specimen."""
    settled: _Found = {}
    for (marker, specimen), reads in found.items():
        own = is_part(specimen) and specimen not in foreign
        settled.setdefault((marker, homes.get(specimen, "") if own else specimen), []).extend(reads)
    return settled


def _segment_start(sentence: Sentence, one: Stained) -> int:
    """Where the stretch between semicolons or full stops begins that a stain stands in."""
    at = one.verdict.mark.start - sentence.start
    return max(sentence.text.rfind(";", 0, at), sentence.text.rfind(". ", 0, at)) + 1


def _is_told(read: _Read) -> bool:
    return read.verdict.state is not State.NOT_TESTED


def _unread(book: Notebook, sentence: Sentence, mentions: Mentions, squeezed: Mapping[str, str]) -> None:
    """A sentence with names of stains and no result: kept as not understood, in a section about stains."""
    marks = [m for m in marks_of(book.page, sentence, mentions, squeezed) if m.value != "ki67"]
    if len(marks) >= 2 or (marks and sentence.section == "stains"):
        book.unread((sentence.start, sentence.end), "stains are named and no result was found for them")


def _unknown(book: Notebook, sentence: Sentence, mentions: Mentions) -> None:
    """Among stains with results, a name that looks like one and is not known: kept as not understood."""
    known = mentions.of("marker", "clone", "modality", "lab", "entity", start=sentence.start, end=sentence.end)
    for match in _STAIN_LIKE.finditer(sentence.text):
        start, end = sentence.start + match.start(), sentence.start + match.end()
        if any(m.start < end and start < m.end for m in known):
            continue
        book.unread((start, end), "this looks like a stain, and the knowledge base does not know it")


def _write(book: Notebook, marker: str, specimen: str, reads: list[_Read], mentions: Mentions) -> None:
    told = [r for r in reads if _is_told(r)] or reads[:1]
    states = {r.verdict.state for r in told}
    last = [r for r in told if _LAST_WORD.search(r.sentence.text)]
    first = (last[-1] if last and len(states) > 1 else told[0]).verdict
    record: dict[str, Any] = {"marker": marker, "state": first.state, "specimen": specimen or None}
    places: dict[str, Place] = {
        "marker": (first.mark.start, first.mark.end),
        "state": (first.cue.start, first.cue.end),
    }
    for read in told:
        if read.verdict.state is first.state and first.state in (State.PRESENT, State.EQUIVOCAL):
            _qualify(record, places, read.verdict)
        if read.verdict.state is first.state:
            _clone(book, record, places, read.verdict, mentions)
    if _LOSS.search(book.page.clean[first.cue.start : first.cue.end]) and first.state is State.ABSENT:
        record["pattern"] = "lost"
    method = _METHOD.search(book.page.clean)
    if method and first.state is not State.NOT_TESTED:
        record["method"] = method.group()
    index = book.add("markers", record, places)
    if {State.PRESENT, State.ABSENT} <= states:
        settled = "the final or repeated result stands" if last else "the first statement stands"
        book.issue(
            Level.WARNING,
            "narrative.contradiction",
            f"{marker} is said to be both positive and negative{f' in {specimen}' if specimen else ''}; {settled}",
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


def _clone(
    book: Notebook, record: dict[str, Any], places: dict[str, Place], verdict: Verdict, mentions: Mentions
) -> None:
    """The antibody's clone, where it stands beside the name (``TTF-1 (clone SPT24)``) or is the name"
    " (``AE1/AE3``)."""
    if "clone" in record:
        return
    mark = verdict.mark
    near = book.page.clean[mark.start : mark.end + 14]
    if record["marker"] == "pan_cytokeratin" and _AE1.search(near):
        record["clone"] = "AE1/AE3"
        places["clone"] = (mark.start, mark.end)
        return
    for m in mentions.of("clone", start=mark.end, end=mark.end + 30):
        if m.value == record["marker"] and re.fullmatch(
            r"[\s,(]{1,3}(?:clone[\s:]{1,2})?", book.page.clean[mark.end : m.start]
        ):
            record["clone"] = book.page.clean[m.start : m.end]
            places["clone"] = (m.start, m.end)
            return
