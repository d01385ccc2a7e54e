"""Rates of findings in every profile: counted studies pooled onto the profile's expectation, computed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kulchitsky.case.vocabulary import Pattern
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.knowledge.model import ModelParameters, load_model
from kulchitsky.knowledge.profiles import NONE_OF_THESE, Profile, ProfileSet, load_profiles
from kulchitsky.knowledge.schema import Counts, EvidenceRow, FeatureRow
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


KERATIN_GROUPS = frozenset({"keratin", "keratin_7"})
"""Marker groups whose perinuclear dots mean the same."""

SEX_MALE = "sex_male"
"""Finding id of the share of men."""

_FEATURE_FINDINGS = {
    "feature": "feat_{value}",
    "nucleoli": "nucleoli_{value}",
    "cell_shape": "shape_{value}",
    "chromatin": "chrom_{value}",
    "lesions": "lesions_{value}",
    "immune_suppression": "immune_suppression",
    "necrosis": "necrosis",
    "sex": "sex_{value}",
}
# architecture and cell size stay expectations: series class a tumour by its leading pattern, a report names them all


def dot_finding(rate: str) -> str:
    """Finding id of the perinuclear dot of a stain, or of keratins taken together."""
    return f"{rate}_dot"


def _expected(profile: Profile, finding: str, model: ModelParameters) -> Cell:
    mean, cases, origin = _expectation(profile, finding, model)
    return Cell(PooledProportion(mean, cases, model.default_correlation), origin, 0.0, 0.0, 0, ())


def _expectation(profile: Profile, finding: str, model: ModelParameters) -> tuple[float, float, Origin]:
    """Mean, imaginary cases and origin of a rate before any count."""
    if finding == SEX_MALE:
        return (*profile.male, "default")
    if finding.endswith("_dot"):
        return (*profile.dots.get(finding.removesuffix("_dot"), model.default_dot), "default")
    stated = profile.rates.get(finding)
    if stated is None:
        return (*_UNKNOWN, "default")
    return stated.mean, stated.cases, "family" if stated.origin != profile.id else "default"


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
    dots, features = _dots(knowledge), _features(knowledge)
    cells: dict[tuple[str, str], Cell] = {}
    for p in profiles.profiles:
        if p.entity == NONE_OF_THESE:
            continue
        for marker in by_entity.get(p.entity, ()):
            if marker not in knowledge.markers:
                continue
            rows = _rows(knowledge, p, marker, own=_is_own(p, marker, first[p.entity], profiles))
            if rows:
                cells[p.id, marker] = _counted(p, marker, [_count(r) for r in rows], model)
        own_features = features.get((p.entity, p.component), {}) if p.component else {}
        whole = {**dots.get(p.entity, {}), **features.get((p.entity, ""), {})}
        for finding, counts in {**whole, **own_features}.items():
            if finding in own_features or not _is_own(p, finding, first[p.entity], profiles):
                cells[p.id, finding] = _counted(p, finding, counts, model)
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


Count = tuple[float, float, str]
"""Tumours with the finding, tumours looked at, source key."""


def _count(row: EvidenceRow | FeatureRow) -> Count:
    k, n = (row.n_positive, row.n_tested) if isinstance(row, EvidenceRow) else (row.n_with, row.n_total)
    return min(k or 0.0, n or 0.0), n or 0.0, row.source


def _dots(knowledge: KnowledgeBase) -> dict[str, dict[str, list[Count]]]:
    """Counts of perinuclear dots by entity and finding; keratins of the simple type are taken together."""
    found: dict[str, dict[str, list[Count]]] = {}
    for row in knowledge.evidence:
        marker = knowledge.markers.get(row.marker)
        if marker is None or row.pattern is not Pattern.PERINUCLEAR_DOT or row.counts is not Counts.PATTERN:
            continue
        # rows that repeat a part of another row, or a stricter cut-off on it, say why; whole ones say "pattern"
        if row.why_not.startswith("pattern") and row.n_tested and row.n_positive is not None:
            rate = "keratin" if marker.group in KERATIN_GROUPS else marker.id
            found.setdefault(row.entity, {}).setdefault(dot_finding(rate), []).append(_count(row))
    return found


def _features(knowledge: KnowledgeBase) -> dict[tuple[str, str], dict[str, list[Count]]]:
    """Counts of morphological and clinical features by entity and component ("" for the whole entity)."""
    found: dict[tuple[str, str], dict[str, list[Count]]] = {}
    for row in knowledge.features:
        if row.feature not in _FEATURE_FINDINGS or not row.n_total or row.n_with is None:
            continue
        if row.poolable or row.component:
            finding = _FEATURE_FINDINGS[row.feature].format(value=row.value)
            found.setdefault((row.entity, row.component), {}).setdefault(finding, []).append(_count(row))
    return found


def _counted(profile: Profile, finding: str, counts: list[Count], model: ModelParameters) -> Cell:
    k, n = np.array([c[0] for c in counts]), np.array([c[1] for c in counts])
    mean, cases, _ = _expectation(profile, finding, model)
    pooled = pool(
        k,
        n,
        prior_mean=mean,
        prior_cases=min(cases, model.expectation_cases),
        usual_correlation=model.usual_correlation,
    )
    sources = tuple(dict.fromkeys(source for _, _, source in sorted(counts, key=lambda c: -c[1])))
    return Cell(pooled, "counts", float(k.sum()), float(n.sum()), len(counts), sources)
