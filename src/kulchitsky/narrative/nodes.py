"""Lymph nodes: counts removed and positive, nodes felt before surgery, nodes left behind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kulchitsky.case.issue import Level
from kulchitsky.case.vocabulary import State
from kulchitsky.narrative.lexicon import Mentions
from kulchitsky.narrative.notebook import Notebook, Place
from kulchitsky.narrative.patient import number_of
from kulchitsky.narrative.sentences import Sentence

_WORDS = (
    r"\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen"
    r"|seventeen|eighteen"
    r"|nineteen|twenty(?:[\s-](?:one|two|three|four|five|six|seven|eight|nine))?|thirty"
)
_NODES = (
    r"(?:(?:regional|inguinal|axillary|cervical|pelvic|iliac|groin|examined|dissected|resected|sampled|lymph|sentinel"
    r"|hilar|mesenteric|neck)\s){0,3}(?:lymph\s?)?nodes?"
)
_RATIO = re.compile(
    rf"\b(?P<pos>{_WORDS}|none|all)\s?(?:/|of|out of|among)\s?(?:the\s|a total of\s"
    rf"|these\s)?(?P<all>{_WORDS})\s?(?:{_NODES})",
    re.IGNORECASE,
)
_RATIO_AFTER = re.compile(
    rf"\b{_NODES}\b[^.;\d]{{0,40}}?\b(?P<pos>{_WORDS}|none)\s?(?:/|of"
    rf"|out of)\s?(?:the\s)?(?P<all>{_WORDS})\b(?!\s?(?:cm|mm|%|months?|years?))",
    re.IGNORECASE,
)
_REMOVED = re.compile(
    rf"\b(?P<all>{_WORDS})\s{_NODES}\s(?:being |were |was |had been )?(?:removed|dissected|excised|retrieved"
    rf"|sampled|examined|resected|identified|harvested|found|isolated)\b",
    re.IGNORECASE,
)
_POSITIVE = re.compile(
    rf"\b(?:metasta\w+|positive|deposits?|tumou?r)\b[^.;]{{0,40}}?\b(?:in|found in|detected in"
    rf"|present in)\s(?P<pos>{_WORDS})\s(?:of\s(?:the\s)?)?{_NODES}"
    rf"|\b(?P<pos2>{_WORDS})\s(?:of\s(?:the\s|these\s|them\s)?)?(?:{_NODES}\s)(?:were |was |being |is "
    rf"|are )?(?:positive|metastatic|involved|contain\w*(?:\s\w+){{0,2}}\s(?:metasta\w+|tumou?r))\b",
    re.IGNORECASE,
)
_REACTIVE = re.compile(
    rf"\b(?P<all>{_WORDS})\s(?:reactive|negative|uninvolved|benign|tumou?r-free)\s{_NODES}", re.IGNORECASE
)
_LEFT = re.compile(
    r"(?:\bnodes?\b|\bdissection\b)[^.;]{0,90}\b(?:not (?:be )?(?:dissected|removed|resected)|too risky"
    r"|left in place|were left|could not be removed|judged too (?:high|risky))\b[^.;]{0,60}"
    r"|\b(?:radical surgery|dissection)\b[^.;]{0,80}\b(?:too risky|not (?:performed|done|attempted)|omitted)\b",
    re.IGNORECASE,
)
_NODE_WORD = re.compile(
    r"\b(?:lymph )?(?:nodes?|nodal|adenopath(?:y|ies)|lymphadenopathy|lymphadenopathies|groins?)\b", re.IGNORECASE
)
_FELT = re.compile(
    r"\b(?:palpa\w+|enlarge\w*|felt|swollen|adenopath\w+|lymphadenopath\w+|mobile|fixed|matted|hard|asymmetric"
    r"|several|suspicious|clear|bulky)\b",
    re.IGNORECASE,
)
_PALPATED = re.compile(r"\bpalpa\w+|\bfelt\b|\bexamination\b|\bclinical\w*\b|\bmobile\b", re.IGNORECASE)
_NONE = re.compile(r"\b(?:no|not|without|nor|impalpable|clear|free|never)\b", re.IGNORECASE)
_CLEAR = re.compile(r"\b(?:clear|free|normal|empty)\b", re.IGNORECASE)
_NOT_TOLD = re.compile(
    r"\bnot (?:stated|supplied|mentioned|given|described|reported)|\bno (?:information|mention)", re.IGNORECASE
)
_NOT_CLINIC = frozenset(
    {
        "imaging",
        "microscopy",
        "stains",
        "gross",
        "procedure",
        "figure",
        "molecular",
        "treatment",
        "follow_up",
        "diagnosis",
    }
)
_TAKEN = re.compile(
    r"\b(?:biops\w+|excis\w+|remov\w+|dissect\w+|resect\w+|metasta\w+|histolog\w+|infiltrat\w+|operation|ct|mri"
    r"|pet|ultrasound|scan|specimen)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class NodeCount:
    """Nodes removed and positive, where they were read."""

    removed: int | None
    positive: int | None
    place: Place


def node_counts(book: Notebook, sentences: Sequence[Sentence]) -> NodeCount | None:
    """Nodes removed and positive over the whole report; a positive count without a total becomes an issue."""
    removed: tuple[int, Place] | None = None
    positive: tuple[int, Place] | None = None
    for sentence in sentences:
        if sentence.section in ("imaging", "stains", "laboratory"):
            continue
        ratio = _RATIO.search(sentence.text) or _RATIO_AFTER.search(sentence.text)
        if ratio:
            total = _number(ratio.group("all"))
            part = total if ratio.group("pos").lower() == "all" else _number(ratio.group("pos"))
            if total is not None and part is not None and part <= total <= 200:
                return NodeCount(total, part, (sentence.start + ratio.start(), sentence.start + ratio.end()))
        for pattern in (_REMOVED, _REACTIVE):
            match = pattern.search(sentence.text)
            if match and removed is None:
                number = _number(match.group("all"))
                if number is not None:
                    place = (sentence.start + match.start(), sentence.start + match.end())
                    removed = (number, place)
                    positive = (0, place) if pattern is _REACTIVE else positive
        match = _POSITIVE.search(sentence.text)
        if match and positive is None:
            number = _number(match.group("pos") or match.group("pos2"))
            if number is not None:
                positive = (number, (sentence.start + match.start(), sentence.start + match.end()))
    return _together(book, removed, positive)


def _together(
    book: Notebook, removed: tuple[int, Place] | None, positive: tuple[int, Place] | None
) -> NodeCount | None:
    if removed is not None:
        if positive is not None and positive[0] <= removed[0]:
            return NodeCount(removed[0], positive[0], positive[1])
        return NodeCount(removed[0], None, removed[1])
    if positive is not None and positive[0] > 0:
        book.issue(
            Level.WARNING,
            "narrative.nodes.total",
            f"{positive[0]} lymph nodes are said to be positive, and the number removed is not given",
            remedy="add nodes_removed and nodes_positive",
            path="procedures",
        )
    return None


def _number(word: str) -> int | None:
    bare = word.lower().strip()
    if bare == "none":
        return 0
    value = number_of(bare)
    return None if value is None else int(value)


def not_dissected(sentences: Sequence[Sentence]) -> tuple[str, Place] | None:
    """What was left behind, in the words of the report."""
    for sentence in sentences:
        match = _LEFT.search(sentence.text)
        if match:
            start = max(sentence.text.rfind(", ", 0, match.start()) + 2, 0)
            words = " ".join(sentence.text[start : match.end()].split()).strip(" ,.")
            return words[:300], (sentence.start + start, sentence.start + match.end())
    return None


def read_clinical_nodes(book: Notebook, sentences: Sequence[Sentence], mentions: Mentions) -> None:
    """Nodes found before any microscope, by palpation, into ``presentation.nodes``."""
    known: set[tuple[str, str | None]] = set()
    for sentence in sentences:
        if sentence.section in _NOT_CLINIC or _NOT_TOLD.search(sentence.text):
            continue
        for word in _NODE_WORD.finditer(sentence.text):
            low, high = max(0, word.start() - 200), min(len(sentence.text), word.end() + 200)
            clause_start = max(low - 1, *(sentence.text.rfind(c, low, word.start()) for c in ";:.")) + 1
            found = (sentence.text.find(c, word.end(), high) for c in ";.")
            clause_end = min((i for i in found if i >= 0), default=high)
            clause = sentence.text[clause_start:clause_end]
            if not _FELT.search(clause) or _TAKEN.search(clause):
                continue
            if word.group().lower().startswith("groin") and not _CLEAR.search(clause):
                continue  # a groin is a node station only where it is said to be clear
            _write_node(book, sentence, word, (clause_start, clause_end), mentions, known)


def _write_node(
    book: Notebook,
    sentence: Sentence,
    word: re.Match[str],
    clause: tuple[int, int],
    mentions: Mentions,
    known: set[tuple[str, str | None]],
) -> None:
    text = sentence.text
    found = mentions.of("place", start=sentence.start + clause[0], end=sentence.start + clause[1])
    near = [m for m in found if m.value != "skin" and abs(m.start - sentence.start - word.start()) < 50]
    station, side = "unspecified", None
    place: Place = (sentence.start + word.start(), sentence.start + word.end())
    if near:
        m = min(near, key=lambda m: abs(m.start - sentence.start - word.start()))
        station = text[m.start - sentence.start : m.end - sentence.start].lower()
        place = (min(place[0], m.start), max(place[1], m.end))
        around = re.search(
            r"\b(left|right|bilateral)\b",
            text[max(clause[0], m.start - sentence.start - 24) : m.end - sentence.start],
            re.I,
        )
        side = around.group(1).lower() if around else None
    if (station, side) in known:
        return
    known.add((station, side))
    before = text[clause[0] : word.start()]
    absent = _NONE.search(before[-35:]) or re.match(
        r"\s(?:were |was |are |is )?(?:not|impalpable|clear|free)\b", text[word.end() :], re.I
    )
    felt = _PALPATED.search(text) is not None
    row = {
        "station": station,
        "side": side,
        "state": State.ABSENT if absent else State.PRESENT,
        "found_by": "palpation" if felt else "not_stated",
    }
    book.add("presentation.nodes", row, {"station": place})
