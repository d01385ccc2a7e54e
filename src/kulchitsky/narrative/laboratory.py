"""Laboratory values with the unit as written, or their interpretation where only that is given."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from kulchitsky.case.issue import Level
from kulchitsky.narrative.lexicon import Mention, Mentions
from kulchitsky.narrative.notebook import Notebook, Place
from kulchitsky.narrative.sentences import Sentence

_UNIT = (
    r"(?:x\s?|×\s?)?(?:10\s?(?:\^|\*\*|\*|e)?\s?\d{1,2}\s?/\s?(?:µl|ul|l|mm3|ml)|1000\s?(?:cells)?\s?/\s?(?:µl|ul"
    r"|mm3)|/\s?mm3|/\s?(?:µl|ul)|cells/(?:µl|ul)"
    r"|(?:k|m|µ|u)?(?:iu|ui|u|units)\s?/\s?(?:ml|l|dl)|(?:m|µ|u|n|p|k|f)?g\s?/\s?(?:d?l|ml|24\s?h(?:ours?)?|day"
    r"|d)\b|(?:m|µ|u|n|p)?mol\s?/\s?(?:l|24\s?h|day|d|mol(?:\screatinine)?)"
    r"|(?:µ|u|n)kat\s?/\s?l|meq\s?/\s?l|mm\s?/\s?h|%|(?:m|µ|u|n|p)g\b)"
)
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,6}(?:[.,]\d{1,4})?"
_VALUE = re.compile(
    rf"^[\s(]{{0,2}}(?:[a-z-]+\s){{0,2}}?(?:\((?:[^()]{{1,45}})\)\s?)?(?:count\s|level\s|levels\s|concentration\s"
    rf"|value\s)?"
    rf"(?:was\s|of\s|is\s|at\s|were\s|:\s?|=\s?|>\s?|-\s|reached\s|exceeded\s"
    rf"|then\s)*(?:of\s)?(?P<cmp>[<>≤≥])?\s?(?P<value>{_NUMBER})\s?(?P<unit>{_UNIT})?(?![\d/])",
    re.IGNORECASE,
)
_RANGE = re.compile(
    r"^\s?\((?:normal|reference|ref|n)?[:\s]*(?:(?P<cmp><|>|≤|<=|≥)\s?(?P<limit>\d[\d.,]*)"
    r"|(?P<low>\d[\d.,]*)\s?-\s?(?P<high>\d[\d.,]*))[^)]{0,15}\)",
    re.I,
)
_HIGH = r"elevated|raised|high|increased|above normal|exceed\w+|climbed|rose"
_NORMAL = (
    r"normal|within (?:the )?(?:normal|reference) (?:limits|range|values?)|not (?:elevated|raised|increased)"
    r"|unremarkable"
    r"|negative|non-diagnostic|at the upper limit|within limits"
)
_LOW = r"low|decreased|reduced|below normal"
_SAYS_AFTER = re.compile(
    rf"^(?:[^.;]|\.\d){{0,110}}?\b(?:(?P<normal>{_NORMAL})|(?P<high>{_HIGH})|(?P<low>{_LOW}))\b", re.IGNORECASE
)
_SAYS_BEFORE = re.compile(
    rf"\b(?:(?P<normal>{_NORMAL})|(?P<high>{_HIGH})|(?P<low>{_LOW}))\s(?:serum\s|plasma\s|urinary\s|blood\s"
    rf"|values? (?:of|for)\s)?$",
    re.I,
)
_NOT_TOLD = re.compile(r"\b(?:pending|not (?:done|measured|available|reported|given|stated|known))\b", re.IGNORECASE)
_TISSUE = frozenset(
    {"CEA", "calcitonin", "chromogranin A", "neuron-specific enolase", "AFP", "hCG", "PSA", "serotonin", "gastrin"}
    | {"insulin", "glucagon", "thyroglobulin", "ACTH", "VIP", "pancreatic polypeptide"}
)
_IN_BLOOD = re.compile(
    r"\b(?:serum|plasma|blood|urin\w+|level|levels|circulating|tumou?r markers?|laborator\w+|24[\s-]?h)\b"
    r"|CA[\s-]?(?:125|19|15)",
    re.I,
)
_GROUPS = frozenset(
    {"bloods", "tumour markers", "blood count", "liver function", "renal function", "onconeural antibodies"}
)
_STAIN_RESULT = re.compile(
    r"\b(?:positiv\w*|stain\w*|express\w*|immuno\w*|reactiv\w*|diffuse|focal|nuclei)\b|\(\+\)|\(-\)", re.IGNORECASE
)


def read_laboratory(book: Notebook, sentences: Sequence[Sentence], mentions: Mentions) -> None:
    """Values and interpretations into ``laboratory``, once a test and value."""
    seen: set[tuple[Any, ...]] = set()
    for sentence in sentences:
        if sentence.section in ("stains", "molecular", "microscopy", "identity"):
            continue
        found = _with_synonyms(book.page.clean, mentions.of("lab", start=sentence.start, end=sentence.end))
        for i, m in enumerate(found):
            record, places = _result(sentence, m, found[i + 1 :])
            if record is None:
                continue
            key = (record["test"], record.get("value"), record.get("interpretation"))
            if key in seen or (record.get("value") is None and any(k[0] == record["test"] for k in seen)):
                continue
            seen.add(key)
            if _completes(book, record, places):
                continue
            index = book.add("laboratory", record, places)
            if record.get("unit") == "not stated":
                book.issue(
                    Level.NOTE,
                    "narrative.laboratory.unit",
                    f"{record['test']} {record['value']:g} is given without its unit",
                    remedy="add the unit",
                    path=f"laboratory[{index}].unit",
                )


def _with_synonyms(clean: str, found: list[Mention]) -> list[Mention]:
    """``WBC (white blood cell) count``: a name and its synonym in brackets are one mention."""
    joined: list[Mention] = []
    for m in found:
        if joined and joined[-1].value == m.value and clean[joined[-1].end : m.start].strip() in ("(", ""):
            close = 1 if clean[m.end : m.end + 1] == ")" else 0
            joined[-1] = Mention(m.category, m.value, joined[-1].start, m.end + close)
        else:
            joined.append(m)
    return joined


def _completes(book: Notebook, record: dict[str, Any], places: dict[str, Place]) -> bool:
    """Whether a value completes a row that so far had only an interpretation (``CEA was normal: 0.8 ng/mL``)."""
    rows: list[dict[str, Any]] = book.get("laboratory") or []
    for index, row in enumerate(rows):
        if row["test"] == record["test"] and "value" not in row and "value" in record:
            for key in ("value", "comparator", "unit", "specimen"):
                if record.get(key) is not None:
                    row[key] = record[key]
                    if key in places:
                        book.fact(f"laboratory[{index}].{key}", record[key], places[key])
            return True
    return False


def _result(sentence: Sentence, m: Mention, later: list[Mention]) -> tuple[dict[str, Any] | None, dict[str, Place]]:
    text, at, end = sentence.text, m.start - sentence.start, m.end - sentence.start
    before, after = text[max(0, at - 60) : at], text[end : end + 160]
    stop = later[0].start - sentence.start - end if later else len(after)
    own = after[:stop] if stop > 3 else after
    if m.value in _TISSUE and not _is_in_blood(sentence, before, own):
        return None, {}
    record: dict[str, Any] = {"test": m.value}
    places: dict[str, Place] = {"test": (m.start, m.end)}
    match = _VALUE.match(own)
    if match and m.value not in _GROUPS and not (match.group("unit") is None and _is_no_value(own, match)):
        record["value"] = _float(match.group("value"))
        record["comparator"] = {"≤": "<=", "≥": ">="}.get(match.group("cmp") or "=", match.group("cmp") or "=")
        record["unit"] = _unit(match.group("unit")) if match.group("unit") else "not stated"
        places["value"] = (m.end + match.start("value"), m.end + match.end("value"))
        if match.group("unit"):
            places["unit"] = (m.end + match.start("unit"), m.end + match.end("unit"))
        limits = _RANGE.match(own[match.end() :])
        if limits:
            record["interpretation"] = _against(record["value"], limits)
    said = _said(before, after)
    if "interpretation" not in record and said is not None:
        record["interpretation"] = said
    if "value" not in record and ("interpretation" not in record or _NOT_TOLD.search(own[:40])):
        return None, {}
    if "interpretation" in record:
        places["interpretation"] = (m.start, m.end)
    record["specimen"] = _specimen(m.value, text, at)
    return record, places


def _is_in_blood(sentence: Sentence, before: str, own: str) -> bool:
    """Whether a substance that is also a stain was measured, not stained."""
    if sentence.section == "laboratory" or re.match(
        rf"\s?(?:was|of|:)?\s?[<>]?\s?(?:{_NUMBER})\s?(?:{_UNIT})", own, re.IGNORECASE
    ):
        return "%" not in own[:12]
    stains, blood, graded = _signs(sentence.text)
    if stains:
        return re.search(r"\b(?:serum|plasma|urinary|blood)\s(?:\w+\s)?$", before, re.IGNORECASE) is not None
    return blood or graded or re.match(r"\s\d+\.\d", own) is not None


@lru_cache(maxsize=64)
def _signs(text: str) -> tuple[bool, bool, bool]:
    """Whether a sentence speaks of stains, of blood or urine, and of normal or raised values."""
    graded = re.search(r"\b(?:normal|elevated|raised)\b", text, re.IGNORECASE) is not None
    return _STAIN_RESULT.search(text) is not None, _IN_BLOOD.search(text) is not None, graded


def _is_no_value(own: str, match: re.Match[str]) -> bool:
    """A bare number that is a date, a count of something, or part of the next phrase."""
    rest = own[match.end() :]
    if re.match(r"[\s-]?h(?:ours?)?\b", rest):
        return True
    number = match.group("value")
    return (re.match(r"\s?(?:[a-z]{3,}|%|x\s?\d)", rest) is not None and re.match(r"\s?then\b", rest) is None) or (
        len(number) == 4 and number[:2] in ("19", "20")
    )


def _said(before: str, after: str) -> str | None:
    match = _SAYS_BEFORE.search(before) or _SAYS_AFTER.match(after)
    if match is None:
        return None
    return "normal" if match.group("normal") else "high" if match.group("high") else "low"


def _against(value: float, limits: re.Match[str]) -> str:
    if limits.group("limit"):
        limit = _float(limits.group("limit"))
        if limits.group("cmp") in (">", "≥"):
            return "low" if value < limit else "normal"
        return "high" if value > limit else "normal"
    low, high = _float(limits.group("low")), _float(limits.group("high"))
    return "low" if value < low else "high" if value > high else "normal"


def _float(text: str) -> float:
    bare = text.strip(".,")
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", bare):
        bare = bare.replace(",", "")
    return float(bare.replace(",", "."))


def _unit(text: str) -> str:
    """The unit as written, without blanks; powers of ten as UCUM writes them."""
    bare = re.sub(r"\s", "", text)
    power = re.fullmatch(r"(?:x|×)?10(?:\^|\*\*|\*|e)?(\d{1,2})/(.+)", bare, re.IGNORECASE)
    if power:
        return f"10*{power.group(1)}/{power.group(2).replace('µ', 'u')}"
    thousand = re.fullmatch(r"(?:x|×)?1000(?:cells)?/(.+)", bare, re.IGNORECASE)
    if thousand:
        return f"10*3/{thousand.group(1).replace('µ', 'u')}"
    return bare.replace("UI/", "U/").replace("µ", "u")


_URINARY = frozenset({"5-HIAA", "homovanillic acid", "vanillylmandelic acid"})


def _specimen(test: str, text: str, at: int) -> str:
    fluids = list(
        re.finditer(r"\b(?:(?P<u>urin\w*)|(?P<p>plasma)|(?P<s>serum))\b", text[max(0, at - 200) : at], re.IGNORECASE)
    )
    near = fluids[-1] if fluids else None
    if (near is not None and near.group("u")) or test in _URINARY or re.match(r".{0,24}/\s?24\s?h", text[at:]):
        day = re.search(r"24[\s-]?h|/\s?day|/d\b", text) is not None
        return "urine_24h" if day else "urine_spot"
    if near is not None:
        return "plasma" if near.group("p") else "serum"
    if test in ("haemoglobin", "white blood cells", "platelets", "blood count", "lymphocytes"):
        return "blood"
    return "serum" if test in _TISSUE or test.startswith("CA ") or test == "LDH" else "not_stated"
