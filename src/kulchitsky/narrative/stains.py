"""Stains and what they showed, from sentences: names found, scope settled, hypothetical and foreign ones left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from kulchitsky.case.vocabulary import State
from kulchitsky.narrative.lexicon import Mention, Mentions
from kulchitsky.narrative.page import Page
from kulchitsky.narrative.sentences import Sentence
from kulchitsky.narrative.stain_context import Verdict
from kulchitsky.narrative.stain_grammar import Scope
from kulchitsky.narrative.stain_items import Qualifiers, items_of
from kulchitsky.narrative.stain_population import of_tumour_cells

GENERIC = frozenset({"pan_cytokeratin", "actin_msa", "any_ne_marker", "lymphoid_panel", "melanocytic_panel"})
"""Names that a more specific antibody in brackets or apposition after them replaces."""


@dataclass(frozen=True, slots=True)
class Stained:
    """One stain with what it showed and where it was read."""

    marker: str
    verdict: Verdict


def stains_of(
    page: Page, sentence: Sentence, mentions: Mentions, squeezed: Mapping[str, str], before: Verdict | None = None
) -> list[Stained]:
    """Stains of one sentence, in order; hypothetical ones are left out.

    ``squeezed`` gives marker ids by name without spaces and signs, for numbers that share a name (``CK7/20``);
    ``before`` is the last result of the sentence before (``CK20 negative. TTF-1, likewise.``).
    """
    marks = marks_of(page, sentence, mentions, squeezed)
    if not marks:
        return []
    items = items_of(page.clean, sentence.start, sentence.end, mentions, marks)
    found: list[Stained] = []
    verdicts = Scope(items, last=before).read()
    for verdict in verdicts:
        settled = (
            None
            if verdict.hypothetical or _is_withdrawn(sentence, verdict)
            else of_tumour_cells(sentence, verdict, verdicts)
        )
        if settled is not None:
            found.extend(Stained(marker, settled) for marker in settled.mark.value.split("+"))
    return [_scored(s) for s in _without_generic(page, found) if not _is_vague(s)]


_WITHDRAWN = re.compile(
    r"\b(?:clerical|typing|typographical|transcription|labell?ing|reporting|dictation) (?:error|mistake|slip)"
    r"|\b(?:erroneous|incorrect|wrong|mistaken)(?:ly)? (?:reported|recorded|stated|typed|given|entered|result)"
    r"|\b(?:reported|stated|entered|recorded) in error\b|\b(?:should|must|to) be disregarded\b|\bis withdrawn\b",
    re.IGNORECASE,
)


def _is_withdrawn(sentence: Sentence, verdict: Verdict) -> bool:
    """``the "TTF-1 negative" of the first report was a clerical error``: what a clause takes back isn't read."""
    at = verdict.mark.start - sentence.start
    start = max(sentence.text.rfind(";", 0, at), sentence.text.rfind(". ", 0, at)) + 1
    end = sentence.text.find(";", at)
    return _WITHDRAWN.search(sentence.text[start : end if end >= 0 else len(sentence.text)]) is not None


def marks_of(page: Page, sentence: Sentence, mentions: Mentions, squeezed: Mapping[str, str]) -> list[Mention]:
    """Names of stains in a sentence, with the elliptic ones (``keratins 7 and 20``), without laboratory tests."""
    found: list[Mention] = []
    for m in mentions.of("marker", start=sentence.start, end=sentence.end):
        if _is_laboratory(page.clean, sentence, m):
            continue
        more = list(_elliptic(page, sentence, m, squeezed))
        if not (more and m.value in GENERIC):
            found.append(m)
        found.extend(more)
        found.extend(_panels_before(page, sentence, m, squeezed))
    return sorted(_without_overlap(found), key=lambda m: m.start)


def _without_overlap(found: Iterable[Mention]) -> Iterable[Mention]:
    taken = -1
    for m in sorted(found, key=lambda m: (m.start, -m.end)):
        if m.start >= taken:
            taken = m.end
            yield m


_VALUE = re.compile(
    r"\s?(?:level|levels|value|of|was|is|were|:|=|-)?\s?(?:of\s)?[<>]?\s?\d[\d.,]*\s?"
    r"(?:[numpµ]?g\b|[numpk]?mol|ku/|u/|m?iu/|ui/|ukat|µkat|/m)",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"(?:serum|plasma|urinary|urine|circulating|blood|onconeural)\s(?:[\w-]+\s){0,2}$", re.IGNORECASE
)
_LABORATORY = re.compile(r"\b(?:normal|elevated|raised|within|increased|levels?|ng/|pg/|U/|UI/|IU/)", re.IGNORECASE)
_BLOOD_TESTS = {"cea", "calcitonin", "afp", "hcg", "psa", "nse", "thyroglobulin", "ca125", "ca19_9", "chromogranin_a",
                "gastrin", "insulin", "glucagon", "serotonin", "somatostatin", "pth", "growth_hormone",
                "prolactin", "fsh_lh", "tsh", "ghrelin", "glp1", "acth", "vip"}  # fmt: skip
_STAIN_WORDS = re.compile(
    r"positiv|negativ|stain|express|immuno|\(\+\)|\(-\)|reactiv|react|focal|diffuse", re.IGNORECASE
)
_NO_STAIN = re.compile(
    r"[\s-](?:receptors?\s)?(?:PET\b|scintigra\w+|imaging|scans?\b|ligand|analogues?|analogs?|agonists?|inhibitors?|therapy|secreting"
    r"|producing|dependent|independent|excess|stimulat\w+|suppress\w+)",
    re.IGNORECASE,
)
_BARE_NUMBER = re.compile(r"\s(?!0[\s,;.)])\d+(?:\.\d+)?(?=\s?[;,.(])(?!\s?%)")


def _is_laboratory(clean: str, sentence: Sentence, m: Mention) -> bool:
    """Whether a name means the substance in blood or urine, not in tissue."""
    after = clean[m.end : min(m.end + 40, sentence.end)]
    before = clean[max(sentence.start, m.start - 45) : m.start]
    if (
        _BEFORE.search(before)
        or _NO_STAIN.match(after)
        or _VALUE.match(after)
        or re.match(r"\s(?:serology|titres?|antibod(?:y|ies)\s(?:in|titre))", after)
    ):
        return True
    if m.value == "er" and re.search(r"\b(?:in|to|from|via) the $", before):
        return True  # the emergency room
    if m.value not in _BLOOD_TESTS:
        return False
    if sentence.section == "laboratory" or _BARE_NUMBER.match(after):
        return True
    return _speaks_of_blood(sentence.text)


@lru_cache(maxsize=64)
def _speaks_of_blood(text: str) -> bool:
    return _LABORATORY.search(text) is not None and _STAIN_WORDS.search(text) is None


_MORE_NUMBERS = re.compile(
    r"(?:\s?(?:,|/|and|or|&)\s?\d{1,3}[a-z]?\b(?!\s?(?:%|x|of|per|mm|cm|/\d)))+", re.IGNORECASE
)
_PLURAL_NUMBERS = re.compile(r"\s\d{1,3}(?:\s?(?:,|/|and|or|&|,\s?and)\s?\d{1,3})*\b(?!\s?%)", re.IGNORECASE)
_NUMBERED = re.compile(r"(cytokeratins?|keratins?|cks?|cd)[\s-]?(?:\d+[a-z]?)?$", re.IGNORECASE)


def _elliptic(page: Page, sentence: Sentence, m: Mention, squeezed: Mapping[str, str]) -> Iterable[Mention]:
    """``keratins 7 and 20``, ``CK7/20``, ``CD3/20``: the further numbers, each as the stain it stands for."""
    name = _NUMBERED.match(page.clean[m.start : m.end])
    if name is None:
        return
    bare = not page.clean[m.end - 1].isdigit()
    more = (_PLURAL_NUMBERS if bare else _MORE_NUMBERS).match(page.clean, m.end, sentence.end)
    if more is None:
        return
    stem = "cd" if name.group(1).lower() == "cd" else "ck"
    for number in re.finditer(r"\d{1,3}[a-z]?", more.group()):
        value = squeezed.get(stem + number.group().lower())
        if value is not None:
            start = more.start() + number.start()
            yield Mention("marker", value, start, start + len(number.group()))


_PANEL_BEFORE = re.compile(
    r"\b(lymphoid|neuroendocrine|melanocytic|epithelial|melanoma|haematolymphoid)(?=(?:,\s|\sand\s|\sor\s|,\sand\s)"
    r"(?:(?:lymphoid|neuroendocrine|melanocytic|epithelial|melanoma|myogenic|muscle)(?:,\s|\sand\s|\sor\s"
    r"|,\sand\s))*$)",
    re.IGNORECASE,
)


def _panels_before(page: Page, sentence: Sentence, m: Mention, squeezed: Mapping[str, str]) -> Iterable[Mention]:
    """``lymphoid, neuroendocrine and melanocytic markers``: the panels before the last one."""
    if not page.clean[m.start : m.end].lower().endswith("markers"):
        return
    first = max(sentence.start, m.start - 80)
    for match in _PANEL_BEFORE.finditer(page.clean[first : m.start]):
        value = squeezed.get(match.group(1).lower() + "markers")
        if value is not None:
            yield Mention("marker", value, first + match.start(), first + match.end())


_IN_BRACKETS = re.compile(r"(?:-?\s?(?:positive|\+|negative)\s?)?\s?\(|:?\s")


def _without_generic(page: Page, found: list[Stained]) -> Iterable[Stained]:
    """``keratin (CAM 5.2)``, ``the neuroendocrine markers CD56 and ...``: the following name is the precise one."""
    for i, stained in enumerate(found):
        following = found[i + 1] if i + 1 < len(found) else None
        if following is not None and stained.marker in GENERIC and following.marker != stained.marker:
            between = page.clean[stained.verdict.mark.end : following.verdict.mark.start]
            if _IN_BRACKETS.fullmatch(between):
                continue
        yield stained


_HER2_STATES = {"1": State.ABSENT, "2": State.EQUIVOCAL}
"""HER2 is scored: 1+ is negative, 2+ equivocal (ASCO/CAP), whatever a plus means elsewhere."""


def _scored(stained: Stained) -> Stained:
    score = re.fullmatch(r"([123])\s?\+", stained.verdict.cue.text)
    state = _HER2_STATES.get(score.group(1)) if score and stained.marker == "her2" else None
    if state is None:
        return stained
    return replace(stained, verdict=replace(stained.verdict, state=state, qualifiers=Qualifiers()))


def _is_vague(stained: Stained) -> bool:
    """``the only neuroendocrine marker expressed`` names no stain."""
    return stained.marker == "any_ne_marker" and stained.verdict.state is not State.ABSENT
