"""Rates of findings in every profile: counted studies pooled onto the profile's expectation, computed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.knowledge.model import ModelParameters, load_model
from kulchitsky.knowledge.profiles import NONE_OF_THESE, Profile, ProfileSet, load_profiles
from kulchitsky.knowledge.schema import Counts, EvidenceRow
from kulchitsky.numerics.pooling import PooledProportion, pool

Floats = NDArray[np.float64]
Origin = Literal["counts", "family", "default"]

# a rate that nobody states and no study counts: the same in every profile, so it moves nothing
_UNKNOWN = (0.2, 2.0)


@dataclass(frozen=True, slots=True)
class Cell:
    """One rate: a finding in a profile, with what stands behind it."""

    pooled: PooledProportion
    origin: Origin
    n_positive: float
    n_tested: float
    studies: int
    sources: tuple[str, ...]


@dataclass(frozen=True)
class RateTable:
    """Rates of every stain and context finding in every profile; build it with :func:`rate_table`."""

    profiles: tuple[Profile, ...]
    entities: tuple[str, ...]
    entity_of: NDArray[np.intp]
    cells: Mapping[tuple[str, str], Cell]
    model: ModelParameters

    def cell(self, profile: Profile, finding: str) -> Cell:
        """The rate of a finding in a profile; expectation or the unknown rate where no study counts it."""
        found = self.cells.get((profile.id, finding))
        return found if found is not None else _expected(profile, finding, self.model)


def _expected(profile: Profile, finding: str, model: ModelParameters) -> Cell:
    expectation = profile.rates.get(finding)
    mean, cases = (expectation.mean, expectation.cases) if expectation else _UNKNOWN
    origin: Origin = "family" if expectation and expectation.origin != profile.id else "default"
    return Cell(PooledProportion(mean, cases, model.default_correlation), origin, 0.0, 0.0, 0, ())


_tables: dict[tuple[int, ModelParameters], tuple[KnowledgeBase, RateTable]] = {}


def rate_table(
    knowledge: KnowledgeBase, *, profiles: ProfileSet | None = None, model: ModelParameters | None = None
) -> RateTable:
    """The rates for a knowledge base; computed on the first call, the same object afterwards."""
    model = model or load_model()
    if profiles is not None:
        return _build(knowledge, profiles, model)
    key = (id(knowledge), model)
    if key not in _tables:
        _tables[key] = (knowledge, _build(knowledge, load_profiles(), model))
    return _tables[key][1]


def _build(knowledge: KnowledgeBase, profiles: ProfileSet, model: ModelParameters) -> RateTable:
    first: dict[str, str] = {}
    for p in profiles.profiles:
        first.setdefault(p.entity, p.id)
    by_entity: dict[str, set[str]] = {}
    for entity, marker in knowledge.evidence_by_cell:
        by_entity.setdefault(entity, set()).add(marker)
    cells: dict[tuple[str, str], Cell] = {}
    for p in profiles.profiles:
        if p.entity == NONE_OF_THESE:
            continue
        for marker in by_entity.get(p.entity, ()):
            if marker not in knowledge.markers:
                continue
            rows = _rows(knowledge, p, marker, own=_is_own(p, marker, first[p.entity], profiles))
            if rows:
                cells[p.id, marker] = _counted(p, marker, rows, model)
    entities = profiles.entities
    place = {e: i for i, e in enumerate(entities)}
    entity_of = np.array([place[p.entity] for p in profiles.profiles], dtype=np.intp)
    return RateTable(profiles.profiles, entities, entity_of, cells, model)


def _is_own(profile: Profile, marker: str, first: str, profiles: ProfileSet) -> bool:
    """Whether the entity's counts don't hold for this profile: it, or a component above it, says otherwise."""
    if marker in profile.apart:
        return True
    expectation = profile.rates.get(marker)
    if expectation is None or profile.id == first or expectation.origin == first:
        return False
    return any(p.id == expectation.origin and p.entity == profile.entity for p in profiles.profiles)


def _rows(knowledge: KnowledgeBase, profile: Profile, marker: str, *, own: bool) -> tuple[EvidenceRow, ...]:
    """Poolable counted rows that hold for the profile: of its component, else of the whole entity."""
    wanted = knowledge.markers[marker].counts
    if profile.component:
        mine = knowledge.poolable(profile.entity, marker, component=profile.component)
        mine = tuple(r for r in mine if _usable(r, wanted))
        if mine:
            return mine
    if own:
        return ()
    return tuple(r for r in knowledge.poolable(profile.entity, marker) if _usable(r, wanted))


def _usable(row: EvidenceRow, wanted: Counts) -> bool:
    return row.counts is wanted and row.n_positive is not None and bool(row.n_tested) and not row.among_positive


def _counted(profile: Profile, marker: str, rows: tuple[EvidenceRow, ...], model: ModelParameters) -> Cell:
    k = np.array([min(r.n_positive or 0.0, r.n_tested or 0.0) for r in rows])
    n = np.array([r.n_tested or 0.0 for r in rows])
    expectation = profile.rates.get(marker)
    mean, cases = (expectation.mean, expectation.cases) if expectation else _UNKNOWN
    pooled = pool(k, n, prior_mean=mean, prior_cases=min(cases, 3.0), usual_correlation=model.usual_correlation)
    sources = tuple(dict.fromkeys(r.source for r in sorted(rows, key=lambda r: -(r.n_tested or 0.0))))
    return Cell(pooled, "counts", float(k.sum()), float(n.sum()), len(rows), sources)
