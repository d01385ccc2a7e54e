"""Stains and what they showed, from sentences: names found, scope settled, hypothetical and foreign ones left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from kulchitsky.case.vocabulary import State
from kulchitsky.narrative.lexicon import Mention, Mentions
from kulchitsky.narrative.page import Page
from kulchitsky.narrative.sentences import Sentence
from kulchitsky.narrative.stain_grammar import Scope, Verdict
from kulchitsky.narrative.stain_items import items_of

GENERIC = {"pan_cytokeratin"}
"""Names that a more specific antibody in brackets after them replaces."""


@dataclass(frozen=True, slots=True)
class Stained:
    """One stain with what it showed and where it was read."""

    marker: str
    verdict: Verdict


def stains_of(page: Page, sentence: Sentence, mentions: Mentions) -> list[Stained]:
    """Stains of one sentence, in order; hypothetical ones are left out."""
    marks = marks_of(page, sentence, mentions)
    if not marks:
        return []
    items = items_of(page.clean, sentence.start, sentence.end, mentions, marks)
    found: list[Stained] = []
    for verdict in Scope(items).read():
        if verdict.hypothetical:
            continue
        found.extend(Stained(marker, verdict) for marker in verdict.mark.value.split("+"))
    return list(_without_generic(page, found))


def marks_of(page: Page, sentence: Sentence, mentions: Mentions) -> list[Mention]:
    """Names of stains in a sentence, with the elliptic ones (``keratins 7 and 20``), without laboratory tests."""
    found = [
        m
        for m in mentions.of("marker", start=sentence.start, end=sentence.end)
        if not _is_laboratory(page.clean, sentence, m)
    ]
    return sorted((*found, *_elliptic(page, sentence, mentions)), key=lambda m: m.start)


_VALUE = re.compile(
    r"\s?(?:level|levels|value|of|was|is|were|:|=|-)?\s?(?:of\s)?[<>]?\s?\d[\d.,]*\s?"
    r"(?:[numpµ]?g\b|[numpk]?mol|ku/|u/|m?iu/|ui/|ukat|µkat|/m)",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"(?:serum|plasma|urinary|urine|circulating|blood)\s(?:[\w-]+\s){0,2}$", re.IGNORECASE)
_LABORATORY = re.compile(r"\b(?:normal|elevated|raised|within|increased|levels?|ng/|pg/|U/|UI/|IU/)", re.IGNORECASE)
_BLOOD_TESTS = {"cea", "calcitonin", "afp", "hcg", "psa", "nse", "thyroglobulin", "ca125", "ca19_9", "chromogranin_a",
                "gastrin", "insulin", "glucagon", "serotonin", "somatostatin"}  # fmt: skip
_STAIN_WORDS = re.compile(
    r"positiv|negativ|stain|express|immuno|\(\+\)|\(-\)|reactiv|react|focal|diffuse", re.IGNORECASE
)


def _is_laboratory(clean: str, sentence: Sentence, m: Mention) -> bool:
    """Whether a name means the substance in blood or urine, not in tissue."""
    after = clean[m.end : min(m.end + 40, sentence.end)]
    before = clean[max(sentence.start, m.start - 45) : m.start]
    if _BEFORE.search(before) or _VALUE.match(after):
        return True
    if m.value not in _BLOOD_TESTS:
        return False
    return _LABORATORY.search(sentence.text) is not None and _STAIN_WORDS.search(sentence.text) is None


_MORE_NUMBERS = re.compile(
    r"(?:\s?(?:,|/|and|or|&)\s?\d{1,3}[a-z]?\b(?!\s?(?:%|x|of|per|mm|cm|/\d)))+", re.IGNORECASE
)
_NUMBERED = re.compile(r"(cytokeratins?|keratins?|cks?|cd)[\s-]?(?:\d+[a-z]?)?$", re.IGNORECASE)


def _elliptic(page: Page, sentence: Sentence, mentions: Mentions) -> Iterable[Mention]:
    """``keratins 7 and 20``, ``CK7/20``, ``CD3/20``: the further numbers, each as the stain it stands for."""
    known = {_squeezed(page.clean[m.start : m.end]): m.value for m in mentions.of("marker")}
    for m in mentions.of("marker", start=sentence.start, end=sentence.end):
        name = _NUMBERED.match(page.clean[m.start : m.end])
        more = _MORE_NUMBERS.match(page.clean, m.end, sentence.end) if name else None
        if name is None or more is None:
            continue
        stem = "cd" if name.group(1).lower() == "cd" else "ck"
        for number in re.finditer(r"\d{1,3}[a-z]?", more.group()):
            value = known.get(stem + number.group().lower(), stem + number.group().lower())
            start = more.start() + number.start()
            yield Mention("marker", value, start, start + len(number.group()))


def _squeezed(text: str) -> str:
    bare = re.sub(r"[\s/.-]", "", text.lower())
    return re.sub(r"^(?:cytokeratins?|keratins?)(?=\d)", "ck", bare)


def _without_generic(page: Page, found: list[Stained]) -> Iterable[Stained]:
    """``keratin (CAM 5.2)`` is one stain: the name in brackets is the precise one."""
    for i, stained in enumerate(found):
        following = found[i + 1] if i + 1 < len(found) else None
        if following is not None and stained.marker in GENERIC:
            between = page.clean[stained.verdict.mark.end : following.verdict.mark.start]
            if (
                re.fullmatch(r"(?:-?\s?(?:positive|\+|negative)\s?)?\s?\(", between)
                and following.marker != stained.marker
            ):
                continue
        yield stained


def settled(stained: Stained, state: State) -> Stained:
    """The stain with another state."""
    return replace(stained, verdict=replace(stained.verdict, state=state))
