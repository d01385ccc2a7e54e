"""Cells beside the tumour (``data/populations.yaml``), and how sentences tie a stain to them or to the tumour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from kulchitsky.case.vocabulary import State
from kulchitsky.narrative.lexicon import load_data

_LEAD = (
    r"(?:(?:only|mainly|merely|just|solely|rare|occasional|few|some|the|a|an|of|its|their|[\w-]+al|[\w-]+ed) ){0,4}"
)
_MARKS = (
    r"(?:highlight|mark|stain|label|outlin|decorat|pick(?:s|ed) (?:out|up)|show|detect|delineat|identif"
    r"|demonstrat)\w*"
)
_IN = r"(?:in|within|on|of|around|along|to|by|as)"


@cache
def beside_words() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Other cells as what a stain marks, as where it is seen, and as what stains; words of the tumour itself."""
    data = load_data("populations")
    cells, tumour = (f"(?:{'|'.join(data[key])})" for key in ("always", "tumour"))
    told = re.compile(
        rf"\b{_MARKS} {_LEAD}{cells}\b|\b(?:confined|limited|restricted) to {_LEAD}{cells}\b"
        rf"|(?:\bpositive|\+) {_LEAD}{cells}\b"
        rf"|(?:\b(?:pos|positiv\w+|reactiv\w+|express\w+|staining|seen|retained|present|preserved|signal)|\+)"
        rf"(?: only| mainly)? {_IN} {_LEAD}{cells}\b"
        rf"|\bin {_LEAD}{cells} only\b"
        rf"|(?:^|[(;:,]|\band|\bbut|\bwhile|\bwhereas) ?(?:the )?(?:[\w-]+ ){{0,1}}{cells}"
        rf"(?: (?:in|of|at|around|beside|within)(?: [\w-]+){{1,4}}?)?"
        rf" (?:are|is|was|were|stains?|express\w*|shows?|serv\w+|label\w*|mark\w*|positive|retain\w*|remain\w*|\()",
        re.IGNORECASE,
    )
    head = re.compile(
        rf"^\W*(?:in |the |an? )*(?:[\w-]+ )?{cells}(?: (?:at|in|of|around|beside)(?: [\w-]+){{1,4}}?)?"
        r" ?(?:\([^)]{1,40}\) ?)?(?::|- |, )",
        re.IGNORECASE,
    )
    return told, head, re.compile(rf"\b{tumour}\b", re.IGNORECASE)


def brackets_of_others(text: str) -> Iterator[tuple[int, int]]:
    """Brackets that tell of other cells only (``CD45 - (lymphocytes +)``): no result of the stain before them."""
    _, _, tumour = beside_words()
    for match in _BRACKETS.finditer(text):
        inside = match.group(1)
        if _cells_alone().search(inside) and not tumour.search(inside):
            yield match.span()


def in_brackets_of_others(text: str, at: int) -> bool:
    """``Islets serve as control (insulin +, glucagon +)``: what stands in brackets behind other cells is theirs."""
    opened = text.rfind("(", 0, at)
    if opened < 0 or ")" in text[opened:at]:
        return False
    lead = re.split(r"[;.]\s", text[max(0, opened - 120) : opened])[-1]
    _, _, tumour = beside_words()
    return _cells_alone().search(lead) is not None and not tumour.search(lead) and not _ANY_SIGN.search(lead)


_ANY_SIGN = re.compile(r"\bpositiv|\bnegativ|\+|\bexpress", re.IGNORECASE)
_BRACKETS = re.compile(r"\(([^()]{3,80})\)")


@cache
def _cells_alone() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(load_data('populations')['always'])})\b", re.IGNORECASE)


_OF_TUMOUR = re.compile(
    r"\b(?P<yes>positive|expressed|present|retained|staining|seen)\s(?:in|within)\s(?:the\s)?(?P<a>tumou?r\w*|neoplas\w+"
    r"|lesion\w*|malignant|atypical)"
    r"|\b(?P<no>negative|absent|lost|not (?:expressed|seen|present)|no staining|unstained)\s(?:in|within)\s(?:the\s)?"
    r"(?:tumou?r\w*|neoplas\w+|lesion\w*|malignant|atypical)"
    r"|\b(?:tumou?r(?:al)?|neoplastic|lesional|malignant)(?:\scells?)?\s?(?:(?:are|is|was|were|remain\w*|:|being)\s)?"
    r"(?:(?P<no2>negative|unstained|neg\b|-(?=\s?[,;.)]))|(?P<yes2>positive|pos\b|\+))",
    re.IGNORECASE,
)


def told_of_tumour(clause: str) -> State | None:
    """What a clause that also speaks of other cells says of the tumour in so many words."""
    match = _OF_TUMOUR.search(clause)
    if match is None:
        return None
    return State.ABSENT if match.group("no") or match.group("no2") else State.PRESENT
