"""Genes, fusions and viruses looked for by a molecular method."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kulchitsky.case.vocabulary import State
from kulchitsky.narrative.notebook import Notebook
from kulchitsky.narrative.sentences import Sentence

_GENE = r"[A-Z][A-Z0-9]{1,8}"
_TESTS = tuple(
    re.compile(p)
    for p in (
        rf"\b(?P<t>{_GENE}\s?(?:-|::|/)\s?{_GENE}(?:\stype\s\d)?\s?(?:fusion|rearrangement|translocation"
        rf"|transcript)s?(?:\stranscript)?)\b",
        rf"\b(?P<t>(?:{_GENE})(?:\s(?:gene|germline|somatic|V600E|exon\s\d{{1,2}}|promoter))*\s(?:mutations?"
        rf"|rearrangements?|amplification|fusions?|translocations?|deletion|break-apart(?:\sFISH)?"
        r"|germline (?:study|testing)|methylation|alterations?|variants?))\b",
        rf"\b(?P<t>{_GENE}\s?::\s?{_GENE})\b",
        rf"\b(?P<t>{_GENE}\s(?:FISH\s)?(?:was\s|is\s)?(?:not\s)?(?:rearranged|amplified|mutated|deleted"
        rf"|wild[\s-]type))\b",
        r"(?P<t>\bt\([0-9XY]{1,2};\s?[0-9XY]{1,2}\)(?:\([pq][0-9.]+;[pq][0-9.]+\))?)",
        r"\b(?P<t>(?:MCPyV|Merkel cell polyomavirus|EBV|HPV)\s(?:DNA|PCR|RNA|by PCR|viral load"
        r"|in situ hybridi[sz]ation|sequences?))\b",
        r"\b(?P<t>(?:EBER|HPV)(?:\s(?:ISH|in situ hybridi[sz]ation)))\b",
        r"\b(?P<t>(?:high[\s-]risk\s)?HPV[\s-]?(?:types?\s)?(?:1[68]|\d{2})?)(?=[^.;,]{0,40}\b(?:detected|positive|negative"
        r"|identified|found|present)\b)",
        r"\b(?P<t>PCR for (?:MCPyV|Merkel cell polyomavirus|EBV|HPV))\b",
        rf"\bFISH(?:\sanalysis)?\s(?:for|of)\s(?:the\s)?(?P<t>{_GENE})\b",
    )
)
_ABSENT = re.compile(
    r"\b(?:no|not|without|negative|absent|absence|lack\w*|failed|wild[\s-]type|normal|none|neither|nor|did not"
    r"|undetect\w+|intact|excluded)\b",
    re.IGNORECASE,
)
_PRESENT = re.compile(
    r"\b(?:positive|present|detected|found|identified|demonstrated|confirmed|show\w*|reveal\w*|harbou?r\w*"
    r"|carr\w+|rearranged|mutated|amplified|copies|disclosed|seen)\b|[:(]\s?$",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"\b(?:withheld|filed separately|kept apart|not (?:reported|done|performed|available|stated|given|tested)"
    r"|pending|requested|awaited|not yet|recommend\w*|suggest\w*|would|could|should|may)\b",
    re.IGNORECASE,
)
_OUT = frozenset({"clinical", "imaging", "laboratory", "identity", "treatment"})


def read_molecular(book: Notebook, sentences: Sequence[Sentence]) -> None:
    """Molecular tests with a stated result into ``molecular``."""
    known: set[str] = set()
    for sentence in sentences:
        if sentence.section in _OUT or _UNKNOWN.search(sentence.text):
            continue
        for pattern in _TESTS:
            for match in pattern.finditer(sentence.text):
                name = " ".join(match.group("t").split())
                if name.lower() in known or any(name.lower() in k for k in known):
                    continue
                clause = _clause(sentence.text, match)
                absent = _ABSENT.search(clause)
                if not absent and not _PRESENT.search(clause) and sentence.section != "molecular":
                    continue
                known.add(name.lower())
                row = {
                    "test": name,
                    "state": State.ABSENT if absent else State.PRESENT,
                    "detail": " ".join(clause.split())[:200],
                }
                place = (sentence.start + match.start("t"), sentence.start + match.end("t"))
                book.add("molecular", row, {"test": place})


def _clause(text: str, match: re.Match[str]) -> str:
    start = max((text.rfind(c, 0, match.start()) for c in (";", ". ")), default=-1) + 1
    ends = [i for i in (text.find(c, match.end()) for c in (";", ". ", ", but", ", whereas")) if i >= 0]
    return text[start : min(ends, default=len(text))].strip(" .;")
