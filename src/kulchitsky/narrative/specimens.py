"""Which specimen a sentence speaks of, so that the stains of a primary, a node and an earlier tumour stay apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kulchitsky.case.vocabulary import SpecimenKind
from kulchitsky.narrative.history import denied
from kulchitsky.narrative.lexicon import Mentions
from kulchitsky.narrative.notebook import Notebook, Place
from kulchitsky.narrative.sentences import Sentence
from kulchitsky.narrative.site_score import SPECIMEN, known_places

_LETTER = re.compile(
    r"^\s*(?:specimen|part|sample|block|container|pot)?\s?\(?(?P<id>[A-Ha-h]|[1-9])(?:\)|\.|:|\s-)\s?(?=[A-Za-z])",
    re.IGNORECASE,
)
_POPULATION = re.compile(r"\bOn\s\((?P<id>[a-d])\)", re.IGNORECASE)
_HEADED = re.compile(
    rf"^\W{{0,3}}(?P<head>[^:;.]{{0,60}}?\b(?:{SPECIMEN}|core|node|nodes|metastasis"
    rf"|primary)\b[^:;.]{{0,30}}?)\s?(?::|\s-\s|\.(?=\s))",
    re.IGNORECASE,
)
_EARLIER = re.compile(
    r"\b(?:that|the (?:previous|earlier|original|first|prior|lung|pulmonary)) (?:tumou?r|neoplasm|carcinoma"
    r"|lesion)\s(?:was|had|showed|marked|stained|expressed)"
    r"|\b(?:cancer|carcinoma|tumou?r) diagnosed\b[^.]{0,60}\b(?:ago|in (?:19|20)\d\d)|\b(?:20|19)\d\d:\s",
    re.IGNORECASE,
)
_POPULATIONS = frozenset("abcd")
_OF_ALL = frozenset({"stains", "microscopy", "comment", "molecular"})
_SPREAD_WORD = re.compile(
    r"\bmetasta(?:tic|sis|ses)\b(?!\s(?:disease )?(?:is |was )?(?:not|excluded))", re.IGNORECASE
)


def _is_spread(sentence: Sentence) -> bool:
    """Whether a part is said to hold a metastasis."""
    match = _SPREAD_WORD.search(sentence.text)
    return match is not None and not denied(sentence.text, match.start()) and "?" not in sentence.text


_PART = re.compile(
    r"^\W*(?:in |the |an? )*(?P<head>(?:[\w/-]+\s){0,4}?(?:component|cells|part|portion|elements?|areas?|population"
    r"|focus|foci|\w*carcinoma|NEC|NET|\w*adenoma|tumou?r))"
    r"\s?(?::|-\s|=|show|express|are\b|is\b|stain|were\b|was\b)",
    re.IGNORECASE,
)
_NOT_EPITHELIAL = re.compile(
    r"spindle|sarcom|mesenchym|rhabdo|heterolog|squam|gland|adeno|urothel|chondro|osteo|stromal|pleomorph|lymph"
    r"|prostat|acinar|ductal|papillary|incidental|lobular|endometri|mucinous|serous|in_situ",
    re.IGNORECASE,
)
_PART_NAME = "part_"


def part_of(segment: str) -> str:
    """Name of the part of a tumour that a segment opens with (``The spindle cell component: ...``); empty: none."""
    match = _PART.match(segment)
    return _PART_NAME + re.sub(r"\W+", "_", match.group("head").lower())[:30].strip("_") if match else ""


def part_row(name: str) -> dict[str, Any]:
    """The specimen that stands for a part of the tumour."""
    return {"id": name, "kind": "unknown", "site": name.removeprefix(_PART_NAME).replace("_", " ")}


def is_part(name: str) -> bool:
    """Whether a specimen stands for a part of a tumour."""
    return name.startswith(_PART_NAME)


def foreign_kinds(positive: Mapping[str, frozenset[str]]) -> dict[str, SpecimenKind]:
    """Which specimens aren't of the tumour at hand, from the stains positive in each.

    An earlier tumour without neuroendocrine stain is another one; one that had it is taken for the same disease. Of
    two cell populations of one lesion the lymphoid one stands beside the other.
    """
    found: dict[str, SpecimenKind] = {}
    if "earlier" in positive and not positive["earlier"] & _NEUROENDOCRINE:
        found["earlier"] = SpecimenKind.OTHER_TUMOUR
    parts = {n: stains for n, stains in positive.items() if is_part(n)}
    if any(stains & _NEUROENDOCRINE for stains in parts.values()):
        for name, stains in parts.items():
            if _NOT_EPITHELIAL.search(name) and not stains & _NEUROENDOCRINE:
                found[name] = SpecimenKind.BACKGROUND
    populations = {n: stains for n, stains in positive.items() if n in _POPULATIONS}
    if any(stains & (_NEUROENDOCRINE | _EPITHELIAL) for stains in populations.values()):
        for name, stains in populations.items():
            if stains & _LYMPHOID and not stains & (_NEUROENDOCRINE | _EPITHELIAL):
                found[name] = SpecimenKind.BACKGROUND
    return found


_NEUROENDOCRINE = frozenset({"synaptophysin", "chromogranin_a", "insm1", "cd56", "any_ne_marker", "calcitonin"})
_EPITHELIAL = frozenset({"pan_cytokeratin", "cam5_2", "ck8_18", "ck7", "ema", "ber_ep4"})
_LYMPHOID = frozenset({"cd45", "cd20", "cd3", "cd5", "cd79a", "pax5", "cd23"})
_STAINS = re.compile(r"positive|negative|\(\+\)|\(-\)|express|stain|reactive|\+|immuno", re.IGNORECASE)
_MAX = 8
EARLIER_ROW: Mapping[str, Any] = {"id": "earlier", "kind": "unknown", "site": "an earlier tumour"}
_NAMED_TUMOUR = re.compile(
    r"\b(?:carcinoma|cancer|ca|lymphoma|melanoma|sarcoma|tumou?r|mastectomy|prostatectomy)\b", re.IGNORECASE
)
_THEN = re.compile(
    r"\b(?:in|since) (?:19|20)\d\d\b|\b(?:years?|yrs?) (?:ago|before|earlier|previously)\b|\bhistory of\b"
    r"|\bhx\b|\bh/o\b"
    r"|\bprevious(?:ly)?\b|\bprior\b",
    re.IGNORECASE,
)


def in_history_brackets(sentence: Sentence, at: int) -> bool:
    """``carcinoma of the breast in 2004 (ER positive)``: stains in brackets behind an earlier tumour are its own."""
    opened = sentence.text.rfind("(", 0, at)
    if opened < 0 or sentence.text.rfind(")", 0, at) > opened:
        return False
    lead = re.split(r"[;.]\s", sentence.text[max(0, opened - 120) : opened])[-1]
    return _NAMED_TUMOUR.search(lead) is not None and _THEN.search(lead) is not None


def read_specimens(
    sentences: Sequence[Sentence], mentions: Mentions
) -> tuple[dict[int, str], dict[str, tuple[dict[str, Any], Place]]]:
    """Specimen of each sentence (by its start; absent: the specimen at hand), and the specimens found.

    Specimens are kept only where the report tells of more than one and of stains in more than one.
    """
    current, paragraph, section = "", -1, ""
    at: dict[int, str] = {}
    found: dict[str, tuple[dict[str, Any], Place]] = {}
    for sentence in sentences:
        fresh = sentence.paragraph != paragraph
        if fresh and (current == "earlier" or (sentence.section != section and sentence.section in _OF_ALL)):
            current = ""  # "IMMUNOHISTOCHEMISTRY" after parts A and B speaks of the tumour, not of part B
        paragraph, section = sentence.paragraph, sentence.section
        named = _named(sentence, mentions)
        again = _LETTER.match(sentence.text) if named is None else None
        if again is not None and again.group("id").upper() in found:
            current = again.group("id").upper()  # "B. Metastatic carcinoma.", after "B: Liver, segment 3, wedge"
        if named is not None:
            current, row, place = named
            if current and len(found) < _MAX:
                found.setdefault(current, (row, place))
        labelled = (named is not None or again is not None) and current in found
        if labelled and found[current][0]["kind"] == "unknown" and _is_spread(sentence):
            found[current][0]["kind"] = SpecimenKind.METASTASIS.value
        if _EARLIER.search(sentence.text):
            at[sentence.start] = "earlier"
            found.setdefault(
                "earlier",
                (dict(EARLIER_ROW), (sentence.start, sentence.end)),
            )
        else:
            at[sentence.start] = current
    return at, found


def _named(sentence: Sentence, mentions: Mentions) -> tuple[str, dict[str, Any], Place] | None:
    population = _POPULATION.search(sentence.text)
    if population:
        name = population.group("id").lower()
        place = (sentence.start + population.start(), sentence.start + population.end())
        return name, {"id": name, "kind": "unknown", "site": "a second cell population"}, place
    letter = _LETTER.match(sentence.text)
    head = _HEADED.match(sentence.text[letter.end() :] if letter else sentence.text)
    offset = letter.end() if letter else 0
    if head is None and letter is None:
        return None
    stop = offset + (head.end("head") if head else min(60, len(sentence.text)))
    found = [m for m in mentions.of("place", start=sentence.start, end=sentence.start + stop) if m.value != "skin"]
    words = " ".join(sentence.text[offset:stop].split()).strip(" ,.:-")
    if not found and letter is None:
        return None
    if letter is not None and not found and not head:
        return None
    name = letter.group("id").upper() if letter else found[0].value
    kind = _kind(words)
    row: dict[str, Any] = {"id": name, "kind": kind.value, "site": words.lower()[:120]}
    if found and known_places()[found[-1].value].setting:
        row["setting"] = known_places()[found[-1].value].setting
    if kind is SpecimenKind.LYMPH_NODE:
        row["setting"] = "lymph_node"
    return name, row, (sentence.start + offset, sentence.start + stop)


def _kind(words: str) -> SpecimenKind:
    low = words.lower()
    if re.search(r"\bnodes?\b|lymphadenectomy|dissection", low):
        return SpecimenKind.LYMPH_NODE
    if "metasta" in low:
        return SpecimenKind.METASTASIS
    if "recurren" in low:
        return SpecimenKind.RECURRENCE
    return SpecimenKind.PRIMARY if "primary" in low else SpecimenKind.UNKNOWN


def settle_specimens(
    book: Notebook,
    found: Mapping[str, tuple[dict[str, Any], Place]],
    used: Sequence[str],
    foreign: Mapping[str, SpecimenKind],
) -> dict[str, str]:
    """List the specimens that stains are told of, when there are several; the names to use by name found.

    ``foreign`` has the kind of those that aren't of the tumour at hand.
    """
    told = [name for name in dict.fromkeys(used) if not name or name in found]  # beyond a number none is kept apart
    several = len(told) >= 2
    for name, (row, place) in found.items():
        if (several and name in told) or row["kind"] == SpecimenKind.METASTASIS.value:
            kind = foreign[name].value if name in foreign else row["kind"]
            book.add("specimens", {**row, "id": shown_name(name), "kind": kind}, {"id": place})
    return {name: shown_name(name) if several else "" for name in told}


def shown_name(name: str) -> str:
    """The id of a specimen as the record holds it."""
    return name.removeprefix(_PART_NAME)
