"""Which specimen a sentence speaks of, so that the stains of a primary, a node and an earlier tumour stay apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kulchitsky.case.vocabulary import SpecimenKind
from kulchitsky.narrative.lexicon import Mentions
from kulchitsky.narrative.notebook import Notebook, Place
from kulchitsky.narrative.sentences import Sentence
from kulchitsky.narrative.site_score import SPECIMEN, known_places

_LETTER = re.compile(
    r"^\s*(?:specimen|part|sample|block|container|pot)?\s?\(?(?P<id>[A-Ha-h]|[1-9])(?:\)|\.|:|\s-)\s?(?=[A-Za-z])",
    re.IGNORECASE,
)
_POPULATION = re.compile(r"\bOn\s\((?P<id>[a-d])\)", re.IGNORECASE)
_HEADED = re.compile(
    rf"^\W{{0,3}}(?P<head>[^:;.]{{0,60}}?\b(?:{SPECIMEN}|core|node|nodes|metastasis"
    rf"|primary)\b[^:;.]{{0,30}}?)\s?(?::|\s-\s|\.(?=\s))",
    re.IGNORECASE,
)
_EARLIER = re.compile(
    r"\b(?:that|the (?:previous|earlier|original|first|prior|lung|pulmonary)) (?:tumou?r|neoplasm|carcinoma"
    r"|lesion)\s(?:was|had|showed|marked|stained|expressed)"
    r"|\b(?:cancer|carcinoma|tumou?r) diagnosed\b[^.]{0,60}\b(?:ago|in (?:19|20)\d\d)|\b(?:20|19)\d\d:\s",
    re.IGNORECASE,
)
_STAINS = re.compile(r"positive|negative|\(\+\)|\(-\)|express|stain|reactive|\+|immuno", re.IGNORECASE)
_MAX = 8


def read_specimens(
    sentences: Sequence[Sentence], mentions: Mentions
) -> tuple[dict[int, str], dict[str, tuple[dict[str, Any], Place]]]:
    """Specimen of each sentence (by its start; absent: the specimen at hand), and the specimens found.

    Specimens are kept only where the report tells of more than one and of stains in more than one.
    """
    current, paragraph = "", -1
    at: dict[int, str] = {}
    found: dict[str, tuple[dict[str, Any], Place]] = {}
    for sentence in sentences:
        if sentence.paragraph != paragraph and current in ("earlier",):
            current = ""
        paragraph = sentence.paragraph
        named = _named(sentence, mentions)
        if named is not None:
            current, row, place = named
            if current and len(found) < _MAX:
                found.setdefault(current, (row, place))
        if _EARLIER.search(sentence.text):
            at[sentence.start] = "earlier"
            found.setdefault(
                "earlier",
                ({"id": "earlier", "kind": "unknown", "site": "an earlier tumour"}, (sentence.start, sentence.end)),
            )
        else:
            at[sentence.start] = current
    return at, found


def _named(sentence: Sentence, mentions: Mentions) -> tuple[str, dict[str, Any], Place] | None:
    population = _POPULATION.search(sentence.text)
    if population:
        name = population.group("id").lower()
        place = (sentence.start + population.start(), sentence.start + population.end())
        return name, {"id": name, "kind": "unknown", "site": "a second cell population"}, place
    letter = _LETTER.match(sentence.text)
    head = _HEADED.match(sentence.text[letter.end() :] if letter else sentence.text)
    offset = letter.end() if letter else 0
    if head is None and letter is None:
        return None
    stop = offset + (head.end("head") if head else min(60, len(sentence.text)))
    found = [m for m in mentions.of("place", start=sentence.start, end=sentence.start + stop) if m.value != "skin"]
    words = " ".join(sentence.text[offset:stop].split()).strip(" ,.:-")
    if not found and letter is None:
        return None
    if letter is not None and not found and not head:
        return None
    name = letter.group("id").upper() if letter else found[0].value
    kind = _kind(words)
    row: dict[str, Any] = {"id": name, "kind": kind.value, "site": words.lower()[:120]}
    if found and known_places()[found[-1].value].setting:
        row["setting"] = known_places()[found[-1].value].setting
    if kind is SpecimenKind.LYMPH_NODE:
        row["setting"] = "lymph_node"
    return name, row, (sentence.start + offset, sentence.start + stop)


def _kind(words: str) -> SpecimenKind:
    low = words.lower()
    if re.search(r"\bnodes?\b|lymphadenectomy|dissection", low):
        return SpecimenKind.LYMPH_NODE
    if "metasta" in low:
        return SpecimenKind.METASTASIS
    if "recurren" in low:
        return SpecimenKind.RECURRENCE
    return SpecimenKind.PRIMARY if "primary" in low else SpecimenKind.UNKNOWN


def settle_specimens(
    book: Notebook, found: Mapping[str, tuple[dict[str, Any], Place]], used: Sequence[str]
) -> dict[str, str]:
    """List the specimens that stains are told of, when there are several; the names to use by name found."""
    told = list(dict.fromkeys(used))
    if len(told) < 2:
        return dict.fromkeys(told, "")
    for name in told:
        if name:
            row, place = found[name]
            book.add("specimens", row, {"id": place})
    return {name: name for name in told}
