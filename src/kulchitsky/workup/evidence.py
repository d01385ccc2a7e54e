"""Show what the knowledge base holds: counts and sources of a marker, an entity or a cell, and how full it is."""

from __future__ import annotations

from collections.abc import Iterable

from kulchitsky.case.base import Record
from kulchitsky.case.errors import RefusedInput
from kulchitsky.case.verdict import Reference
from kulchitsky.knowledge.aliases import resolve_entity, resolve_marker
from kulchitsky.knowledge.base import KnowledgeBase, load_knowledge
from kulchitsky.knowledge.coverage import core_coverage, filling
from kulchitsky.knowledge.profiles import load_profiles
from kulchitsky.knowledge.schema import EvidenceRow, FeatureRow
from kulchitsky.numerics.intervals import wilson


class EvidenceCell(Record):
    """One marker in one entity: what studies that may be added up found, and every row behind or beside them."""

    entity: str
    entity_name: str
    marker: str
    marker_name: str
    filled_by: str
    """``counts``, ``share`` (without a count), ``other`` (read, never added up), ``default`` or ``nothing``."""
    n_positive: float
    n_tested: float
    percent: float | None = None
    interval_95: tuple[float, float] | None = None
    """Wilson interval of the plain sum, in per cent; studies differ, so the differential uses a wider one."""
    studies: int
    rows: tuple[EvidenceRow, ...] = ()


class EvidenceTable(Record):
    """The ``evidence --json`` output: cells, clinical and morphological rows, and the references they cite."""

    edition: str
    cells: tuple[EvidenceCell, ...] = ()
    features: tuple[FeatureRow, ...] = ()
    references: tuple[Reference, ...] = ()


class EntityCoverage(Record):
    """Cells that matter for an entity, by what fills them."""

    entity: str
    name: str
    cells: int
    counts: int
    share: int
    other: int
    default: int
    nothing: int
    missing: tuple[str, ...] = ()
    """Markers of the cells that no read source fills."""


class Coverage(Record):
    """The ``evidence --coverage --json`` output."""

    edition: str
    evidence_rows: int
    poolable_rows: int
    feature_rows: int
    sources: int
    cells_with_counts: int
    """All (entity, marker) cells with at least one poolable count, whether they matter or not."""
    core_cells: int
    core_with_counts: int
    core_with_share: int
    core_with_other_rows: int
    core_by_default: int
    entities: tuple[EntityCoverage, ...]


def evidence_for(marker: str | None = None, entity: str | None = None) -> EvidenceTable:
    """Rows on a marker, an entity, or both together, with their sums and sources.

    Words are resolved as people write them (``CgA``, ``MCC``). Raises :class:`RefusedInput` for an unknown one.
    """
    knowledge = load_knowledge()
    marker_id, entity_id = _asked(marker, entity)
    wanted = sorted(
        (
            cell
            for cell in knowledge.evidence_by_cell
            if marker_id in (None, cell[1]) and entity_id in (None, cell[0])
        ),
        key=lambda cell: (
            (cell[1], -_tested(knowledge, *cell)) if entity_id is None else (-_tested(knowledge, *cell), cell[1])
        ),
    )
    cells = tuple(_cell(knowledge, *cell) for cell in wanted)
    features = () if marker_id else tuple(row for row in knowledge.features if row.entity == entity_id)
    keys = [row.source for cell in cells for row in cell.rows] + [row.source for row in features]
    return EvidenceTable(
        edition=knowledge.edition, cells=cells, features=features, references=knowledge.references_for(keys)
    )


def evidence_coverage() -> Coverage:
    """How many rows, sources and cells the knowledge base holds, and how many cells that matter a source fills."""
    knowledge, profiles = load_knowledge(), load_profiles()
    entities = []
    for entity_id, found in core_coverage(knowledge, profiles).items():
        core = [cell.marker for cell in knowledge.core_cells if cell.entity == entity_id]
        missing = (m for m in core if filling(knowledge, profiles, entity_id, m) in ("default", "nothing"))
        entities.append(
            EntityCoverage(
                entity=entity_id,
                name=knowledge.entities[entity_id].short_name,
                cells=len(core),
                counts=found["counts"],
                share=found["share"],
                other=found["other"],
                default=found["default"],
                nothing=found["nothing"],
                missing=tuple(missing),
            )
        )
    return Coverage(
        edition=knowledge.edition,
        evidence_rows=len(knowledge.evidence),
        poolable_rows=sum(row.poolable for row in knowledge.evidence),
        feature_rows=len(knowledge.features),
        sources=len(knowledge.references),
        cells_with_counts=sum(any(row.poolable for row in rows) for rows in knowledge.evidence_by_cell.values()),
        core_cells=sum(e.cells for e in entities),
        core_with_counts=sum(e.counts for e in entities),
        core_with_share=sum(e.share for e in entities),
        core_with_other_rows=sum(e.other for e in entities),
        core_by_default=sum(e.default for e in entities),
        entities=tuple(entities),
    )


def _asked(marker: str | None, entity: str | None) -> tuple[str | None, str | None]:
    """The ids meant; a single word may be either a marker or an entity."""
    marker_id = resolve_marker(marker) if marker else None
    entity_id = resolve_entity(entity) if entity else None
    if marker and marker_id is None and entity is None:
        entity_id = resolve_entity(marker)
        if entity_id:
            return None, entity_id
    if marker and marker_id is None:
        raise RefusedInput(
            "is neither a known marker nor a known entity" if entity is None else "is no known marker",
            source=f"'{marker}'",
            remedy="see `kulchitsky evidence --coverage` for entities, or write a common name such as CK20 or MCC",
        )
    if entity and entity_id is None:
        raise RefusedInput(
            "is no known entity", source=f"'{entity}'", remedy="see `kulchitsky evidence --coverage` for the list"
        )
    return marker_id, entity_id


def _cell(knowledge: KnowledgeBase, entity: str, marker: str) -> EvidenceCell:
    pooled = knowledge.poolable(entity, marker)
    n_positive, n_tested = _sum(row.n_positive for row in pooled), _sum(row.n_tested for row in pooled)
    low, high = wilson(n_positive, n_tested) if n_tested else (None, None)
    return EvidenceCell(
        entity=entity,
        entity_name=knowledge.entities[entity].short_name,
        marker=marker,
        marker_name=knowledge.markers[marker].name,
        filled_by=filling(knowledge, load_profiles(), entity, marker),
        n_positive=n_positive,
        n_tested=n_tested,
        percent=100 * n_positive / n_tested if n_tested else None,
        interval_95=(100 * float(low), 100 * float(high)) if low is not None and high is not None else None,
        studies=len({row.source for row in pooled}),
        rows=knowledge.evidence_by_cell[entity, marker],
    )


def _tested(knowledge: KnowledgeBase, entity: str, marker: str) -> float:
    return _sum(row.n_tested for row in knowledge.poolable(entity, marker))


def _sum(values: Iterable[float | None]) -> float:
    return float(sum(value or 0.0 for value in values))
