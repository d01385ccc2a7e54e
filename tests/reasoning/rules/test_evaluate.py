"""Three-valued conditions: Kleene's tables, spans, states, and what is reported as missing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from kulchitsky.case.vocabulary import State
from kulchitsky.knowledge.rules_condition import Condition
from kulchitsky.knowledge.rules_grading import Band
from kulchitsky.reasoning.evaluate import Evaluator, Fact, Span, Truth

CONDITION: TypeAdapter[Any] = TypeAdapter(Condition)
T, F, U = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
FACTS = {
    "yes": Fact(State.PRESENT),
    "no": Fact(State.ABSENT),
    "maybe": Fact(State.EQUIVOCAL),
    "five": Fact(Span(5, 5)),
    "around": Fact(Span(4, 6)),
    "colour": Fact("red"),
    "bag": Fact(frozenset({"a", "b"})),
}


def holds(condition: dict[str, Any]) -> Truth:
    return Evaluator(FACTS).holds(CONDITION.validate_python(condition)).truth


def of(truth: Truth) -> dict[str, Any]:
    return {"fact": {T: "yes", F: "no", U: "unheard_of"}[truth], "is": "present"}


# Kleene 1952, section 64: the strong tables of conjunction and disjunction
@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [
        (T, T, T, T), (T, F, F, T), (T, U, U, T),
        (F, T, F, T), (F, F, F, F), (F, U, F, U),
        (U, T, U, T), (U, F, F, U), (U, U, U, U),
    ],
)  # fmt: skip
def test_conjunction_and_disjunction_follow_kleene(left: Truth, right: Truth, both: Truth, either: Truth) -> None:
    assert holds({"all": [of(left), of(right)]}) is both
    assert holds({"any": [of(left), of(right)]}) is either


@pytest.mark.parametrize(("truth", "negated"), [(T, F), (F, T), (U, U)])
def test_negation_keeps_unknown(truth: Truth, negated: Truth) -> None:
    assert holds({"not": of(truth)}) is negated


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"fact": "five", "gt": 5}, F),
        ({"fact": "five", "ge": 5}, T),
        ({"fact": "five", "gt": 2, "le": 5}, T),
        ({"fact": "five", "is": 5}, T),
        ({"fact": "around", "gt": 3}, T),
        ({"fact": "around", "gt": 5}, U),
        ({"fact": "around", "gt": 6}, F),
        ({"fact": "maybe", "is": "present"}, U),
        ({"fact": "maybe", "is": "absent"}, U),
        ({"fact": "maybe", "is": "equivocal"}, T),
        ({"fact": "colour", "in": ["red", "blue"]}, T),
        ({"fact": "colour", "is": "blue"}, F),
        ({"fact": "bag", "has": "a"}, T),
        ({"fact": "bag", "has_any": ["c", "d"]}, F),
        ({"fact": "unheard_of", "known": False}, T),
        ({"fact": "five", "known": True}, T),
        ({"always": True}, T),
    ],
)
def test_operators(condition: dict[str, Any], expected: Truth) -> None:
    assert holds(condition) is expected


def test_missing_names_what_would_settle_it() -> None:
    condition = {"all": [of(T), {"any": [{"fact": "size", "gt": 2}, {"fact": "depth", "is": "deep"}]}]}
    outcome = Evaluator(FACTS).holds(CONDITION.validate_python(condition))
    assert outcome.truth is U
    assert outcome.missing == ("size", "depth")


def test_a_false_conjunction_names_every_part_that_is_false() -> None:
    condition = {"all": [{"fact": "five", "gt": 9}, of(T), {"fact": "colour", "is": "blue"}]}
    assert Evaluator(FACTS).holds(CONDITION.validate_python(condition)).used == ("five", "colour")


@pytest.mark.parametrize("broken", [{"fact": "five"}, {"all": []}, {"fact": "five", "above": 3}, {"always": False}])
def test_a_condition_without_meaning_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"operator|at least 1|not permitted|only be true"):
        CONDITION.validate_python(broken)


@given(low=st.floats(0, 50), width=st.floats(0, 50), lower=st.floats(0, 100), upper=st.floats(0, 100))
def test_a_span_is_in_a_band_only_where_every_value_of_it_is(
    low: float, width: float, lower: float, upper: float
) -> None:
    band = Band.model_validate({"id": "b", "from": min(lower, upper), "below": max(lower, upper)})
    facts = {"x": Fact(Span(low, low + width))}
    truth = Evaluator(facts, {"x": {"b": band}}).holds(CONDITION.validate_python({"fact": "x", "band": "b"})).truth
    inside = [band.holds(low + width * share) for share in (0, 0.25, 0.5, 0.75, 1)]
    if truth is T:
        assert all(inside)
    if truth is F:
        assert not any(inside)
