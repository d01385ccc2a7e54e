"""Mitoses with their denominator: per mm2, per 2 mm2, per high-power fields with or without a field size."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from kulchitsky.case.issue import Level
from kulchitsky.narrative.notebook import Notebook, Place
from kulchitsky.narrative.sentences import Sentence

HPF_MM2 = 0.2
"""Area of one high-power field where the report gives none: the usual assumption behind "10 HPF = 2 mm2" (field
diameter 0.5 mm, WHO classification of digestive system tumours 2019). Its use is flagged."""

_NUMBER = r"(?P<low>\d{1,3}(?:\.\d)?)(?:\s?(?:-|to)\s?(?P<high>\d{1,3}))?"
_BOUND = (
    r"(?P<bound>less than|more than|fewer than|over|under|up to|<|>|≤|≥|close to|about|approximately|around|nearly"
    r"|at least)?\s?"
)
_NAME = r"(?:mitos[ei]s|mitotic figures?|mitotic (?:rate|count|index|activity)|mf)"
_PER = (
    r"(?:(?:/|per|in|x)\s?(?P<mm_count>\d{1,2}(?:\.\d)?)?\s?(?:mm2|mm\^2|sq\.? ?mm|square millimet(?:er|re)s?)"
    r"|(?:/|per|in|x)\s?(?P<hpf>\d{1,3}|ten|fifty|twenty|one)?\s?(?:consecutive\s)?(?:h\.?p\.?f\.?s?"
    r"|high[\s-]power(?:ed)? fields?"
    r"|high[\s-]magnification fields?|fields))"
)
_PATTERNS = tuple(
    re.compile(p, re.IGNORECASE)
    for p in (
        rf"\b{_NAME}\b[^.;\d]{{0,40}}?{_BOUND}{_NUMBER}\s?(?:mitos[ei]s|mitotic figures?)?\s?{_PER}",
        rf"{_BOUND}\b{_NUMBER}\s?(?:or more\s)?{_NAME}\s?(?:were (?:counted|seen|found)\s)?{_PER}",
        rf"{_BOUND}\b{_NUMBER}\s?{_PER}[^.;]{{0,25}}\b{_NAME}",
    )
)
_WORDS = re.compile(
    rf"\b(?P<w>rare|few|very few|occasional|scattered|frequent|numerous|many|plenty of|abundant|exceptional|brisk"
    rf"|sparse|easy to find"
    rf"|scarce|infrequent|high|low|moderate|conspicuous|no)\s(?:atypical\s|tumou?r\s)?{_NAME}\b"
    rf"|\b{_NAME}\s(?:(?!not\b)\w+\s)?(?:is|are|was|were|being)?\s?(?P<w2>not numerous|rare|few|very few"
    rf"|occasional|frequent|numerous|high|low|easy to find"
    rf"|brisk|exceptional|abundant|infrequent|scarce|not (?:seen|identified|found)|moderate|absent|sparse)\b",
    re.IGNORECASE,
)
_FIELD_AREA = re.compile(
    r"(?:field (?:area|size)|area of (?:one|each|a) (?:hpf|field)|1 hpf|hpf)\s?(?:=|of|is|was"
    r"|:)?\s?(?P<a>0?\.\d{1,4})\s?mm2",
    re.I,
)
_FIELD_DIAMETER = re.compile(r"field diameter\s?(?:=|of|is|was|:)?\s?(?P<d>0?\.\d{1,3})\s?mm\b", re.IGNORECASE)
_FIELDS = {"ten": 10, "fifty": 50, "twenty": 20, "one": 1}
_OTHER = re.compile(r"\b(?:lung|pulmonary) tumou?r|that tumou?r|previous tumou?r", re.IGNORECASE)


def read_mitoses(book: Notebook, sentences: Sequence[Sentence]) -> None:
    """Mitotic count into ``morphology.mitoses``: count with area, or words where no figure is given."""
    field_mm2 = _stated_field(sentences)
    for sentence in sentences:
        if _OTHER.search(sentence.text):
            continue
        for pattern in _PATTERNS:
            match = pattern.search(sentence.text)
            if match and _write_count(book, sentence, match, field_mm2):
                return
    for sentence in sentences:
        match = _WORDS.search(sentence.text)
        told = match and not re.search(
            r"\bnot (?:described|stated|given|reported|quoted|recorded)", sentence.text[match.end() :]
        )
        if match and told and not _OTHER.search(sentence.text):
            words = (match.group("w") or match.group("w2")).lower()
            place = (sentence.start + match.start(), sentence.start + match.end())
            book.set("morphology.mitoses", {"words": "none" if words in ("no", "absent") else words}, place)
            return


def _stated_field(sentences: Sequence[Sentence]) -> float | None:
    for sentence in sentences:
        area = _FIELD_AREA.search(sentence.text)
        if area:
            return float(area.group("a"))
        diameter = _FIELD_DIAMETER.search(sentence.text)
        if diameter:
            return math.pi / 4 * float(diameter.group("d")) ** 2
    return None


def _write_count(book: Notebook, sentence: Sentence, match: re.Match[str], field_mm2: float | None) -> bool:
    low = float(match.group("low"))
    high = float(match.group("high")) if match.group("high") else None
    count = low if high is None else (low + high) / 2
    words = " ".join(match.group().split())
    place: Place = (sentence.start + match.start(), sentence.start + match.end())
    if match.group("mm_count") is not None or "mm" in match.group()[-12:].lower() or "square" in words.lower():
        area = float(match.group("mm_count") or 1)
    else:
        fields = match.group("hpf")
        number = _FIELDS.get((fields or "").lower(), int(fields) if (fields or "").isdigit() else 1)
        if not fields and re.search(r"fields$", words) and "power" not in words:
            return False
        area = number * (field_mm2 or HPF_MM2)
        if field_mm2 is None:
            book.issue(
                Level.NOTE,
                "narrative.mitoses.field",
                f"mitoses are given per {number} high-power fields without the field size; {HPF_MM2:g} mm2 a"
                f" field was taken",
                remedy="give the field diameter or the count per 2 mm2",
                path="morphology.mitoses",
            )
    if not 0 < area <= 200:
        return False
    record: dict[str, Any] = {"count": count, "area_mm2": round(area, 3)}
    if high is not None or match.group("bound"):
        record["words"] = words
    book.set("morphology.mitoses", record, place)
    return True
