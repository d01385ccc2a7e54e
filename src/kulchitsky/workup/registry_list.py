"""List the cases of a registry, narrowed by what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kulchitsky.registry.records import Row
from kulchitsky.registry.selection import parse_condition, select
from kulchitsky.registry.store import Registry
from kulchitsky.workup.registry_person import registry_person


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list, how many cases the conditions leave, and the collections with their sizes."""

    rows: tuple[Row, ...]
    total: int
    collections: dict[str, int]
    registry: str


def registry_list(
    *,
    registry: str | None = None,
    where: Sequence[str] = (),
    collection: str | None = None,
    removed: bool = False,
    limit: int | None = 50,
    offset: int = 0,
) -> Listing:
    """Return cases by key; ``where`` are conditions such as ``marker.ck20=present`` or ``ki67_percent>=20``."""
    with Registry.open(registry, who=registry_person("reader"), create=False) as store:
        if where:
            packed = store.packed(collection=collection)
            ids = packed.ids[select(packed, [parse_condition(text) for text in where])].tolist()
            rows = store.rows(ids=ids, collection=collection, limit=limit, offset=offset)
            total = len(ids)
        else:
            rows = store.rows(collection=collection, removed=removed, limit=limit, offset=offset)
            total = store.count(collection=collection, removed=removed)
        return Listing(tuple(rows), total, store.collections(), store.name)
