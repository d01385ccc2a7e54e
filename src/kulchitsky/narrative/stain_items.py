"""A sentence as the row of items that the grammar of stain lists works on.

Items are names of stains, results (with their qualifiers gathered), separators, and the small words that steer scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from kulchitsky.case.vocabulary import State
from kulchitsky.narrative.lexicon import Mention, Mentions
from kulchitsky.narrative.other_cells import brackets_of_others
from kulchitsky.narrative.page import pieces_of
from kulchitsky.narrative.patient import number_of


class Kind(StrEnum):
    """What an item is."""

    MARK = "mark"
    RESULT = "result"
    NEGATION = "negation"
    EXCEPTION = "exception"
    CONTRAST = "contrast"
    SAME = "same"
    MODAL = "modal"
    SHOWS = "shows"
    PREP_DIRECT = "prep_direct"
    PREP_LOOSE = "prep_loose"
    COMMA = "comma"
    SEMICOLON = "semicolon"
    AND = "and"
    COLON = "colon"
    DASH = "dash"
    OPEN = "open"
    CLOSE = "close"
    FILLER = "filler"
    WORD = "word"


PASSABLE = (Kind.FILLER, Kind.SHOWS, Kind.PREP_LOOSE, Kind.PREP_DIRECT)
"""Items that may stand between a result and the stain it speaks of."""


@dataclass(frozen=True, slots=True)
class Qualifiers:
    """What is said beside the state: each with the place it was read at."""

    values: tuple[tuple[str, str, int, int], ...] = ()
    low_percent: float | None = None
    high_percent: float | None = None
    bound: str = "exact"

    def merged(self, other: Qualifiers) -> Qualifiers:
        """Both together; the first of a kind stands."""
        kinds = {k for k, *_ in self.values}
        extra = tuple(v for v in other.values if v[0] not in kinds)
        if self.high_percent is None and self.low_percent is None:
            return Qualifiers(self.values + extra, other.low_percent, other.high_percent, other.bound)
        return replace(self, values=self.values + extra)

    def get(self, kind: str) -> str | None:
        """Value of a kind, or ``None``."""
        return next((v for k, v, *_ in self.values if k == kind), None)

    def __bool__(self) -> bool:
        return bool(self.values) or self.high_percent is not None or self.low_percent is not None


@dataclass(frozen=True, slots=True)
class Item:
    """One item with its place. ``value`` is the marker id of a MARK, the state of a RESULT (empty: qualifiers only).

    ``strength`` of a RESULT: strong, weak (a noun such as *staining*), seen, report, elliptic, qualifier.
    """

    kind: Kind
    value: str
    start: int
    end: int
    text: str = ""
    strength: str = ""
    qualifiers: Qualifiers = field(default_factory=Qualifiers)


_SIGN = re.compile(
    r"(?P<equivocal>\+\s?/\s?-(?![A-Za-z0-9])|-\s?/\s?\+|±|\+\s?-(?=[\s,;.)]|$))"
    r"|(?P<plusve>\+\s?ve\b)|(?P<minusve>-\s?ve\b)"
    r"|(?P<allred>(?:\b(?i:quick|allred|H)?[\s-]?score\s?(?:of\s)?[:=]?\s?)?(?<![\d/.])[0-8]\s?/\s?8\b"
    r"|\b(?i:quick|allred)[\s-](?i:score)\s?(?:of\s)?[:=]?\s?[0-8]\b(?!\s?/))"
    r"|(?P<score>(?<![\w.,-])[123]\s?\+(?!\w))"
    r"|(?P<plus>\+{1,4})"
    r"|(?P<brackets>\((?:-{1,3}|neg\.?|negative)\))"
    r"|(?P<zero>(?:(?<=[:=(|])|(?<=\bscore))\s?0(?:\s?%)?(?=\s*(?:[,;.)\s]|$))(?!\s?[-/.,]\d))"
)
ALLRED_POSITIVE = 3
"""Lowest positive sum of the Allred (quick) score, 0 to 8, of a hormone receptor."""
_PERCENT = re.compile(
    r"(?:(?P<bound>less than|more than|greater than|at least|at most|up to|no more than|approximately|around|about"
    r"|roughly|exceeds|exceeding|in excess of|nearly|almost|circa|ca\.?|approx\.?|fewer than|under|below|over|above"
    r"|<=|>=|[<>≤≥~≈])\s?)?"
    r"(?P<low>\d{1,3}(?:[.,]\d{1,2})?)\s?%?(?:\s?(?:-|to|and)\s?(?P<high>\d{1,3}(?:[.,]\d{1,2})?))?\s?"
    r"(?:%|per ?cent\b|percent\b)",
    re.IGNORECASE,
)
_TENS = "ten|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_SMALL = "one|two|three|four|five|six|seven|eight|nine"
_TEENS = "eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_WORDS = rf"(?:(?:{_TENS})(?:[\s-](?:{_SMALL}))?|{_TEENS}|{_SMALL})"
_PERCENT_IN_WORDS = re.compile(
    r"\b(?:(?P<bound>less than|fewer than|more than|at least|up to|approximately|around|about|roughly|nearly|almost"
    rf"|over|under|below|above)\s)?(?P<low>{_WORDS})(?:\s(?:to|and|or)\s(?P<high>{_WORDS}))?"
    r"\s(?:per ?cent|percent)\b",
    re.IGNORECASE,
)
_ALWAYS_LEFT = {"up to": "at_most", "less than": "at_most", "at most": "at_most", "no more than": "at_most"}
_BOUNDS = {
    **_ALWAYS_LEFT,
    **dict.fromkeys(("under", "below", "fewer than", "<", "≤", "<="), "at_most"),
    **dict.fromkeys(
        ("more than", "greater than", "at least", "over", "above", "exceeds", "exceeding", "in excess of"), "at_least"
    ),
    **dict.fromkeys(("approximately", "around", "about", "roughly", "nearly", "almost"), "about"),
    **dict.fromkeys(("circa", "ca", "ca.", "approx", "approx.", "~", "≈"), "about"),
    **dict.fromkeys((">", "≥", ">="), "at_least"),
}

_SPEECH = (
    ("cue_strong", Kind.RESULT, "strong"),
    ("cue_weak", Kind.RESULT, "weak"),
    ("cue_seen", Kind.RESULT, "seen"),
    ("cue_report", Kind.RESULT, "report"),
    ("cue_elliptic", Kind.RESULT, "elliptic"),
    ("exception", Kind.EXCEPTION, ""),
    ("contrast", Kind.CONTRAST, ""),
    ("same", Kind.SAME, "same"),
    ("same_negative", Kind.SAME, "negative"),
    ("negation", Kind.NEGATION, ""),
    ("modal", Kind.MODAL, ""),
    ("qualifier_extent", Kind.RESULT, "qualifier"),
    ("qualifier_intensity", Kind.RESULT, "qualifier"),
    ("qualifier_pattern", Kind.RESULT, "qualifier"),
    ("qualifier_compartment", Kind.RESULT, "qualifier"),
    ("list_and", Kind.AND, ""),
    ("direct_prep", Kind.PREP_DIRECT, ""),
    ("loose_prep", Kind.PREP_LOOSE, ""),
    ("shows", Kind.SHOWS, ""),
    ("filler", Kind.FILLER, ""),
)
_SIGNS = {",": Kind.COMMA, ";": Kind.SEMICOLON, ":": Kind.COLON, "=": Kind.COLON, "|": Kind.COLON, "(": Kind.OPEN,
          ")": Kind.CLOSE, "[": Kind.OPEN, "]": Kind.CLOSE, "/": Kind.AND, "&": Kind.AND,
          "•": Kind.SEMICOLON}  # fmt: skip


def items_of(clean: str, start: int, end: int, mentions: Mentions, marks: list[Mention]) -> list[Item]:
    """Items of the stretch ``start:end``; ``marks`` are the names of stains in it, in order."""
    taken: list[Item] = [Item(Kind.MARK, m.value, m.start, m.end, clean[m.start : m.end]) for m in marks]
    free = _Free(start, end)
    free.take(taken)
    for first, last in brackets_of_others(clean[start:end].replace("\n", " ")):
        if not any(first + start <= m.start < last + start for m in marks):
            free.take([Item(Kind.FILLER, "", first + start, last + start)])
    for item in (*_signs(clean, start, end), *_percents(clean, start, end)):
        if free.is_free(item.start, item.end):
            taken.append(item)
            free.take([item])
    spoken = [(kind, strength, m) for c, kind, strength in _SPEECH for m in mentions.of(c, start=start, end=end)]
    order = {id(s): n for n, s in enumerate(spoken)}
    for triple in sorted(spoken, key=lambda s: (-(s[2].end - s[2].start), order[id(s)])):
        kind, strength, m = triple
        if free.is_free(m.start, m.end):
            item = _spoken(kind, strength, m, clean)
            taken.append(item)
            free.take([item])
    taken.extend(_rest(clean, start, end, free))
    taken.sort(key=lambda i: i.start)
    return _with_dashes(clean, taken)


class _Free:
    """Which characters of the stretch are still free."""

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.used = bytearray(end - start)
        self.ends: set[int] = set()

    def mark_ends_at(self, at: int) -> bool:
        """Whether the name of a stain ends there."""
        return at in self.ends

    def is_free(self, start: int, end: int) -> bool:
        return not any(self.used[start - self.start : end - self.start])

    def take(self, items: list[Item]) -> None:
        for item in items:
            if item.kind is Kind.MARK:
                self.ends.add(item.end)
            for at in range(item.start - self.start, item.end - self.start):
                self.used[at] = 1


def _spoken(kind: Kind, strength: str, m: Mention, clean: str) -> Item:
    text = clean[m.start : m.end]
    if kind is not Kind.RESULT:
        return Item(kind, m.value, m.start, m.end, text, strength)
    if strength == "qualifier":
        what = m.category.removeprefix("qualifier_")
        return Item(kind, "", m.start, m.end, text, strength, Qualifiers(((what, m.value, m.start, m.end),)))
    return Item(kind, m.value, m.start, m.end, text, strength)


def _signs(clean: str, start: int, end: int) -> Iterator[Item]:
    for match in _SIGN.finditer(clean, start, end):
        kind = match.lastgroup
        at = match.span()
        if kind == "plus" and (match.group() == "+" and re.match(r"\s?\d", clean[at[1] : at[1] + 2])):
            continue  # a sum or an exponent
        if kind == "allred" and int(re.findall(r"\d", match.group())[0]) < ALLRED_POSITIVE:
            kind = "zero"
        state = {
            "equivocal": State.EQUIVOCAL,
            "brackets": State.ABSENT,
            "minusve": State.ABSENT,
            "zero": State.ABSENT,
        }.get(kind or "", State.PRESENT)
        number = len(match.group()) if kind == "plus" else int(match.group()[0]) if kind == "score" else 0
        how = {2: "moderate", 3: "strong"}.get(number) or ("weak" if kind == "score" else None)
        quals = Qualifiers((("intensity", how, *at),)) if how else Qualifiers()
        yield Item(Kind.RESULT, state.value, *at, match.group(), "strong", quals)


def percent_of(match: re.Match[str]) -> tuple[float, float | None, str] | None:
    """Low, high and bound of a percentage that was matched, or ``None`` where it is none (over 100)."""
    low = float(match.group("low").replace(",", "."))
    high = float(match.group("high").replace(",", ".")) if match.group("high") else None
    if max(low, high or 0) > 100 or (high is not None and high < low):
        return None
    return low, high, _BOUNDS.get((match.group("bound") or "").lower(), "exact")


def percents_in(clean: str, start: int, end: int) -> Iterator[tuple[int, int, float, float | None, str]]:
    """Percentages in a stretch, in figures or words: place, low, high (of a range), bound."""
    for match in _PERCENT_IN_WORDS.finditer(clean, start, end):
        low = number_of(match.group("low"))
        high = number_of(match.group("high")) if match.group("high") else None
        if low is not None and (high is None or high > low):
            yield (*match.span(), low, high, _BOUNDS.get((match.group("bound") or "").lower(), "exact"))
    for match in _PERCENT.finditer(clean, start, end):
        figure = percent_of(match)
        if figure is not None:
            yield (*match.span(), *figure)


def _percents(clean: str, start: int, end: int) -> Iterator[Item]:
    for first, last, low, high, bound in percents_in(clean, start, end):
        top = low if high is None else high
        negative = top == 0 or (bound == "at_most" and top <= 1)
        quals = Qualifiers((), low, top, bound)
        state = State.ABSENT.value if negative else ""
        yield Item(Kind.RESULT, state, first, last, clean[first:last], "strong" if negative else "qualifier", quals)


def _is_list(text: str) -> bool:
    """Whether a sentence is a heading line with the lines of a list below it: there a line end parts like a sign."""
    first, _, rest = text.partition("\n")
    return bool(rest) and first.rstrip().endswith(":") and len(first) < 80


def _name_end(clean: str, at: int) -> int:
    """Where the word before ``at`` ends."""
    return len(clean[:at].rstrip(" ")) if clean[at - 1 : at] == " " else at


_ZERO_AFTER = re.compile(r"\s*(?:[,;.)]|$|/\s?(?=[A-Za-z]))(?!\d)")


def _rest(clean: str, start: int, end: int, free: _Free) -> Iterator[Item]:
    listed = _is_list(clean[start:end])
    for piece in pieces_of(clean[start:end]):
        first, last = piece.start + start, piece.end + start
        if listed and piece.is_space and "\n" in piece.text and free.is_free(first, last):
            yield Item(Kind.SEMICOLON, "line", first, last, ";")
        if piece.is_space or not free.is_free(first, last):
            continue
        if piece.text == "0" and _ZERO_AFTER.match(clean, last, end) and free.mark_ends_at(_name_end(clean, first)):
            yield Item(Kind.RESULT, State.ABSENT.value, first, last, "0", "strong")
            continue
        kind = _SIGNS.get(piece.text)
        if piece.text == "|" and not (clean[start:first].strip() and clean[last:end].strip(" .|")):
            kind = Kind.SEMICOLON  # the rim of a table
        if kind is None:
            kind = Kind.WORD if piece.is_word else Kind.DASH if piece.text == "-" else Kind.FILLER
        yield Item(kind, "", first, last, piece.text)


def _with_dashes(clean: str, items: list[Item]) -> list[Item]:
    """Settle what each dash is: a minus sign, a bullet, the hyphen of a word, or a dash."""
    found: list[Item] = []
    for i, item in enumerate(items):
        if item.kind is not Kind.DASH:
            found.append(item)
            continue
        before = clean[item.start - 1 : item.start] if item.start else ""
        after = clean[item.end : item.end + 1]
        left = items[i - 1] if i else None
        right = items[i + 1] if i + 1 < len(items) else None
        mark_left = left is not None and (left.kind is Kind.MARK or (left.kind is Kind.CLOSE))
        after_colon = _stands_after_colon(items, i)
        if after_colon and (right is None or right.kind in (Kind.COMMA, Kind.SEMICOLON) or right.text == "."):
            found.append(Item(Kind.RESULT, State.ABSENT.value, item.start, item.end, "-", "strong"))
            continue
        leads = right is not None and right.kind is Kind.PREP_DIRECT and i + 2 < len(items)
        if leads and items[i + 2].kind is Kind.MARK:
            found.append(
                Item(Kind.RESULT, State.ABSENT.value, item.start, item.end, "-", "strong")
            )  # "- for keratin"
        elif mark_left and _is_minus(before, after, right, items):
            found.append(Item(Kind.RESULT, State.ABSENT.value, item.start, item.end, "-", "strong"))
        elif _wrapped(left, right):
            found.append(item)  # "CAM5.2" and, on the next line, "- neg"
        elif left is None or left.kind in (Kind.SEMICOLON, Kind.COLON) or "\n" in clean[left.end : item.start]:
            found.append(Item(Kind.SEMICOLON, "bullet", item.start, item.end, "-"))
        elif before.isalnum() and after.isalnum() and not mark_left:
            found.append(Item(Kind.FILLER, "", item.start, item.end, "-"))
        else:
            found.append(item)
    return found


def _wrapped(left: Item | None, right: Item | None) -> bool:
    """Whether a dash at the head of a line goes on with the line above: a stain before it, its result after it."""
    return left is not None and left.kind is Kind.MARK and right is not None and right.kind is Kind.RESULT


def _stands_after_colon(items: list[Item], at: int) -> bool:
    """``CD45, S100: all -``: a colon with stains before it, and only small words between."""
    at -= 1
    while at > 0 and items[at].kind is Kind.FILLER:
        at -= 1
    return at > 0 and items[at].kind is Kind.COLON and items[at - 1].kind is Kind.MARK


def _row_of_dashes(items: list[Item]) -> bool:
    """``chromogranin - / INSM1 - / NUT -``: several stains with a dash and a separator after each."""
    ends = (Kind.COMMA, Kind.SEMICOLON, Kind.AND)
    kinds = [i.kind for i in items]
    rows = zip(kinds, kinds[1:], kinds[2:], strict=False)
    return sum(a is Kind.MARK and b is Kind.DASH and c in ends for a, b, c in rows) >= 2


def _suspended(items: list[Item], after: int) -> bool:
    """``calcitonin-, CEA- and TTF-1-positive``: the hyphen stands for a word that comes later."""
    for at in range(after, min(after + 14, len(items))):
        item = items[at]
        if item.kind is Kind.RESULT:
            return items[at - 1].kind is Kind.DASH and items[at - 2].kind is Kind.MARK and item.strength == "strong"
        if item.kind not in (Kind.MARK, Kind.DASH, Kind.COMMA, Kind.AND):
            return False
    return False


def _is_minus(before: str, after: str, right: Item | None, items: list[Item]) -> bool:
    ends = right is None or right.kind in (Kind.COMMA, Kind.SEMICOLON, Kind.CLOSE, Kind.AND) or right.text == "."
    if right is not None and right.kind in (Kind.AND, Kind.COMMA) and _suspended(items, items.index(right)):
        return False
    signs = any(i.kind is Kind.RESULT and i.text.startswith(("+", "-")) for i in items) or _row_of_dashes(items)
    if before != " " and not after.isalnum():
        return ends or (right is not None and right.kind is Kind.MARK)
    return ends or (signs and right is not None and right.kind is Kind.MARK)
