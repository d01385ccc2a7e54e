"""What a cohort of a registry consists of: the first table of a paper."""

from __future__ import annotations

from collections.abc import Sequence

from kulchitsky.registry.cohort import DEFAULT_FIELDS, CohortTable, cohort_table
from kulchitsky.registry.selection import parse_condition, select
from kulchitsky.registry.store import Registry
from kulchitsky.workup.registry_person import registry_person


def registry_cohort(
    fields: Sequence[str] = (),
    *,
    registry: str | None = None,
    by: str | None = None,
    cuts: Sequence[float] = (),
    where: Sequence[str] = (),
    collection: str | None = None,
) -> CohortTable:
    """Return the table of ``fields`` (a usual set unless named) for the chosen cases, in columns ``by`` a field."""
    with Registry.open(registry, who=registry_person("reader"), create=False) as store:
        packed = store.packed(collection=collection)
    mask = select(packed, [parse_condition(text) for text in where])
    return cohort_table(packed, tuple(fields) or DEFAULT_FIELDS, by=by, cuts=cuts, mask=mask)
