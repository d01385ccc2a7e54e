"""What the report itself calls the tumour."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kulchitsky.narrative.identifiers import scrubbed
from kulchitsky.narrative.lexicon import Mentions, load_data
from kulchitsky.narrative.notebook import Notebook, Place
from kulchitsky.narrative.sentences import Sentence

_SAYS = re.compile(
    r"\b(?:final |working |histological |histopathological |pathological |definitive "
    r"|submitted )?diagnosis\s(?:of\s|was\s|is\s|:\s?|was that of\s|made was\s)(?:an?\s|the\s)?(?P<d>[^.;()]{4,140}?)"
    r"(?=\s(?:was|were|is|in our case|based)\b|[.;(]|,\s|$)",
    re.IGNORECASE,
)
_FITS = re.compile(
    r"\b(?:consistent with|diagnostic of|in keeping with|compatible with|diagnosed as|reported as|interpreted as"
    r"|confirmed(?: as)?|favou?rs?|represents?)\s(?:an?\s|the\s)?(?P<d>[^.;()]{4,140}?)"
    r"(?=,\s|[.;(]|$)",
    re.IGNORECASE,
)
_TUMOUR = re.compile(
    r"tumou?r|carcinoma|sarcoma|lymphoma|melanoma|carcinoid|neoplas|NET\b|NEC\b|MCC\b|blastoma|paragangli|leuka?emia",
    re.I,
)
_NOT_FINAL = re.compile(
    r"\b(?:before surgery|preoperative|clinical(?:ly)?|differential|initial(?:ly)?|presumed|outside|first thought"
    r"|suspected|referr\w+|not|no|excluded?|even so|rule out|versus|vs|or|possible|earlier|previous)\b",
    re.IGNORECASE,
)
_AIM = re.compile(r"\b(?:case (?:report )?of|case of)\s(?:an?\s)?(?P<d>[^.;()]{4,160})", re.IGNORECASE)


def read_diagnosis(
    book: Notebook, sentences: Sequence[Sentence], mentions: Mentions, whole: Sequence[Sentence]
) -> None:
    """Working diagnosis in words, with the entity where the words name one."""
    found = _from_section(whole) or _from_words(sentences) or _from_paper(whole)
    if found is None:
        return
    words, place = found
    text = " ".join(scrubbed(words).split()).strip(" .,:")
    entity = next((m.value for m in mentions.of("entity", start=place[0], end=place[1])), None)
    entity = _by_setting(text, book, entity) or entity
    book.set("working_diagnosis", {"text": text[:300], "entity": entity}, place)


def _from_section(sentences: Sequence[Sentence]) -> tuple[str, Place] | None:
    for sentence in sentences:
        if sentence.section != "diagnosis" or not _TUMOUR.search(sentence.text):
            continue
        bare = re.sub(r"^\s*[*_#-]{0,3}\s?[A-Za-z ]{3,40}?:\s?", "", sentence.text, count=1)
        start = sentence.start + len(sentence.text) - len(bare)
        return bare, (start, sentence.end)
    return None


def _from_words(sentences: Sequence[Sentence]) -> tuple[str, Place] | None:
    for pattern in (_SAYS, _FITS):
        for sentence in sentences:
            if sentence.section in ("clinical", "imaging", "comment", "identity"):
                continue
            match = pattern.search(sentence.text)
            if match and _TUMOUR.search(match.group("d")) and not _NOT_FINAL.search(sentence.text[: match.end()]):
                return match.group("d"), (sentence.start + match.start("d"), sentence.start + match.end("d"))
    return None


def _from_paper(sentences: Sequence[Sentence]) -> tuple[str, Place] | None:
    """In a published case the diagnosis often stands outside the case itself."""
    for pattern in (_AIM, _SAYS):
        for sentence in sentences:
            if sentence.section not in ("abstract", "introduction", "discussion", "conclusion"):
                continue
            match = pattern.search(sentence.text)
            if match and _TUMOUR.search(match.group("d")):
                tumour = re.search(
                    r"[\w\s-]*?(?:tumou?rs?|carcinomas?|sarcoma|lymphoma|melanoma|carcinoid|NETs?|blastoma"
                    r"|paraganglioma)\b[^,.;]*",
                    match.group("d"),
                )
                if tumour is None:
                    continue
                words = re.sub(r"^.*\bwith\s(?=\w)", "", tumour.group())
                end = sentence.start + match.start("d") + tumour.end()
                return words, (end - len(words), end)
    return None


def _by_setting(text: str, book: Notebook, named: str | None) -> str | None:
    """A general name together with the tissue it was found in (``data/diagnoses.yaml``).

    Where the words name an entity by themselves only rows stand that take its place (``instead_of``): *large cell
    neuroendocrine carcinoma* is the lung's by name, and another one in the colon.
    """
    setting = book.get("presentation.setting")
    for row in load_data("diagnoses")["by_setting"]:
        if named is not None and named not in row.get("instead_of", ()):
            continue
        if re.search(row["pattern"], text, re.IGNORECASE) and setting in row["settings"]:
            entity: str = row["entity"]
            return entity
    return None
