"""Whether the text tells of a tumour that the differential has an answer for: if not, that comes first.

The differential ranks neuroendocrine tumours and what is taken for them. A benign polyp, an adenocarcinoma or a page
about something else gets a list all the same; here the reader is told that it means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from kulchitsky.case.issue import Level
from kulchitsky.case.vocabulary import State
from kulchitsky.narrative.history import denied
from kulchitsky.narrative.lexicon import Mentions, load_data
from kulchitsky.narrative.notebook import Notebook
from kulchitsky.narrative.sentences import Sentence

_NEUROENDOCRINE = frozenset({"synaptophysin", "chromogranin_a", "insm1", "cd56", "any_ne_marker", "calcitonin"})
_NOT_OWN = frozenset({"clinical", "imaging", "identity", "treatment", "follow_up"})
_HEDGED = re.compile(
    r"\b(?:no|not|nor|without|exclud\w*|rule[ds]? out|r/o|versus|vs|query|\?|rather than|against|negative for"
    r"|differential|previous|prior|history|hx|known|component|combined|mixed|in situ|arising (?:in|from)|adjacent"
    r"|mimic\w*|suspect\w*|favou?r\w*|outside|referr\w*|initial\w*|first|suggest\w*|thought)\b[^.;]{0,60}$|\?\s?(?:[\w-]+\s){0,2}$",
    re.IGNORECASE,
)


def read_premise(book: Notebook, sentences: Sequence[Sentence], mentions: Mentions) -> None:
    """One serious issue where no tumour is told of, where the diagnosis told lies outside the list, or where nothing
    of a report was found."""
    tumour, benign, other = _patterns()
    own = [s for s in sentences if s.section not in _NOT_OWN]
    positive = {m["marker"] for m in book.get("markers") or () if m["state"] == State.PRESENT.value}
    said = _first(sentences, tumour)
    if not (said or positive or book.has("morphology") or book.has("presentation") or book.get("markers")):
        book.issue(
            Level.SERIOUS,
            "narrative.nothing_read",
            "nothing of a pathology report was found in the text: no specimen, tumour, stain or microscopy",
            remedy="give the text of a report; what follows rests on nothing",
        )
        return
    named = _first(own, benign)
    if said is None and not positive & _NEUROENDOCRINE and (named or not positive):
        told = f" (it names: {named})" if named else ""
        book.issue(
            Level.SERIOUS,
            "narrative.no_tumour",
            f"the report tells of no tumour{told}: the list of diagnoses, the stage and the plan do not apply to it",
            remedy="work up a report that tells of a tumour",
        )
        return
    entities = mentions.of("entity") or _first(sentences, _neuroendocrine_words())
    outside = _first(own, other)
    if outside and not entities and not positive & _NEUROENDOCRINE:
        book.issue(
            Level.SERIOUS,
            "narrative.outside_the_list",
            f"the report calls the tumour '{outside}' and tells of no positive neuroendocrine marker: that diagnosis"
            f" is not on the list, which ranks neuroendocrine tumours and what is taken for them",
            remedy="read the list only if that diagnosis is in doubt",
        )


def _first(sentences: Sequence[Sentence], pattern: re.Pattern[str]) -> str | None:
    """The first words that state what the pattern looks for, neither denied nor supposed; ``None`` without any."""
    for sentence in sentences:
        for match in pattern.finditer(sentence.text):
            if denied(sentence.text, match.start()) or _HEDGED.search(sentence.text[: match.start()][-70:]):
                continue
            return " ".join(match.group().split()).lower()
    return None


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Words of a tumour, of benign findings, of diagnoses outside the list (``data/premise.yaml``)."""
    data = load_data("premise")
    tumour, benign, other = (
        re.compile(r"\b(?:" + "|".join(data[key]) + r")\b", re.IGNORECASE)
        for key in ("tumour", "benign", "outside_the_list")
    )
    return tumour, benign, other


@cache
def _neuroendocrine_words() -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(load_data("premise")["on_the_list"]) + r")\b", re.IGNORECASE)
