"""Sentences of a page, each with the section it stands in and how it speaks (states, asks, supposes, quotes).

Line ends inside running text join; line ends of headings, lists, tables and ``key: value`` lines part. A line that
ends with a colon keeps the list below it (``Negative:`` and its bullets are one sentence).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from kulchitsky.narrative.lexicon import load_data

MAX_SENTENCE = 2000
"""Characters; longer runs are cut, so that no rule sees an unbounded stretch."""

_BULLET = re.compile(r"[ ]{0,12}(?:[-•*+>]|\(?\d{1,2}[.)]|\(?[a-h][.)])[ ]+(?=\S)")
_TABLE = re.compile(r"\|| {3,}\S|\t")
_KEY = re.compile(r"[A-Za-z][\w ()/,+'-]{0,60}?\s?[:=](?=\s|$)")
_RESULT_AFTER_DASH = re.compile(
    r"-\s(?:neg|pos|weak|strong|focal|diffuse|patchy)(?:itive|ative|ly)?\b", re.IGNORECASE
)
_ENUMERATOR = re.compile(r"\W*(?:[A-Ha-h]|\d{1,2})")
_KEY_LINE = re.compile(r"\s*[A-Z][\w()/+'-]*(?:[ ,/][\w()/+'-]+){0,5}\s?:\s\S")
_RUNS_ON = re.compile(
    r"(?:[,;(/+-]|\b(?:and|or|of|in|with|for|by|to|the|a|an|from|on|at|is|are|was|were|as|no))\s*$", re.I
)
_END = re.compile(r"(?<![.!?])[.!?]++[\"')\]]{0,2}(?=\s)")
_OPENS = re.compile(r"[\"'(\[]{0,2}(?:[A-Z0-9À-Þ+•]|-\s)")


_UNKNOWN_HEADING = re.compile(r"[A-Z][A-Za-z-]{2,20}(?: [A-Za-z-]{2,20}){0,4}:?")
"""A short line of words only: it heads something, so that the section before it ends."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of the cleaned text; ``section`` is the kind of the heading above it (``stains``, ``discussion``).

    ``text`` is that stretch with line ends as blanks: the same length, so that places in it count.
    """

    start: int
    end: int
    text: str
    section: str
    paragraph: int


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str


_PASSING = frozenset(
    {"imaging", "laboratory", "specimen", "identity", "procedure", "follow_up", "treatment", "figure"}
)
"""Headings that, inside running text, speak for their own sentence only (``CT: ...``)."""


def sentences_of(clean: str) -> list[Sentence]:
    """Cut cleaned text into sentences with their sections."""
    found: list[Sentence] = []
    section = carried = ""
    above = 0
    for number, (start, end, alone) in enumerate(_blocks(clean)):
        text = clean[start:end]
        kind = heading_of(text) if alone else None
        if kind is not None:
            section = kind
            continue
        if alone and _UNKNOWN_HEADING.fullmatch(text.strip()) and clean[end : end + 1] == "\n":
            section = ""
        # "Gross: 1. Thyroid ..." and, on the next line, "2. Nodule ...": an enumeration goes on under its label
        running = carried if _BULLET.match(text) and _joined(clean, above, start) else section
        above = end
        for first, last in _cut(clean, start, end):
            label = _inline_heading(clean[first:last])
            if label is not None and label not in _PASSING:
                running = label
            found.append(Sentence(first, last, clean[first:last].replace("\n", " "), label or running, number))
        carried = running
    return found


def _joined(clean: str, above: int, start: int) -> bool:
    """Whether no blank line stands between two blocks."""
    return above > 0 and clean.count("\n", above, start) < 2


def heading_of(line: str) -> str | None:
    """Kind of a line that is nothing but a heading, or ``None``."""
    bare = line.strip().strip("#*_=- \t")
    bare = re.sub(r"\s?\([^)]{1,40}\)\s*:?$", "", bare)
    bare = re.sub(r"^(?:\d{1,2}(?:\.\d{1,2})?|[IVX]{1,4}|[A-H])[.)]?\s+", "", bare)
    ended = bare.rstrip(" :.-")
    if not ended or len(ended) > 60:
        return None
    return _headings().get(ended.lower())


def _inline_heading(sentence: str) -> str | None:
    """Kind of a heading that opens a sentence (``Comment: ...``, ``Microscopy - ...``), or ``None``."""
    match = re.match(
        r"\s*[*_#]{0,3}([A-Za-z][A-Za-z /-]{1,45}?)(?:\s?\([^)]{1,40}\))?[*_]{0,2}\s?(?::|\s-\s|\.\s*$|\.[*_]{1,2})",
        sentence,
    )
    return _headings().get(match.group(1).lower().strip()) if match else None


@cache
def _headings() -> dict[str, str]:
    return {p: kind for kind, phrases in load_data("phrases_headings")["heading"].items() for p in phrases}


def _lines(clean: str) -> list[_Line]:
    lines: list[_Line] = []
    at = 0
    for raw in clean.split("\n"):
        lines.append(_Line(at, at + len(raw), raw))
        at += len(raw) + 1
    return lines


def _blocks(clean: str) -> Iterator[tuple[int, int, bool]]:
    """Stretches that read as running text: (start, end, whether it is one line only)."""
    lines = _lines(clean)
    widths = [len(line.text.rstrip()) for line in lines]
    current: list[_Line] = []
    for i, line in enumerate(lines):
        if not line.text.strip():
            continue
        blank_above = i > 0 and not lines[i - 1].text.strip()
        around = sorted(w for w in widths[max(0, i - 6) : i + 7] if w)
        wide = around[len(around) // 2]  # the median: words joined over line ends make some lines twice as long
        if current and _parts(current, line, blank_above, wide):
            yield current[0].start, current[-1].end, len(current) == 1
            current = []
        current.append(line)
    if current:
        yield current[0].start, current[-1].end, len(current) == 1


def _parts(current: list[_Line], line: _Line, blank_above: bool, wide: int) -> bool:
    """Whether a line begins a new block after the lines gathered so far."""
    above = current[-1].text.rstrip()
    text = line.text.strip()
    starts_low = text[0].islower() or text[0] in ",;)%"
    bullet = _BULLET.match(line.text) is not None
    if bullet and _RESULT_AFTER_DASH.match(text) and above[-1:].isalnum():
        return False  # "CAM5.2" at the end of a line, "- neg; synaptophysin ..." on the next
    if (heading_of(text) is not None and (blank_above or not starts_low)) or (
        len(current) == 1 and heading_of(above) is not None and blank_above
    ):
        return True
    if len(current) == 1 and heading_of(above) is not None:
        return True
    if _TABLE.search(text) and not starts_low:
        return True
    opener = current[0].text.strip()
    if opener.endswith(":") and len(opener) < 80 and len(current) < 60:
        # a list under its heading line stays with it
        if bullet:
            return False
        if not blank_above and len(text) < 60 and not text.endswith((":", ".")) and not _KEY.match(text):
            return False
    if bullet:
        return True
    keyed = _KEY_LINE.match(above) or _KEY_LINE.match(current[0].text)
    if _KEY_LINE.match(text) and keyed and not _RUNS_ON.search(above):
        return True  # "Clinical: ..." above "Specimen: ...": a form, however long its lines
    if (
        _TABLE.search(text)
        or _TABLE.search(above.strip())
        or (_KEY.match(text) and not starts_low and _line_ends(above, wide))
    ):
        return not (starts_low and not above.endswith((".", ":", ";", "|")))
    if above.endswith((".", "!", "?", ":")):
        return blank_above or len(above) < 0.6 * wide
    if blank_above:
        return not starts_low
    if starts_low:
        return False
    return len(above) < max(40, 0.68 * wide)


def _line_ends(line: str, wide: int) -> bool:
    """Whether a line ends by itself, rather than being wrapped by the width of the page."""
    return line.endswith((".", ":", ";", "!", "?", "|")) or (
        len(line) < max(40, 0.68 * wide) and not line.endswith(",")
    )


def _cut(clean: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Sentences of one block."""
    at = start
    for match in _END.finditer(clean, start, end):
        stop = match.end()
        rest = clean[stop : stop + 12].lstrip()
        if _ENUMERATOR.fullmatch(clean, at, match.start()):
            continue  # "B. Liver": the letter stays with what it labels
        if not rest or not _OPENS.match(rest) or _abbreviated(clean, match.start(), rest):
            continue
        if clean[at:stop].strip():
            yield from _bounded(clean, at, stop)
        at = stop
    if clean[at:end].strip():
        yield from _bounded(clean, at, end)


def _bounded(clean: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > MAX_SENTENCE:
        cut = clean.rfind(" ", start + MAX_SENTENCE // 2, start + MAX_SENTENCE)
        cut = start + MAX_SENTENCE if cut < 0 else cut
        yield start, cut
        start = cut
    yield start, end


_ABBREVIATIONS = frozenset(load_data("spelling")["abbreviations"])
_TITLE = re.compile(r"(?:\b(?:Dr|Mr|Mrs|Ms|Prof)\.?\s|\b[A-Z]\.\s?)$")


def _abbreviated(clean: str, dot: int, rest: str) -> bool:
    """Whether the full stop at ``dot`` belongs to an abbreviation or an initial."""
    match = re.search(r"([A-Za-z][A-Za-z.]{0,7})$", clean[max(0, dot - 9) : dot])
    if match is None:
        return False
    word = match.group(1)
    if word.lower() in {"no", "ca", "min", "max", "mod"}:
        return rest[0].isdigit()
    if len(word) == 1 and word.isupper():
        # an initial follows a title or another initial; "chromogranin A." ends a sentence
        return _TITLE.search(clean[max(0, dot - 7) : dot - 1]) is not None
    return word.lower() in _ABBREVIATIONS
