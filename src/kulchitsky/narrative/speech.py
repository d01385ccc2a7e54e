"""How a sentence speaks: it states, asks, or tells of others. Only what is stated of this case is a fact."""

from __future__ import annotations

import re
from dataclasses import replace
from enum import StrEnum
from functools import cache

from kulchitsky.narrative.lexicon import Mentions, load_data
from kulchitsky.narrative.sentences import Sentence


class Manner(StrEnum):
    """Manner of a sentence."""

    STATES = "states"
    ASKS = "asks"
    GENERAL = "general"


OUTSIDE = frozenset({"discussion", "introduction", "references", "conclusion", "abstract", "methods", "request"})
"""Sections that speak of more than this case; what they say of it stands in the case's own sections too."""


def manner_of(sentence: Sentence) -> Manner:
    """Manner of one sentence, from its own words (``data/speech.yaml``)."""
    text = sentence.text.strip()
    asks, general = _patterns()
    if text.endswith("?") or asks.search(text):
        return Manner.ASKS
    if general.search(text):
        return Manner.GENERAL
    return Manner.STATES


def of_the_case(sentences: list[Sentence]) -> list[Sentence]:
    """Sentences that state something of this case."""
    inside = [s for s in sentences if s.section not in OUTSIDE]
    if sum(len(s.text) for s in inside) < 60:
        # a paper of which only the abstract is here
        inside = [*inside, *(s for s in sentences if s.section == "abstract")]
    return [s for s in inside if manner_of(s) is Manner.STATES]


def relabelled(sentences: list[Sentence], mentions: Mentions) -> list[Sentence]:
    """Sections that run on inside a paragraph end where the talk turns: a stain section without a stain, a CT."""
    found: list[Sentence] = []
    for s in sentences:
        if s.section in ("stains", "microscopy"):
            opening = mentions.of("modality", start=s.start, end=min(s.end, s.start + 40))
            if opening:
                s = replace(s, section="imaging")
            elif s.section == "stains" and not mentions.of("marker", start=s.start, end=s.end):
                s = replace(s, section="")
        found.append(s)
    return found


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    data = load_data("speech")
    asks = re.compile("|".join(f"(?:{p})" for p in data["asks"]), re.IGNORECASE)
    general = re.compile("|".join(f"(?:{p})" for p in data["general"]), re.IGNORECASE)
    return asks, general
