"""Short names of stains that mean something else in prose (``syn``, ``MYC``, ``TH``): names beside a result only.

A short name counts where its result follows at once (``MYC+``, ``syn: pos``) or where it stands in a row of names
(``syn/CgA +``, ``NSE, syn, chr: positive``).
"""

from __future__ import annotations

import re
from bisect import insort
from dataclasses import replace

from kulchitsky.narrative.lexicon import Mention, Mentions
from kulchitsky.narrative.page import Page

_RESULT = re.compile(
    r"\s{0,24}[:=|-]?\s{0,24}(?:"
    r"\((?:[+-]{1,4}|neg|pos)"
    r"|\+{1,4}(?!\w)|-{1,2}(?=\s*(?:[,;.)/]|$))|[0-3]\s?\+|±"
    r"|(?:all\s|both\s|is\s|was\s|were\s|are\s)?(?:pos|neg)(?:itive|ative)?\b"
    r"|(?:\w+ly\s)?(?:strong|weak|focal|diffuse|patchy|variable)(?:ly)?(?=\s*(?:[,;.)+/]|positive|and\b|$))"
    r"|(?:retained|lost|absent|expressed)\b|[<>~]?\s?\d{1,3}\s?%|0(?=\s*(?:[,;.)]|$)))",
    re.IGNORECASE,
)
_JOINT = re.compile(r"\s?(?:/|,|&|\+|and)\s?", re.IGNORECASE)
_GENE = re.compile(
    r"\b(?:FISH|PCR|NGS|sequenc\w+|fusion|gene|rearrange\w*|amplif\w+|transloc\w+|mutat\w+|break-?apart|hormone|cells?"
    r"|serum|syndrome|score)\b",
    re.IGNORECASE,
)


def with_short_names(page: Page, mentions: Mentions) -> Mentions:
    """The mentions with the short names that stand as names of stains here added to the markers."""
    short = mentions.of("shorthand")
    if not short:
        return mentions
    markers = list(mentions.of("marker"))
    taken = [(m.start, m.end) for m in markers]
    pending = [m for m in short if not any(a < m.end and m.start < b for a, b in taken)]
    for _ in range(3):  # a row of short names is known from its end
        fresh = [m for m in pending if _is_name(page.clean, m, markers)]
        if not fresh:
            break
        pending = [m for m in pending if m not in fresh]
        for m in fresh:
            insort(markers, replace(m, category="marker"), key=lambda x: x.start)
    found = dict(mentions.by_category) | {"marker": tuple(markers)}
    return Mentions(found, {c: tuple(m.start for m in rows) for c, rows in found.items()})


def _is_name(clean: str, m: Mention, markers: list[Mention]) -> bool:
    if _GENE.search(clean[max(0, m.start - 25) : m.start]) or _GENE.match(clean[m.end : m.end + 14].strip(" -")):
        return False
    if clean[m.start - 1 : m.start].isalnum() or clean[m.end : m.end + 1].isalnum():
        return False
    if _RESULT.match(clean, m.end):
        return True
    after = _JOINT.match(clean, m.end)
    if after and after.end() > m.end and any(x.start == after.end() for x in markers):
        return True
    before = [x.end for x in markers if x.end <= m.start]
    return bool(before and _JOINT.fullmatch(clean[max(before) : m.start])) and m.value != "cmyc"
