"""How much of what a differential asks is answered by a source that was read, and how much by a marked default."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.knowledge.profiles import ProfileSet
from kulchitsky.knowledge.schema import EvidenceRow

Filling = Literal["counts", "share", "other", "default", "nothing"]


def filling(knowledge: KnowledgeBase, profiles: ProfileSet, entity: str, marker: str) -> Filling:
    """What stands behind a cell: counts, a share without a count, other rows that were read, a default, or nothing.

    ``other`` are rows that are never added up: selected series, single cases, mixed sites.
    """
    if _counted(knowledge.poolable(entity, marker)):
        return "counts"
    if knowledge.shares(entity, marker):
        return "share"
    if knowledge.evidence_by_cell.get((entity, marker)):
        return "other"
    if any(marker in p.rates for p in profiles.profiles if p.entity == entity):
        return "default"
    return "nothing"


def core_coverage(knowledge: KnowledgeBase, profiles: ProfileSet) -> dict[str, Counter[Filling]]:
    """For every entity, its cells that matter (``core_cells.csv``) by what fills them."""
    found: dict[str, Counter[Filling]] = {entity.id: Counter() for entity in knowledge.differential}
    for cell in knowledge.core_cells:
        found[cell.entity][filling(knowledge, profiles, cell.entity, cell.marker)] += 1
    return found


def _counted(rows: tuple[EvidenceRow, ...]) -> bool:
    return any(row.n_tested for row in rows)
