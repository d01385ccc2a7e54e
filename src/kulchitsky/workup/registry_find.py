"""From what a person types to a stored case: its key, or its own id where the key file knows the pseudonym."""

from __future__ import annotations

import os

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.registry.pseudonyms import KeyFile, default_key_file
from kulchitsky.registry.records import StoredCase
from kulchitsky.registry.store import Registry


def find_stored(
    store: Registry, name: str, *, key_file: str | os.PathLike[str] | None = None, revision: int | None = None
) -> StoredCase:
    """Return the case stored under ``name`` or under the pseudonym of ``name``."""
    try:
        return store.get(name, revision=revision)
    except RefusedRegistry as refused:
        path = key_file if key_file is not None else default_key_file()
        if "no case" not in refused.problem or not os.path.exists(path):
            raise
        pseudonym = KeyFile(path).pseudonym(name)
        if store.row_ids([pseudonym]):
            return store.get(pseudonym, revision=revision)
        raise
