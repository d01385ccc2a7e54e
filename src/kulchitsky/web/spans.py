"""A text cut into pieces at the facts found in it, so that each fact is highlighted where it came from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from kulchitsky.case.verdict import Fact, NotUnderstood


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text: the facts that rest on it (by number), or not understood, or neither."""

    text: str
    facts: tuple[int, ...] = ()
    not_understood: str = ""


SENTENCE_ENDS = re.compile(r"(?<=[.!?;])\s+(?=[A-Z0-9(])|\n\s*\n|\n(?=\s*[-•*A-Z])")
"""A line that goes on in lower case or with a figure was only wrapped."""
LONGEST_SIDE = 400
"""Characters shown on each side of a fact at most: a text without full stops is one long sentence."""


def sentence_around(text: str, start: int, end: int) -> tuple[str, str, str]:
    """The sentence that a fact stands in: what comes before its words, the words, what comes after."""
    start, end = max(0, start), max(0, min(len(text), end))
    ends = (found.end() for found in SENTENCE_ENDS.finditer(text, 0, start + 1))
    first = max((end_of_one for end_of_one in ends if end_of_one <= start), default=0)
    after = SENTENCE_ENDS.search(text, end)
    last = after.start() if after else len(text)
    before, behind = text[first:start], text[end:last]
    if len(before) > LONGEST_SIDE:
        before = "… " + before[-LONGEST_SIDE:]
    if len(behind) > LONGEST_SIDE:
        behind = behind[:LONGEST_SIDE] + " …"
    return before.lstrip(), text[start:end], behind.rstrip()


def pieces_of(text: str, facts: Sequence[Fact], unread: Sequence[NotUnderstood]) -> tuple[Piece, ...]:
    """Pieces whose texts add up to ``text``. Spans may overlap; those outside the text are cut to it."""
    cuts = {0, len(text)}
    spans = [(max(0, f.start), min(len(text), f.end), i) for i, f in enumerate(facts)]
    holes = [(max(0, u.start), min(len(text), u.end), u.why or "not understood") for u in unread]
    for start, end, _ in (*spans, *holes):
        if start < end:
            cuts |= {start, end}
    edges = sorted(cuts)
    pieces = []
    for start, end in pairwise(edges):
        inside = tuple(i for a, b, i in spans if a <= start and end <= b)
        why = next((w for a, b, w in holes if a <= start and end <= b), "")
        pieces.append(Piece(text[start:end], inside, "" if inside else why))
    return tuple(pieces)
