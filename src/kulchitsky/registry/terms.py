"""The dictionary of terms: each finding and vocabulary value has a number, given once, in order of first use."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from kulchitsky.registry.tables import Term


class Terms:
    """The numbers of one registry, read once; new terms get theirs at once and are written at :meth:`flush`.

    On PostgreSQL two writers may want the same new number: a table lock, taken before the first new term is given
    one, makes the second wait and read again.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._numbers: dict[tuple[str, str], int] = {}
        self._new: list[dict[str, Any]] = []
        self._locked = connection.dialect.name == "sqlite"  # there the writer holds the only write lock already
        self._read()

    def _read(self) -> None:
        rows = self._connection.execute(sa.select(Term.kind, Term.name, Term.id)).all()
        self._numbers.update({(kind, name): number for kind, name, number in rows})

    def number(self, kind: str, name: str) -> int:
        """Return the number of a term, giving it the next free one where it has none (numbers start at 1)."""
        found = self._numbers.get((kind, name))
        if found is not None:
            return found
        if not self._locked:
            self._connection.execute(sa.text("LOCK TABLE term IN EXCLUSIVE MODE"))
            self._locked = True
            self._read()
            return self.number(kind, name)
        made = max(self._numbers.values(), default=0) + 1
        self._numbers[kind, name] = made
        self._new.append({"id": made, "kind": kind, "name": name})
        return made

    def flush(self) -> None:
        """Write the new terms, inside the caller's transaction."""
        if self._new:
            insert = sqlite.insert if self._connection.dialect.name == "sqlite" else postgresql.insert
            self._connection.execute(insert(Term), self._new)
            self._new = []

    @property
    def bits(self) -> dict[str, int]:
        """Findings and their bit positions."""
        return {name: number for (kind, name), number in self._numbers.items() if kind == "bit"}

    @property
    def values(self) -> dict[int, str]:
        """Nominal terms by number, each as ``field=value``."""
        return {number: name for (kind, name), number in self._numbers.items() if kind == "value"}
