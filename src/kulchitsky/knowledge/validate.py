"""Checks on the data itself, beyond the shape of a row: what a careful reader would object to.

``problems`` returns sentences, empty when the base is sound; the test run holds it empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kulchitsky.case.verdict import Reference
from kulchitsky.knowledge.aliases import folded
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.knowledge.schema import NO_COUNT, Counts, EvidenceRow, FeatureRow

_SHARE_TOLERANCE = 1.0
"""Percentage points by which a printed share may differ from its count: sources round, some to whole numbers."""


def problems(knowledge: KnowledgeBase) -> list[str]:
    """Everything wrong with the knowledge base, one sentence each."""
    return [
        *_id_problems(knowledge),
        *(p for row in knowledge.evidence for p in _evidence_problems(row, knowledge)),
        *(p for row in knowledge.features for p in _feature_problems(row, knowledge)),
        *_repeats(knowledge),
        *_parts_beside_wholes(knowledge),
        *_source_problems(knowledge),
        *_alias_problems(knowledge),
        *_core_problems(knowledge),
    ]


def _id_problems(knowledge: KnowledgeBase) -> Iterator[str]:
    counted = Counter([row.id for row in knowledge.evidence] + [row.id for row in knowledge.features])
    yield from (f"row id {row_id} is used {n} times" for row_id, n in counted.items() if n > 1)
    for entity in knowledge.differential:
        if not entity.icdo3_morphology:
            yield f"entity {entity.id} has no ICD-O-3 code"
    for marker in knowledge.markers.values():
        yield from (
            f"marker {marker.id} stands for the unknown {m}" for m in marker.members if m not in knowledge.markers
        )


def _evidence_problems(row: EvidenceRow, knowledge: KnowledgeBase) -> Iterator[str]:
    place = f"evidence {row.id} ({row.entity}, {row.marker})"
    entity, marker = knowledge.entities.get(row.entity), knowledge.markers.get(row.marker)
    if entity is None or marker is None:
        yield f"{place}: unknown entity or marker"
        return
    if row.component and row.component not in {c.id for c in entity.components}:
        yield f"{place}: {row.component} is no component of the entity"
    yield from _proportion_problems(place, row.n_positive, row.n_tested, row.percent)
    yield from _poolable_problems(place, row.poolable, row.why_not, row.n_tested)
    if row.counts is Counts.PATTERN and (row.pattern is None or row.poolable):
        yield f"{place}: a pattern row names its pattern and isn't pooled with overall staining"
    if row.counts not in (marker.counts, Counts.PATTERN):
        yield f"{place}: counts {row.counts.value}, but the marker's rows count {marker.counts.value}"
    if row.n_positive is None and row.percent is None:
        yield f"{place}: no figure"


def _feature_problems(row: FeatureRow, knowledge: KnowledgeBase) -> Iterator[str]:
    place = f"feature {row.id} ({row.entity}, {row.feature})"
    entity = knowledge.entities.get(row.entity)
    if entity is None:
        yield f"{place}: unknown entity"
        return
    if row.component and row.component not in {c.id for c in entity.components}:
        yield f"{place}: {row.component} is no component of the entity"
    yield from _proportion_problems(place, row.n_with if row.n_total else None, row.n_total, row.percent)
    if not row.poolable and not row.why_not:
        yield f"{place}: not poolable without a reason"
    if row.poolable and row.why_not:
        yield f"{place}: poolable, yet says why not"
    if row.low is not None and row.high is not None and row.low > row.high:
        yield f"{place}: low {row.low:g} exceeds high {row.high:g}"
    figures = (row.n_with, row.n_total, row.percent, row.mean, row.median, row.low, row.high)
    if all(figure is None for figure in figures):
        yield f"{place}: no figure"


def _proportion_problems(
    place: str, n_positive: float | None, n_tested: float | None, percent: float | None
) -> Iterator[str]:
    if n_positive is None or n_tested is None:
        return
    if n_positive > n_tested:
        yield f"{place}: {n_positive:g} of {n_tested:g}"
    elif percent is not None and abs(100 * n_positive / n_tested - percent) > _SHARE_TOLERANCE + 0.5:
        yield f"{place}: {n_positive:g} of {n_tested:g} isn't {percent:g} %"


def _poolable_problems(place: str, poolable: bool, why_not: str, n_tested: float | None) -> Iterator[str]:
    if poolable and why_not:
        yield f"{place}: poolable, yet says why not"
    if poolable and n_tested is None:
        yield f"{place}: poolable without a denominator"
    if not poolable and not why_not:
        yield f"{place}: not poolable without a reason"
    if why_not == NO_COUNT and n_tested is not None:
        yield f"{place}: called a share without a count, yet has one"


def _repeats(knowledge: KnowledgeBase) -> Iterator[str]:
    """The same figure of the same source twice, poolable both times, would count patients twice."""
    seen: dict[tuple[object, ...], str] = {}
    for row in knowledge.evidence:
        if row.poolable:
            key = (row.entity, row.marker, row.source, row.component, row.subset, row.n_positive, row.n_tested)
            if key in seen:
                yield f"evidence {row.id} repeats {seen[key]}"
            seen[key] = row.id


def _parts_beside_wholes(knowledge: KnowledgeBase) -> Iterator[str]:
    """Parts of a study that add up to a whole it also states: pooled side by side they'd count patients twice."""
    wholes: dict[tuple[str, str, str], list[EvidenceRow]] = {}
    parts: dict[tuple[str, str, str], list[EvidenceRow]] = {}
    for row in knowledge.evidence:
        if row.poolable:
            (parts if row.component else wholes).setdefault((row.entity, row.marker, row.source), []).append(row)
    for key in wholes.keys() & parts.keys():
        tested = sum(row.n_tested or 0 for row in parts[key])
        yield from (
            f"evidence {whole.id} is the sum of {[row.id for row in parts[key]]}, all of them poolable"
            for whole in wholes[key]
            if whole.n_tested == tested
        )


def _source_problems(knowledge: KnowledgeBase) -> Iterator[str]:
    used = {row.source for row in knowledge.evidence} | {row.source for row in knowledge.features}
    yield from (f"source {key} is cited but not listed" for key in sorted(used - set(knowledge.references)))
    yield from (f"source {key}: {what}" for key, r in knowledge.references.items() for what in _unreachable(r))
    owners: dict[str, list[str]] = {}
    for key, reference in knowledge.references.items():
        if reference.doi:
            owners.setdefault(reference.doi.lower(), []).append(key)
    yield from (f"{doi} is listed as {keys}" for doi, keys in owners.items() if len(keys) > 1)


def _unreachable(reference: Reference) -> Iterator[str]:
    if not reference.url.startswith(("https://", "http://")):
        yield "no address"
    if not reference.title:
        yield "no title"
    if reference.doi and not reference.doi.startswith("10."):
        yield f"'{reference.doi}' is no DOI"


def _alias_problems(knowledge: KnowledgeBase) -> Iterator[str]:
    owners: dict[str, set[str]] = {}
    for marker in knowledge.markers.values():
        for word in (marker.id, marker.name, *marker.aliases):
            owners.setdefault(folded(word), set()).add(marker.id)
    yield from (f"'{word}' means {sorted(ids)}" for word, ids in owners.items() if len(ids) > 1)


def _core_problems(knowledge: KnowledgeBase) -> Iterator[str]:
    for cell in knowledge.core_cells:
        if cell.entity not in knowledge.entities or cell.marker not in knowledge.markers:
            yield f"core cell ({cell.entity}, {cell.marker}): unknown entity or marker"
