"""Neighbouring result words as one result: ``strongly and diffusely positive``, ``did not stain``, ``(weak +)``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kulchitsky.case.vocabulary import State
from kulchitsky.narrative.stain_items import PASSABLE, Item, Kind

_JOINS = (Kind.FILLER, Kind.PREP_LOOSE, Kind.SHOWS)


def respective(items: list[Item]) -> list[Item]:
    """``A, B and C: positive, positive and negative``: give each stain its own result."""
    for first, item in enumerate(items):
        if item.kind is not Kind.RESULT or item.strength != "strong":
            continue
        results, end = _row(items, first, lambda i: i.kind is Kind.RESULT and i.strength == "strong")
        if len(results) < 2 or len({r.value for r in results}) < 2:
            continue
        at = first - 1
        while at >= 0 and (items[at].kind in PASSABLE or items[at].kind in (Kind.COLON, Kind.DASH)):
            at -= 1
        back, start = _row(items[: at + 1][::-1], 0, lambda i: i.kind is Kind.MARK)
        if len(back) != len(results):
            continue
        pairs: list[Item] = []
        for mark, result in zip(reversed(back), results, strict=True):
            pairs += [mark, result, replace(item, kind=Kind.SEMICOLON, value="", text=";")]
        return [*items[: at + 1 - start], *pairs, *items[end:]]
    return items


def _row(items: list[Item], at: int, fits: Callable[[Item], bool]) -> tuple[list[Item], int]:
    """Items that fit, from ``at`` on, parted by commas and *and* only; and where the row ends."""
    found: list[Item] = []
    end = at
    while at < len(items):
        if fits(items[at]):
            found.append(items[at])
            end = at + 1
        elif items[at].kind not in (Kind.COMMA, Kind.AND):
            break
        at += 1
    return found, end


def superseded(items: list[Item]) -> list[Item]:
    """``was then requested: strong``, ``had been ordered and are negative``: the result that came takes the place."""
    found: list[Item] = []
    for i, item in enumerate(items):
        if item.kind is Kind.RESULT and item.text.lower() in _ASKED_FOR and _result_follows(items, i):
            item = replace(item, kind=Kind.FILLER, value="", strength="")
        found.append(item)
    return found


_ASKED_FOR = frozenset({"requested", "ordered", "was requested", "have been requested", "suggested"})


def _result_follows(items: list[Item], at: int) -> bool:
    """Whether the next result comes before any stain, semicolon or negation of the telling."""
    parted = False
    for item in items[at + 1 : at + 12]:
        if item.kind is Kind.RESULT:
            return parted and item.strength in ("strong", "qualifier", "weak") and item.value != "not_tested"
        if item.kind in (Kind.MARK, Kind.SEMICOLON, Kind.CONTRAST, Kind.MODAL):
            return False
        parted = parted or item.kind in (Kind.COLON, Kind.AND, Kind.COMMA, Kind.DASH)
    return False


def gather(items: list[Item]) -> list[Item]:
    """Join neighbouring result words into one result: ``strongly and diffusely positive``, ``did not stain``."""
    found: list[Item] = []
    i = 0
    while i < len(items):
        item = items[i]
        negates = (
            item.kind is Kind.NEGATION
            or (item.kind is Kind.SAME and item.strength == "negative")
            or (item.strength == "elliptic" and item.value == State.ABSENT)
        )
        if negates:
            j = _negated_result(items, i)
            if j is not None:
                joined = _negate(items[i], items[j])
                joined, i = _extended(items, j, joined)
                found.append(joined)
                continue
        if item.kind is Kind.RESULT:
            joined, i = _extended(items, i, item)
            found.append(joined)
            continue
        found.append(item)
        i += 1
    return found


def _negated_result(items: list[Item], at: int) -> int | None:
    """Place of the result word that a negation speaks of, when only small words and qualifiers stand between."""
    for j in range(at + 1, min(at + 7, len(items))):
        item = items[j]
        if item.kind is Kind.RESULT and item.strength != "qualifier":
            return j
        if item.kind not in (*_JOINS, Kind.NEGATION) and not (item.kind is Kind.RESULT or item.kind is Kind.AND):
            return None
    return None


def _negate(negation: Item, result: Item) -> Item:
    text = result.text
    if result.strength == "report":
        return replace(result, value="negated", start=negation.start, text=text)
    if result.strength == "elliptic":
        return replace(result, value=State.ABSENT.value, start=negation.start)
    state = {State.PRESENT.value: State.ABSENT.value, State.ABSENT.value: State.PRESENT.value}.get(result.value)
    if state is None:
        return replace(result, start=negation.start)
    strength = "strong" if result.strength in ("strong", "weak") else result.strength
    return replace(result, value=state, start=negation.start, strength=strength)


def _extended(items: list[Item], at: int, result: Item) -> tuple[Item, int]:
    """Take in the results and qualifiers that follow, over small words, commas and *and*; where it ends."""
    end = at + 1
    j = at + 1
    crossed = anded = False
    while j < len(items) and j - end < 7:
        item = items[j]
        if item.kind is Kind.RESULT:
            twin = (
                anded and item.strength == "strong" and item.value == result.value
            )  # "diffusely and positively for"
            if crossed and (
                (_leads(items, j) and not twin) or (item.value and result.value and item.value != result.value)
            ):
                break
            if item.strength == "report" and result.strength != "report":
                break
            merged = _joined(result, item)
            if merged is None:
                break
            result = merged
            end = j + 1
            crossed = anded = False
        elif item.kind in (Kind.COMMA, Kind.AND, Kind.DASH):
            anded = item.kind is Kind.AND and not crossed
            crossed = True
        elif item.kind is Kind.PREP_DIRECT:
            # "positive for strong staining" joins, "positive for CD56" does not
            crossed = True
        elif item.kind not in _JOINS:
            break
        j += 1
    return result, end


def _leads(items: list[Item], at: int) -> bool:
    """Whether the result at ``at`` speaks of a stain that follows it."""
    for j in range(at + 1, min(at + 8, len(items))):
        item = items[j]
        if item.kind is Kind.MARK or item.kind in (Kind.COLON, Kind.DASH):
            return True
        if item.kind not in (*PASSABLE, Kind.RESULT):
            return False
    return False


_OF_STAINING = frozenset({"staining", "expression", "reactivity", "immunoreactivity", "immunostaining", "labelling"})
_RANK = {"qualifier": 0, "weak": 1, "seen": 2, "elliptic": 2, "report": 3, "strong": 4}


def _joined(first: Item, second: Item) -> Item | None:
    """Two result words as one, or ``None`` where they contradict each other."""
    nouns = first.text.lower() in _OF_STAINING and second.start - first.end <= 6
    if nouns and second.value == State.ABSENT and second.strength == "strong":
        # "granular staining lost", "nuclear expression absent": the quality is that of what is gone
        return replace(
            first, value=State.ABSENT.value, end=second.end, strength="strong", qualifiers=second.qualifiers
        )
    quals = first.qualifiers.merged(second.qualifiers)
    lead, other = (first, second) if _RANK[first.strength] >= _RANK[second.strength] else (second, first)
    if second.strength == "elliptic" and second.value == State.ABSENT and first.value == State.PRESENT:
        return replace(first, value=State.ABSENT.value, end=second.end, strength="strong")  # "picks out none"
    if lead.value and other.value and lead.value != other.value:
        soft = _RANK[other.strength] <= 2
        if not soft or lead.strength != "strong":
            absent = State.ABSENT.value in (lead.value, other.value)
            if not (absent and _RANK[first.strength] <= 2 and _RANK[second.strength] <= 2):
                return None
            lead = lead if lead.value == State.ABSENT.value else other
    strength = lead.strength
    if lead.strength == "weak" and quals:
        strength = "strong"  # "strong staining", "diffuse expression" say that cells stain
    return replace(
        lead,
        start=min(first.start, second.start),
        end=max(first.end, second.end),
        qualifiers=quals,
        strength=strength,
    )
