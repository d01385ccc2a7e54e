"""Ki-67 labelling indices as reports give them: figures, ranges, bounds, cells counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from kulchitsky.case.issue import Level
from kulchitsky.narrative.lexicon import Mention, Mentions
from kulchitsky.narrative.notebook import Notebook, Place
from kulchitsky.narrative.sentences import Sentence
from kulchitsky.narrative.stain_items import percents_in

_CELLS = re.compile(
    r"(?P<positive>\d{1,3}(?:,\d{3})+|\d{1,6})\s?(?:/|of|out of|positive (?:cells |nuclei )?(?:of|in|among))\s?"
    r"(?:a total of )?"
    r"(?P<counted>\d{1,3}(?:,\d{3})+|\d{2,6})\s?(?:tumou?r |neoplastic |lesional )?(?:cells|nuclei)",
    re.IGNORECASE,
)
_HOTSPOT = re.compile(r"\bhot[\s-]?spots?\b|\bhighest (?:labelling|labeling|density|proliferat)", re.IGNORECASE)
_WORDS = re.compile(r"\b(?:very )?(?:low|high|elevated|moderate|brisk)\b", re.IGNORECASE)
_INDEX_NAME = re.compile(
    r"\b(?:proliferat(?:ion|ive)|labell?ing|mitotic proliferation)\s(?:index|rate|fraction|activity)\b", re.IGNORECASE
)
_NOT_TOLD = re.compile(
    r"\b(?:not|no|nor|neither|without|un)\b[^;.]{0,70}|unavailable|pending|omitted|missing", re.IGNORECASE
)


def read_ki67(book: Notebook, sentences: Sequence[Sentence], mentions: Mentions, specimen_at: dict[int, str]) -> None:
    """Every index stated, once a figure and specimen. ``specimen_at`` gives the specimen by start of sentence."""
    seen: set[tuple[object, ...]] = set()
    for sentence in sentences:
        names = [m for m in mentions.of("marker", start=sentence.start, end=sentence.end) if m.value == "ki67"]
        if not names:
            names = _unnamed(sentence)
        for name in names[:3]:
            found = _figure(sentence, name, mentions)
            if found is None:
                _words_only(book, sentence, name)
                continue
            record, place = found
            specimen = specimen_at.get(sentence.start, "")
            if specimen:
                record["specimen"] = specimen
            key = (record.get("percent"), record.get("low_percent"), record.get("high_percent"), specimen)
            if key in seen:
                continue
            seen.add(key)
            main = "percent" if "percent" in record else "high_percent"
            book.add("ki67", record, {main: place})
    _differing(book)


def _unnamed(sentence: Sentence) -> list[Mention]:
    """``proliferation index 30 %``: an index without the antibody's name."""
    match = _INDEX_NAME.search(sentence.text)
    if match is None:
        return []
    return [Mention("marker", "ki67", sentence.start + match.start(), sentence.start + match.end())]


def _figure(sentence: Sentence, name: Mention, mentions: Mentions) -> tuple[dict[str, Any], Place] | None:
    text, base = sentence.text, sentence.start
    others = [
        m.start
        for m in mentions.of("marker", start=name.end, end=sentence.end)
        if m.value not in ("ki67", name.value)
    ]
    stop = min([*others, _segment_end(text, name.end - base) + base, sentence.end])
    figures = sorted(percents_in(text, 0, len(text)))
    after = [f for f in figures if base + f[0] >= name.end - 1 and base + f[0] < stop]
    before = [
        f
        for f in figures
        if base + f[1] <= name.start
        and name.start - base - f[1] < 70
        and ";" not in text[f[1] : name.start - base]
        and not _another_between(mentions, base + f[1], name.start)
    ]
    chosen = after[0] if after else before[-1] if before else None
    cells = _cells(text[name.end - base : stop - base])
    if chosen is None and cells is None:
        return None
    record: dict[str, Any] = {}
    place: Place = (name.start, name.end)
    if chosen is not None:
        first, last, low, high, bound = chosen
        place = (base + first, base + last)
        if high is not None:
            record.update(low_percent=low, high_percent=high)
        else:
            record.update(percent=low)
            if bound != "exact":
                record["bound"] = bound
    if cells is not None:
        record.update(_consistent(cells, record))
    if _HOTSPOT.search(text):
        record["hotspot"] = True
    return (record, place) if record else None


def _segment_end(text: str, at: int) -> int:
    match = re.search(r";|(?<!\bapprox)(?<!\bca)(?<!\bcirca)\.\s", text[at:], re.IGNORECASE)
    return at + match.start() if match else len(text)


def _another_between(mentions: Mentions, start: int, end: int) -> bool:
    return any(m.value != "ki67" for m in mentions.of("marker", start=start, end=end))


def _cells(text: str) -> tuple[int, int] | None:
    match = _CELLS.search(text)
    if match is None:
        return None
    positive, counted = (int(match.group(g).replace(",", "")) for g in ("positive", "counted"))
    return (positive, counted) if counted > 0 and positive <= counted else None


def _consistent(cells: tuple[int, int], record: dict[str, Any]) -> dict[str, Any]:
    """Cells counted, where they agree with the percentage beside them."""
    positive, counted = cells
    percent = record.get("percent")
    if percent is not None and abs(100 * positive / counted - percent) > 1.5:
        return {}
    return {"positive": positive, "counted": counted}


def _words_only(book: Notebook, sentence: Sentence, name: Mention) -> None:
    """``Ki-67: low`` is a statement that no figure can be made of."""
    end = min(_segment_end(sentence.text, name.end - sentence.start), len(sentence.text))
    rest = sentence.text[name.end - sentence.start : end]
    if _WORDS.search(rest[:40]) and not _NOT_TOLD.search(sentence.text):
        book.unread((name.start, sentence.start + end), "a Ki-67 index in words: no figure is made of it")


def _differing(book: Notebook) -> None:
    """Two indices of one specimen that differ are kept, and pointed out."""
    rows = book.get("ki67") or []
    by_specimen: dict[str, set[float]] = {}
    for row in rows:
        figure = row.get("percent", row.get("high_percent"))
        if figure is not None:
            by_specimen.setdefault(row.get("specimen", ""), set()).add(figure)
    for specimen, figures in by_specimen.items():
        if len(figures) > 1 and max(figures) - min(figures) > 1:
            shown = ", ".join(f"{f:g} %" for f in sorted(figures))
            book.issue(
                Level.NOTE,
                "narrative.ki67.several",
                f"the report gives several Ki-67 indices{f' for {specimen}' if specimen else ''}: {shown}",
                remedy="say which specimen or area each belongs to",
                path="ki67",
            )
