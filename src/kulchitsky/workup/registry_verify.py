"""Does the history of a registry still add up? Every record read, every revision checked against its chain."""

from __future__ import annotations

from dataclasses import dataclass

from kulchitsky.registry.store import Registry
from kulchitsky.workup.registry_person import registry_person


@dataclass(frozen=True, slots=True)
class Verified:
    """How many cases were read, and the keys of those whose history was altered outside this program."""

    cases: int
    broken: tuple[str, ...]
    registry: str


def registry_verify(*, registry: str | None = None) -> Verified:
    """Check every chain of revisions, of removed cases too; a record that cannot be read is refused."""
    with Registry.open(registry, who=registry_person("reader"), create=False) as store:
        broken = store.broken_histories()
        for _ in store.cases():
            pass
        return Verified(store.count(removed=True), tuple(broken), store.name)
