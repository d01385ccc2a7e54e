"""The registry: add, read, change and sign cases; every change is a new revision, nothing is overwritten."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.case.fields import Value, fields_of
from kulchitsky.case.record import Case
from kulchitsky.registry.bulk import insert_cases, insert_revisions, read_packed
from kulchitsky.registry.difference import FieldChange, differences
from kulchitsky.registry.opening import connect, safe_name
from kulchitsky.registry.packing import LAYOUT, PackedCases, pack
from kulchitsky.registry.records import (
    Action,
    Change,
    Row,
    StoredCase,
    body_of,
    case_of,
    changes_json,
    checked_collection,
    checked_words,
    digest,
    next_status,
    stored,
)
from kulchitsky.registry.tables import Revision, StudyCase
from kulchitsky.registry.terms import Terms
from kulchitsky.registry.verdicts import latest_conclusion

_BATCH = 1000


class Registry:
    """A store of cases; use it in a ``with`` block, or call :meth:`close`.

    ``who`` names the person behind every change. A change names the revision it was made from; when the case has
    moved on since, it is refused and nothing is written (optimistic concurrency).
    """

    def __init__(self, engine: Engine, *, who: str) -> None:
        if not who.strip():
            raise RefusedRegistry("a change needs a name behind it", source="registry", remedy="say who with --who")
        self._engine = engine
        self._writer = engine.execution_options(write=True)
        self.name = safe_name(engine.url)
        self.who = checked_words(who.strip()[:120], "name", self.name)

    @classmethod
    def open(cls, location: str | os.PathLike[str] | None = None, *, who: str, create: bool = True) -> Registry:
        """Open (or, unless ``create`` is false, make) the registry at a path or URL; its schema is brought up."""
        return cls(connect(location, create=create), who=who)

    def __enter__(self) -> Registry:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @property
    def engine(self) -> Engine:
        """The database engine, for reading."""
        return self._engine

    @property
    def writer(self) -> Engine:
        """The same engine whose transactions take the write lock when they begin."""
        return self._writer

    # --- adding -----------------------------------------------------------------------------------------------------

    def add(self, case: Case, *, collection: str = "local", action: Action = "add", note: str = "") -> StoredCase:
        """Add one case under its own id; an id that is taken is refused."""
        self.add_many([case], collection=collection, action=action, note=note)
        return self.get(case.id)

    def add_many(
        self, cases: Iterable[Case], *, collection: str = "local", action: Action = "add", note: str = ""
    ) -> int:
        """Add cases in one transaction: all of them or, when one id is taken, none. Returns how many."""
        checked_collection(collection, self.name)
        checked_words(note, "note", self.name)
        count = 0
        stream = iter(cases)
        batch: list[Case] = []
        try:
            with self._writer.begin() as connection:
                terms = Terms(connection)
                while batch := list(islice(stream, _BATCH)):
                    self._insert(connection, terms, batch, collection, action, note)
                    count += len(batch)
        except IntegrityError:
            raise self._taken(batch) from None
        return count

    def _insert(
        self, connection: Connection, terms: Terms, batch: Sequence[Case], collection: str, action: Action, note: str
    ) -> None:
        now = dt.datetime.now(dt.UTC)
        views = [fields_of(case) for case in batch]
        packed = [pack(case, terms.number, fields=view) for case, view in zip(batch, views, strict=True)]
        terms.flush()
        rows = [
            {
                "key": case.id,
                "collection": collection,
                "status": "draft",
                "revision": 1,
                "added_at": now,
                "updated_at": now,
                **_projection(view),
                "layout": LAYOUT,
                "features": features,
            }
            for case, view, features in zip(batch, views, packed, strict=True)
        ]
        ids = insert_cases(connection, rows)
        revisions = []
        for case in batch:
            body = body_of(case)
            revisions.append(
                {
                    "case_id": ids[case.id],
                    "number": 1,
                    "at": now,
                    "who": self.who,
                    "action": action,
                    "note": note,
                    "changes": "[]",
                    "body": body,
                    "digest": digest("", 1, now, self.who, action, note, body),
                }
            )
        insert_revisions(connection, revisions)

    def _taken(self, batch: Sequence[Case]) -> RefusedRegistry:
        names = [case.id for case in batch]
        twice = sorted({name for name in names if names.count(name) > 1})
        with self._engine.connect() as connection:
            known = connection.scalars(sa.select(StudyCase.key).where(StudyCase.key.in_(names)).limit(3)).all()
        which = ", ".join(list(known) or twice[:3]) or "a case"
        return RefusedRegistry(
            f"{which} is already there" if known else f"{which} is given twice",
            source=self.name,
            remedy="edit that case, or give the new one another id",
        )

    # --- reading ----------------------------------------------------------------------------------------------------

    def get(self, key: str, *, revision: int | None = None) -> StoredCase:
        """Return a case, as it stands or as it stood at an earlier ``revision``."""
        with self._engine.connect() as connection:
            head = _head(connection, key, self.name)
            number = head.revision if revision is None else revision
            body = connection.scalar(
                sa.select(Revision.body).where(Revision.case_id == head.id, Revision.number == number)
            )
        if body is None:
            raise RefusedRegistry(
                f"{key} has no revision {number}", source=self.name, remedy=f"choose from 1 to {head.revision}"
            )
        return stored(head, case_of(body, self.name, key), number)

    def count(self, *, collection: str | None = None, removed: bool = False) -> int:
        """Return how many cases there are."""
        statement = _selected(sa.select(sa.func.count()).select_from(StudyCase), collection, removed)
        with self._engine.connect() as connection:
            return int(connection.scalar(statement) or 0)

    def rows(
        self,
        *,
        collection: str | None = None,
        ids: Sequence[int] | None = None,
        removed: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Row]:
        """Return lines of the list by key order; ``ids`` (of packed rows) narrows it to those."""
        columns = [getattr(StudyCase, name) for name in Row.__dataclass_fields__]
        statement = _selected(sa.select(*columns), collection, removed).order_by(StudyCase.key)
        with self._engine.connect() as connection:
            if ids is None:
                found = connection.execute(statement.limit(limit).offset(offset)).all()
            else:
                found = [
                    row
                    for part in _parts(ids)
                    for row in connection.execute(statement.where(StudyCase.id.in_(part))).all()
                ]
                found.sort(key=lambda row: str(row.key))
                found = found[offset : None if limit is None else offset + limit]
        return [Row(*row) for row in found]

    def rows_by_id(self, ids: Sequence[int]) -> dict[int, Row]:
        """Return the lines of packed rows by their ids."""
        columns = [getattr(StudyCase, name) for name in Row.__dataclass_fields__]
        statement = sa.select(StudyCase.id, *columns)
        with self._engine.connect() as connection:
            return {
                int(row[0]): Row(*row[1:])
                for part in _parts(ids)
                for row in connection.execute(statement.where(StudyCase.id.in_(part))).all()
            }

    def row_ids(self, keys: Sequence[str]) -> list[int]:
        """Return the row ids of keys that are there."""
        with self._engine.connect() as connection:
            found = connection.scalars(sa.select(StudyCase.id).where(StudyCase.key.in_(list(keys)))).all()
        return [int(row_id) for row_id in found]

    def cases(self, *, collection: str | None = None, ids: Sequence[int] | None = None) -> Iterator[StoredCase]:
        """Yield cases with their records, by key, a batch in memory at a time; removed ones are left out."""
        statement = (
            _selected(sa.select(*_HEAD, Revision.body), collection, removed=False)
            .join(Revision, sa.and_(Revision.case_id == StudyCase.id, Revision.number == StudyCase.revision))
            .order_by(StudyCase.key)
        )
        with self._engine.connect() as connection:
            for part in [None] if ids is None else _parts(ids):
                narrowed = statement if part is None else statement.where(StudyCase.id.in_(part))
                result = connection.execution_options(yield_per=_BATCH).execute(narrowed)
                for row in result:
                    yield stored(row, case_of(row.body, self.name, row.key), row.revision)

    def history(self, key: str) -> list[Change]:
        """Return every change of a case, oldest first."""
        with self._engine.connect() as connection:
            head = _head(connection, key, self.name)
            rows = connection.execute(
                sa.select(Revision).where(Revision.case_id == head.id).order_by(Revision.number)
            ).all()
        return [
            Change(r.number, r.at, r.who, r.action, r.note, tuple(FieldChange(**c) for c in json.loads(r.changes)))
            for r in rows
        ]

    def broken_histories(self) -> list[str]:
        """Return the keys of cases whose revisions no longer add up to their chain of digests: none, or tampering."""
        statement = (
            sa.select(StudyCase.key, StudyCase.revision.label("latest"), Revision)
            .join(Revision, Revision.case_id == StudyCase.id)
            .order_by(StudyCase.key, Revision.number)
        )
        broken: dict[str, None] = {}
        chain: dict[str, tuple[int, str]] = {}
        latest: dict[str, int] = {}
        with self._engine.connect() as connection:
            for r in connection.execution_options(yield_per=_BATCH).execute(statement):
                number, earlier = chain.get(r.key, (0, ""))
                made = digest(earlier, r.number, r.at, r.who, r.action, r.note, r.body)
                if r.number != number + 1 or made != r.digest:
                    broken[r.key] = None
                chain[r.key] = (r.number, r.digest)
                latest[r.key] = r.latest
        return sorted({*broken, *(key for key, number in latest.items() if chain[key][0] != number)})

    def collections(self) -> dict[str, int]:
        """Return the collections and how many cases each holds."""
        statement = (
            sa.select(StudyCase.collection, sa.func.count())
            .where(StudyCase.status != "removed")
            .group_by(StudyCase.collection)
            .order_by(StudyCase.collection)
        )
        with self._engine.connect() as connection:
            return {name: int(n) for name, n in connection.execute(statement).all()}

    def packed(self, *, collection: str | None = None) -> PackedCases:
        """Return the packed findings of every case that is not removed, packing anew what is old or missing."""
        self._pack_missing()
        with self._engine.connect() as connection:
            rows = read_packed(connection, collection)
            terms = Terms(connection)  # after the rows: a term is never newer than the row that uses it
        ids, features = zip(*rows, strict=True) if rows else ((), ())
        return PackedCases.of(ids, features, terms.bits, terms.values)

    def _pack_missing(self) -> None:
        stale = sa.or_(StudyCase.layout.is_(None), StudyCase.layout != LAYOUT)
        with self._engine.connect() as connection:
            if not connection.scalar(sa.select(sa.exists().where(stale))):
                return
        with self._writer.begin() as connection:
            terms = Terms(connection)
            bodies = connection.execute(
                sa.select(StudyCase.id, StudyCase.key, Revision.body)
                .join(Revision, sa.and_(Revision.case_id == StudyCase.id, Revision.number == StudyCase.revision))
                .where(stale)
            ).all()
            for row_id, key, body in bodies:
                concluded = latest_conclusion(connection, row_id, body)
                features = pack(case_of(body, self.name, key), terms.number, concluded)
                connection.execute(
                    sa.update(StudyCase).where(StudyCase.id == row_id).values(layout=LAYOUT, features=features)
                )
            terms.flush()

    # --- changing ---------------------------------------------------------------------------------------------------

    def edit(self, case: Case, *, revision: int, note: str = "") -> StoredCase:
        """Put a new state of a draft case; ``revision`` is the one it was made from."""
        return self._change(case.id, case, revision, "edit", note)

    def remove(self, key: str, *, revision: int, note: str) -> StoredCase:
        """Take a case out of lists and analyses; its record and history stay and it can be restored."""
        return self._change(key, None, revision, "remove", note)

    def restore(self, key: str, *, revision: int, note: str = "") -> StoredCase:
        """Put a removed case back as it was."""
        return self._change(key, None, revision, "restore", note)

    def sign_off(self, key: str, *, revision: int, note: str = "") -> StoredCase:
        """Sign a case: from now on it can only be amended."""
        return self._change(key, None, revision, "sign_off", note)

    def amend(self, key: str, *, revision: int, text: str, case: Case | None = None) -> StoredCase:
        """Add an addendum to a signed case: words, and the amended record where facts changed (follow-up).

        The signed revision stays as it is and stays readable; the addendum is a revision after it.
        """
        if not text.strip():
            raise RefusedRegistry("an addendum needs words", source=self.name, place=key, remedy="say what is added")
        return self._change(key, case, revision, "addendum", text)

    def _change(self, key: str, case: Case | None, revision: int, action: Action, note: str) -> StoredCase:
        if case is not None and case.id != key:
            raise RefusedRegistry(
                f"the id {case.id} cannot replace {key}", source=self.name, remedy=f"keep id: {key} in the case"
            )
        checked_words(note, "note", self.name)
        with self._writer.begin() as connection:
            head = _head(connection, key, self.name)
            if head.revision != revision:
                raise self._moved_on(head, revision)
            status = next_status(head, action, self.name)
            earlier, chain = connection.execute(
                sa.select(Revision.body, Revision.digest).where(
                    Revision.case_id == head.id, Revision.number == head.revision
                )
            ).one()
            body = earlier if case is None else body_of(case)
            changes = differences(json.loads(earlier), json.loads(body))
            if action == "edit" and not changes:
                raise RefusedRegistry("the edit changes nothing", source=self.name, place=key, remedy="nothing to do")
            now = dt.datetime.now(dt.UTC)
            number = revision + 1
            fresh: dict[str, Any] = {"status": status, "revision": number, "updated_at": now}
            if action == "sign_off":
                fresh["signed_revision"] = number
            if case is not None:
                terms = Terms(connection)
                fresh |= {**_projection(fields_of(case)), "layout": LAYOUT, "features": pack(case, terms.number)}
                terms.flush()
            moved = connection.execute(
                sa.update(StudyCase).where(StudyCase.id == head.id, StudyCase.revision == revision).values(**fresh)
            )
            if moved.rowcount != 1:  # someone else's change was committed between our reading and our writing
                raise self._moved_on(head, revision)
            connection.execute(
                sa.insert(Revision).values(
                    case_id=head.id,
                    number=number,
                    at=now,
                    who=self.who,
                    action=action,
                    note=note,
                    changes=changes_json(changes),
                    body=body,
                    digest=digest(chain, number, now, self.who, action, note, body),
                )
            )
        return self.get(key)

    def _moved_on(self, head: Any, revision: int) -> RefusedRegistry:
        return RefusedRegistry(
            f"has moved on to revision {head.revision} since revision {revision} was read",
            source=self.name,
            place=head.key,
            remedy="read it again and repeat the change",
        )


_HEAD = (
    StudyCase.id,
    StudyCase.key,
    StudyCase.collection,
    StudyCase.status,
    StudyCase.revision,
    StudyCase.signed_revision,
    StudyCase.added_at,
    StudyCase.updated_at,
)


def _projection(fields: Mapping[str, Value]) -> dict[str, Any]:
    names = ("age_years", "sex", "setting", "diagnosis", "size_cm", "ki67_percent", "follow_up_months")
    return {**{name: fields.get(name) for name in names}, "outcome": fields.get("status")}


def _selected(statement: Any, collection: str | None, removed: bool) -> Any:
    if not removed:
        statement = statement.where(StudyCase.status != "removed")
    return statement if collection is None else statement.where(StudyCase.collection == collection)


def _head(connection: Connection, key: str, source: str) -> Any:
    head = connection.execute(sa.select(*_HEAD).where(StudyCase.key == key)).one_or_none()
    if head is None:
        raise RefusedRegistry(f"no case {key}", source=source, remedy="`kulchitsky registry list` shows the cases")
    return head


def _parts(ids: Sequence[int]) -> Iterator[list[int]]:
    # SQLite takes a limited number of parameters in one statement
    for start in range(0, len(ids), _BATCH):
        yield [int(i) for i in ids[start : start + _BATCH]]
