"""Laboratory units: read the usual spellings, convert, and notice a value that only another unit makes plausible.

Units are UCUM; the registry (pint with the UCUM definitions of ucumvert) is built when the first value is looked at.
What is plausible comes from the caller: ranges per unit are knowledge, not code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pint
from ucumvert import PintUcumRegistry

from kulchitsky.case.issue import Issue, Level


@dataclass(frozen=True, slots=True)
class PlausibleRange:
    """A unit (UCUM) with the range of values that a laboratory reports in it."""

    unit: str
    low: float
    high: float


_SPELLINGS: tuple[tuple[str, str], ...] = (
    (r"\s+", ""),
    (r"[µμ]", "u"),
    ("³", "3"),
    ("⁶", "6"),
    ("⁹", "9"),
    (r"[×x]?10(?:\^|\*\*|\*|[eE])?([369])(?=/|$)", r"10*\1"),
    (r"^1000(?=cells|/)", "10*3"),
    (r"(?i)cells?(?=/)", ""),
    (r"(?i)mcg", "ug"),
    (r"(?i)\b([mkun]?)iu\b", r"\1[IU]"),
    (r"(?i)/(?:24h(?:ours|rs?)?|day|d)$", "/d"),
    (r"(?<=/)([mudcn]?)l$", r"\1L"),
    (r"^([kmun]?)u(?=/)", r"\1U"),
)
"""Usual spellings that are not UCUM, rewritten in order."""


@cache
def _registry() -> Any:
    return PintUcumRegistry()


@cache
def parse_unit(text: str) -> Any | None:
    """The unit that ``text`` spells, as a pint quantity of one such unit, or ``None`` where it spells none."""
    for candidate in dict.fromkeys((_respelled(text), text.strip())):
        if not candidate:
            continue
        try:
            return _registry().from_ucum(candidate)
        except Exception:
            continue
    return None


def _respelled(text: str) -> str:
    unit = text.strip()
    for pattern, replacement in _SPELLINGS:
        unit = re.sub(pattern, replacement, unit)
    return unit


def convert(value: float, unit: str, to: str, *, molar_mass_g_per_mol: float | None = None) -> float | None:
    """``value`` of ``unit`` in ``to``; ``None`` where a unit is unknown or they measure different things.

    With a molar mass, amounts of substance and masses are converted into each other. Every unit of a laboratory
    value is proportional, so one factor a pair is worked out and kept.
    """
    factor = _factor(unit, to, molar_mass_g_per_mol)
    return None if factor is None else value * factor


@cache
def _factor(unit: str, to: str, molar_mass_g_per_mol: float | None) -> float | None:
    source, target = parse_unit(unit), parse_unit(to)
    if source is None or target is None:
        return None
    try:
        return float((source / target).to("dimensionless").magnitude)
    except pint.DimensionalityError:
        if molar_mass_g_per_mol is None:
            return None
    molar = molar_mass_g_per_mol * _registry().from_ucum("g/mol")
    for bridged in (source * molar, source / molar):
        try:
            return float((bridged / target).to("dimensionless").magnitude)
        except pint.DimensionalityError:
            continue
    return None


def check_unit(
    test: str,
    value: float,
    unit: str,
    plausible: Sequence[PlausibleRange],
    *,
    molar_mass_g_per_mol: float | None = None,
    path: str = "",
) -> Issue | None:
    """What is odd about ``value unit`` of ``test``, given the units and ranges it is reported in; ``None``: nothing.

    The value is taken to every unit of ``plausible``. Where it fits none, and the bare number would fit one of them,
    the unit is probably a slip for that one: nothing is corrected, the reader is told.
    """
    if parse_unit(unit) is None:
        return Issue(
            level=Level.WARNING,
            code="lab.unit.unknown",
            message=f"The unit '{unit}' of {test} is not known.",
            remedy=f"Write it as UCUM, for example {plausible[0].unit}.",
            path=path,
        )
    converted = [
        (row, found)
        for row in plausible
        if (found := convert(value, unit, row.unit, molar_mass_g_per_mol=molar_mass_g_per_mol)) is not None
    ]
    if not converted:
        return Issue(
            level=Level.WARNING,
            code="lab.unit.wrong_kind",
            message=f"{test} is not measured in '{unit}'.",
            remedy=f"It is reported in {', '.join(row.unit for row in plausible)}.",
            path=path,
        )
    if any(row.low <= found <= row.high for row, found in converted):
        return None
    return _implausible(test, value, unit, plausible, converted[0], path)


def _implausible(
    test: str,
    value: float,
    unit: str,
    plausible: Sequence[PlausibleRange],
    usual: tuple[PlausibleRange, float],
    path: str,
) -> Issue:
    row, found = usual
    written = parse_unit(unit)
    fitting = [
        other.unit for other in plausible if other.low <= value <= other.high and parse_unit(other.unit) != written
    ]
    where = (
        f"{test} of {value:g} {unit} is {found:.4g} {row.unit}, outside what is reported "
        f"({row.low:g} to {row.high:g})"
    )
    if fitting:
        return Issue(
            level=Level.WARNING,
            code="lab.unit.suspicious",
            message=f"{where}: the unit is probably a slip for {fitting[0]}.",
            remedy=f"Look at the laboratory's own report; {value:g} {fitting[0]} would be plausible.",
            path=path,
        )
    return Issue(
        level=Level.WARNING,
        code="lab.value.implausible",
        message=f"{where}.",
        remedy="Look at the laboratory's own report.",
        path=path,
    )
