"""The knowledge base, loaded once: entities, markers, evidence, features, references, and their indices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from types import MappingProxyType
from typing import TypeVar

from kulchitsky.case.verdict import Reference
from kulchitsky.knowledge import schema, tables

T = TypeVar("T", schema.Entity, schema.Marker)


@dataclass(frozen=True)
class KnowledgeBase:
    """Everything the data files say, read-only; build it with :func:`load_knowledge`."""

    edition: str
    entities: Mapping[str, schema.Entity]
    markers: Mapping[str, schema.Marker]
    evidence: tuple[schema.EvidenceRow, ...]
    features: tuple[schema.FeatureRow, ...]
    core_cells: tuple[schema.CoreCell, ...]
    references: Mapping[str, Reference]

    @cached_property
    def differential(self) -> tuple[schema.Entity, ...]:
        """The entities that take part in a differential, in file order."""
        return tuple(e for e in self.entities.values() if e.in_differential)

    @cached_property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Marker ids by group: the sets whose members are correlated."""
        found: dict[str, list[str]] = {}
        for marker in self.markers.values():
            found.setdefault(marker.group, []).append(marker.id)
        return MappingProxyType({group: tuple(ids) for group, ids in found.items()})

    @cached_property
    def evidence_by_cell(self) -> Mapping[tuple[str, str], tuple[schema.EvidenceRow, ...]]:
        """All evidence rows of an (entity, marker) cell, poolable or not."""
        found: dict[tuple[str, str], list[schema.EvidenceRow]] = {}
        for row in self.evidence:
            found.setdefault((row.entity, row.marker), []).append(row)
        return MappingProxyType({cell: tuple(rows) for cell, rows in found.items()})

    @cached_property
    def features_by_cell(self) -> Mapping[tuple[str, str], tuple[schema.FeatureRow, ...]]:
        """All feature rows of an (entity, feature) cell."""
        found: dict[tuple[str, str], list[schema.FeatureRow]] = {}
        for row in self.features:
            found.setdefault((row.entity, row.feature), []).append(row)
        return MappingProxyType({cell: tuple(rows) for cell, rows in found.items()})

    def poolable(self, entity: str, marker: str, *, component: str = "") -> tuple[schema.EvidenceRow, ...]:
        """Counted rows that may be added up into the rate of a cell, or of one component of its entity.

        For the whole entity, parts count where their source has no row for the whole. For a component, its own rows
        count, also those that are part of another row.
        """
        rows = self.evidence_by_cell.get((entity, marker), ())
        if not component:
            return tuple(row for row in rows if row.poolable)
        return tuple(
            r for r in rows if r.component == component and (r.poolable or r.why_not == schema.PART_OF_WHOLE)
        )

    def shares(self, entity: str, marker: str) -> tuple[schema.EvidenceRow, ...]:
        """Rows with a published share but no count: too weak to pool, better than nothing where no count exists."""
        rows = self.evidence_by_cell.get((entity, marker), ())
        return tuple(row for row in rows if row.why_not == schema.NO_COUNT)

    def references_for(self, keys: Iterable[str]) -> tuple[Reference, ...]:
        """References of the keys given, in order, without repeats."""
        return tuple(self.references[key] for key in dict.fromkeys(keys) if key in self.references)


@cache
def load_knowledge() -> KnowledgeBase:
    """Read and check the shape of every data file; the same object on every call.

    Raises :class:`kulchitsky.case.errors.BrokenKnowledge` when a row does not fit its schema.
    """
    return KnowledgeBase(
        edition=str(tables.read_yaml("edition.yaml")["edition"]),
        entities=_by_id(tables.records_from_yaml("entities.yaml", "entities", schema.Entity)),
        markers=_by_id(tables.records_from_yaml("markers.yaml", "markers", schema.Marker)),
        evidence=tables.records_from_csv("evidence.csv", schema.EvidenceRow),
        features=tables.records_from_csv("features.csv", schema.FeatureRow),
        core_cells=tables.records_from_csv("core_cells.csv", schema.CoreCell),
        references=MappingProxyType({r.key: r for r in _references()}),
    )


def _by_id(records: Iterable[T]) -> Mapping[str, T]:
    return MappingProxyType({record.id: record for record in records})


def _references() -> Iterable[Reference]:
    """The reference list is CSL-JSON; ``note`` holds how the source was read."""
    for item in tables.read_json("references.json"):
        parts = item.get("issued", {}).get("date-parts", [[None]])
        yield Reference(
            key=item["id"],
            title=item.get("title", ""),
            authors="; ".join(_author(a) for a in item.get("author", ())),
            year=parts[0][0],
            journal=item.get("container-title", ""),
            doi=item.get("DOI", ""),
            url=item.get("URL", ""),
            read=item.get("note", ""),
        )


def _author(author: Mapping[str, str]) -> str:
    return author.get("literal") or f"{author.get('family', '')} {author.get('given', '')}".strip()
