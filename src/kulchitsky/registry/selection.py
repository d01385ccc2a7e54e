"""Choose cases by what is known of them: ``marker.ck20=present``, ``ki67_percent>=20``, ``setting!=skin``.

Unknown never satisfies a comparison, not even ``!=``: a case without the finding is neither. ``=unknown`` asks for
exactly those.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.case.fields import STATES
from kulchitsky.registry.packing import NUMBERS, STATE_WORDS, PackedCases

Mask = NDArray[np.bool_]
_EXPRESSION = re.compile(r"^\s*([A-Za-z0-9_.]+)\s*(>=|<=|!=|=|>|<)\s*(.+?)\s*$")


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of one field."""

    field: str
    operator: str
    value: str


def parse_condition(text: str) -> Condition:
    """Read ``field operator value``; operators are ``= != >= <= > <``."""
    match = _EXPRESSION.match(text)
    if match is None:
        raise RefusedRegistry(
            f"'{text}' is no condition", source="--where", remedy="write it like marker.ck20=present or age_years>=65"
        )
    return Condition(*match.groups())


def select(packed: PackedCases, conditions: Sequence[Condition]) -> Mask:
    """Return which cases (N,) satisfy every condition; an unknown field or an unfit value is refused."""
    mask = np.ones(len(packed), dtype=bool)
    for condition in conditions:
        mask &= _one(packed, condition)
    return mask


def field_words(packed: PackedCases, name: str) -> NDArray[np.object_]:
    """Return a field as words (N,), ``None`` where unknown; a name nobody knows is refused with near ones."""
    try:
        return packed.words(name)
    except KeyError:
        if name.split(".", 1)[0] in (*STATES, "pattern") and "." in name:
            return np.full(len(packed), None, dtype=object)  # a finding that no case of this registry has
        raise _unknown_field(packed, name) from None


def _one(packed: PackedCases, condition: Condition) -> Mask:
    if condition.field in NUMBERS:
        return _numeric(packed, condition)
    words = field_words(packed, condition.field)
    known = np.array([word is not None for word in words], dtype=bool)
    if condition.value == "unknown":
        _only(condition, "=", "!=")
        return ~known if condition.operator == "=" else known
    _only(condition, "=", "!=")
    if condition.field.split(".", 1)[0] in STATES and condition.value not in STATE_WORDS.values():
        raise RefusedRegistry(
            f"{condition.field} is present, absent, equivocal or unknown, never '{condition.value}'",
            source="--where",
            remedy=f"write {condition.field}=present",
        )
    same = np.array([word == condition.value or _member(word, condition.value) for word in words], dtype=bool)
    return np.asarray(known & (same if condition.operator == "=" else ~same), dtype=bool)


def _member(word: str | None, value: str) -> bool:
    return word is not None and "+" in word and value in word.split("+")


def _numeric(packed: PackedCases, condition: Condition) -> Mask:
    column = packed.numbers(condition.field)
    if condition.value == "unknown":
        _only(condition, "=", "!=")
        return np.isnan(column) if condition.operator == "=" else ~np.isnan(column)
    try:
        value = np.float32(float(condition.value))
    except ValueError:
        raise RefusedRegistry(
            f"{condition.field} is a number, '{condition.value}' is none",
            source="--where",
            remedy=f"write {condition.field}>=20",
        ) from None
    known = ~np.isnan(column)
    with np.errstate(invalid="ignore"):
        compared = {
            "=": column == value,
            "!=": column != value,
            ">=": column >= value,
            "<=": column <= value,
            ">": column > value,
            "<": column < value,
        }[condition.operator]
    return np.asarray(known & compared, dtype=bool)


def _only(condition: Condition, *operators: str) -> None:
    if condition.operator not in operators:
        raise RefusedRegistry(
            f"{condition.field} has words, not numbers: {condition.operator} cannot compare them",
            source="--where",
            remedy=f"use {' or '.join(operators)}",
        )


def _unknown_field(packed: PackedCases, name: str) -> RefusedRegistry:
    known = packed.known_fields()
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    remedy = f"did you mean {', '.join(near)}" if near else f"known are {', '.join(known[:12])} and more"
    return RefusedRegistry(f"no field {name}", source="registry", remedy=remedy)
