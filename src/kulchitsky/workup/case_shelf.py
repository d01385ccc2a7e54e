"""The cases of a workbench: a registry seen by one reader at a time."""

from __future__ import annotations

import datetime as dt
import os

from kulchitsky.case.base import Record
from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.case.record import Case
from kulchitsky.registry.opening import connect
from kulchitsky.registry.records import StoredCase
from kulchitsky.registry.store import Registry
from kulchitsky.workup.not_there import NotThere


class CaseLine(Record):
    """One case of the list."""

    id: str
    status: str
    revision: int
    age_years: float | None
    sex: str | None
    setting: str | None
    diagnosis: str | None
    ki67_percent: float | None
    updated_at: dt.datetime


class KeptCase(Record):
    """A case as it stands; ``revision`` must be named by the change that follows."""

    case: Case
    status: str
    revision: int
    updated_at: dt.datetime


class FieldMoved(Record):
    """One field of a change, from its value to its value, as JSON text."""

    path: str
    before: str
    after: str


class CaseChange(Record):
    """One entry of a case's history."""

    number: int
    at: dt.datetime
    who: str
    action: str
    note: str
    fields: tuple[FieldMoved, ...]


class CaseShelf:
    """Cases in a registry; every change names who made it. Safe to use from several threads."""

    def __init__(self, location: str | os.PathLike[str]) -> None:
        """Open (or create) the registry at a path or database URL. Raises ``RefusedRegistry``."""
        self._engine = connect(location)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def lines(self, words: str = "", *, limit: int = 500) -> tuple[CaseLine, ...]:
        """The list by id; ``words`` must each occur in the id, diagnosis, setting or sex."""
        wanted = words.lower().split()
        rows = self._as("reader").rows(limit=None if wanted else limit)
        lines = [
            CaseLine(
                id=r.key,
                status=r.status,
                revision=r.revision,
                age_years=r.age_years,
                sex=r.sex,
                setting=r.setting,
                diagnosis=r.diagnosis,
                ki67_percent=r.ki67_percent,
                updated_at=r.updated_at,
            )
            for r in rows
        ]
        return tuple(line for line in lines if _matches(line, wanted))[:limit]

    def total(self) -> int:
        """How many cases there are."""
        return self._as("reader").count()

    def get(self, case_id: str) -> KeptCase:
        """A case as it stands; ``NotThere`` if there is none of that id."""
        try:
            return _kept(self._as("reader").get(case_id))
        except RefusedRegistry as error:
            if error.problem.startswith("no case"):
                raise NotThere(case_id) from error
            raise

    def has(self, case_id: str) -> bool:
        """Whether the id is taken."""
        try:
            self.get(case_id)
        except NotThere:
            return False
        return True

    def add(self, case: Case, who: str, *, note: str = "") -> KeptCase:
        """Add a case; an id that is taken is refused."""
        return _kept(self._as(who).add(case, note=note))

    def edit(self, case: Case, who: str, *, revision: int, note: str = "") -> KeptCase:
        """Put a new state of a case; refused when somebody else changed it since ``revision``."""
        return _kept(self._as(who).edit(case, revision=revision, note=note))

    def sign_off(self, case_id: str, who: str, *, revision: int) -> KeptCase:
        """Sign a case: it can only be amended from now on."""
        return _kept(self._as(who).sign_off(case_id, revision=revision))

    def history(self, case_id: str) -> tuple[CaseChange, ...]:
        """Every change of a case, newest first; ``NotThere`` if there is none of that id."""
        self.get(case_id)
        return tuple(
            CaseChange(
                number=c.number,
                at=c.at,
                who=c.who,
                action=c.action,
                note=c.note,
                fields=tuple(FieldMoved(path=f.path, before=str(f.before), after=str(f.after)) for f in c.changes),
            )
            for c in reversed(self._as("reader").history(case_id))
        )

    def _as(self, who: str) -> Registry:
        return Registry(self._engine, who=who)


def _kept(stored: StoredCase) -> KeptCase:
    return KeptCase(case=stored.case, status=stored.status, revision=stored.revision, updated_at=stored.updated_at)


def _matches(line: CaseLine, words: list[str]) -> bool:
    text = " ".join(str(v) for v in (line.id, line.diagnosis, line.setting, line.sex, line.status) if v).lower()
    return all(word in text or word in text.replace("_", " ") for word in words)
