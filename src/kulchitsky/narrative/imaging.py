"""Imaging: which examination, of what, what was found where, and what was expressly not there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from kulchitsky.case.vocabulary import Modality, Side, State
from kulchitsky.narrative.lexicon import Mention, Mentions
from kulchitsky.narrative.notebook import Notebook, Place
from kulchitsky.narrative.patient import number_of
from kulchitsky.narrative.sentences import Sentence

_FINDING = re.compile(
    r"\b(?:mass(?:es)?|nodules?|micronodules?|lesions?|tumou?rs?|nod(?:e|es|al)|lymphadenopathy|adenopath\w+"
    r"|metastas[ei]s|deposits?|uptake|effusions?"
    r"|thickening|infiltrat\w*|ascites|hepatomegaly|lymphangitic\w*|emphysema|atelectasis|implants?|destruction"
    r"|lytic|enlarge\w*|pathology|disease|spread"
    r"|hydro\w*nephro\w*|obstruction|invasion|process|swelling|stone|cyst\w*|opacit\w+|abnormalit\w+|foc(?:us|i)"
    r"|dilatation|insufficiency|formation|polyp"
    r"|hypermetabolic|enhanc\w*|flow voids?|hypervascular|septat\w+|compress\w*|extension|wide|active|positive"
    r"|suspicious|narrowed|haematoma|diverticul\w+"
    r"|neoplasm|primary|ulcer\w*|stenosis|lit up)\b",
    re.IGNORECASE,
)
_NONE = re.compile(
    r"\b(?:no|without|not|clear|normal|free|unremarkable|negative|excluded|nothing|clean|within normal limits"
    r"|uninvolved|spared)\b",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:show(?:s|ed|ing)?|reveal(?:s|ed|ing)?|demonstrat\w+|disclos\w+|indicat\w+|found|detect\w+|identif\w+"
    r"|confirm\w+|lit up|there (?:is|are|was|were)|exclud\w+|suggest\w+)\b"
    r"|:",
    re.IGNORECASE,
)
_NOT_TOLD = re.compile(
    r"\b(?:not|nor|no)\b[^.;]{0,40}\b(?:supplied|mentioned|provided|reported|described|stated|given|available"
    r"|performed|done|information|mention|removed from)\b"
    r"|\brequested\b|\bplanned\b|\bwere supplied\b",
    re.IGNORECASE,
)
_LATER = re.compile(
    r"\b(?P<n>\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|eighteen|a)\s(?P<u>weeks?"
    r"|months?|years?)\s(?:later|after(?:wards)?\b|postoperativ\w+"
    r"|following)|\b(?:at|after)\s(?P<n2>\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|eighteen)[\s-](?P<u2>weeks?|months?|years?)\b",
    re.IGNORECASE,
)
_SPLIT = re.compile(
    r";\s?|,\s(?=but\b|with\b|and\s(?:no|without)|no\b|without\b|without|lung|liver|chest|brain|bile)|\bbut\b"
    r"|\bwhile\b|\bwhereas\b|\.\s"
)
_NEIGHBOUR = re.compile(
    r"\b(?:displac\w+|touch\w+|abut\w+|compress\w+|press\w+ on|contact|reach\w+|extend\w+|vicinity|close to|near"
    r"|adjacent"
    r"|under|depend on|after|isointense)\b",
    re.IGNORECASE,
)
_CLEAR = re.compile(r"\b(?:clear|normal|free|negative|unremarkable|uninvolved|spared)\b", re.IGNORECASE)
_BIOPSY = re.compile(r"\b(?:biops\w+|stain\w*|immuno\w*|histolog\w+)\b|\bpositive, ", re.IGNORECASE)
_FUNCTIONAL = frozenset({"fdg_pet", "sstr_pet", "octreotide_scan", "mibg_scan", "bone_scan"})
_SIDE = re.compile(r"\b(left|right|bilateral|both)\b", re.IGNORECASE)
_MONTHS = {"w": 7 / 30.4, "m": 1.0, "y": 12.0}
_MAX_FINDINGS = 8
_GUIDED = re.compile(r"^[\s-]guided\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Scan:
    modality: Modality
    mention: Mention
    body: tuple[int, int]
    head: tuple[int, int]


def read_imaging(book: Notebook, sentences: Sequence[Sentence], mentions: Mentions) -> None:
    """Examinations and their findings into ``imaging``."""
    for sentence in sentences:
        if sentence.section in ("stains", "molecular", "microscopy", "figure", "identity") or _NOT_TOLD.search(
            sentence.text
        ):
            continue
        scans = list(_scans(sentence, mentions))
        for scan in scans:
            _write(book, sentence, scan, mentions)
        if not scans and sentence.section == "imaging" and book.get("imaging"):
            _continue(book, sentence, mentions)


def _continue(book: Notebook, sentence: Sentence, mentions: Mentions) -> None:
    """A sentence under an imaging heading that names no examination speaks of the last one."""
    row = book.case["imaging"][-1]
    nowhere = Mention("modality", row["modality"], sentence.start, sentence.start)
    scan = _Scan(Modality(row["modality"]), nowhere, (0, len(sentence.text)), (0, 0))
    for finding, place in _findings(sentence, scan, mentions):
        rows = row.setdefault("findings", [])
        if finding not in rows and len(rows) < _MAX_FINDINGS:
            rows.append(finding)
            book.fact(f"imaging[{len(book.case['imaging']) - 1}].findings[{len(rows) - 1}]", finding, place)


def _scans(sentence: Sentence, mentions: Mentions) -> Iterator[_Scan]:
    """Stretches of a sentence that belong to one examination each."""
    found = [
        m
        for m in mentions.of("modality", start=sentence.start, end=sentence.end)
        if not _GUIDED.match(sentence.text[m.end - sentence.start :])
    ]
    groups: list[list[Mention]] = []
    for m in found:
        if (
            groups
            and m.start - groups[-1][-1].end < 32
            and not _VERB.search(sentence.text[groups[-1][-1].end - sentence.start : m.start - sentence.start])
            and ";" not in sentence.text[groups[-1][-1].end - sentence.start : m.start - sentence.start]
            and not _FINDING.search(sentence.text[groups[-1][-1].end - sentence.start : m.start - sentence.start])
        ):
            groups[-1].append(m)
        else:
            groups.append([m])
    for n, group in enumerate(groups):
        first = group[0].start - sentence.start
        start = first if n else 0
        end = groups[n + 1][0].start - sentence.start if n + 1 < len(groups) else len(sentence.text)
        if n + 1 < len(groups):
            cut = max(
                sentence.text.rfind(";", first, end),
                sentence.text.rfind(",", first, end),
                sentence.text.rfind(" and ", first, end),
            )
            end = cut if cut > group[-1].end - sentence.start else end
        verb = _VERB.search(sentence.text, group[-1].end - sentence.start, end)
        head_end = (
            verb.start()
            if verb and verb.start() - (group[-1].end - sentence.start) < 70
            else group[-1].end - sentence.start
        )
        for m in _distinct(group):
            yield _Scan(
                Modality(m.value),
                m,
                (verb.end() if verb and head_end == verb.start() else head_end, end),
                (start, head_end),
            )


def _distinct(group: list[Mention]) -> list[Mention]:
    seen: dict[str, Mention] = {}
    for m in group:
        seen.setdefault(m.value, m)
    if len(seen) > 1:
        seen.pop("other", None)
    if "sstr_pet" in seen:
        seen.pop("fdg_pet", None)
    return list(seen.values())


def _write(book: Notebook, sentence: Sentence, scan: _Scan, mentions: Mentions) -> None:
    findings: list[dict[str, Any]] = []
    places: list[Place] = []
    for row, place in _findings(sentence, scan, mentions):
        if row not in findings and len(findings) < _MAX_FINDINGS:
            findings.append(row)
            places.append(place)
    if not findings:
        for row, place in _clause(sentence, scan.head, scan, mentions):
            findings.append(row)
            places.append(place)
    parts = _parts(book, sentence, scan, mentions) if scan.body[0] >= scan.head[1] else []
    if not findings and (scan.modality is Modality.OTHER or not parts):
        return
    record: dict[str, Any] = {
        "modality": scan.modality,
        "body_parts": parts or None,
        "months_from_diagnosis": _months(sentence.text[: scan.body[1]]),
        "findings": findings or None,
    }
    index = book.add("imaging", record, {"modality": (scan.mention.start, scan.mention.end)})
    for n, (row, place) in enumerate(zip(findings, places, strict=True)):
        book.fact(f"imaging[{index}].findings[{n}]", row, place)


def _parts(book: Notebook, sentence: Sentence, scan: _Scan, mentions: Mentions) -> list[str]:
    start, end = scan.head
    found = mentions.of("place", start=sentence.start + start, end=sentence.start + max(end, start))
    words = [book.page.clean[m.start : m.end].lower() for m in found]
    return list(dict.fromkeys("chest" if w in ("thorax", "thoracic") else w for w in words))[:6]


def _findings(sentence: Sentence, scan: _Scan, mentions: Mentions) -> Iterator[tuple[dict[str, Any], Place]]:
    text = sentence.text
    start, end = scan.body
    body = text[start:end]
    if not body.strip(" .,;:") or (not _FINDING.search(body) and _NONE.search(text[scan.head[0] : end])):
        yield from _all_clear(sentence, scan, mentions)
        return
    at = start
    for match in (*_SPLIT.finditer(text, start, end), None):
        stop = match.start() if match else end
        yield from _clause(sentence, (at, stop), scan, mentions)
        at = match.end() if match else end


def _all_clear(sentence: Sentence, scan: _Scan, mentions: Mentions) -> Iterator[tuple[dict[str, Any], Place]]:
    """``Brain MRI and abdominal ultrasound normal``."""
    whole = sentence.text[scan.head[0] : scan.body[1]]
    if not _NONE.search(whole):
        return
    where = mentions.of("place", start=sentence.start + scan.body[0], end=sentence.start + scan.body[1])
    where = where or mentions.of("place", start=sentence.start + scan.head[0], end=sentence.start + scan.body[1])
    place = (scan.mention.start, scan.mention.end)
    what = "uptake" if scan.modality.value in _FUNCTIONAL else "lesion"
    if not where:
        yield {"what": what, "state": State.ABSENT.value}, place
    for m in where:
        words = sentence.text[m.start - sentence.start : m.end - sentence.start].lower()
        yield {"what": what, "place": words, "state": State.ABSENT.value}, (m.start, m.end)


def _clause(
    sentence: Sentence, span: tuple[int, int], scan: _Scan, mentions: Mentions
) -> Iterator[tuple[dict[str, Any], Place]]:
    clause = sentence.text[span[0] : span[1]]
    found = mentions.of("place", start=sentence.start + span[0], end=sentence.start + span[1])
    nouns = _FINDING.search(clause)
    negated = _NONE.search(clause)
    if _BIOPSY.search(clause) or (nouns is None and negated is None):
        return
    if nouns is None and (not found or not _CLEAR.search(clause)):
        return
    excluded = sentence.text[: span[0]].rstrip().lower().endswith(("excluded", "excludes"))
    absent = excluded or (negated is not None and not _contradicts(clause, negated))
    functional = scan.modality.value in _FUNCTIONAL
    what = _words(clause)
    if absent:
        what = _denied_words(clause, functional)
    elif functional and not re.search(r"uptake|positive|avid|hypermetabolic|active", clause, re.IGNORECASE):
        what = f"uptake: {what}"
    if not found:
        yield (
            {"what": what, "state": (State.ABSENT if absent else State.PRESENT).value},
            (sentence.start + span[0], sentence.start + span[1]),
        )
        return
    end = span[0]
    told = {} if absent else _by_place(sentence, span, found)
    for m in found:
        at = m.start - sentence.start
        between = sentence.text[end:at]
        end = m.end - sentence.start
        if m is not found[0] and _NEIGHBOUR.search(between):
            break  # what follows is where the finding lies, not what is involved
        side = _side(sentence.text, at)
        words = sentence.text[at : m.end - sentence.start].lower()
        state = (State.ABSENT if absent else State.PRESENT).value
        row = {"what": told.get(m.start, what), "place": words, "side": side, "state": state}
        yield {k: v for k, v in row.items() if v is not None}, (sentence.start + span[0], m.end)


def _by_place(sentence: Sentence, span: tuple[int, int], found: Sequence[Mention]) -> dict[int, str]:
    """``pancreas 4.4 cm and multifocal liver disease``: each place its own words, where each has a finding."""
    cuts = [span[0]]
    for one, other in pairwise(found):
        first = one.end - sentence.start
        between = sentence.text[first : other.start - sentence.start]
        at = between.rfind(" and ")
        if at < 0:
            return {}
        cuts.append(first + at + len(" and "))
    parts = [sentence.text[a:b] for a, b in pairwise([*cuts, span[1]])]
    if len(parts) < 2 or not all(_FINDING.search(part) or re.search(r"\d\s?[cm]m\b", part) for part in parts):
        return {}
    return {m.start: re.sub(r"\sand$", "", _words(part)) for m, part in zip(found, parts, strict=True)}


_DENIED = re.compile(
    r"\b(?:no|without)\s(?:other\s|any\s|evidence of\s|sign of\s)*([\w -]{3,40}?)(?=\s(?:in|of|at|or|is|was"
    r"|were)\b|[,.;]|$)",
    re.IGNORECASE,
)


def _denied_words(clause: str, functional: bool) -> str:
    """What was looked for and not there."""
    noun = _DENIED.search(clause)
    if noun and _FINDING.search(noun.group(1)):
        return noun.group(1).strip()
    whole = re.search(r"\b(?:no|without)\s(.{3,70})$", clause.strip(" .,;"), re.IGNORECASE)
    if whole and _FINDING.search(whole.group(1)):
        return whole.group(1).strip()
    return "uptake" if functional else "lesion"


def _contradicts(clause: str, negated: re.Match[str]) -> bool:
    """``bile duct of normal calibre``, ``not mineralised mass``: a negation that does not deny the finding."""
    word = negated.group().lower()
    before = _FINDING.search(clause[: negated.start()])
    if word in ("no", "without"):
        return before is not None and negated.start() > 25
    if word == "not":
        return before is not None
    return before is not None and re.search(r"\b(?:show|reveal)\w*", clause) is not None and len(clause) > 60


def _words(clause: str) -> str:
    bare = re.sub(
        r"^\W*(?:a|an|the|was|were|is|are|and|that|with|has|had|in|at|on|of)\s",
        "",
        " ".join(clause.split()).strip(" .,;:()"),
    )
    return bare[:140]


def _side(text: str, start: int) -> str | None:
    lead = text[max(0, start - 26) : start]
    sides = list(_SIDE.finditer(lead))
    if not sides or re.search(r"[,;.]", lead[sides[-1].end() :]):
        return None
    word = sides[-1].group(1).lower()
    return Side.BILATERAL.value if word == "both" else word


def _months(lead: str) -> float | None:
    match = _LATER.search(lead)
    if match is None:
        return None
    number = number_of(match.group("n") or match.group("n2"))
    special = {"a": 1.0, "ten": 10.0, "eleven": 11.0, "twelve": 12.0, "eighteen": 18.0}
    number = number if number is not None else special.get((match.group("n") or match.group("n2")).lower())
    unit = (match.group("u") or match.group("u2"))[0].lower()
    return None if number is None else round(number * _MONTHS[unit], 2)
