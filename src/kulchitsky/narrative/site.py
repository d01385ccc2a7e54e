"""Where the lesion is: words, side, region, layer, setting; whether there are several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from kulchitsky.case.vocabulary import Layer, Lesions, Setting, Side
from kulchitsky.narrative.lexicon import Mention, Mentions, load_data
from kulchitsky.narrative.notebook import Notebook
from kulchitsky.narrative.page import Page
from kulchitsky.narrative.sentences import Sentence
from kulchitsky.narrative.site_score import (
    LESION,
    OTHER_TUMOUR,
    SPECIMEN,
    SPECIMEN_WORD,
    Place,
    clause_at,
    is_header,
    is_history,
    is_of_node,
    known_places,
    place_score,
)

_SIDE = re.compile(r"\b((?i:left|right|bilateral|midline|both sides|left-sided|right-sided)|[LR](?=\s[a-z]))\b")
_ADJECTIVES = re.compile(
    r"(?:\b(?:left|right|upper|lower|mid|middle|posterior|anterior|lateral|medial|proximal|distal|inner|outer"
    r"|dorsal|ventral|superior|inferior|parietal|occipital|frontal|temporal|deep|high|extrahepatic|supra|side of"
    r"|back of|skin of the"
    r"|the|of|her|his|skin|on|aspect|dorsum|tip|wall)\b[\s,]*)+$",
    re.IGNORECASE,
)
_LEADING = re.compile(r"^(?:(?:the|of|her|his|on)\s+)+", re.IGNORECASE)
_LAYERS = (
    (
        Layer.EPIDERMIS,
        re.compile(r"\b(?:wholly |purely |entirely )intra-?epidermal\b|\bthe epidermis contains\b", re.I),
    ),
    (Layer.DERMIS, re.compile(r"\b(?:intra-?dermal|dermis|dermal|intracutaneous)\b", re.I)),
    (Layer.SUBCUTIS, re.compile(r"\b(?:subcutaneous|subcutis|sub-cutaneous|hypodermis|hypodermal)\b", re.I)),
    (Layer.MUSCLE, re.compile(r"\b(?:intramuscular|(?:with)?in (?:the )?(?:skeletal )?muscle|muscle mass)\b", re.I)),
    (Layer.SUBMUCOSA, re.compile(r"\bsubmucosal?\b", re.I)),
    (Layer.MUCOSA, re.compile(r"\b(?:mucosa|mucosal)\b", re.I)),
)  # fmt: skip
_NOT_INVOLVED = re.compile(
    r"\b(?:no|not|without|normal|separat\w+ from|intact|uninvolved|spared?|fails? to show|overl\w+|under"
    r"|beneath)\b[^.;,]{0,40}$",
    re.IGNORECASE,
)
_MANY = re.compile(
    rf"\b(?:multiple|several|many|numerous|satellite|two|three|more)\s(?:[\w-]+\s){{0,3}}(?:{LESION})\b",
    re.IGNORECASE,
)
_ONE = re.compile(
    r"\b(?:a|an|one|single|solitary)\s(?:[\w/.-]+,?\s){0,6}(?:mass|lump|tumou?r|nodule|lesion|swelling|papule"
    r"|plaque|growth"
    r"|wound|ulcer|neoplasm)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Candidate:
    mention: Mention
    place: Place
    sentence: Sentence
    score: float


_SKIN_BY_ITSELF = frozenset({"scalp", "face", "eyelid"})


def read_site(book: Notebook, sentences: Sequence[Sentence], mentions: Mentions) -> None:
    """Site, setting, layer and number of lesions into ``presentation``."""
    candidates = [
        _Candidate(m, _as_lying(known_places()[m.value], s, m), s, place_score(s, n, m))
        for n, s in enumerate(sentences)
        for m in mentions.of("place", start=s.start, end=s.end)
    ]
    best = _best([c for c in candidates if c.place.id != "skin"])
    if best is None or best.score < 2:
        best = max(candidates, key=lambda c: c.score, default=None)
    if best is not None and best.score >= 1.0:
        _write_site(book, _of_node(best, candidates, sentences), candidates)
    _write_setting(book, best, sentences)
    if best is not None and not book.has("presentation.site") and book.get("presentation.setting") == "lymph_node":
        _write_site(book, best, candidates)
    _write_layer(book, sentences)
    _write_lesions(book, sentences)


def _of_node(best: _Candidate, candidates: Sequence[_Candidate], sentences: Sequence[Sentence]) -> _Candidate:
    """Where a node was taken, the place named with it (``axillary node``) rather than the organ of the tumour."""
    if best.place.setting is None or _node_specimen(best, sentences) is None:
        return best
    near = [c for c in candidates if c.place.setting is None and is_of_node(c.sentence, c.mention)]
    return max(near, key=lambda c: c.score, default=best)


_SKIN_OF = re.compile(r"^\s(?:overlying\s)?skin\b", re.IGNORECASE)
_OVER = re.compile(
    r"\b(?:over|overlying|superficial to|skin of|skin over|above)\s(?:the\s|his\s|her\s)?(?:left\s|right\s)?$",
    re.IGNORECASE,
)


def _as_lying(place: Place, sentence: Sentence, m: Mention) -> Place:
    """``a nodule over the sternum``: what lies over an organ is skin or soft tissue."""
    at = m.start - sentence.start
    covered = _OVER.search(sentence.text[max(0, at - 30) : at])
    if place.setting is None or not (covered or _SKIN_OF.match(sentence.text[m.end - sentence.start :][:20])):
        return place
    return replace(place, setting=None, surface=True)


def _best(candidates: Sequence[_Candidate]) -> _Candidate | None:
    """The best-placed mention of the place that is best placed over all of its mentions."""
    by_place: dict[str, list[_Candidate]] = {}
    for candidate in candidates:
        by_place.setdefault(candidate.place.id, []).append(candidate)

    def weight(place: str) -> float:
        scores = sorted((c.score for c in by_place[place]), reverse=True)
        return scores[0] + min(4.0, 0.3 * sum(s for s in scores[1:] if s > 0))

    top = max(by_place, key=weight, default=None)
    return None if top is None else max(by_place[top], key=lambda c: c.score)


def _write_site(book: Notebook, best: _Candidate, candidates: Sequence[_Candidate]) -> None:
    page, sentence = book.page, best.sentence
    start = _phrase_start(page, sentence, best.mention.start)
    end = best.mention.end
    if is_header(sentence.text, best.mention.start - sentence.start):
        tail = re.match(
            r"(?:,\s(?:left|right|posterior|anterior|lateral|medial|upper|lower|distal|proximal))+",
            page.clean[end : end + 60],
            re.I,
        )
        end += tail.end() if tail else 0
    words = " ".join(page.clean[start:end].split())
    words = words.lower()
    book.set("presentation.site.text", words, (start, end))
    side, place = _side(page, sentence, start, end)
    if side is None:
        for other in candidates:
            if other.place.id == best.place.id and side is None:
                first = _phrase_start(page, other.sentence, other.mention.start)
                side, place = _side(page, other.sentence, first, other.mention.end)
    if side is not None:
        book.set("presentation.site.side", side, place)
    if best.place.region:
        book.set("presentation.site.region", best.place.region, (best.mention.start, best.mention.end))


def _phrase_start(page: Page, sentence: Sentence, at: int) -> int:
    lead = page.clean[max(sentence.start, at - 60) : at]
    match = _ADJECTIVES.search(lead)
    if match is None:
        return at
    words = match.group()
    bare = _LEADING.sub("", words)
    return at - len(words) + (len(words) - len(bare))


def _side(page: Page, sentence: Sentence, start: int, end: int) -> tuple[Side | None, tuple[int, int]]:
    low, high = max(sentence.start, start - 12), min(sentence.end, end + 22)
    inside = _SIDE.search(page.clean, start, end)
    near = inside or _SIDE.search(page.clean, low, high)
    if near is None or (
        inside is None and re.search(r"[;.]", page.clean[min(end, near.start()) : max(start, near.end())])
    ):
        return None, (start, end)
    word = near.group(1).lower()
    word = {"l": "left", "r": "right", "both sides": "bilateral"}.get(word, word)
    side = Side(word.removesuffix("-sided"))
    return side, near.span()


def _write_setting(book: Notebook, best: _Candidate | None, sentences: Sequence[Sentence]) -> None:
    if best is not None and best.place.setting is not None:
        node = _node_specimen(best, sentences)
        if node is not None:
            book.set("presentation.setting", Setting.LYMPH_NODE, node)
            return
        book.set("presentation.setting", Setting(best.place.setting), (best.mention.start, best.mention.end))
        return
    weights: dict[str, float] = {"skin": 2.5} if best is not None and best.place.id in _SKIN_BY_ITSELF else {}
    where = {"skin": (best.mention.start, best.mention.end)} if best is not None else {}
    where = where if weights else {}
    for number, sentence in enumerate(sentences):
        factor = 2.0 if number == 0 else 1.0
        for setting, pattern, table in _setting_patterns():
            for match in pattern.finditer(sentence.text):
                lead = sentence.text[max(0, match.start() - 45) : match.start()]
                if _NOT_INVOLVED.search(lead) or sentence.text[match.end() : match.end() + 8].strip().startswith(
                    ("normal", "intact")
                ):
                    continue
                if setting == "lymph_node" and not _node_is_tissue(sentence, match):
                    continue
                weights[setting] = weights.get(setting, 0.0) + factor * table[match.group().lower()]
                where.setdefault(setting, (sentence.start + match.start(), sentence.start + match.end()))
    if not weights and best is not None and best.place.surface:
        book.set("presentation.setting", Setting.SOFT_TISSUE, (best.mention.start, best.mention.end))
    elif weights:
        top = max(weights, key=lambda k: weights[k])
        if best is not None or weights[top] >= 3:
            book.set("presentation.setting", Setting(top), where[top])


_NODE_TAKEN = re.compile(
    r"\b(?:biopsy|excision|aspirat\w+|fna|core|sampling|tbna|removal)\b[^.;]{0,30}\b(?:of|from)\b[^.;,]{0,45}\bnodes?\b"
    r"|\b(?:lymph )?node,? (?:was )?(?:core |excision |excisional |open )?(?:biopsy|biopsied|excision|excised|fna"
    r"|aspirate)"
    r"|\btbna\b[^.;]{0,12}\bstation|\bstation \d{1,2}[LR]?\b[^.;]{0,20}\bnode"
    r"|\b(?:lymph node|nodal) (?:tissue|architecture|parenchyma)\b[^.;]{0,60}"
    r"\b(?:replac|effac|infiltrat|occupied|overrun)\w*"
    r"|\bmetasta\w+ (?:to|in|within|involving) (?:an?|the|this)\s(?:[\w-]+\s){0,3}(?:lymph )?node\b",
    re.IGNORECASE,
)


_NODE_OPENS = re.compile(r"^\W*(?:[\w-]+,?\s){0,3}(?:lymph )?nodes?\b(?!\s(?:negative|clear|status))", re.IGNORECASE)


def _node_specimen(best: _Candidate, sentences: Sequence[Sentence]) -> tuple[int, int] | None:
    """Where a lymph node is told as the tissue taken, while the organ is only where something else was seen."""
    for number, sentence in enumerate(sentences[:12]):
        match = _NODE_TAKEN.search(sentence.text) or (None if number else _NODE_OPENS.match(sentence.text))
        if match is None or is_history(sentence.text, match.start()):
            continue
        start = sentence.start + match.start()
        if best.place.id in ("mediastinum", "pelvis") or (
            best.sentence is sentence and not number and not match.start()
        ):
            return start, sentence.start + match.end()
        if best.sentence is not sentence or best.mention.start > start:
            organ = clause_at(best.sentence.text, best.mention.start - best.sentence.start)
            if best.sentence is sentence or SPECIMEN_WORD.search(organ) is None:
                return start, sentence.start + match.end()
    return None


_NODE_TISSUE = re.compile(
    rf"\b(?:{SPECIMEN}|infiltrated|replac\w+|occupied|effaced|contain\w*|metasta\w+|deposit|node, )\b", re.IGNORECASE
)


def _node_is_tissue(sentence: Sentence, match: re.Match[str]) -> bool:
    """A lymph node counts as the tissue at hand only where it was taken or described under the microscope."""
    around = sentence.text[max(0, match.start() - 50) : match.end() + 50]
    return _NODE_TISSUE.search(around) is not None and sentence.section not in ("imaging", "procedure")


@cache
def _setting_patterns() -> tuple[tuple[str, re.Pattern[str], dict[str, float]], ...]:
    table: dict[str, dict[str, float]] = load_data("places")["setting_words"]
    return tuple(
        (
            setting,
            re.compile(r"\b(?:" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + r")\b", re.I),
            words,
        )
        for setting, words in table.items()
    )


def _write_layer(book: Notebook, sentences: Sequence[Sentence]) -> None:
    found: list[tuple[int, Layer, tuple[int, int]]] = []
    for rank, (layer, pattern) in enumerate(_LAYERS):
        for sentence in sentences:
            for match in pattern.finditer(sentence.text):
                lead = sentence.text[max(0, match.start() - 45) : match.start()]
                if not _NOT_INVOLVED.search(lead):
                    place = (sentence.start + match.start(), sentence.start + match.end())
                    found.append((rank, layer, place))
                    break
    if not found:
        return
    skin = book.get("presentation.setting") == Setting.SKIN.value
    order = (
        {Layer.EPIDERMIS: 0, Layer.DERMIS: 1, Layer.SUBCUTIS: 2}
        if skin
        else {Layer.SUBCUTIS: 0, Layer.MUSCLE: 1, Layer.DERMIS: 2}
    )
    _, layer, place = min(found, key=lambda f: (order.get(f[1], 5), f[2]))
    if layer in (Layer.MUCOSA, Layer.SUBMUCOSA) and book.get("presentation.setting") in (
        "skin",
        "soft_tissue",
        "lymph_node",
    ):
        return
    book.set("presentation.site.layer", layer, place)


def _write_lesions(book: Notebook, sentences: Sequence[Sentence]) -> None:
    early = [s for s in sentences if s.section in ("", "case", "clinical", "specimen", "gross", "imaging")][:12]
    for sentence in early:
        many = _MANY.search(sentence.text)
        if many and not re.search(
            r"\b(?:actinic|previous|earlier|past|lipoma)", sentence.text[max(0, many.start() - 20) : many.end() + 20]
        ):
            words = many.group().lower()
            if "carcinoma" in words:
                continue
            book.set(
                "presentation.lesions", Lesions.MULTIPLE, (sentence.start + many.start(), sentence.start + many.end())
            )
            return
    for sentence in early[:6]:
        one = _ONE.search(sentence.text)
        if one and not OTHER_TUMOUR.search(sentence.text[: one.start()][-60:]):
            book.set(
                "presentation.lesions", Lesions.SINGLE, (sentence.start + one.start(), sentence.start + one.end())
            )
            return
