"""Whose cells a stain speaks of: the tumour's, or others' beside it (stroma, lymphocytes, a second part)."""

from __future__ import annotations

import re
from dataclasses import replace

from kulchitsky.case.vocabulary import State
from kulchitsky.narrative.other_cells import beside_words, in_brackets_of_others, told_of_tumour
from kulchitsky.narrative.sentences import Sentence
from kulchitsky.narrative.stain_context import Verdict

_OTHER_CELLS = re.compile(
    r"\b(?:(?P<sustentacular>sustentacular)|background|reactive|entrapped|infiltrating|stromal|inflammatory"
    r"|adjacent|residual(?!\s(?:small|large) cell)(?: normal)?|intervening|interspersed|lining|benign"
    r"|accompanying|admixed|surrounding|scattered T|normal)(?:[\s-]type)?\s(?:[\w-]+\s){0,2}?(?:cells?"
    r"|lymphocytes?|fibres?|fibers?|vessels"
    r"|macrophages|histiocytes|epithelium|nerves?|ducts|glands|infiltrate)\b|\bT cells are present\b"
    r"|\b(?:residual(?!\s(?:small|large|neuroendocrine|merkel|tumou?r|NEC|NET|melanoma))|adjacent|minor|associated|conventional|accompanying|neighbouring|separate|pre-?existing)"
    r"\s(?:\w+\s){0,2}(?:adenocarcinoma|carcinoma|adenoma|component|dysplasia)\b"
    r"|\b(?:squamous|glandular|adenocarcinoma(?:tous)?|urothelial|mesenchymal|keratinocytic|bowenoid"
    r"|endometrioid|mucinous|ductal|acinar|teratomatous) (?:component|part|portion|elements?)\b"
    r"|\b(?:in[\s-]situ component|overlying epidermis|epidermal component|cyst lining|lining of the cysts?"
    r"|(?:small|scattered|reactive|residual|mature|rim of|few) (?:small )?(?:T|B)[\s-](?:cells|lymphocytes)"
    r"|(?:small|residual|mature|remaining|scattered|few|rim of) lymphocytes)\b"
    r"|\b(?:highlight\w*|outlin\w+|decorat\w+|marks?|labels?|stains?|confined to|positive in) (?:only )?(?:the )?"
    r"(?:\w+ ){0,2}"
    r"(?:vessels|capillaries|endothelium|endothelial cells|stroma|plasma cells|mast cells|basement membranes?)\b",
    re.IGNORECASE,
)
_OTHER_HEADS = re.compile(
    r"^\W*(?:in )?(?:the|this|an?)? ?(?:(?:accompanying|associated|adjacent|overlying|minor|second) )?"
    r"(?:(?:squamous|glandular"
    r"|adenocarcinoma(?:tous)?|urothelial|mesenchymal|bowenoid|endometrioid|mucinous|ductal|in[\s-]situ|epidermal)"
    r" (?:component|part|portion|elements?|areas?|carcinoma)\s?(?::|,|\bis\b|\bwas\b|\bstain|\bshow|\bexpress)"
    r"|(?:adenocarcinoma|adenoma|squamous cell carcinoma|squamous carcinoma|urothelial carcinoma)\s?(?::|\bis\b"
    r"|\bwas\b"
    r"|\bstain|\bshow|\bexpress))",
    re.IGNORECASE,
)
"""A segment that opens with the name of another component tells of that one alone."""
_TUMOUR_CELLS = re.compile(
    r"\b(?:tumou?r|neoplastic|lesional|malignant|chief|blast|small|large) cells?\b(?!\scarcinoma)"
    r"|\bcells of the tumou?r\b|\bthe cells\b|\bboth components\b",
    re.IGNORECASE,
)
_RIM_CELLS = re.compile(
    r"\b(?:sustentacular|slender|thin|spindled?|dendritic|peripheral|slim|elongated)(?:[\s-]\w+){0,3}?[\s-]cells?\b[^;.]{0,25}"
    r"\b(?:outlin\w+|surround\w+|around|rim\w*|encircl\w+|peripher\w+|border\w*|between"
    r"|at the (?:edge|nest|border|margin)|envelop\w+)\b"
    r"|\bcells? (?:outlin\w+|surround\w+|around|rimming|encircl\w+|at the (?:periphery|edge|rim) of) (?:the )?"
    r"(?:nests|lobules|zellballen|islands|clusters)\b"
    r"|\b(?:at|around|along) the (?:periphery|rim|edges?) of (?:the )?(?:nests|lobules|zellballen|cell nests)\b"
    r"|\bsustentacular\b|\b(?:scattered|occasional|few) peripheral cells\b",
    re.IGNORECASE,
)
_ONLY = re.compile(r"\b(?:only|solely|merely)\b|\b(?:confined|limited|restricted) to\b", re.IGNORECASE)


def of_tumour_cells(sentence: Sentence, verdict: Verdict, verdicts: list[Verdict]) -> Verdict | None:
    """The verdict as far as it speaks of tumour cells: staining of other cells only is none of theirs."""
    if verdict.state is not State.PRESENT:
        return verdict
    told, head, tumour = beside_words()
    at = verdict.mark.start - sentence.start
    segment = sentence.text[max(sentence.text.rfind(";", 0, at), sentence.text.rfind(". ", 0, at)) + 1 :]
    if (_OTHER_HEADS.match(segment) or head.match(segment)) and verdict.mark.value != "any_ne_marker":
        return None
    if in_brackets_of_others(sentence.text, at):
        return None
    clause = _own_clause(sentence, verdict, verdicts)
    if verdict.mark.value in ("s100", "sox10", "gfap") and _RIM_CELLS.search(clause):
        if _TUMOUR_CELLS.search(clause):
            return verdict
        if verdict.mark.value == "s100":
            return replace(verdict, mark=replace(verdict.mark, value="s100_sustentacular"))
        return None
    beside = told.search(clause)
    if beside is not None:
        state = told_of_tumour(clause)
        if state is not None:
            return replace(verdict, state=state)
        if not tumour.search(clause[: beside.start()] + " " + clause[beside.end() :]):
            return replace(verdict, state=State.ABSENT) if _ONLY.search(clause) else None
    other = _OTHER_CELLS.search(clause)
    if other is None or _TUMOUR_CELLS.search(clause):
        return verdict
    if _ONLY.search(clause):
        return replace(verdict, state=State.ABSENT)
    return None


def _own_clause(sentence: Sentence, verdict: Verdict, verdicts: list[Verdict]) -> str:
    """The words that belong to a verdict: up to a semicolon, and not into what is said of the next stains."""
    base = sentence.start
    same = [v for v in verdicts if v.cue == verdict.cue]
    first = min(min(v.mark.start, v.cue.start) for v in same) - base
    last = max(max(v.mark.end, v.cue.end) for v in same) - base
    before = [max(v.mark.end, v.cue.end) - base for v in verdicts if v.cue != verdict.cue]
    after = [min(v.mark.start, v.cue.start) - base for v in verdicts if v.cue != verdict.cue]
    low = max([0, first - 200, *(b for b in before if b <= first)])
    high = min([len(sentence.text), last + 200, *(a for a in after if a >= last)])
    start = max(low - 1, *(sentence.text.rfind(c, low, first) for c in (";", ". "))) + 1
    if low and low in before:
        comma = sentence.text.find(",", low, first)
        start = max(start, comma + 1)
    ends = [i for i in (sentence.text.find(c, last, high) for c in (";", ". ", ", but", " and positive")) if i >= 0]
    end = min(ends, default=high)
    if end == high and high in after:
        end = max(sentence.text.rfind(",", last, high), sentence.text.rfind(" and ", last, high), last)
    return sentence.text[start:end]
