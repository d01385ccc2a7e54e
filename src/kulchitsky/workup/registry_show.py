"""Show one case of a registry: its record, its history, the work-ups kept beside it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from kulchitsky.case.yaml_file import write_case
from kulchitsky.registry.pseudonyms import KeyFile, default_key_file
from kulchitsky.registry.records import Change, StoredCase
from kulchitsky.registry.store import Registry
from kulchitsky.registry.verdicts import StoredVerdict, verdicts
from kulchitsky.workup.registry_find import find_stored
from kulchitsky.workup.registry_person import registry_person


@dataclass(frozen=True, slots=True)
class Shown:
    """A stored case with everything around it; ``own_id`` only where it was asked for and the key file knows it."""

    stored: StoredCase
    history: tuple[Change, ...]
    verdicts: tuple[StoredVerdict, ...]
    own_id: str | None


def registry_show(
    name: str,
    *,
    registry: str | None = None,
    revision: int | None = None,
    out: str | os.PathLike[str] | None = None,
    key_file: str | os.PathLike[str] | None = None,
    reveal: bool = False,
) -> Shown:
    """Return a case by key (or own id); ``out`` writes its record as YAML, to edit and give to ``registry edit``."""
    with Registry.open(registry, who=registry_person("reader"), create=False) as store:
        stored = find_stored(store, name, key_file=key_file, revision=revision)
        history = tuple(store.history(stored.key))
        kept = tuple(verdicts(store.engine, stored.key))
    if out is not None:
        write_case(stored.case, Path(out))
    own_id = None
    path = key_file if key_file is not None else default_key_file()
    if reveal and os.path.exists(path):
        own_id = KeyFile(path).own_id(stored.key)
    return Shown(stored, history, kept, own_id)
