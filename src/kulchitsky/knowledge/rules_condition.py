"""Conditions of the rule base: a small language over named facts, written in YAML.

A condition is one of::

    {fact: size_cm, gt: 2, le: 5}          a test of one fact (several operators: all must hold)
    {all: [...]}  {any: [...]}  {not: ...}  a combination

Operators: ``is`` (a choice or a state), ``in`` (one of a list), ``has`` (a set holds this), ``lt`` ``le`` ``gt``
``ge`` (a number), ``band`` (a number lies in that named band of the grading system), ``known`` (something is
recorded). What a condition means when a fact is unknown is the business of the evaluator: a test of an unknown fact
is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from kulchitsky.case.base import Record

Scalar = str | bool | int | float


class FactTest(Record):
    """A test of one fact; at least one operator, and all that are given must hold."""

    fact: str
    is_: Scalar | None = Field(default=None, alias="is")
    in_: tuple[Scalar, ...] = Field(default=(), alias="in")
    has: str | None = None
    has_any: tuple[str, ...] = ()
    lt: float | None = None
    le: float | None = None
    gt: float | None = None
    ge: float | None = None
    band: str | None = None
    known: bool | None = None

    @model_validator(mode="after")
    def _tests_something(self) -> FactTest:
        if not self.operators():
            raise ValueError(f"the test of '{self.fact}' has no operator")
        return self

    def operators(self) -> tuple[str, ...]:
        """Names of the operators in use, in the order of the class."""
        given = {
            "is": self.is_ is not None,
            "in": bool(self.in_),
            "has": self.has is not None,
            "has_any": bool(self.has_any),
            "lt": self.lt is not None,
            "le": self.le is not None,
            "gt": self.gt is not None,
            "ge": self.ge is not None,
            "band": self.band is not None,
            "known": self.known is not None,
        }
        return tuple(name for name, used in given.items() if used)


class AllOf(Record):
    """Every condition of the list holds."""

    all: tuple[Condition, ...] = Field(min_length=1)


class AnyOf(Record):
    """At least one condition of the list holds."""

    any: tuple[Condition, ...] = Field(min_length=1)


class Not(Record):
    """The condition does not hold."""

    not_: Condition = Field(alias="not")


class Always(Record):
    """Holds for every case; written ``always: true`` so that the absence of a condition is a decision."""

    always: bool

    @model_validator(mode="after")
    def _is_true(self) -> Always:
        if not self.always:
            raise ValueError("'always' can only be true")
        return self


def _kind(value: Any) -> str:
    keys = value if isinstance(value, dict) else {type(value).__name__: None}
    for key, tag in (("all", "all"), ("any", "any"), ("not", "not"), ("always", "always")):
        if key in keys:
            return tag
    names = {"AllOf": "all", "AnyOf": "any", "Not": "not", "Always": "always"}
    return names.get(type(value).__name__, "fact")


Condition = Annotated[
    Annotated[FactTest, Tag("fact")]
    | Annotated[AllOf, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[Always, Tag("always")],
    Discriminator(_kind),
]

for _model in (AllOf, AnyOf, Not):
    _model.model_rebuild()


def tests_in(condition: Condition) -> Iterator[FactTest]:
    """Every test of a fact inside ``condition``, depth first."""
    if isinstance(condition, FactTest):
        yield condition
    elif isinstance(condition, AllOf):
        for part in condition.all:
            yield from tests_in(part)
    elif isinstance(condition, AnyOf):
        for part in condition.any:
            yield from tests_in(part)
    elif isinstance(condition, Not):
        yield from tests_in(condition.not_)
