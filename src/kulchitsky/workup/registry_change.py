"""Change a stored case: edit, remove, restore, sign, amend. Every change is kept; nothing is overwritten."""

from __future__ import annotations

import os

from kulchitsky.case.record import Case
from kulchitsky.registry.records import StoredCase
from kulchitsky.registry.store import Registry
from kulchitsky.workup.read_case import read_case
from kulchitsky.workup.registry_find import find_stored
from kulchitsky.workup.registry_person import registry_person


def registry_edit(
    name: str,
    path: str | os.PathLike[str],
    *,
    revision: int,
    registry: str | None = None,
    who: str | None = None,
    note: str = "",
    key_file: str | os.PathLike[str] | None = None,
) -> StoredCase:
    """Replace a draft's record by that of a case file; ``revision`` is the one the file was made from."""
    with Registry.open(registry, who=registry_person(who), create=False) as store:
        stored = find_stored(store, name, key_file=key_file)
        return store.edit(_under_key(read_case(path), stored), revision=revision, note=note)


def registry_amend(
    name: str,
    text: str,
    *,
    path: str | os.PathLike[str] | None = None,
    registry: str | None = None,
    who: str | None = None,
    key_file: str | os.PathLike[str] | None = None,
) -> StoredCase:
    """Add an addendum to a signed case: words, and a case file where facts changed."""
    with Registry.open(registry, who=registry_person(who), create=False) as store:
        stored = find_stored(store, name, key_file=key_file)
        case = None if path is None else _under_key(read_case(path), stored)
        return store.amend(stored.key, revision=stored.revision, text=text, case=case)


def registry_remove(
    name: str,
    *,
    note: str,
    registry: str | None = None,
    who: str | None = None,
    key_file: str | os.PathLike[str] | None = None,
) -> StoredCase:
    """Take a case out of lists and analyses; record and history stay."""
    with Registry.open(registry, who=registry_person(who), create=False) as store:
        stored = find_stored(store, name, key_file=key_file)
        return store.remove(stored.key, revision=stored.revision, note=note)


def registry_restore(
    name: str,
    *,
    note: str = "",
    registry: str | None = None,
    who: str | None = None,
    key_file: str | os.PathLike[str] | None = None,
) -> StoredCase:
    """Put a removed case back."""
    with Registry.open(registry, who=registry_person(who), create=False) as store:
        stored = find_stored(store, name, key_file=key_file)
        return store.restore(stored.key, revision=stored.revision, note=note)


def registry_sign(
    name: str,
    *,
    note: str = "",
    registry: str | None = None,
    who: str | None = None,
    key_file: str | os.PathLike[str] | None = None,
) -> StoredCase:
    """Sign a case off: from now on it can only be amended."""
    with Registry.open(registry, who=registry_person(who), create=False) as store:
        stored = find_stored(store, name, key_file=key_file)
        return store.sign_off(stored.key, revision=stored.revision, note=note)


def _under_key(case: Case, stored: StoredCase) -> Case:
    # the file may carry the case's own id: in the registry it keeps the key that it has
    return case.model_copy(update={"id": stored.key})
