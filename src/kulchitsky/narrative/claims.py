"""General statements with a figure, kept apart from facts so that they can be checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from kulchitsky.narrative.identifiers import scrubbed
from kulchitsky.narrative.lexicon import Mentions
from kulchitsky.narrative.notebook import Notebook, Place
from kulchitsky.narrative.patient import number_of
from kulchitsky.narrative.sentences import Sentence
from kulchitsky.narrative.speech import OUTSIDE, Manner, manner_of
from kulchitsky.narrative.stain_items import percents_in

_PROGNOSIS = re.compile(
    r"\b(?:surviv\w+|prognos\w+|mortality|recurrence rate|died|aggressive development|disease-free|relapse)\b",
    re.IGNORECASE,
)
_PERFORMANCE = re.compile(
    r"\b(?:sensitivit\w+|specificit\w+|accuracy|detection rate|predictive value)\b", re.IGNORECASE
)
_ARGUMENT = re.compile(
    r"\b(?:rather than|in contrast to|suggestive (?:for|of)|helpful clue|distinguish\w*|differentiat\w+ from"
    r"|in favou?r of|argues? (?:for|against)|excludes?|rules? out|typical of|hallmark)\b",
    re.IGNORECASE,
)
_STAIN_TALK = re.compile(
    r"\b(?:cyto)?keratins?|\bstain\w*|positivity|chromogranin|synaptophysin|CK20|TTF|Ki-?67|dots?|globs?"
    r"|immuno\w+|markers?\b",
    re.IGNORECASE,
)
_TREATMENT = re.compile(
    r"\b(?:optimal|treatment of choice|standard|first[\s-]line|recommended|therapeutic modality|effective"
    r"|mainstay|gold standard|successfully)\b",
    re.IGNORECASE,
)
_THERAPY = re.compile(r"\b(?:excision|surg\w+|radiotherapy|chemotherapy|immunotherapy|therap\w+)\b", re.IGNORECASE)
_JUDGED = re.compile(
    r"\b(?:good|favou?rable|poor|bad|excellent|dismal|worse|better|aggressive"
    r"|slow growth)\b[^.;]{0,40}\b(?:prognosis|outcome|behaviou?r|development|tumou?rs)\b"
    r"|\bprognosis is (?:\w+\s){0,2}(?:good|favou?rable|poor)\b",
    re.I,
)
_YEARS = re.compile(
    r"\b(?P<n>\d{1,2}|one|two|three|four|five|six|ten|twelve)[\s-](?P<u>years?|months?)\b", re.IGNORECASE
)
_TESTS = (
    ("mibg_scan", re.compile(r"\bm?ibg\b|metaiodobenzyl", re.IGNORECASE)),
    ("octreotide_scan", re.compile(r"\boctreo\w+|somatostatin receptor (?:scan|scintigraphy)", re.IGNORECASE)),
    ("sstr_pet", re.compile(r"\bdota\w+|sstr pet", re.IGNORECASE)),
    ("fdg_pet", re.compile(r"\bfdg|\bpet\b", re.IGNORECASE)),
    ("ct", re.compile(r"\bct\b", re.IGNORECASE)),
    ("mri", re.compile(r"\bmri\b", re.IGNORECASE)),
)
_SPREAD = (
    ("no metastasis", re.compile(r"\bno metasta\w+|without metasta\w+|locali[sz]ed", re.IGNORECASE)),
    ("regional or distant metastasis", re.compile(r"\bregional|distant|metastatic|with metasta\w+", re.IGNORECASE)),
)
_OUR = re.compile(r"\b(?:our|this|the present) (?:patient|case)\b|\bin our case\b", re.IGNORECASE)
_MAX = 24


def read_claims(book: Notebook, sentences: Sequence[Sentence], mentions: Mentions) -> None:
    """Statements of discussion, abstract and conclusions into ``claims``; none of them becomes a finding."""
    seen: set[str] = set()
    for sentence in sentences:
        general = sentence.section in OUTSIDE and sentence.section not in ("references", "request", "methods")
        if not general and not (sentence.section == "comment" or manner_of(sentence) is Manner.GENERAL):
            continue
        for row, place in _claims(sentence, mentions):
            words = scrubbed(" ".join(sentence.text.split()))[:600]
            figures = [str(row.get(k)) for k in ("kind", "percent", "high_percent", "years", "subject")]
            key = "|".join([*figures, words[:60]])
            if key in seen or len(book.get("claims") or []) >= _MAX:
                continue
            seen.add(key)
            book.add("claims", {**row, "text": words}, {"text": place})


def _claims(sentence: Sentence, mentions: Mentions) -> Iterator[tuple[dict[str, Any], Place]]:
    text, base = sentence.text, sentence.start
    whole: Place = (sentence.start, sentence.end)
    entity = next((m.value for m in mentions.of("entity", start=sentence.start, end=sentence.end)), "")
    figures = list(percents_in(text, 0, len(text)))
    if _PERFORMANCE.search(text) and figures:
        for first, last, low, high, bound in figures:
            tested = {"subject": _test_before(text, first), "endpoint": _endpoint(text, first)}
            yield {"kind": "test_performance", **tested, **_percent(low, high, bound)}, (base + first, base + last)
    elif _PROGNOSIS.search(text) and figures and not re.search(r"\bKi-?67\b", text):
        for first, last, low, high, bound in figures:
            following = text[last : last + 70]
            spread = next((name for name, pattern in _SPREAD if pattern.search(following)), "")
            row: dict[str, Any] = {
                "kind": "prognosis",
                "subject": spread or entity,
                "endpoint": "survival",
                "years": _years(text),
            }
            yield {**row, **_percent(low, high, bound)}, (base + first, base + last)
    elif re.search(r"\b(?:average|median|mean) survival\b", text, re.IGNORECASE) and _YEARS.search(text):
        yield {"kind": "prognosis", "subject": entity, "endpoint": "average survival", "years": _years(text)}, whole
    elif _PROGNOSIS.search(text) and _JUDGED.search(text):
        yield {"kind": "prognosis", "subject": entity, "endpoint": "prognosis"}, whole
    elif _ARGUMENT.search(text) and _STAIN_TALK.search(text) and not _OUR.search(text):
        yield {"kind": "diagnosis_argument", "subject": entity}, whole
    elif _TREATMENT.search(text) and _THERAPY.search(text):
        yield {"kind": "treatment", "subject": entity}, whole


def _percent(low: float, high: float | None, bound: str) -> dict[str, float]:
    if high is not None:
        return {"low_percent": low, "high_percent": high}
    if bound == "at_most":
        return {"high_percent": low}
    if bound == "at_least":
        return {"low_percent": low}
    return {"percent": low}


def _test_before(text: str, at: int) -> str:
    found = [(m.start(), name) for name, pattern in _TESTS for m in pattern.finditer(text[:at])]
    return max(found)[1] if found else ""


def _endpoint(text: str, at: int) -> str:
    words = re.findall(r"sensitivity|specificity|accuracy|detection rate", text[max(0, at - 70) : at], re.IGNORECASE)
    return " and ".join(dict.fromkeys(w.lower() for w in words))


def _years(text: str) -> float | None:
    match = _YEARS.search(text)
    if match is None:
        return None
    word = match.group("n").lower()
    number = {"ten": 10.0, "twelve": 12.0}.get(word, number_of(word))
    if number is None:
        return None
    years = number / (12 if match.group("u").lower().startswith("month") else 1)
    return round(years, 2) if 0 < years <= 50 else None
