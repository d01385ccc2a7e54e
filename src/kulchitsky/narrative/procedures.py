"""Procedures: what was taken and where, nodes removed and positive, margins, how far the tumour reached."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from kulchitsky.narrative.lexicon import Mention, Mentions, load_data
from kulchitsky.narrative.nodes import NodeCount, node_counts, not_dissected
from kulchitsky.narrative.notebook import Notebook, Place
from kulchitsky.narrative.sentences import Sentence
from kulchitsky.narrative.sizes import Measured

_OUT = frozenset({"stains", "molecular", "laboratory", "figure", "identity", "treatment", "follow_up"})
_NOT_DONE = re.compile(
    r"\b(?:not|no|nor|prevented|refused|declined|impossible|never|planned|suggested|recommended|possible to|risky"
    r"|excluding)\b[^;.,]{0,30}$",
    re.IGNORECASE,
)
_EARLIER = re.compile(
    r"\b(?:in|since|until)\s(?:\w+\s)?(?:19|20)\d\d|\bpreviously\b|\byears? (?:ago|earlier|before)|\bformerly\b"
    r"|\bin the past\b|\boperated for\b|\bmother\b|\bfather\b|\bbasal cell|\blipoma",
    re.IGNORECASE,
)
_INVADES = re.compile(
    r"\b(?:invad\w+|infiltrat\w+|extend\w*|extension|involv\w+|reach\w+|grow\w+ (?:in)?to|adherent to|adher\w+"
    r"|adhesion to|penetrat\w+|breach\w*|break\w* through"
    r"|broke through|fixed to|destruct\w+ of|invasion of|occupying|takes up)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(?:no|not|without|spared?|uninvolved|free|clear of|limited to|confined to|separat\w+ from|mobile on)\b",
    re.IGNORECASE,
)
_MARGIN = re.compile(
    r"\b(?:resection |surgical |excision |lateral |deep |peripheral "
    r"|external )*margins?\b[^.;]{0,40}?\b(?P<s>free|clear|negative|uninvolved|not involved|tumou?r-free"
    r"|positive|involved|infiltrated|invaded|close|narrow)\b"
    r"|\b(?P<s2>clear|free|negative|tumou?r-free|uninvolved|positive|involved|close)\s(?:resection |surgical "
    r"|excision |surgical resection )?margins?\b"
    r"|\b(?P<inv>invad\w+|involv\w+|reach\w+|extend\w+ to)\b[^.;]{0,60}?\b(?:resection |surgical |lateral "
    r"|external )+margins?\b|\b(?P<r>R[012])\b(?=[\s,.;)])",
    re.IGNORECASE,
)
_MARGIN_MM = re.compile(
    r"\b(?:closest|nearest|minimum|deep|peripheral|lateral)?\s?margins?\s?(?:is|was|of|at|measures?"
    r"|:)?\s?(?:of\s)?(?P<v>\d{1,2}(?:\.\d)?)\s?(?P<u>mm|cm)\b"
    r"|\b(?P<v2>\d{1,2}(?:\.\d)?)\s?(?P<u2>mm)\s(?:from|to) the (?:closest|nearest|deep|lateral"
    r"|peripheral)?\s?(?:resection )?margin",
    re.IGNORECASE,
)
_NEGATIVE = ("free", "clear", "negative", "uninvolved", "not involved", "tumour-free", "tumor-free")
_TUMOUR_OUT = ("excision", "wide_excision", "resection")
_KEEP = 8


def read_procedures(
    book: Notebook, sentences: Sequence[Sentence], mentions: Mentions, sizes: Sequence[Measured]
) -> None:
    """Procedures with nodes, margins and invasion into ``procedures``."""
    rows: list[dict[str, Any]] = []
    places: list[dict[str, Place]] = []
    for sentence in sentences:
        if sentence.section in _OUT:
            continue
        for m in mentions.of("procedure", start=sentence.start, end=sentence.end):
            row = _row(sentence, m, mentions)
            if row is not None and not _known(rows, row) and len(rows) < _KEEP:
                rows.append(row)
                places.append({"kind": (m.start, m.end)})
    _nodes(book, sentences, rows, places)
    target = _of_tumour(rows)
    _invasion(sentences, mentions, rows, places, target)
    _margins(sentences, rows, places, target)
    target = _of_tumour(rows)
    if target is not None and "site" not in rows[target]:
        site = book.get("presentation.site") or {}
        rows[target].update({k: site[v] for k, v in (("site", "text"), ("side", "side")) if v in site})
    if target is not None:
        _size(sizes, rows[target], places[target])
    for row, place in zip(rows, places, strict=True):
        book.add("procedures", row, place)


def _row(sentence: Sentence, m: Mention, mentions: Mentions) -> dict[str, Any] | None:
    at, end = m.start - sentence.start, m.end - sentence.start
    text = sentence.text
    if _NOT_DONE.search(text[max(0, at - 45) : at]) or _EARLIER.search(text[max(0, at - 70) : end + 45]):
        return None
    words = text[at:end].lower()
    if words == "removed" and re.search(r"nodes?\b[^.;]{0,25}$", text[:at]):
        return None
    near = [p for p in mentions.of("place", start=sentence.start, end=sentence.end) if p.value != "skin"]
    others = [q for q in mentions.of("procedure", start=sentence.start, end=sentence.end) if q.start != m.start]
    close = [
        p
        for p in near
        if (abs(p.start - m.end) < 60 or abs(m.start - p.end) < 60) and not any(_between(m, q, p) for q in others)
    ]
    row: dict[str, Any] = {"kind": m.value}
    if close:
        place = min(close, key=lambda p: min(abs(p.start - m.end), abs(m.start - p.end)))
        itself = place.start < m.end and m.start < place.end
        row["site"] = (
            place.value if itself else text[place.start - sentence.start : place.end - sentence.start].lower()
        )
        side = _side_near(text, place.start - sentence.start, place.end - sentence.start)
        if side:
            row["side"] = side
    return row


def _between(first: Mention, middle: Mention, last: Mention) -> bool:
    return first.end <= middle.start < last.start or last.end <= middle.start < first.start


def _side_near(text: str, start: int, end: int) -> str | None:
    found = list(re.finditer(r"\b(left|right|bilateral)\b", text[max(0, start - 22) : end + 16], re.IGNORECASE))
    return found[0].group(1).lower() if found else None


def _known(rows: Iterable[dict[str, Any]], row: dict[str, Any]) -> bool:
    """The same intervention told twice, or a vaguer word for one already told at the place."""
    family = {
        "core_biopsy": "biopsy",
        "biopsy": "biopsy",
        "wide_excision": "excision",
        "excision": "excision",
        "resection": "excision",
    }
    mine = family.get(row["kind"], row["kind"])
    for other in rows:
        if family.get(other["kind"], other["kind"]) == mine and (
            not row.get("site") or other.get("site") in (None, row["site"])
        ):
            return True
    return False


def _of_tumour(rows: Sequence[dict[str, Any]]) -> int | None:
    return next((i for i, row in enumerate(rows) if row["kind"] in _TUMOUR_OUT), None)


def _nodes(
    book: Notebook,
    sentences: Sequence[Sentence],
    rows: list[dict[str, Any]],
    places: list[dict[str, Place]],
) -> None:
    count = node_counts(book, sentences)
    left = not_dissected(sentences)
    index = next(
        (i for i, row in enumerate(rows) if row["kind"] in ("node_dissection", "sentinel_node_biopsy")), None
    )
    if index is None:
        if count is None or count.removed is None:
            return
        rows.append({"kind": "node_dissection"})
        places.append({"kind": count.place})
        index = len(rows) - 1
    row = rows[index]
    if "site" in row:
        row["node_station"] = row["site"]
    if count is not None:
        _write_counts(row, places[index], count)
    if left is not None:
        row["not_done"], places[index]["not_done"] = left


def _write_counts(row: dict[str, Any], places: dict[str, Place], count: NodeCount) -> None:
    for key, value in (("nodes_removed", count.removed), ("nodes_positive", count.positive)):
        if value is not None:
            row[key] = value
            places[key] = count.place


@cache
def _structures() -> dict[str, tuple[str, str | None]]:
    """Structure by id in the lexicon: name and layer."""
    return {row["name"]: (row["name"], row.get("layer")) for row in load_data("structures")["structures"]}


def _invasion(
    sentences: Sequence[Sentence],
    mentions: Mentions,
    rows: list[dict[str, Any]],
    places: list[dict[str, Place]],
    target: int | None,
) -> None:
    layers: list[str] = []
    names: list[str] = []
    first: Place | None = None
    for sentence in sentences:
        if sentence.section in _OUT or sentence.section == "imaging":
            continue
        for verb in _INVADES.finditer(sentence.text):
            stop = re.search(r"[;.]|\bbut\b|, (?:cells|nuclei|with|no)\b", sentence.text[verb.end() :])
            end = verb.end() + (stop.start() if stop else len(sentence.text))
            lead = sentence.text[max(0, verb.start() - 25) : verb.start()]
            if _DENIED.search(lead):
                continue
            found = mentions.of(
                "structure", start=sentence.start + verb.end(), end=sentence.start + min(end, verb.end() + 140)
            )
            before = mentions.of(
                "structure", start=sentence.start + max(0, verb.start() - 40), end=sentence.start + verb.start()
            )
            passive = re.match(r"(?:invaded|infiltrated|breached)\b", verb.group(), re.IGNORECASE)
            for m in (*found, *(before if passive and not found else ())):
                at = m.start - sentence.start
                if _DENIED.search(sentence.text[verb.end() : at]) if at > verb.end() else False:
                    break
                name, layer = _structures()[m.value]
                if name == "skin":
                    if not verb.group().lower().startswith("adhe"):
                        continue
                    name = "adherent to skin"
                if name in ("wall", "capsule", "dermis", "subcutaneous fat") and layer is None:
                    continue
                if layer and layer not in layers:
                    layers.append(layer)
                if name not in names and name not in ("muscle", "dermis", "subcutaneous fat"):
                    names.append(name)
                first = first or (sentence.start + verb.start(), m.end)
    if first is None:
        return
    if target is None:
        target = next((i for i, row in enumerate(rows) if "biopsy" in row["kind"]), None)
    if target is None:
        rows.append({"kind": "other"})
        places.append({"kind": first})
        target = len(rows) - 1
    if layers:
        rows[target]["invades"] = layers
        places[target]["invades"] = first
    if names:
        rows[target]["structures_invaded"] = names
        places[target]["structures_invaded"] = first


def _margins(
    sentences: Sequence[Sentence], rows: list[dict[str, Any]], places: list[dict[str, Place]], target: int | None
) -> None:
    if target is None:
        return
    for sentence in sentences:
        match = _MARGIN.search(sentence.text) if sentence.section not in _OUT else None
        if match is None or re.search(r"\bnot (?:stated|reported|given|assessed)", sentence.text[match.start() :]):
            continue
        rows[target]["margins"] = _margin_status(match)
        places[target]["margins"] = (sentence.start + match.start(), sentence.start + match.end())
        break
    for sentence in sentences:
        distance = _MARGIN_MM.search(sentence.text) if sentence.section not in _OUT else None
        if distance:
            value = float(distance.group("v") or distance.group("v2"))
            centimetres = (distance.group("u") or distance.group("u2")).lower() == "cm"
            rows[target]["margin_mm"] = value * (10 if centimetres else 1)
            places[target]["margin_mm"] = (sentence.start + distance.start(), sentence.start + distance.end())
            return


def _margin_status(match: re.Match[str]) -> str:
    if match.group("inv"):
        return "positive"
    if match.group("r"):
        return "negative" if match.group("r").upper() == "R0" else "positive"
    word = (match.group("s") or match.group("s2")).lower()
    if word in _NEGATIVE:
        return "negative"
    return "close" if word in ("close", "narrow") else "positive"


def _size(sizes: Sequence[Measured], row: dict[str, Any], places: dict[str, Place]) -> None:
    gross = [m for m in sizes if m.method == "gross"]
    if gross:
        row["tumour_size_cm"] = max(gross[0].dimensions_cm)
        places["tumour_size_cm"] = gross[0].place
