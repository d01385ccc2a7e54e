"""Where the lesion is: words, side, region, layer, setting; whether there are several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from kulchitsky.case.vocabulary import Layer, Lesions, Setting, Side
from kulchitsky.narrative.lexicon import Mention, Mentions, load_data
from kulchitsky.narrative.notebook import Notebook
from kulchitsky.narrative.page import Page
from kulchitsky.narrative.sentences import Sentence

LESION = (
    r"mass(?:es)?|lumps?|tumou?rs?|nodules?|lesions?|swellings?|papules?|plaques?|growth|wound|ulcer|neoplasm"
    r"|neoplasia|formation|collection|cyst|carcinoma"
)
SPECIMEN = (
    r"biops(?:y|ies)|excis(?:ion|ed|ional)|resect(?:ion|ed)|specimens?|core|trephine|shave|punch|orchidectomy"
    r"|orchiectomy"
    r"|nephrectomy|nephroureterectomy|laminectomy|lobectomy|mastectomy|lumpectomy|thyroidectomy|hysterectomy"
    r"|colectomy"
    r"|gastrectomy|pancreatectomy|hepatectomy|dissection|curettage|aspirat(?:e|ion)|fna|amputation"
    r"|parotidectomy|scrapings?|tissue sample|removed|smears?"
)
_LESION = re.compile(rf"\b(?:{LESION})\b", re.IGNORECASE)
_SPECIMEN = re.compile(rf"\b(?:{SPECIMEN})\b", re.IGNORECASE)
_OTHER_TUMOUR = re.compile(
    r"\b(?:carcinoma|cancer|adenocarcinoma|melanoma|lymphoma|basal cell tumou?r)s?\s(?:of|in)\s(?:the\s)?(?:\w+\s)?$|"
    r"\b(?:previous|previously|earlier|prior|past|treated|history of|formerly|operated)\b[^.;:]*\b(?:carcinoma"
    r"|cancer|"
    r"tumou?r|melanoma|adenoma|lymphoma|adenocarcinoma|removed|resected)\b[^.;:]*$|"
    r"\b(?:uncle|mother|father|brothers?|sisters?|grandfather|grandmother)\b[^.;:]*$",
    re.IGNORECASE,
)
_DATED = re.compile(
    r"^[^.;,]{0,45}\b(?:in|since)\s(?:(?:19|20)\d\d|January|February|March|April|May|June|July|August|September"
    r"|October|November|December)\b|^[^.;,]{0,40}\byears? (?:ago|before|earlier)\b"
)
_CLEAR = re.compile(
    r"\b(?:no|not|without|normal|negative|clear|free|uninvolved|excluded|unremarkable|spared)\b", re.IGNORECASE
)
_PAIN = re.compile(
    r"\b(?:pain|painful|ache|bleeding|fracture|surgery|oedema|edema|scan|mri|ct|ultrasound|failure|disease"
    r"|of the face)\b",
    re.IGNORECASE,
)
_TOUCHED = re.compile(
    r"\b(?:erod\w+|invad\w+|compress\w+|abut\w+|displac\w+|touch\w+|press\w+ on|adherent to|encas\w+|splay\w+"
    r"|reach\w+)"
    r"\s(?:\w+\s){0,3}$",
    re.IGNORECASE,
)
_NODE = re.compile(
    r"^\W{0,2}(?:lymph )?(?:nodes?\b|adenopath|lymphadenopath|dissection|clearance|nodal)", re.IGNORECASE
)
_NODES_IN = re.compile(
    r"\b(?:nodes?|lymphadenopathy|adenopathy|metastas[ei]s)\s(?:enlargement\s|enlarged\s)?(?:in"
    r"|of)\s(?:the\s)?(?:left\s|right\s)?$",
    re.I,
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
class Place:
    """A place of the body as ``data/places.yaml`` knows it."""

    id: str
    region: str | None
    setting: str | None
    surface: bool


@dataclass(frozen=True, slots=True)
class _Candidate:
    mention: Mention
    place: Place
    sentence: Sentence
    score: float


_SKIN_BY_ITSELF = frozenset({"scalp", "face", "eyelid"})


@cache
def known_places() -> dict[str, Place]:
    """Places by id."""
    return {
        row["id"]: Place(row["id"], row.get("region"), row.get("setting"), bool(row.get("surface")))
        for row in load_data("places")["places"]
    }


def read_site(book: Notebook, sentences: Sequence[Sentence], mentions: Mentions) -> None:
    """Site, setting, layer and number of lesions into ``presentation``."""
    candidates = [
        _Candidate(m, known_places()[m.value], s, _score(s, n, m))
        for n, s in enumerate(sentences)
        for m in mentions.of("place", start=s.start, end=s.end)
    ]
    best = _best([c for c in candidates if c.place.id != "skin"])
    if best is None or best.score < 2:
        best = max(candidates, key=lambda c: c.score, default=None)
    if best is not None and best.score >= 1.5:
        _write_site(book, best, candidates)
    _write_setting(book, best, sentences)
    if best is not None and not book.has("presentation.site") and book.get("presentation.setting") == "lymph_node":
        _write_site(book, best, candidates)
    _write_layer(book, sentences)
    _write_lesions(book, sentences)


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


def _score(sentence: Sentence, number: int, m: Mention) -> float:
    text, at = sentence.text, m.start - sentence.start
    before, after = text[max(0, at - 60) : at], text[m.end - sentence.start : m.end - sentence.start + 45]
    clause_before = re.split(r"[;:]", before)[-1]
    clause_after = re.split(r"[;:.]", after)[0]
    score = max(0.0, 3 - 0.35 * number)
    if number == 0 and _is_header(text, at):
        score += 6
    if sentence.section == "specimen":
        score += 2
    if (_SPECIMEN.search(clause_before) or _SPECIMEN.search(clause_after)) and not _NODE.match(after):
        score += 3
    if (
        re.search(rf"\b(?:{LESION})\b(?:[\s,]+[\w.-]+){{0,11}}[\s,]*$", clause_before, re.I)
        or re.match(rf"(?:\s[\w-]+){{0,2}}\s(?:{LESION})\b", clause_after, re.I)
        or _LESION.search(text[at : m.end - sentence.start])
    ):
        score += 4
    if _OTHER_TUMOUR.search(clause_before) or _DATED.search(after):
        score -= 12
    if _CLEAR.search(clause_before[-25:]) or re.match(
        r"[\s\w]{0,20}\b(?:normal|clear|free|negative|contained no|no malignancy)\b", clause_after, re.I
    ):
        score -= 5
    if _PAIN.search(clause_before[-22:]) or _PAIN.search(clause_after[:14]):
        score -= 3
    if _TOUCHED.search(clause_before):
        score -= 5
    if known_places()[m.value].setting is not None:
        score += 1
    if m.value == "trunk" and re.match(r"\sof\b", after):
        score -= 9  # the back of something
    if _NODE.match(after) or _NODES_IN.search(clause_before):
        score -= 3
    return score


def _is_header(text: str, at: int) -> bool:
    """Whether the words at ``at`` stand in a specimen heading: ``SKIN, LEFT TEMPLE, BIOPSY.``"""
    head = re.split(r"[.:]", text)[0]
    return at < len(head) and (head.isupper() or (len(head) < 90 and _SPECIMEN.search(head) is not None))


def _write_site(book: Notebook, best: _Candidate, candidates: Sequence[_Candidate]) -> None:
    page, sentence = book.page, best.sentence
    start = _phrase_start(page, sentence, best.mention.start)
    end = best.mention.end
    if _is_header(sentence.text, best.mention.start - sentence.start):
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
        if one and not _OTHER_TUMOUR.search(sentence.text[: one.start()][-60:]):
            book.set(
                "presentation.lesions", Lesions.SINGLE, (sentence.start + one.start(), sentence.start + one.end())
            )
            return
