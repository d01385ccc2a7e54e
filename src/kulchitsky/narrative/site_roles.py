"""What a clause says of an organ: that the tumour sits there, came from there, was cut there, or is free there."""

from __future__ import annotations

import re

_TUMOUR = (
    r"(?:tumou?rs?|neoplasms?|carcinomas?|carcinoids?|NETs?|NECs?|mass|lesion|nodule|growth|paragangliomas?|melanoma"
    r"|lymphoma|sarcoma|malignancy)"
)
_WORDS = r"(?:[\w'-]+\s){0,4}"
_SEAT_BEFORE = re.compile(
    rf"\b(?:cent(?:er|re)d|cent(?:er|re)|epicent(?:er|re)|arising|arises?|situated|sited|located|confined|originating"
    rf"|based|lies|lying)\s(?:mainly\s|largely\s|predominantly\s)?(?:in|within|at|on|from|to|around|upon|of)\s{_WORDS}$"
    rf"|\b(?:tumou?r|primary|lesion) (?:site|location)\W+{_WORDS}$",
    re.IGNORECASE,
)
_ORIGIN_BEFORE = re.compile(
    r"\b(?:metasta\w+|spread|deposits?|recurrence|secondary|secondaries)\s(?:tumou?r\s|carcinoma\s|deposits?\s|disease\s)?"
    rf"(?:from|of)\s{_WORDS}$"
    r"|\b(?:primary|primaries|origin|source)\s(?:tumou?r\s|site\s|lesion\s|carcinoma\s)?(?:in|of|from|within|at)\s"
    r"(?:the\s|an?\s)?(?:[\w-]+\s){0,2}$"
    r"|\b(?:known|h/o|hx(?:\sof)?|history\sof|previous|prior|treated|resected|old|past)\s(?:an?\s|the\s)?(?:[\w-]+\s){0,2}$",
    re.IGNORECASE,
)
_ORIGIN_AFTER = re.compile(
    r"^(?:\s(?!biops|resect|excis|mass|specimen)[\w-]+){0,2}\s(?:primary|primaries|origin|source)\b", re.IGNORECASE
)
_MARGIN_AFTER = re.compile(
    r"^(?:\s(?:resection|transection|surgical|cut|section|neck|stapled?))?[\s,]+"
    r"(?:margins?|resection ends?|cut ends?|edge)\b",
    re.IGNORECASE,
)
_MARGIN_BEFORE = re.compile(r"\bmargins?\b[^.;]{0,60}$|\bfrom the\s(?:[\w-]+\s){0,2}$", re.IGNORECASE)
_FREE_AFTER = re.compile(
    r"^(?:\s(?:margin|parenchyma|mucosa|wall|tissue|gland|lobe|bed))?"
    r"(?:(?:,|\sand|,\sand|\sor)\s(?:the\s)?[\w-]+(?:\s[\w-]+)?){0,4}"
    r"(?:\s?(?::|=|-)\s?|\s(?:is|are|was|were|appears?|appeared|shows?|showed|all|both|also|histologically|otherwise)\b"
    r"|\s|,\s)+(?:\(?(?:unremarkable|uninvolved|normal|not (?:involved|infiltrated|invaded|affected)|free of|clear"
    r"|negative|without tumou?r|no (?:tumou?r|malignancy|evidence|significant|other|lesion)|tumou?r-?free"
    r"|histologically normal|within normal|benign|no abnormalit))",
    re.IGNORECASE,
)
_FREE_BEFORE = re.compile(
    r"\b(?:unremarkable|normal|uninvolved|spares?|sparing|not involv\w+|no involvement of|does not involve|free of"
    r"|separate from|not infiltrat\w+|without (?:involvement|invasion) of)\s(?:the\s)?(?:[\w-]+\s){0,2}$",
    re.IGNORECASE,
)
_RESIDUE = re.compile(
    r"\b(?:remaining|remainder of the|rest of the|residual|background|adjacent|non-?neoplastic|elsewhere|random"
    r"|surrounding)\s(?:\w+\s)?$",
    re.IGNORECASE,
)
_TAKEN_ALONG = re.compile(
    r"\b(?:with|plus|including|together with|en[\s-]bloc|along with|\+)\s(?:[\w-]+\s){0,5}$"
    r"|\b(?:with|plus)\s[^.;]{0,60}\b(?:and|,)\s(?:[\w-]+\s){0,3}$",
    re.IGNORECASE,
)
_TAKEN = re.compile(
    r"ectomy\b|\b(?:resect\w+|excis\w+|specimens?|biops\w+|whipple|exenteration|appendix|ileum)\b", re.I
)
_MEASURED = re.compile(r"^\s?(?:\(?\d[\d.,x ]*\s?(?:mm|cm|g|kg)\b)", re.IGNORECASE)
_INVADED_BEFORE = re.compile(
    r"\b(?:infiltrat\w+|invad\w+|extend\w*|extension|reach\w+|spread\w*|adherent|attached|abuts?|overrid\w+)"
    r"\s(?:in)?(?:to\s)?(?:the\s)?(?:[\w-]+\s){0,2}$",
    re.IGNORECASE,
)
_NEAR_BEFORE = re.compile(
    r"\b(?:near|close to|next to|adjacent to|beside|below|above|distal to|proximal to|involving|behind)\s(?:the\s)?"
    r"(?:[\w-]+\s){0,1}$",
    re.IGNORECASE,
)
_OPERATION = re.compile(r"(?:ectomy|otomy|whipple)$", re.IGNORECASE)


def _clause_before(text: str, at: int, reach: int) -> str:
    return re.split(r"[;:]|\.\s", text[max(0, at - reach) : at])[-1]


def says_free(text: str, at: int, end: int) -> bool:
    """Whether the words around an organ say that no tumour is in it; the rest of an organ says nothing of it."""
    if _RESIDUE.search(text[max(0, at - 30) : at]):
        return False
    return bool(_FREE_AFTER.match(text[end : end + 90]) or _FREE_BEFORE.search(text[max(0, at - 45) : at]))


def sits_in(text: str, at: int, end: int) -> bool:
    """Whether the words before an organ say that the tumour sits there."""
    lead = _clause_before(text, at, 90)
    if _MARGIN_AFTER.match(text[end : end + 40]) or _ORIGIN_AFTER.match(text[end : end + 40]):
        return False
    seat = _SEAT_BEFORE.search(lead)
    return seat is not None and not _ORIGIN_BEFORE.search(lead) and not re.search(r"\bmetasta", lead, re.IGNORECASE)


def came_from(text: str, at: int, end: int) -> bool:
    """Whether an organ is named as the source of a metastasis or as the seat of a tumour known from before."""
    lead = _clause_before(text, at, 60)
    return bool(_ORIGIN_BEFORE.search(lead) or _ORIGIN_AFTER.match(re.split(r"[.;:,]", text[end : end + 45])[0]))


def role_score(text: str, at: int, end: int) -> float:
    """Points for what the clause says of the organ at ``at``: its seat counts for it, the other roles against."""
    lead = _clause_before(text, at, 90)
    after = text[end : end + 40]
    if came_from(text, at, end):
        return -9.0
    if says_free(text, at, end):
        return -5.0
    score = 0.0
    if sits_in(text, at, end):
        score += 6.0
    if _MARGIN_AFTER.match(after) or _MARGIN_BEFORE.search(lead):
        score -= 3.0
    if _INVADED_BEFORE.search(lead):
        score -= 4.0
    if _NEAR_BEFORE.search(lead):
        score -= 3.0
    if at > 12 and _TAKEN_ALONG.search(lead) and (_TAKEN.search(lead) or _OPERATION.search(text[at:end])):
        score -= 5.0 if _OPERATION.search(text[at:end]) else 2.0
    if _MEASURED.match(after):
        score -= 2.0  # the organ was measured, not the tumour
    return score
