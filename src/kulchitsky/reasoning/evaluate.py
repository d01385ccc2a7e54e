"""Evaluate conditions of the rule base over known facts, in three-valued logic.

A test of an unknown fact is unknown; ``all`` is false as soon as one part is false, ``any`` true as soon as one
part is true (Kleene's strong logic). A number may be known only as a span: a comparison is then true or false where
the whole span agrees and unknown where it does not. Every result carries the facts that decided it and those that
are missing.

Source of the logic: Kleene SC, Introduction to Metamathematics, 1952, section 64.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from kulchitsky.case.vocabulary import State
from kulchitsky.knowledge.rules_condition import AllOf, Always, AnyOf, Condition, FactTest, Not
from kulchitsky.knowledge.rules_grading import Band


class Truth(Enum):
    """True, false or unknown."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, value: bool) -> Truth:
        """The definite truth value of ``value``."""
        return cls.TRUE if value else cls.FALSE


@dataclass(frozen=True, slots=True)
class Span:
    """A number known to lie between ``low`` and ``high`` (both included); a plain number has equal ends."""

    low: float
    high: float

    @property
    def exact(self) -> float | None:
        """The number when it is known exactly."""
        return self.low if self.low == self.high else None


FactValue = Span | State | str | frozenset[str]


@dataclass(frozen=True, slots=True)
class Fact:
    """A known fact with the place in the case it was read from, and a remark where one is due."""

    value: FactValue
    path: str = ""
    remark: str = ""


Facts = Mapping[str, Fact]
Bands = Mapping[str, Mapping[str, Band]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A truth value, the facts that decided it, and the facts that are missing while it is unknown."""

    truth: Truth
    used: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Conditions over one set of facts; ``bands`` are the named intervals of the grading system at hand."""

    facts: Facts
    bands: Bands = field(default_factory=dict)

    def holds(self, condition: Condition) -> Outcome:
        """The outcome of ``condition``."""
        if isinstance(condition, FactTest):
            return self._test(condition)
        if isinstance(condition, AllOf):
            return _combine([self.holds(part) for part in condition.all], deciding=Truth.FALSE)
        if isinstance(condition, AnyOf):
            return _combine([self.holds(part) for part in condition.any], deciding=Truth.TRUE)
        if isinstance(condition, Not):
            inner = self.holds(condition.not_)
            flipped = {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE, Truth.UNKNOWN: Truth.UNKNOWN}
            return Outcome(flipped[inner.truth], inner.used, inner.missing)
        assert isinstance(condition, Always)
        return Outcome(Truth.TRUE)

    def _test(self, test: FactTest) -> Outcome:
        fact = self.facts.get(test.fact)
        if test.known is not None:
            return Outcome(Truth.of((fact is not None) == test.known), (test.fact,))
        if fact is None:
            return Outcome(Truth.UNKNOWN, missing=(test.fact,))
        truths = list(self._truths(test, fact.value))
        if Truth.FALSE in truths:
            return Outcome(Truth.FALSE, (test.fact,))
        if Truth.UNKNOWN in truths:
            return Outcome(Truth.UNKNOWN, missing=(test.fact,))
        return Outcome(Truth.TRUE, (test.fact,))

    def _truths(self, test: FactTest, value: FactValue) -> Iterable[Truth]:
        if isinstance(value, Span):
            yield from _number_truths(test, value, self.bands.get(test.fact, {}))
        elif isinstance(value, State):
            yield _state_truth(test, value)
        elif isinstance(value, frozenset):
            if test.has is not None:
                yield Truth.of(test.has in value)
            if test.has_any:
                yield Truth.of(bool(value & set(test.has_any)))
        else:
            if test.is_ is not None:
                yield Truth.of(value == str(test.is_))
            if test.in_:
                yield Truth.of(value in {str(item) for item in test.in_})


def _state_truth(test: FactTest, state: State) -> Truth:
    """Present and absent are definite; equivocal and not tested settle nothing unless they are asked for by name."""
    wanted = {str(item) for item in (test.in_ or (test.is_,))}
    if state.value in wanted:
        return Truth.TRUE
    if state in (State.EQUIVOCAL, State.NOT_TESTED):
        return Truth.UNKNOWN
    return Truth.FALSE


def _number_truths(test: FactTest, span: Span, bands: Mapping[str, Band]) -> Iterable[Truth]:
    low, high = span.low, span.high
    if test.lt is not None:
        yield _agree(low < test.lt, high < test.lt)
    if test.le is not None:
        yield _agree(low <= test.le, high <= test.le)
    if test.gt is not None:
        yield _agree(low > test.gt, high > test.gt)
    if test.ge is not None:
        yield _agree(low >= test.ge, high >= test.ge)
    if test.is_ is not None:
        wanted = float(test.is_)
        yield Truth.of(low == wanted) if low == high else _agree(False, not low <= wanted <= high)
    if test.band is not None:
        yield _in_band(span, bands[test.band])


def _agree(at_low: bool, at_high: bool) -> Truth:
    """A comparison is monotone, so it is settled when both ends of the span give the same answer."""
    return Truth.of(at_low) if at_low == at_high else Truth.UNKNOWN


def _in_band(span: Span, band: Band) -> Truth:
    if band.holds(span.low) and band.holds(span.high):
        return Truth.TRUE
    above = span.low > band.upper or (span.low == band.upper and not band.holds(span.low))
    below = span.high < band.lower or (span.high == band.lower and not band.holds(span.high))
    return Truth.FALSE if above or below else Truth.UNKNOWN


def _combine(parts: list[Outcome], *, deciding: Truth) -> Outcome:
    """``all`` is decided by one false part, ``any`` by one true part; else one unknown part leaves it open."""
    decided = [part for part in parts if part.truth is deciding]
    if decided:
        return Outcome(deciding, tuple(dict.fromkeys(name for part in decided for name in part.used)))
    missing = tuple(dict.fromkeys(name for part in parts for name in part.missing if part.truth is Truth.UNKNOWN))
    used = tuple(dict.fromkeys(name for part in parts for name in part.used))
    if any(part.truth is Truth.UNKNOWN for part in parts):
        return Outcome(Truth.UNKNOWN, used, missing)
    other = Truth.TRUE if deciding is Truth.FALSE else Truth.FALSE
    return Outcome(other, used)
