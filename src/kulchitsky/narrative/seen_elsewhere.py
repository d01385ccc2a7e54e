"""Tumour told in an organ other than the one the tissue comes from, without the name of an examination."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kulchitsky.case.vocabulary import Modality, State
from kulchitsky.narrative.history import denied
from kulchitsky.narrative.lexicon import Mention, Mentions
from kulchitsky.narrative.notebook import Notebook
from kulchitsky.narrative.sentences import Sentence
from kulchitsky.narrative.site_score import OTHER_TUMOUR, SPECIMEN_WORD, clause_at, is_history, known_places

_NOT_SEEN = frozenset({"stains", "molecular", "microscopy", "gross", "figure", "identity", "diagnosis", "imaging"})
_THING = r"mass(?:es)?|nodules?|lesions?|tumou?rs?|lumps?|deposits?|metastas[ei]s|shadow|opacity|growth|implants?"
_AFTER = re.compile(rf"^(?:\s[\w-]+){{0,1}}\s(?P<what>{_THING})\b", re.IGNORECASE)
_BEFORE = re.compile(
    rf"\b(?P<what>{_THING})\s(?:\w+\s){{0,2}}?(?:of|in|within|at|involving|occupying)\s(?:the\s|his\s|her\s|both\s)?"
    r"(?:[\w-]+\s){0,3}$",
    re.IGNORECASE,
)
_MAX = 4


def read_seen_elsewhere(book: Notebook, sentences: Sequence[Sentence], mentions: Mentions) -> None:
    """``with a 5 cm lesion in the pancreatic head``, of a liver biopsy: a finding under ``imaging``, means not told.

    Only organs that no examination has told of already; what is denied, earlier or itself the specimen is left out.
    """
    here = book.get("presentation.setting")
    told = {_organ_of(f.get("place", "")) for row in book.get("imaging") or () for f in row.get("findings") or ()}
    found = 0
    for sentence in sentences:
        if sentence.section in _NOT_SEEN or mentions.of("modality", start=sentence.start, end=sentence.end):
            continue
        for m in mentions.of("place", start=sentence.start, end=sentence.end):
            setting = known_places()[m.value].setting
            if setting is None or setting == here or m.value in told or found >= _MAX:
                continue
            what = _what(sentence, m)
            if what is None:
                continue
            told.add(m.value)
            found += 1
            word = sentence.text[m.start - sentence.start : m.end - sentence.start].lower()
            row = {"what": what.lower(), "place": word, "state": State.PRESENT.value}
            place = (m.start, m.end)
            index = book.add("imaging", {"modality": Modality.OTHER, "findings": [row]}, {"modality": place})
            book.fact(f"imaging[{index}].findings[0]", row, place)


def _organ_of(word: str) -> str:
    """The organ whose id opens a place as an examination names it; empty where none does."""
    named = (p.id for p in known_places().values() if word.lower().startswith(p.id.replace("_", " ")))
    return next(named, "") if word else ""


def _what(sentence: Sentence, m: Mention) -> str | None:
    """The word for the tumour at a place, or ``None`` where the sentence tells of none now."""
    text, at = sentence.text, m.start - sentence.start
    after, before = text[m.end - sentence.start :][:40], text[max(0, at - 60) : at]
    match = _AFTER.match(after) or _BEFORE.search(before)
    if match is None or denied(text, at) or is_history(text, at):
        return None
    if OTHER_TUMOUR.search(re.split(r"[;:]", before)[-1]) or SPECIMEN_WORD.search(clause_at(text, at)):
        return None
    return match.group("what")
