"""What can be ordered, what a diagnosis shouldn't be signed out without, and when a finding counts as improbable."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from kulchitsky.knowledge.profiles import read_toml


@dataclass(frozen=True, slots=True)
class Ordering:
    """Stains in wide use and the thresholds of the search and of the challenge; see ``profiles/ordering.toml``."""

    routine: tuple[str, ...]
    most_at_once: int
    pool: int
    redundant_share: float
    likely: float
    least_bits: float
    improbable: float
    least_ratio: float
    tail: float
    rival: float


@cache
def load_ordering() -> Ordering:
    """The shipped list; the same object on every call."""
    t = read_toml("profiles/ordering.toml")
    return Ordering(
        routine=tuple(t["routine"]["markers"].split()),
        most_at_once=int(t["choice"]["most_at_once"]),
        pool=int(t["choice"]["pool"]),
        redundant_share=float(t["choice"]["redundant_share"]),
        likely=float(t["choice"]["likely"]),
        least_bits=float(t["choice"]["least_bits"]),
        improbable=float(t["challenge"]["improbable"]),
        least_ratio=float(t["challenge"]["least_ratio"]),
        tail=float(t["challenge"]["tail"]),
        rival=float(t["challenge"]["rival"]),
    )


@dataclass(frozen=True, slots=True)
class RequiredTest:
    """Stains without which a diagnosis shouldn't be signed out: any one of ``markers`` does.

    It isn't asked where one of ``unless_positive`` stains (the question is answered), for patients of
    ``younger_than`` years or more, nor at a Ki-67 of ``ki67_above`` percent or less; unknown figures don't excuse it.
    """

    entity: str
    markers: tuple[str, ...]
    reason: str
    sources: tuple[str, ...]
    unless_positive: frozenset[str] = frozenset()
    younger_than: float | None = None
    ki67_above: float | None = None


@cache
def load_required_tests() -> tuple[RequiredTest, ...]:
    """Every required test, in file order."""
    rows = read_toml("profiles/required_tests.toml")["test"]
    return tuple(
        RequiredTest(
            entity,
            tuple(r["any_of"].split()),
            r["reason"],
            tuple(r.get("sources", "").split()),
            frozenset(r.get("unless_positive", "").split()),
            r.get("younger_than"),
            r.get("ki67_above"),
        )
        for r in rows
        for entity in r["entities"].split()
    )
