"""Treatment given, and how the disease went on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from kulchitsky.narrative.lexicon import Mentions, load_data
from kulchitsky.narrative.notebook import Notebook, Place
from kulchitsky.narrative.patient import number_of
from kulchitsky.narrative.sentences import Sentence

_OUT = frozenset({"stains", "microscopy", "laboratory", "molecular", "figure", "identity", "gross"})
_PLANNED = re.compile(
    r"\b(?:planned|suggest\w*|recommend\w*|consider\w*|may|might|could|should|would|proposed|offered|declined"
    r"|refused|scheduled|not given|no)\b",
    re.I,
)
_EARLIER = re.compile(
    r"\b(?:cancer|carcinoma|lymphoma|leuka?emia)\b[^.;]{0,90}\b(?:treated|in (?:19|20)\d\d|until|years? ago)"
    r"|\b(?:in|until|since)\s(?:\w+\s)?(?:19|20)\d\d\b|\byears? ago\b",
    re.I,
)
_DOSE = re.compile(r"\b(?P<d>\d{1,3}(?:\.\d)?)\s?Gy\b")
_TO = re.compile(r"\bto (?:the )?(?P<s>[^.;]{3,110})", re.IGNORECASE)
_N = (
    r"(?P<n>\d{1,3}(?:\.\d)?|a|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen"
    r"|fifteen"
    r"|sixteen|eighteen|nineteen|twenty|twenty-four|thirty-six)(?:\sand a half)?"
)
_TIMES = tuple(
    re.compile(p, re.IGNORECASE)
    for p in (
        rf"\b{_N}[\s-](?P<u>days?|weeks?|months?|years?)\s(?:later|after(?:wards?)?\b|on\b|following"
        rf"|postoperativ\w+|post-?op\w*|from)",
        rf"\b(?:at|after|for|within|by)\s(?:the\s|about\s|a\s|first\s)*{_N}[\s-](?P<u>weeks?|months?"
        rf"|years?)(?:'s?)?\b(?:\s(?:of\s)?follow-?up)?",
        rf"\b(?:follow-?up)\s(?:of|at|period of|time of|:)?\s?{_N}[\s-](?P<u>weeks?|months?|years?)\b",
        rf"\b{_N}[\s-](?P<u>weeks?|months?|years?)\s(?:of\s)?follow-?up\b",
        rf"\b(?:DOD|NED|AWD|alive|dead|died)\b[^.;\d]{{0,20}}\b{_N}[\s-](?P<u>weeks?|months?|years?)\b",
        r"\b(?:within|in) (?:the )?(?P<first>first) (?P<u>year)\b",
    )
)  # fmt: skip
_MONTHS = {"day": 1 / 30.4, "week": 7 / 30.4, "month": 1.0, "year": 12.0}
_NUMBERS = {"a": 1, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
            "sixteen": 16,
            "eighteen": 18, "nineteen": 19, "twenty": 20, "twenty-four": 24, "thirty-six": 36}  # fmt: skip


def read_treatment(book: Notebook, sentences: Sequence[Sentence], mentions: Mentions) -> None:
    """Treatments of this tumour into ``treatments``; surgery comes from the procedures."""
    known: set[str] = set()
    surgery = [
        p
        for p in book.get("procedures") or []
        if p["kind"] in ("excision", "wide_excision", "resection", "node_dissection")
    ]
    for sentence in sentences:
        if sentence.section in _OUT or _EARLIER.search(sentence.text):
            continue
        for m in mentions.of("treatment", start=sentence.start, end=sentence.end):
            at = m.start - sentence.start
            clause = re.split(r"[;.]", sentence.text[max(0, at - 80) : at])[-1]
            after = re.split(r"[;.]", sentence.text[at:])[0]
            if (
                m.value in known
                or _PLANNED.search(clause)
                or re.match(r"[\w\s-]{0,40}\b(?:was|were|is) (?:planned|considered|declined|not)\b", after)
            ):
                continue
            known.add(m.value)
            _write_treatment(book, sentence, m.value, (m.start, m.end))
    if surgery and not any(t["kind"] == "surgery" for t in book.get("treatments") or []):
        detail = " and ".join(dict.fromkeys(p["kind"].replace("_", " ") for p in surgery))
        rows: list[dict[str, Any]] = book.case.setdefault("treatments", [])
        rows.append({"kind": "surgery", "detail": detail})


def _write_treatment(book: Notebook, sentence: Sentence, kind: str, place: Place) -> None:
    text = sentence.text
    at, end = place[0] - sentence.start, place[1] - sentence.start
    row: dict[str, Any] = {"kind": kind, "detail": text[at:end].lower()}
    places = {"kind": place}
    if kind == "radiotherapy":
        site = _TO.search(text[end:])
        if site and site.start() < 40:
            row["site"] = " ".join(site.group("s").split())[:110]
            places["site"] = (sentence.start + end + site.start("s"), sentence.start + end + site.end("s"))
        dose = _DOSE.search(text)
        if dose and 0 < float(dose.group("d")) <= 200:
            row["dose_gy"] = float(dose.group("d"))
            places["dose_gy"] = (sentence.start + dose.start(), sentence.start + dose.end())
    book.add("treatments", row, places)


def read_follow_up(book: Notebook, sentences: Sequence[Sentence]) -> None:
    """Time and state of disease into ``follow_up``."""
    seen: set[tuple[float, str]] = set()
    for sentence in sentences:
        if sentence.section in _OUT or _EARLIER.search(sentence.text):
            continue
        status = _status(sentence.text)
        months = _months(sentence.text)
        if status is None or months is None:
            continue
        name, match = status
        time, place = months
        if (time, name) in seen or re.search(r"\b(?:average|median|mean)\b", sentence.text):
            continue
        seen.add((time, name))
        row = {"months": time, "status": name, "detail": " ".join(sentence.text.split())[:300]}
        first, last = place
        book.add(
            "follow_up",
            row,
            {
                "months": (sentence.start + first, sentence.start + last),
                "status": (sentence.start + match.start(), sentence.start + match.end()),
            },
        )


def _status(text: str) -> tuple[str, re.Match[str]] | None:
    for name, pattern in _statuses():
        match = pattern.search(text)
        if match:
            return name, match
    return None


def _months(text: str) -> tuple[float, tuple[int, int]] | None:
    for pattern in _TIMES:
        match = pattern.search(text)
        if match is None:
            continue
        unit = match.group("u").lower().rstrip("s")
        if "first" in (match.groupdict().get("first") or ""):
            return 12.0, match.span()
        word = match.group("n").lower()
        number = _NUMBERS.get(word)
        value = float(number) if number is not None else number_of(word)
        if value is None:
            continue
        if "and a half" in match.group().lower():
            value += 0.5
        months = round(value * _MONTHS[unit], 2)
        if months <= 1200:
            return months, match.span()
    return None


@cache
def _statuses() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((k, re.compile("|".join(v), re.IGNORECASE)) for k, v in load_data("course")["status"].items())
