"""Size, duration, growth, consistency and overlying skin of the lesion."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from kulchitsky.narrative.lexicon import load_data
from kulchitsky.narrative.notebook import Notebook, Place
from kulchitsky.narrative.patient import number_of
from kulchitsky.narrative.sentences import Sentence
from kulchitsky.narrative.site_score import LESION, SPECIMEN_WORD, is_history

_N = r"\d{1,3}(?:[.,]\d{1,2})?"
_SIZE = re.compile(
    rf"(?<![\d.,/-])(?P<a>{_N})\s?(?:(?:cm|mm)\s?)?(?:(?P<sep>x|/|-|to|by|and)\s?(?P<b>{_N})\s?(?:(?:cm"
    rf"|mm)\s?)?(?:(?:x|by|/)\s?(?P<c>{_N})\s?)?)?"
    r"(?P<unit>cm|mm|centimet(?:er|re)s?|millimet(?:er|re)s?)\b(?!\s?(?:2|3|\^|hg|from|above|below|away|margin"
    r"|deep to|thick|thickness|of (?:water|mercury)))",
    re.IGNORECASE,
)
_LESION = re.compile(
    rf"\b(?:{LESION}|specimen|it measur\w+|measur\w+|greatest (?:diameter|dimension)|size|polyp|process"
    rf"|metastas[ei]s|diameter)\b",
    re.IGNORECASE,
)
_TUMOUR = re.compile(
    rf"\b(?:{LESION}|process|specimen|swelling|greatest (?:diameter|dimension)|it|size)\b", re.IGNORECASE
)
_NOT_TUMOUR = re.compile(
    r"\b(?:nodes?|nodal|adenopath\w+|lymphadenopath\w+|margins?|polyp|at \d+ cm|ulcer|stent|stone|scar|satellite"
    r"|punch|skin ellipse|distance|resection margin"
    r"|clearance|depth|breslow|thickness|invasion depth|microscope|field|core|cores|biopsy measuring)\b",
    re.IGNORECASE,
)
_GROSS = re.compile(
    r"\b(?:gross|macroscop\w+|specimen|intra-?operative\w*|at operation|operation|surgery|excised|resected"
    r"|cut surface|pathology)\b",
    re.IGNORECASE,
)
_IMAGED = re.compile(
    r"\b(?:ct|mri|pet|ultrasound|ultrasonography|imaging|radiograph\w*|film|x-ray|scan|tomography|endoscopy"
    r"|cystoscopy|mammograph\w+|urography)\b",
    re.IGNORECASE,
)
_TIME = (
    r"(?P<n>\d{1,3}(?:\.\d)?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|a|an"
    r"|several|few|couple of)"
    r"(?:(?:\s?(?:-|to|or)\s?)(?P<n2>\d{1,3}|two|three|four|five|six|seven|eight|nine|ten|twelve))?"
)
_DURATION = re.compile(rf"\b{_TIME}[\s-](?P<u>days?|weeks?|wks?|months?|mths?|years?|yrs?)\b", re.IGNORECASE)
_MONTHS = {"day": 1 / 30.4, "week": 7 / 30.4, "wk": 7 / 30.4, "month": 1.0, "mth": 1.0, "year": 12.0, "yr": 12.0}
_SHORT = re.compile(r"\b(?P<n>\d{1,2})/(?P<u>12|52|7)\b(?=\s?(?:history|hx|h/o|duration|of\b))", re.IGNORECASE)
_LASTING = re.compile(
    r"(?:\bfor|\bx|\bover|\bduring|\bpast|\blast|\bpreceding|\bpresent|\bwithin|\bsince|\bprevious|\bof|\bin|\babout"
    r"|\bsome|\bfor the)\s(?:the\s|a\s|about\s|some\s|at least\s|nearly"
    r"\s|approximately\s|around\s|past\s|preceding\s|last\s|previous\s|almost\s|more than\s|over\s)*$",
    re.IGNORECASE,
)
_HISTORY = re.compile(
    r"^(?:'s?)?[\s-]?(?:history|hx|duration|ago|previously|before presentation|earlier"
    r"|of (?:a |an |the )?(?:\w+\s){0,3}(?:mass|lump|swelling|pain|growth|nodule|growing)"
    r"|(?:\w+\s){0,2}(?:swelling|mass|lump|nodule)\b)",
    re.IGNORECASE,
)
_GREW = re.compile(
    rf"\b(?:{LESION}|grow\w*|grew|grown|enlarg\w+|larger|bigger|appeared|noticed|noted|increas\w+)\b", re.IGNORECASE
)
_NOT_DURATION = re.compile(
    r"\b(?:follow-?up|later|after(?:wards)?|postoperativ\w+|since surgery|at \w+ months"
    r"|treated for|smok\w+|factory|cigarettes?|followed for|untreated|"
    r"died|death|survival|pregnan\w+|leuka?emia|diagnosis of|lymphocytosis|recur\w+|disease-free|no evidence"
    r"|alive|passive|never|control|on a targeted|therapy)\b",
    re.IGNORECASE,
)


_SIZE_KEY = re.compile(
    r"(?:^|[|;.,]\s?|\btumou?r\s)(?:size|diameter|dimensions?|maximum (?:size|diameter))\s?[:|=]\s?$", re.I
)
_OF_NODES = re.compile(r"^\W*(?:[\w-]+\s){0,2}(?:lymph nodes|LNs?|nodes)\b", re.IGNORECASE)
_ORGAN = (
    r"(?:kidney|adrenal(?: gland)?|spleen|uterus|ovary|ovaries|thyroid|lobe|appendix|(?:small |large )?bowel|ileum"
    r"|caecum|cecum|colon|rectum|stomach|duodenum|pancreas|gall ?bladder|liver|lung|breast|prostate|testis|testes"
    r"|bladder|cervix|ureter|omentum|mesentery|oesophagus|esophagus|thymus|skin|tube)"
)
_ORGAN_BEFORE = re.compile(rf"\b{_ORGAN}\s?(?:\(|,|:|measur\w+|of|is|was)?\s?$", re.IGNORECASE)
_ORGAN_AFTER = re.compile(
    rf"^\s(?:(?:long|in length|of|length of|segment of)\s)+(?:the\s)?(?:[\w-]+\s){{0,2}}{_ORGAN}\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A size in cm with its place and how it was taken; ``whole`` where the specimen was measured, not the tumour."""

    dimensions_cm: tuple[float, ...]
    method: str
    place: Place
    sentence: Sentence
    whole: bool = False


def read_sizes(book: Notebook, sentences: Sequence[Sentence]) -> list[Measured]:
    """Size, duration, growth, consistency and skin into ``presentation``; gives the sizes found, for procedures."""
    found = [m for s in sentences for m in _measured(s)]
    if not found and book.get("presentation.setting") == "lymph_node":
        found = [m for s in sentences for m in _node_measured(s)]
    found = found or [m for s in sentences[:3] for m in _headed(s)]
    first = _presenting(found)
    if first is not None:
        dims = sorted(first.dimensions_cm, reverse=True)
        size = {"greatest_cm": dims[0], "dimensions_cm": dims if len(dims) > 1 else None, "method": first.method}
        book.set("presentation.size", size, first.place)
    _duration(book, sentences)
    clinical = [s for s in sentences if s.section in ("", "case", "clinical", "procedure", "specimen")]
    for path, near in (("growth", None), ("consistency", _TUMOUR), ("skin_over", None)):
        if path == "skin_over" and book.get("presentation.setting") not in _UNDER_SKIN:
            continue
        for value, pattern in _tables()[path]:
            _first(book, f"presentation.{path}", value, pattern, clinical, near)
    return found


_UNDER_SKIN = (None, "skin", "soft_tissue", "lymph_node", "breast", "bone", "head_and_neck", "thyroid")
"""Settings in which words such as *ulcerated* may speak of the skin over the tumour."""


@cache
def _tables() -> dict[str, tuple[tuple[str, re.Pattern[str]], ...]]:
    """Patterns by field and value, in the order in which they are tried."""
    return {
        path: tuple((value, re.compile("|".join(patterns), re.IGNORECASE)) for value, patterns in values.items())
        for path, values in load_data("presentation").items()
    }


def _presenting(found: list[Measured]) -> Measured | None:
    order = {"clinical": 0, "imaging": 0, "gross": 1, "not_stated": 2, "microscopic": 3}
    return min(found, key=lambda m: (m.whole, order[m.method], m.place), default=None)


def _first(
    book: Notebook,
    path: str,
    value: str,
    pattern: re.Pattern[str],
    sentences: Sequence[Sentence],
    near: re.Pattern[str] | None = None,
) -> None:
    for sentence in sentences:
        match = pattern.search(sentence.text)
        if match is None or (near is not None and not near.search(sentence.text)):
            continue
        if re.search(
            r"\b(?:no|not|without|nodes?)\s(?:\w+\s)?$",
            sentence.text[max(0, match.start() - 12) : match.start()],
            re.I,
        ):
            continue
        book.set(path, value, (sentence.start + match.start(), sentence.start + match.end()))
        return


def _measured(sentence: Sentence) -> list[Measured]:
    found: list[Measured] = []
    if sentence.section in ("stains", "molecular", "treatment", "follow_up"):
        return found
    for match in _SIZE.finditer(sentence.text):
        numbers = [float(match.group(g).replace(",", ".")) for g in "abc" if match.group(g)]
        if match.group("unit").lower().startswith(("mm", "milli")):
            numbers = [round(n / 10, 3) for n in numbers]
        if match.group("sep") in ("to", "-", "and"):
            numbers = [max(numbers)]
        if not numbers or not 0 < max(numbers) <= 100 or min(numbers) <= 0:
            continue
        if not _is_of_tumour(sentence.text, match):
            continue
        method = _method(sentence, match.start())
        place = (sentence.start + match.start(), sentence.start + match.end())
        found.append(Measured(tuple(numbers), method, place, sentence, _is_whole(sentence.text, match)))
    return found


_NODE_BEFORE = re.compile(r"\bnode(?:\s(?:of|is|was|measur\w+|about|now)|,|\s?\(|:)*\s$", re.IGNORECASE)
_NODE_AFTER = re.compile(r"^\s(?:[\w-]+\s){0,3}(?:lymph )?node\b", re.IGNORECASE)


def _node_measured(sentence: Sentence) -> Iterator[Measured]:
    """Where the tissue is a lymph node and nothing else was measured, the node's own size."""
    for match in _SIZE.finditer(sentence.text):
        numbers = [float(match.group(g).replace(",", ".")) for g in "abc" if match.group(g)]
        if match.group("unit").lower().startswith(("mm", "milli")):
            numbers = [round(n / 10, 3) for n in numbers]
        before, after = sentence.text[max(0, match.start() - 30) : match.start()], sentence.text[match.end() :][:40]
        if 0 < max(numbers) <= 30 and (_NODE_BEFORE.search(before) or _NODE_AFTER.match(after)):
            place = (sentence.start + match.start(), sentence.start + match.end())
            yield Measured(tuple(numbers), _method(sentence, match.start()), place, sentence)


_TAKEN = re.compile(rf"ectomy\b|{SPECIMEN_WORD.pattern}", re.IGNORECASE)


def _headed(sentence: Sentence) -> Iterator[Measured]:
    """``Right kidney, partial nephrectomy, 3 cm.``: where nothing else is measured, the size in the heading."""
    for match in _SIZE.finditer(sentence.text):
        ends = re.match(r"\s*(?:[.,;]|$)", sentence.text[match.end() :])
        if ends and re.search(r",\s$", sentence.text[: match.start()]) and _TAKEN.search(sentence.text):
            centimetres = match.group("unit").lower().startswith("c")
            value = float(match.group("a").replace(",", ".")) / (1 if centimetres else 10)
            if match.group("b") is None and 0 < value <= 40:
                place = (sentence.start + match.start(), sentence.start + match.end())
                yield Measured((round(value, 3),), "not_stated", place, sentence)
                return


_WHOLE = re.compile(
    r"\b(?:\w+ectomy|specimen|ellipse|cores?|biops(?:y|ies)|fragments?|pieces?|chippings|punch|snare|tissue|resectate|aggregate)\b",
    re.IGNORECASE,
)


def _is_whole(text: str, match: re.Match[str]) -> bool:
    """Whether the words nearest before a size name the specimen, with no word for a lesion between."""
    before = re.split(r"[;:]|\.\s|\bwith\b", text[max(0, match.start() - 60) : match.start()])[-1]
    after = text[match.end() : match.end() + 40]
    if re.match(rf"\s(?!with\b|containing\b|bearing\b)(?:[\w-]+,?\s){{0,3}}(?:{LESION})\b", after, re.IGNORECASE):
        return False
    names = [m.end() for m in _WHOLE.finditer(before)]
    return bool(names) and _TUMOUR_ITSELF.search(before[names[-1] :]) is None


_TUMOUR_ITSELF = re.compile(rf"\b(?:{LESION})\b", re.IGNORECASE)


def _is_of_tumour(text: str, match: re.Match[str]) -> bool:
    raw = text[max(0, match.start() - 40) : match.start()]
    if re.match(rf"\s(?:[\w-]+,?\s){{0,3}}(?:{LESION})\b", text[match.end() : match.end() + 60], re.IGNORECASE):
        return True
    if _SIZE_KEY.search(raw):
        return True
    if re.search(
        r"\b(?:thickness|margins?|depth|deposits?|distance|clearance|ellipse)\b[^;.]{0,22}$", raw, re.IGNORECASE
    ):
        return False
    if _OF_NODES.match(text) and match.start() > 8:
        return False
    if _ORGAN_BEFORE.search(raw) or _ORGAN_AFTER.match(text[match.end() : match.end() + 40]):
        return False
    before = re.split(r"[;:]|,\s(?=and|with)", text[max(0, match.start() - 70) : match.start()])[-1]
    after = re.split(r"[;:]", text[match.end() : match.end() + 50])[0]
    if re.search(r"\bat\s(?:about\s)?$", before) or re.search(
        r"\b(?:suv\w*|node\w*|polyp)\b[^;,]{0,25}$", before, re.I
    ):
        return False
    near = before[-45:] + " " + re.split(r"[,.]", after[:30])[0]
    if _NOT_TUMOUR.search(near) and not re.search(
        rf"\b(?:{LESION})\s(?:\w+\s){{0,3}}(?:of|measuring)?\s?(?:about\s)?$", before, re.I
    ):
        return False
    return _LESION.search(before + " " + after) is not None or _has_lesion(text)


@lru_cache(maxsize=64)
def _has_lesion(text: str) -> bool:
    return _LESION.search(text) is not None


def _method(sentence: Sentence, at: int) -> str:
    if sentence.section in ("gross", "procedure"):
        return "gross"
    if sentence.section == "imaging":
        return "imaging"
    lead = sentence.text[max(0, at - 250) : at]
    if _GROSS.search(lead):
        return "gross"
    if _IMAGED.search(lead):
        return "imaging"
    return "clinical" if sentence.section in ("", "case", "clinical", "specimen") else "not_stated"


def _duration(book: Notebook, sentences: Sequence[Sentence]) -> None:
    best: tuple[float, float, Place] | None = None
    for number, sentence in enumerate(sentences[:14]):
        if sentence.section in ("stains", "microscopy", "treatment", "follow_up", "gross", "comment"):
            continue
        short = _SHORT.search(sentence.text)
        if short:
            unit = {"12": 1.0, "52": 7 / 30.4, "7": 1 / 30.4}[short.group("u")]
            place = (sentence.start + short.start(), sentence.start + short.end())
            best = best or (5.0, int(short.group("n")) * unit, place)
        for match in _DURATION.finditer(sentence.text):
            months = _months(match)
            score = _duration_score(sentence.text, match)
            if months is None or score <= 0:
                continue
            score -= 0.3 * number
            if best is None or score > best[0]:
                best = (score, months, (sentence.start + match.start(), sentence.start + match.end()))
    if best is not None:
        book.set("presentation.duration_months", round(best[1], 2), best[2])


def _months(match: re.Match[str]) -> float | None:
    words = [match.group("n"), match.group("n2")]
    values = []
    for word in words:
        if word is None:
            continue
        if word.lower() in ("several", "few"):
            return None
        special = {
            "a couple of": 2.0,
            "a": 1.0,
            "an": 1.0,
            "twelve": 12.0,
            "eleven": 11.0,
            "fifteen": 15.0,
            "ten": 10.0,
            "twenty": 20.0,
        }
        value = special.get(word.lower(), number_of(word))
        if value is None:
            return None
        values.append(value)
    return sum(values) / len(values) * _MONTHS[match.group("u").lower().rstrip("s")]


def _opens_or_ends(text: str, at: int, before: str, after: str, clause_before: str) -> bool:
    """A time that opens a clause (``Three months of ...``) or ends one about growth (``growing lesion, 3"
    " months.``)."""
    ends = re.search(r",\s*$", before) and re.match(r"\s?[.;]", after + ".") and _GREW.search(clause_before)
    opens = re.match(r"\s?of\s", after) or not text[:at].strip() or re.search(r"[.;:]\s*$", before)
    return bool(ends or opens)


_NAMED_TUMOUR = re.compile(
    r"\b(?:carcinoma|cancer|ca|melanoma|lymphoma|NET|carcinoid|sarcoma)(?:\sof\s(?:the\s)?\w+)?[\s,(]*(?:about\s|some\s)?$",
    re.IGNORECASE,
)


def _duration_score(text: str, match: re.Match[str]) -> float:
    before, after = text[max(0, match.start() - 90) : match.start()], text[match.end() : match.end() + 70]
    if re.match(r"[\s-]*(?:old|of age)\b", after, re.I) or re.match(
        r"\s(?:later|after|following|afterwards|on\b)", after, re.I
    ):
        return 0.0
    if re.search(r"\b(?:man|woman|girl|boy|lady|patient|male|female|child|gentleman)\s(?:of|aged)\s$", before, re.I):
        return 0.0
    clause_before = re.split(r"[;.]", before)[-1]
    clause_after = re.split(r"[;.]", after)[0]
    if re.match(r"[\s-](?:ago|earlier|before|previously)\b", after) and _NAMED_TUMOUR.search(clause_before):
        return 0.0  # "breast carcinoma 8 yrs ago"
    if _NOT_DURATION.search(clause_before[-60:]) or _NOT_DURATION.search(clause_after[:40]):
        return 0.0
    if is_history(text, match.start()) and not _GREW.search(clause_before):
        return 0.0
    lasting = _LASTING.search(before) is not None
    history = _HISTORY.match(after) is not None
    score = 0.0
    if lasting or history:
        score += 1.5
    elif _opens_or_ends(text, match.start(), before, after, clause_before):
        score += 1.0
    else:
        return 0.0
    if _GREW.search(clause_before) or _GREW.search(clause_after):
        score += 2.0
    return score
