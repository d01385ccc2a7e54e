"""Add cases to a registry, under pseudonyms unless told otherwise; work-ups are kept beside their case."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import WorkedUpCase
from kulchitsky.registry.pseudonyms import KeyFile
from kulchitsky.registry.records import Action
from kulchitsky.registry.store import Registry
from kulchitsky.registry.verdicts import attach
from kulchitsky.workup.read_case import read_case
from kulchitsky.workup.registry_person import registry_person

Tell = Callable[[str, int, int], None]
_TOLD_EVERY = 1000


@dataclass(frozen=True, slots=True)
class Added:
    """One case that went in: the id of its file, the key it has in the registry, whether a work-up came with it."""

    own_id: str
    key: str
    with_verdict: bool


def registry_add(
    paths: Sequence[str | os.PathLike[str]],
    *,
    registry: str | None = None,
    who: str | None = None,
    collection: str = "local",
    key_file: str | os.PathLike[str] | None = None,
    keep_id: bool = False,
) -> list[Added]:
    """Add case files, or the JSON of work-ups, to a registry: all of them or none.

    Ids become pseudonyms that only the key file can turn back; ``keep_id`` stores them as they are.
    """
    read = [_read(Path(path)) for path in paths]
    cases = [item.case if isinstance(item, WorkedUpCase) else item for item in read]
    stored = under_pseudonyms(cases, key_file=key_file, keep_id=keep_id)
    with Registry.open(registry, who=registry_person(who)) as store:
        add_all(store, stored, collection=collection, action="add")
        for item, case in zip(read, stored, strict=True):
            if isinstance(item, WorkedUpCase):
                attach(store.writer, item.model_copy(update={"case": case}), who=store.who, source=store.name)
    return [
        Added(case.id, kept.id, isinstance(item, WorkedUpCase))
        for item, case, kept in zip(read, cases, stored, strict=True)
    ]


def under_pseudonyms(cases: Sequence[Case], *, key_file: str | os.PathLike[str] | None, keep_id: bool) -> list[Case]:
    """Return cases with pseudonyms for ids, written into the key file first; or as they are."""
    if keep_id:
        return list(cases)
    names = KeyFile(key_file).record(case.id for case in cases)
    return [case.model_copy(update={"id": name}) for case, name in zip(cases, names, strict=True)]


def add_all(
    store: Registry,
    cases: Sequence[Case],
    *,
    collection: str,
    action: Action,
    note: str = "",
    tell: Tell | None = None,
) -> None:
    """Add cases in one transaction; ``tell`` hears how far it is, a thousand cases at a time."""
    store.add_many(_told(cases, tell), collection=collection, action=action, note=note)


def _told(cases: Sequence[Case], tell: Tell | None) -> Iterator[Case]:
    for done, case in enumerate(cases):
        if tell is not None and done % _TOLD_EVERY == 0:
            tell("storing cases", done, len(cases))
        yield case


def _read(path: Path) -> Case | WorkedUpCase:
    if path.suffix.lower() == ".json":
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValueError):
            return read_case(path)  # which says in one sentence what is wrong
        if isinstance(content, dict) and {"case", "differential", "versions"} <= content.keys():
            try:
                return WorkedUpCase.model_validate_json(path.read_text(encoding="utf-8"))
            except ValidationError as error:
                first = error.errors()[0]
                raise RefusedCase(
                    f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}",
                    source=str(path),
                    remedy="work the case up again with this version",
                ) from None
    return read_case(path)
