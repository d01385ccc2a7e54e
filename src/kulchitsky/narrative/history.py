"""Complaints, illnesses, habits, immune state, and tumours known elsewhere: present or denied."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kulchitsky.case.vocabulary import State
from kulchitsky.narrative.lexicon import Mentions
from kulchitsky.narrative.notebook import Notebook, Place
from kulchitsky.narrative.sentences import Sentence

_NOT_HISTORY = frozenset({"stains", "molecular", "microscopy", "gross", "identity", "figure", "diagnosis"})
_DENIES = re.compile(
    r"\b(?:no|not|without|denies|denied|denying|neither|nor|never|free of|absence of|negative for"
    r"|nothing to suggest|excluded"
    r"|does not|did not|no evidence of|nil)\b",
    re.IGNORECASE,
)
_RESETS = re.compile(
    r"\bbut\b|\bhowever\b|\balthough\b|\bexcept\b|;|,\s(?:with|he|she|complain\w*|report\w*|present\w*|then|now"
    r"|(?:\d+|one|two|three|four|five|six|several)\s(?:days?|weeks?|months?|years?)|and (?:he|she|with|had|has|a))\b",
    re.IGNORECASE,
)
_RELATIVES = re.compile(
    r"\b(?:mother|father|uncle|aunt|brothers?|sisters?|grandfather|grandmother|sons?|daughters?|cousins?"
    r"|relatives?|family history)\b",
    re.IGNORECASE,
)
_NOT_TOLD = re.compile(
    r"\bnot (?:stated|mentioned|reported|given|described|known|supplied|recorded)\b|\bno (?:information|comment"
    r"|mention)\b|\bnor whether\b"
    r"|\bwhether\b",
    re.IGNORECASE,
)
_TUMOUR = re.compile(
    r"\b(?:(?:adeno|cysto)?carcinomas?|cancers?|melanomas?|lymphomas?|leuka?emias?|sarcomas?|tumou?rs?|neoplas\w+"
    r"|primary(?=\s(?:was|had|tumou?r|lesion|resected|removed|excised|treated))|carcinoids?|NETs?|NECs?|MCCs?|SCLC|SCCs?|BCCs?|ca(?=\.?\s)"
    r"|adenomas?|keratoacanthomas?|basalioma|paragangliomas?|pha?eochromocytomas?|myeloma|lesions?)\b",
    re.IGNORECASE,
)
_EARLIER = re.compile(
    r"\b(?:previous(?:ly)?|prior|past|history of|hx|h/o|treated|known|(?:years?|yrs?|y) (?:ago|earlier|before|back)"
    r"|earlier|formerly|followed"
    r" (?:up )?(?:in oncology|for)|had (?:been|undergone)|underwent|in (?:19|20)\d\d|since (?:19|20)\d\d"
    r"|diagnosed|operated|carried a diagnosis|more recently"
    r"|removed in|resected in|until (?:19|20)\d\d|post[\s-]?operative|after (?:surgery|mastectomy|prostatectomy"
    r"|nephrectomy)|(?:19|20)\d\d:"
    r"|in remission|two and a half years|(?:19|20)\d\d\b)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"carcinoma|cancer|melanoma|lymphoma|leuka?emia|sarcoma|carcinoid|basal cell|neuroendocrine|adenoma\b|myeloma"
    r"|\b(?:NETs?|NECs?|MCC|SCLC|SCC|BCC)\b|\w+\s(?:ca|primary)\b"
    r"|paragangliom"
    r"|pha?eochromocyt|(?:lung|breast|bladder|skin|thyroid|colon|ovar\w+|pancrea\w+|prostat\w+|urothelial|renal"
    r"|kidney|brain)[\s-]tumou?r"
    r"|tumou?r (?:of|in) the|skin tumou?r|keratos",
    re.IGNORECASE,
)
_SMOKES = re.compile(
    r"\b(?P<no>never[\s-](?:smok\w+|exposed to tobacco)|non-?smok\w+|(?:who )?never smoked"
    r"|no (?:history of )?(?:smoking|tobacco)|does not smoke)\b"
    r"|\b(?P<yes>ex-?smok\w+|former smoker|(?:current |heavy )?smoker|smokes?\b|smoking|pack-years?|cigarettes"
    r"|packs? (?:daily|a day|per day)|tobacco"
    r"|one pack daily)\b",
    re.IGNORECASE,
)
_NYHA = re.compile(
    r"\bNYHA\b(?:\s\([^)]{3,40}\))?[^.;,]{0,14}?\b(?P<c>IV|III|II|I|[1-4])\b|(?P<d>[1-4])(?:st|nd|rd"
    r"|th)\s(?:class|grade)\s(?:of\s)?NYHA"
)
_ROMAN = {"1": "I", "2": "II", "3": "III", "4": "IV"}
_DATES = re.compile(
    r"\b(?:in|since|until|from)?\s?(?:(?:January|February|March|April|May|June|July|August|September|October"
    r"|November|December)\s?)?(?:19|20)\d\d\b:?\s?",
    re.IGNORECASE,
)


def read_history(book: Notebook, sentences: Sequence[Sentence], mentions: Mentions) -> None:
    """Symptoms, comorbidities, smoking, immune state and other tumours."""
    for sentence in sentences:
        if sentence.section in _NOT_HISTORY:
            continue
        _symptoms(book, sentence, mentions)
        _comorbidities(book, sentence, mentions)
        _smoking(book, sentence)
        _immune(book, sentence, mentions)
    _other_tumours(book, sentences)
    _primary(book, sentences)


_NO_PRIMARY = re.compile(
    r"\bno (?:other |obvious |known |pulmonary |visceral )?primary\b(?: site| tumou?r| lesion"
    r"| neoplasm)?[^.;]{0,40}\b(?:found|identified|detected"
    r"|light|seen|demonstrated|evident|known|visible)\b|\b(?:unknown|occult|unidentified) primary\b"
    r"|\bwithout (?:a )?(?:known |identifiable )?primary\b"
    r"|\bprimary (?:site |tumou?r |lesion )?(?:was |could |has )?(?:not|never) (?:be(?:en)? )?(?:found|identified"
    r"|detected|located)"
    r"|\bsearch for (?:a|the) primary\b[^.;]{0,90}\b(?:negative|normal|unrewarding|fruitless|unsuccessful|clear)\b",
    re.IGNORECASE,
)


def _primary(book: Notebook, sentences: Sequence[Sentence]) -> None:
    """A search for a primary tumour that found none."""
    for sentence in sentences:
        match = _NO_PRIMARY.search(sentence.text)
        if match and not _NOT_TOLD.search(sentence.text):
            place = (sentence.start + match.start(), sentence.start + match.end())
            book.set("presentation.primary_found", State.ABSENT, place)
            return


def denied(text: str, at: int) -> bool:
    """Whether what stands at ``at`` is denied by its own clause."""
    lead = text[max(0, at - 160) : at]
    lead = re.split(r"[.;]\s", lead)[-1]
    last = None
    for match in _DENIES.finditer(lead):
        last = match
    if last is None:
        return False
    between = lead[last.end() :]
    if _RESETS.search(between):
        return False
    return not re.search(r":\s", between)


def _of_relative(text: str, at: int) -> bool:
    lead = re.split(r"[.;]", text[max(0, at - 110) : at])[-1]
    return _RELATIVES.search(lead) is not None


def _symptoms(book: Notebook, sentence: Sentence, mentions: Mentions) -> None:
    known = {row["name"]: row for row in book.get("presentation.symptoms") or []}
    for m in mentions.of("symptom", start=sentence.start, end=sentence.end):
        at = m.start - sentence.start
        if (
            m.value in known
            or _of_relative(sentence.text, at)
            or _NOT_TOLD.search(sentence.text[max(0, at - 60) :][:140])
        ):
            continue
        absent = denied(sentence.text, at) or re.match(
            r"\s(?:was |were )?(?:absent|denied)\b", sentence.text[at + m.end - m.start :]
        )
        state = State.ABSENT if absent else State.PRESENT
        if m.value == "painless lesion":
            name, state = ("painful lesion", State.ABSENT)
            if name in known:
                continue
        else:
            name = m.value
        book.add(
            "presentation.symptoms",
            {"name": name, "state": state},
            {"name": (m.start, m.end), "state": (m.start, m.end)},
        )
        known[name] = {}


def _comorbidities(book: Notebook, sentence: Sentence, mentions: Mentions) -> None:
    known = {row["name"] for row in book.get("comorbidities") or []}
    for m in mentions.of("comorbidity", start=sentence.start, end=sentence.end):
        at = m.start - sentence.start
        if (
            m.value in known
            or _of_relative(sentence.text, at)
            or _NOT_TOLD.search(sentence.text[max(0, at - 60) : at + 60])
        ):
            continue
        tail = sentence.text[at + m.end - m.start :]
        state = State.ABSENT if denied(sentence.text, at) or re.match(r"\snegative\b", tail) else State.PRESENT
        if state is State.ABSENT and m.value in ("renal stones", "appendicitis", "pregnancy", "anaemia"):
            continue
        detail = None
        if m.value == "heart failure":
            match = _NYHA.search(sentence.text)
            detail = f"NYHA {_roman(match)}" if match else None
        elif sentence.section == "imaging" or re.search(r"\bX-ray|\bCT\b", sentence.text[:at]):
            detail = "on imaging" if m.value == "emphysema" else None
        book.add("comorbidities", {"name": m.value, "state": state, "detail": detail}, {"name": (m.start, m.end)})
        known.add(m.value)


def _roman(match: re.Match[str]) -> str:
    word = match.group("c") or match.group("d")
    return _ROMAN.get(word, word)


def _smoking(book: Notebook, sentence: Sentence) -> None:
    if any(row["name"] == "smoking" for row in book.get("comorbidities") or []):
        return
    match = _SMOKES.search(sentence.text)
    if (
        match is None
        or _of_relative(sentence.text, match.start())
        or "passive" in sentence.text[: match.start()].lower()[-30:]
    ):
        return
    state = State.ABSENT if match.group("no") or denied(sentence.text, match.start()) else State.PRESENT
    place: Place = (sentence.start + match.start(), sentence.start + match.end())
    years = re.search(r"\b(\d{1,3})[\s-]pack[\s-]years?", sentence.text)
    detail = f"{years.group(1)} pack-years" if years and state is State.PRESENT else None
    book.add("comorbidities", {"name": "smoking", "state": state, "detail": detail}, {"name": place})


def _immune(book: Notebook, sentence: Sentence, mentions: Mentions) -> None:
    if book.has("patient.immune_suppression"):
        return
    for m in mentions.of("immune_cause", start=sentence.start, end=sentence.end):
        at = m.start - sentence.start
        around = sentence.text[max(0, at - 70) : at + 70]
        if (
            _of_relative(sentence.text, at)
            or _NOT_TOLD.search(around)
            or sentence.section in ("treatment", "follow_up")
        ):
            continue
        state = State.ABSENT if denied(sentence.text, at) else State.PRESENT
        value = {"state": state, "cause": m.value if state is State.PRESENT else None}
        book.set("patient.immune_suppression", value, (m.start, m.end))
        return


def _other_tumours(book: Notebook, sentences: Sequence[Sentence]) -> None:
    """Clauses that tell of an earlier or concurrent tumour of this patient, in words, without dates."""
    told: list[str] = []
    first: Place | None = None
    for sentence in sentences:
        if sentence.section in (*_NOT_HISTORY, "treatment", "follow_up"):
            continue
        for start, end in _clauses(sentence.text):
            clause = sentence.text[start:end]
            if not (_TUMOUR.search(clause) and _EARLIER.search(clause) and _NAMED.search(clause)):
                continue
            tumour = _TUMOUR.search(clause)
            if tumour is None or _RELATIVES.search(clause) or denied(sentence.text, start + tumour.start()):
                continue
            words = _without_neighbours(" ".join(_DATES.sub(" ", clause).split()))
            if words and words not in told:
                told.append(words)
                first = first or (sentence.start + start, sentence.start + end)
    if first is not None:
        book.set("presentation.known_other_tumour", "; ".join(told)[:600], first)


def _without_neighbours(clause: str) -> str:
    """Of an enumeration (``hypertension, emphysema, carcinoma resected``) only the parts about tumours."""
    parts = clause.split(", ")
    first = next((i for i, part in enumerate(parts) if _TUMOUR.search(part)), 0)
    kept = ", ".join(parts[first:]) if first else clause
    return re.sub(r"\s(?:and|in|by)$", "", kept.strip(" ,.;:"))


def _clauses(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    at = 0
    for match in re.finditer(r";\s|(?<=\d\d\d\d):\s", text):
        if match.group().startswith(":"):
            continue
        spans.append((at, match.start()))
        at = match.end()
    spans.append((at, len(text)))
    return spans
