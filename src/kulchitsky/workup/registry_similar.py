"""The cases of a registry that are most like one: a stored case, or a case file that is not in the registry."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kulchitsky.case.fields import Value, fields_of
from kulchitsky.case.record import Case
from kulchitsky.registry.packing import pack_cases
from kulchitsky.registry.selection import parse_condition, select
from kulchitsky.registry.similar import Term, nearest
from kulchitsky.registry.store import Registry
from kulchitsky.workup.read_case import read_case
from kulchitsky.workup.registry_find import find_stored
from kulchitsky.workup.registry_person import registry_person
from kulchitsky.workup.registry_series import series_cases


@dataclass(frozen=True, slots=True)
class Similar:
    """One neighbour: its key and flat fields, its distance (0 to 1), how much of the asked case it knows, the terms.

    ``source`` says what else is known of a published case and where it was read, empty for a case of the registry.
    """

    key: str
    fields: dict[str, Value]
    distance: float
    known: float
    terms: tuple[Term, ...]
    source: str


def registry_similar(
    asked: str | os.PathLike[str],
    *,
    registry: str | None = None,
    series: str | None = None,
    k: int = 5,
    where: Sequence[str] = (),
    collection: str | None = None,
    weights: Mapping[str, float] | None = None,
    key_file: str | os.PathLike[str] | None = None,
) -> list[Similar]:
    """Return the ``k`` nearest cases, nearest first, each with what matched, what differed and what is unknown.

    ``asked`` is a case file, or the key (or own id) of a stored case, which is then left out of the answer.
    ``series`` asks a shipped series of published cases instead; with a case file that needs no registry.
    """
    path = Path(asked)
    if series is not None and path.is_file():
        return _in_series(series, read_case(path), k, where, weights)
    with Registry.open(registry, who=registry_person("reader"), create=False) as store:
        case = read_case(path) if path.is_file() else find_stored(store, str(asked), key_file=key_file).case
        if series is not None:
            return _in_series(series, case, k, where, weights)
        packed = store.packed(collection=collection)
        left_out = [] if path.is_file() else store.row_ids([case.id])
        if where:
            mask = select(packed, [parse_condition(text) for text in where])
            left_out += packed.ids[~mask].tolist()
        found = nearest(case, packed, k=k, weights=weights, leave_out=left_out)
        keys = {row_id: row.key for row_id, row in store.rows_by_id([n.row_id for n in found]).items()}
        views = {s.key: fields_of(s.case) for s in store.cases(ids=list(keys))}
    return [Similar(keys[n.row_id], views[keys[n.row_id]], n.distance, n.known, n.terms, "") for n in found]


def _in_series(
    series: str, case: Case, k: int, where: Sequence[str], weights: Mapping[str, float] | None
) -> list[Similar]:
    published = series_cases(series)
    packed = pack_cases(published)
    mask = select(packed, [parse_condition(text) for text in where])
    found = nearest(case, packed, k=k, weights=weights, leave_out=packed.ids[~mask].tolist())
    rows = [(n, published[n.row_id]) for n in found]
    return [Similar(c.id, fields_of(c), n.distance, n.known, n.terms, c.notes) for n, c in rows]
