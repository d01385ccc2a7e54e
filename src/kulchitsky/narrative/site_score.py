"""How likely a place that a sentence names is where the tissue at hand comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from kulchitsky.narrative.lexicon import Mention, load_data
from kulchitsky.narrative.sentences import Sentence
from kulchitsky.narrative.site_roles import role_score

LESION = (
    r"mass(?:es)?|lumps?|tumou?rs?|nodules?|lesions?|swellings?|papules?|plaques?|growth|wound|ulcer|neoplasm"
    r"|neoplasia|formation|collection|cyst|carcinoma"
)
SPECIMEN = (
    r"biops(?:y|ies)|excis(?:ion|ed|ional)|resect(?:ion|ed)|specimens?|core|trephine|shave|punch|orchidectomy"
    r"|orchiectomy"
    r"|nephrectomy|nephroureterectomy|laminectomy|lobectomy|mastectomy|lumpectomy|thyroidectomy|hysterectomy"
    r"|colectomy|hemicolectomy|cholecystectomy|thymectomy|cystectomy|prostatectomy|turbt|turp|craniotomy|enucleation"
    r"|adrenalectomy|oophorectomy|oesophagectomy|esophagectomy|splenectomy|pneumonectomy|thymectomy|whipple"
    r"|gastrectomy|pancreatectomy|hepatectomy|dissection|curettage|curettings?|aspirat(?:e|ion)|fna|fnb|amputation"
    r"|tru-?cut|cytology|chippings|nodulectomy"
    r"|parotidectomy|laryngectomy|scrapings?|tissue sample|removed|smears?|sampling|sampled|cell block|polypectomy"
    r"|bx|biopsied|tbna|eus-fn[ab]|needle|cores|wedge|snare|emr|esd|mucosal resection|metastasectomy|segmentectomy"
)
_LESION = re.compile(rf"\b(?:{LESION})\b", re.IGNORECASE)
SPECIMEN_WORD = re.compile(rf"\b(?:{SPECIMEN})\b", re.IGNORECASE)
OTHER_TUMOUR = re.compile(
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
_LONG_AGO = re.compile(
    r"\b(?:years?|yrs?|months?|decades?)\s(?:ago|before|earlier|previously|prior|since)\b|\bthe year before\b"
    r"|\blast year\b"
    r"|\b(?:in|since)\s(?:19|20)\d\d\b",
    re.IGNORECASE,
)
_WAS_TREATED = re.compile(
    r"\b(?:resect\w+|removed|removal|excis\w+|treated|operated|underwent|undergone|diagnosed with|history of"
    r"|mastectomy|nephrectomy|colectomy|gastrectomy|lobectomy|thyroidectomy|prostatectomy)\b",
    re.IGNORECASE,
)
_OPENS_WITH_SPECIMEN = re.compile(
    r"^\W*(?:the )?(?:(?:left|right) )?[\w-]+ (?:(?:core|needle|excision|excisional|open|incisional|tru-?cut) )?"
    r"(?:biops(?:y|ies)|resection|aspirate|fna|specimen)\b",
    re.IGNORECASE,
)
_SPECIMEN_KEY = re.compile(
    r"^\W*(?:biops(?:y|ied)(?:\s\w+){0,2}|specimens?(?:\s\w+){0,3}|source|tissue(?:\s\w+){0,2}|material(?:\s\w+){0,2}"
    r"|samples?(?:\s\w+){0,2}|nature of (?:the )?specimen|procedure|operation"
    r"|(?:anatomic\w*|tumou?r|specimen) (?:site|location)"
    r"|site(?: of (?:biopsy|tumou?r|specimen|lesion))?|submitted|taken from|excised)\s?(?:\(s\)|s)?\s?[:|]\s",
    re.IGNORECASE,
)
_STAGING = frozenset({"bone_marrow", "pleura"})
"""Tissue that is sampled to find how far a tumour has spread."""
_IS_FREE = re.compile(r"\b(?:no|without|negative|normal|free|inflammation|reactive only)\b", re.IGNORECASE)
_OPERATION = re.compile(r"(?:ectomy|otomy|scopy|scopic|turbt|turp|whipple)$", re.IGNORECASE)
_SEEN_ON = re.compile(
    r"\b(?:CT|MRI|PET|ultrasound|ultrasonography|scans?|imaging|radiographs?|X-ray|CXR|scintigra\w+|tomography"
    r"|at staging|on staging|mammogra\w+|echocardiogra\w+)\b"
)
_SPREAD = re.compile(
    r"^\s(?:[\w-]+\s)?(?:lesions|nodules|masses|metastas[ei]s|deposits|metastatic|mets)\b", re.IGNORECASE
)
_CONDITION = re.compile(
    r"^[\s-](?:transplant\w*|recipient|allograft|graft|insufficiency|impairment|function|dialysis|disease|failure"
    r"|valve|murmur|block|arrest|rate|enzymes|tests?|profile)\b",
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


@dataclass(frozen=True, slots=True)
class Place:
    """A place of the body as ``data/places.yaml`` knows it."""

    id: str
    region: str | None
    setting: str | None
    surface: bool


@cache
def known_places() -> dict[str, Place]:
    """Places by id."""
    return {
        row["id"]: Place(row["id"], row.get("region"), row.get("setting"), bool(row.get("surface")))
        for row in load_data("places")["places"]
    }


def place_score(sentence: Sentence, number: int, m: Mention) -> float:
    """Points for a place named in the ``number``-th sentence: specimens and lesions count for it, history against."""
    text, at = sentence.text, m.start - sentence.start
    before, after = text[max(0, at - 60) : at], text[m.end - sentence.start : m.end - sentence.start + 45]
    clause_before = re.split(r"[;:]", before)[-1]
    clause_after = re.split(r"[;:.]", after)[0]
    score = max(0.0, 3 - 0.35 * number)
    if number == 0 and is_header(text, at):
        score += 6
    key = _SPECIMEN_KEY.match(text)
    if key is not None:
        score += (
            5 if at - key.end() < 60 and ";" not in text[key.end() : at] else 2
        )  # "Biopsied lesion: liver segment IVb"
    elif sentence.section == "specimen":
        score += 2
    opening = _OPENS_WITH_SPECIMEN.match(text) if number else None
    if opening is not None and at < opening.end() and m.value not in _STAGING and not _IS_FREE.search(text):
        score += 3  # "Adrenal biopsy: ..."
    if (SPECIMEN_WORD.search(clause_before) or SPECIMEN_WORD.search(clause_after)) and not _NODE.match(after):
        score += 3
    if (
        re.search(rf"\b(?:{LESION})\b(?:[\s,]+[\w.-]+){{0,11}}[\s,]*$", clause_before, re.I)
        or re.match(rf"(?:\s[\w-]+){{0,2}}\s(?:{LESION})\b", clause_after, re.I)
        or _LESION.search(text[at : m.end - sentence.start])
    ):
        score += 4
    if OTHER_TUMOUR.search(clause_before) or _DATED.search(after) or is_history(text, at):
        score -= 12
    if _CONDITION.match(after):
        score -= 9
    if _SPREAD.match(after) and not SPECIMEN_WORD.search(clause_before):
        score -= 4
    if number and (sentence.section == "imaging" or _SEEN_ON.search(clause_at(text, at))):
        score -= 2
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
    if _OPERATION.search(text[at : m.end - sentence.start]):
        score -= 1.5  # the organ's own name is the better word for the place
    if m.value == "trunk" and re.match(r"\sof\b", after):
        score -= 9  # the back of something
    if _NODE.match(after) or _NODES_IN.search(clause_before):
        score -= 3
    return score + role_score(text, at, m.end - sentence.start)


def is_of_node(sentence: Sentence, m: Mention) -> bool:
    """Whether a place is that of a lymph node: ``axillary node``."""
    return _NODE.match(sentence.text[m.end - sentence.start :][:45]) is not None


def clause_at(text: str, at: int) -> str:
    """The stretch around ``at`` between semicolons and full stops."""
    start = max(text.rfind(";", 0, at), text.rfind(". ", 0, at)) + 1
    ends = [i for i in (text.find(";", at), text.find(". ", at)) if i >= 0]
    return text[start : min(ends, default=len(text))]


def is_history(text: str, at: int) -> bool:
    """Whether the clause around ``at`` tells of something removed or treated long ago."""
    clause = clause_at(text, at)
    return _LONG_AGO.search(clause) is not None and _WAS_TREATED.search(clause) is not None


def is_header(text: str, at: int) -> bool:
    """Whether the words at ``at`` stand in a specimen heading: ``SKIN, LEFT TEMPLE, BIOPSY.``"""
    head = re.split(r"[.:]", text)[0]
    if at <= 2 and re.match(r"[\w -]{3,30}[,:]", text[at:]):
        return True  # "Ovary, right, 14 cm"
    labelled = text[len(head) : len(head) + 1] == ":" and len(head.split()) <= 6  # "Skin of scalp: metastasis."
    return at < len(head) and (
        head.isupper() or labelled or (len(head) < 90 and SPECIMEN_WORD.search(head) is not None)
    )
