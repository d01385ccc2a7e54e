"""Morphology: what the haematoxylin-eosin sections are said to show, present or expressly absent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from kulchitsky.case.vocabulary import State
from kulchitsky.narrative.lexicon import Mention, Mentions, load_data
from kulchitsky.narrative.notebook import Notebook
from kulchitsky.narrative.sentences import Sentence

_ELSEWHERE = frozenset({"stains", "laboratory", "treatment", "follow_up", "molecular", "identity"})
_CLINIC = frozenset({"clinical", "imaging", "procedure"})

_LISTS = ("architecture", "cell_shape", "chromatin")
_SINGLE = ("cell_size", "differentiation")
# words that other fields share with clinic and imaging: they count only where a microscope is at work
_MICROSCOPE = re.compile(
    r"\b(?:cells?|nucle(?:us|i|ar|oli|olus)|cytoplasm\w*|chromatin|mitos\w+|mitot\w+|microscop\w+|histolog\w+"
    r"|histopatholog\w+|sections?"
    r"|stroma\w*|epidermis|epidermal|dermis|dermal|infiltrat\w+|proliferation|architecture|nests?|sheets"
    r"|rosettes?|biopsy"
    r"|low power|high(?:er)? power|neoplasm|morpholog\w+|tumou?r made|basaloid|grade|differentiat\w+|patholog\w+"
    r"|necro\w+)\b",
    re.IGNORECASE,
)
_IMAGING = re.compile(
    r"\b(?:ct|mri|pet|ultrasound|ultrasonography|radiograph\w*|x-ray|film|scan|imaging|endoscop\w+|cystoscop\w+"
    r"|bronchoscop\w+"
    r"|on examination|macroscop\w+|mammograph\w+|gross|enhanc\w+|plain)\b",
    re.IGNORECASE,
)
_OTHER_TISSUE = re.compile(
    r"\b(?:lung cancer|previous|earlier tumou?r|original tumou?r|(?:tonsil|thyroid|gland|colonoscopy|gastroscopy"
    r"|adenoma|polyp)\b[^.;]*\b(?:contained|showed))",
    re.IGNORECASE,
)
_DENIED_BEFORE = re.compile(
    r"\b(?:no|not|without|absent|absence of|lack(?:s|ing)?|neither|nor|never|free of|devoid of|non|fails? to show"
    r"|unaccompanied by)"
    r"(?:\s(?:any|obvious|evidence of|evident|definite|overt|clear|apparent|true|sign of|convincing|frank"
    r"|significant|visible|associated"
    r"|detectable|tumou?r|marked|unequivocal|signs of))*\s?(?:[\w/-]+(?:,| or| and|,? nor)\s){0,4}$",
    re.IGNORECASE,
)
_DENIED_AFTER = re.compile(
    r"^(?:\s[\w-]+){0,2}\s?(?::\s?)?(?:\((?:-|absent|none)\)|(?:is|are|was|were)?\s?(?:not|never)\s(?:obviously "
    r"|clearly )?(?:seen|identified|observed"
    r"|present|found|evident|detected|involved|noted|apparent|demonstrated|visible|conspicuous|prominent)|(?:is"
    r"|are|was|were)\s(?:absent|lacking|not)\b"
    r"|absent\b|uninvolved|not identified|not seen|negative|: no\b|-\s?(?:absent|none|no)\b|: none\b)",
    re.IGNORECASE,
)
_NOT_TOLD_AFTER = re.compile(
    r"^[^.;:]{0,60}\b(?:not|nor)\s(?:been\s)?(?:described|stated|mentioned|reported|given|recorded|known|listed"
    r"|quoted|commented|assessed|specified|available)\b",
    re.IGNORECASE,
)
_NOT_TOLD_BEFORE = re.compile(
    r"\b(?:no|nor)\s(?:comment|information|mention|data|details?|statement)\b[^.;]*$", re.IGNORECASE
)
_SUPPOSED = re.compile(r"\b(?:may|might|could|would|should|suggest\w*|exclude|excluding|versus|vs)\b", re.IGNORECASE)
_RARE = re.compile(
    r"\b(?:rare|rarely|occasional|few|scattered|focal|exceptional|isolated|single)\s(?:[\w-]+\s){0,1}$", re.IGNORECASE
)


def read_morphology(book: Notebook, sentences: Sequence[Sentence], mentions: Mentions) -> None:
    """Architecture, cells, nuclei, necrosis, differentiation and other features into ``morphology``."""
    for sentence in sentences:
        if not _is_microscopy(sentence, mentions):
            continue
        for m in mentions.of(*_LISTS, *_SINGLE, "nucleoli", "feature", start=sentence.start, end=sentence.end):
            _take(book, sentence, m)
        _cell_size(book, sentence)
        _necrosis(book, sentence, mentions)


_SIZED = re.compile(
    r"\b(?P<size>small|large|medium-sized|intermediate-sized)(?:,?\s(?!of\b|in\b|with\b|foci\b|nests\b|solid\b"
    r"|areas?\b|and\b)"
    r"[\w-]+){0,3}\scells\b",
    re.IGNORECASE,
)
_SHARED = frozenset(
    {
        "ulceration",
        "haemorrhage",
        "calcification",
        "melanin",
        "extracellular_mucin",
        "myxoid_stroma",
    }
)


def _cell_size(book: Notebook, sentence: Sentence) -> None:
    """``small, monomorphous cells``: a size with other adjectives before the cells."""
    match = _SIZED.search(sentence.text)
    if match:
        size = {"small": "small", "large": "large"}.get(match.group("size").lower(), "intermediate")
        book.set("morphology.cell_size", size, (sentence.start + match.start(), sentence.start + match.end()))


def _is_microscopy(sentence: Sentence, mentions: Mentions) -> bool:
    """Whether a sentence describes what the microscope shows."""
    if sentence.section in ("microscopy", "figure", "diagnosis"):
        return not _OTHER_TISSUE.search(sentence.text)
    text = sentence.text
    if sentence.section in _ELSEWHERE:
        return False
    if _OTHER_TISSUE.search(text):
        return False
    own = mentions.of("feature", "chromatin", "nucleoli", start=sentence.start, end=sentence.end)
    seen = len(_MICROSCOPE.findall(text)) + sum(m.value not in _SHARED for m in own)
    needed = 2 if sentence.section in _CLINIC or _IMAGING.search(text) else 1
    return seen >= needed


def _take(book: Notebook, sentence: Sentence, m: Mention) -> None:
    state = state_of(sentence, m)
    if state is None:
        return
    place = (m.start, m.end)
    path = f"morphology.{m.category}"
    if m.category == "feature":
        _feature(book, sentence, m, state)
    elif state is State.ABSENT:
        if m.category == "nucleoli" and m.value == "prominent":
            book.set("morphology.nucleoli", "inconspicuous", place)
    elif m.category in _LISTS:
        if m.category != "cell_shape" or _speaks_of_cells(sentence, m):
            book.add_value(path, m.value, place)
    else:
        book.set(path, m.value, place)


def _speaks_of_cells(sentence: Sentence, m: Mention) -> bool:
    """``round`` and ``oval`` are shapes of cells only near cells or nuclei."""
    at = m.start - sentence.start
    around = sentence.text[max(0, at - 50) : at + 70]
    return (
        re.search(r"\bcells?\b|nucle|\btumou?r\b|proliferation|neoplasm|component", around, re.IGNORECASE) is not None
    )


def _feature(book: Notebook, sentence: Sentence, m: Mention, state: State) -> None:
    known = {row["feature"] for row in book.get("morphology.features") or []}
    for feature in _implied(m.value, sentence.text[m.start - sentence.start : m.end - sentence.start]):
        if feature in known:
            continue
        lead = sentence.text[max(0, m.start - sentence.start - 24) : m.start - sentence.start]
        rare = _RARE.search(lead)
        record = {"feature": feature, "state": state, "detail": rare.group().strip().lower() if rare else None}
        book.add("morphology.features", record, {"feature": (m.start, m.end), "state": (m.start, m.end)})


def _implied(feature: str, words: str) -> tuple[str, ...]:
    """One phrase may state two features: ``perineural and lymphatic involvement``."""
    low = " ".join(words.lower().split())
    return tuple(dict.fromkeys((feature, *_several().get(low, ()))))


@cache
def _several() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for feature, phrases in load_data("phrases_morphology")["feature"].items():
        for phrase in phrases:
            found.setdefault(phrase, []).append(feature)
    return {phrase: tuple(features) for phrase, features in found.items() if len(features) > 1}


def _necrosis(book: Notebook, sentence: Sentence, mentions: Mentions) -> None:
    for m in mentions.of("necrosis", start=sentence.start, end=sentence.end):
        state = state_of(sentence, m)
        if state is None:
            continue
        value = "absent" if state is State.ABSENT else m.value
        if value == "present" and book.get("morphology.necrosis") is not None:
            continue
        if book.get("morphology.necrosis") == "present" and value not in ("present", "absent"):
            book.case["morphology"].pop("necrosis")
        book.set("morphology.necrosis", value, (m.start, m.end))


def state_of(sentence: Sentence, m: Mention) -> State | None:
    """Present, absent, or ``None`` where the report says that it was not told."""
    at, end = m.start - sentence.start, m.end - sentence.start
    clause = re.split(r"[;:]|\bbut\b|\bwhereas\b", sentence.text[max(0, at - 90) : at])[-1]
    after = sentence.text[end : end + 90]
    if _SUPPOSED.search(clause):
        return None
    if _NOT_TOLD_AFTER.match(after) or _NOT_TOLD_BEFORE.search(clause):
        return None
    if _DENIED_BEFORE.search(clause) or _DENIED_AFTER.match(after):
        return State.ABSENT
    return State.PRESENT
