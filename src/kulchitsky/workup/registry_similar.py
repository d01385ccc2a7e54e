"""The cases of a registry that are most like one: a stored case, or a case file that is not in the registry."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kulchitsky.registry.records import Row
from kulchitsky.registry.selection import parse_condition, select
from kulchitsky.registry.similar import Term, nearest
from kulchitsky.registry.store import Registry
from kulchitsky.workup.read_case import read_case
from kulchitsky.workup.registry_find import find_stored
from kulchitsky.workup.registry_person import registry_person


@dataclass(frozen=True, slots=True)
class Similar:
    """One neighbour: its line of the list, its distance (0 to 1), how much of the asked case it knows, the terms."""

    row: Row
    distance: float
    known: float
    terms: tuple[Term, ...]


def registry_similar(
    asked: str | os.PathLike[str],
    *,
    registry: str | None = None,
    k: int = 5,
    where: Sequence[str] = (),
    collection: str | None = None,
    weights: Mapping[str, float] | None = None,
    key_file: str | os.PathLike[str] | None = None,
) -> list[Similar]:
    """Return the ``k`` nearest cases, nearest first, each with what matched, what differed and what is unknown.

    ``asked`` is a case file, or the key (or own id) of a stored case, which is then left out of the answer.
    """
    with Registry.open(registry, who=registry_person("reader")) as store:
        path = Path(asked)
        case = read_case(path) if path.is_file() else find_stored(store, str(asked), key_file=key_file).case
        packed = store.packed(collection=collection)
        itself = [] if path.is_file() else store.row_ids([case.id])
        left_out = list(itself)
        if where:
            mask = select(packed, [parse_condition(text) for text in where])
            left_out += packed.ids[~mask].tolist()
        found = nearest(case, packed, k=k, weights=weights, leave_out=left_out)
        rows = store.rows_by_id([n.row_id for n in found])
    return [Similar(rows[n.row_id], n.distance, n.known, n.terms) for n in found]
