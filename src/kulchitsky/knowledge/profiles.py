"""Expectation profiles: what a tumour, or a component of an entity, looks like where no counted study says so.

A profile belongs to one entity (or to ``none_of_these``), carries its share of it, and inherits from its parent
whatever it doesn't state itself. Levels are words with a Beta distribution worth a handful of imaginary cases
(``levels.toml``): marked defaults, soon outweighed by counts, never evidence.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from kulchitsky.case.errors import BrokenKnowledge
from kulchitsky.knowledge.tables import DATA

NONE_OF_THESE = "none_of_these"

_FILES = ("families.toml", "neuroendocrine.toml", "mimics.toml", "unlisted.toml", "unlisted_further.toml")
_STAIN_LEVELS = ("always", "usual", "often", "half", "some", "uncommon", "rare", "never")
_MENTION_LEVELS = ("usual", "often", "half", "some", "uncommon", "rare", "never")
_PLACE_LEVELS = ("main", "often", "some", "rare")
_PLAIN = frozenset(
    {"parent", "entity", "component", "share", "base", "basis", "cite", "place", "region", "age", "male", "ki67"}
    | {"mitoses", "duration_months", "size_cm", "dots", "apart", "elsewhere"}
)


@dataclass(frozen=True, slots=True)
class Expectation:
    """A default rate: Beta mean and the imaginary cases behind it; ``origin`` is the profile that says so."""

    mean: float
    cases: float
    origin: str


@dataclass(frozen=True, slots=True)
class Profile:
    """One component of an entity, everything inherited already written out.

    ``share`` is its part of the entity, ``base`` the entity's relative frequency among tumours that raise the
    question. ``age`` is mean and standard deviation in years; ``ki67`` median and 5th to 95th percentile in percent;
    ``mitoses`` (per 2 mm2), ``duration_months`` and ``size_cm`` are median and geometric standard deviation.
    ``stated`` are the findings that this profile states itself instead of inheriting them; ``apart`` are findings by
    which the components of its entity differ, so that counts over the whole entity hold for none of them. ``cites``
    are keys of the reference list, by finding, for what a source says in words and no row of the evidence counts.
    """

    id: str
    entity: str
    component: str
    share: float
    base: float
    rates: Mapping[str, Expectation]
    stated: frozenset[str]
    places: Mapping[str, float]
    elsewhere: float | None
    regions: Mapping[str, float]
    dots: Mapping[str, tuple[float, float]]
    apart: frozenset[str]
    male: tuple[float, float]
    age: tuple[float, float] | None
    ki67: tuple[float, float, float] | None
    mitoses: tuple[float, float] | None
    duration_months: tuple[float, float] | None
    size_cm: tuple[float, float] | None
    basis: str
    cites: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ProfileSet:
    """All profiles of entities, in file order, with the background rate of every finding that any of them states."""

    profiles: tuple[Profile, ...]
    background: Mapping[str, Expectation]

    @property
    def entities(self) -> tuple[str, ...]:
        """Entity ids in file order, ``none_of_these`` last."""
        found = tuple(dict.fromkeys(p.entity for p in self.profiles if p.entity != NONE_OF_THESE))
        return (*found, NONE_OF_THESE)


def read_toml(name: str) -> dict[str, Any]:
    """Parse a TOML data file of the knowledge base."""
    return tomllib.loads((DATA / name).read_text(encoding="utf-8"))


@cache
def load_profiles() -> ProfileSet:
    """Read every profile; the same object on every call. Raises :class:`BrokenKnowledge` on a wrong row."""
    levels = read_toml("profiles/levels.toml")
    tables: dict[str, dict[str, Any]] = {}
    for name in _FILES:
        for key, table in read_toml(f"profiles/{name}").items():
            if key in tables:
                raise BrokenKnowledge(f"profile '{key}' is defined twice")
            tables[key] = table
    own = {key: _rates(key, table, levels) for key, table in tables.items()}
    profiles = tuple(_profile(key, tables, own, levels) for key, table in tables.items() if "entity" in table)
    return ProfileSet(_shares_sum_to_one(profiles), MappingProxyType(own["any"]))


def _rates(key: str, table: Mapping[str, Any], levels: Mapping[str, Any]) -> dict[str, Expectation]:
    found: dict[str, Expectation] = {}
    kinds = [(level, "stain", level) for level in _STAIN_LEVELS]
    kinds += [(f"{kind}_{level}", "mention", f"m_{level}") for kind in ("m", "h") for level in _MENTION_LEVELS]
    for field, scale, level in kinds:
        for finding in str(table.get(field, "")).split():
            if finding in found:
                raise BrokenKnowledge(f"profile '{key}' states '{finding}' twice")
            mean, cases = levels[scale][level]
            found[finding] = Expectation(mean, cases, key)
    unknown = set(table) - _PLAIN - {field for field, _, _ in kinds}
    if unknown:
        raise BrokenKnowledge(f"profile '{key}' has unknown keys {sorted(unknown)}")
    return found


def _chain(key: str, tables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The profile and its ancestors, nearest first."""
    chain = [key]
    while (parent := tables[chain[-1]].get("parent")) is not None:
        if parent not in tables or parent in chain:
            raise BrokenKnowledge(f"profile '{chain[-1]}' has a wrong parent '{parent}'")
        chain.append(parent)
    return chain


def _profile(
    key: str,
    tables: Mapping[str, Mapping[str, Any]],
    own: Mapping[str, Mapping[str, Expectation]],
    levels: Mapping[str, Any],
) -> Profile:
    chain = _chain(key, tables)

    def nearest(field: str) -> Any:
        return next((tables[k][field] for k in chain if field in tables[k]), None)

    rates: dict[str, Expectation] = {}
    for ancestor in reversed(chain):
        rates.update(own[ancestor])
    table = tables[key]
    dots = {
        name: (float(v[0]), float(v[1])) for k in reversed(chain) for name, v in tables[k].get("dots", {}).items()
    }
    ki67 = nearest("ki67")
    return Profile(
        id=key,
        entity=table["entity"],
        component=table.get("component", ""),
        share=float(table.get("share", 0.0)),
        base=float(next((tables[k]["base"] for k in chain if "base" in tables[k]), 0.0)),
        rates=MappingProxyType(rates),
        stated=frozenset(own[key]),
        places=MappingProxyType(_weights(nearest("place"), levels["place"])),
        elsewhere=None if nearest("elsewhere") is None else float(nearest("elsewhere")),
        regions=MappingProxyType(_weights(nearest("region"), levels["place"])),
        dots=MappingProxyType(dots),
        apart=frozenset(word for k in chain for word in str(tables[k].get("apart", "")).split()),
        male=_pair(nearest("male")) or (0.5, 20.0),
        age=_pair(nearest("age")),
        ki67=(float(ki67[0]), float(ki67[1]), float(ki67[2])) if ki67 else None,
        mitoses=_pair(nearest("mitoses")),
        duration_months=_pair(nearest("duration_months")),
        size_cm=_pair(nearest("size_cm")),
        basis=table.get("basis", ""),
        cites=MappingProxyType({name: tuple(keys.split()) for name, keys in table.get("cite", {}).items()}),
    )


def _pair(value: Any) -> tuple[float, float] | None:
    return (float(value[0]), float(value[1])) if value else None


def _weights(places: Mapping[str, str] | None, scale: Mapping[str, float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for level in _PLACE_LEVELS:
        for place in (places or {}).get(level, "").split():
            found[place] = float(scale[level])
    return found


def _shares_sum_to_one(profiles: tuple[Profile, ...]) -> tuple[Profile, ...]:
    """Shares are relative inside the entity; a profile without one takes what the others leave (at least 5 %)."""
    bases: dict[str, float] = {}
    stated: dict[str, float] = {}
    for p in profiles:
        bases[p.entity] = max(bases.get(p.entity, 0.0), p.base)
        stated[p.entity] = stated.get(p.entity, 0.0) + p.share
    unstated = {p.entity for p in profiles if p.share == 0.0}
    totals = {e: max(total, 1.0) if e in unstated else total for e, total in stated.items()}
    done = []
    for p in profiles:
        share = p.share if p.share else max(1.0 - stated[p.entity], 0.05)
        values = {f: getattr(p, f) for f in p.__dataclass_fields__}
        done.append(Profile(**{**values, "share": share / totals[p.entity], "base": bases[p.entity]}))
    return tuple(done)
