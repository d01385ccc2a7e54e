"""Many rows at once: PostgreSQL's COPY where it pays, plain inserts elsewhere, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from kulchitsky.registry.tables import Revision, StudyCase

Rows = Sequence[Mapping[str, Any]]
_WORTH_COPYING = 20
_NEXT_IDS = "SELECT nextval(pg_get_serial_sequence('study_case', 'id')) FROM generate_series(1, :n)"


def insert_cases(connection: Connection, rows: Rows) -> dict[str, int]:
    """Insert rows of ``study_case``; returns the id of each key. A taken key raises ``IntegrityError``."""
    if _copies(connection, rows):
        ids = connection.scalars(sa.text(_NEXT_IDS), {"n": len(rows)}).all()
        _copy(connection, "study_case", [{"id": i, **row} for i, row in zip(ids, rows, strict=True)])
        return {str(row["key"]): int(i) for i, row in zip(ids, rows, strict=True)}
    statement = sa.insert(StudyCase).returning(StudyCase.id, StudyCase.key, sort_by_parameter_order=True)
    return {key: row_id for row_id, key in connection.execute(statement, list(rows)).all()}


def insert_revisions(connection: Connection, rows: Rows) -> None:
    """Insert rows of ``revision``."""
    if _copies(connection, rows):
        _copy(connection, "revision", rows)
    else:
        connection.execute(sa.insert(Revision), list(rows))


def read_packed(connection: Connection, collection: str | None) -> list[tuple[int, bytes]]:
    """Return (row id, packed findings) of every case that is not removed, by row id.

    psycopg reads bytes several times faster in PostgreSQL's binary format than in its text format, which SQLAlchemy
    asks for.
    """
    statement = (
        sa.select(StudyCase.id, StudyCase.features).where(StudyCase.status != "removed").order_by(StudyCase.id)
    )
    if collection is not None:
        statement = statement.where(StudyCase.collection == collection)
    if connection.dialect.name != "postgresql":
        return [(row_id, features or b"") for row_id, features in connection.execute(statement).all()]
    compiled = statement.compile(dialect=connection.dialect)
    with _driver(connection).cursor(binary=True) as cursor:
        cursor.execute(str(compiled).encode(), compiled.params)
        return cursor.fetchall()


def _driver(connection: Connection) -> psycopg.Connection[tuple[Any, ...]]:
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"this needs psycopg, not {type(driver).__name__}")
    return driver


def _copies(connection: Connection, rows: Rows) -> bool:
    return connection.dialect.name == "postgresql" and len(rows) >= _WORTH_COPYING


def _copy(connection: Connection, table: str, rows: Rows) -> None:
    columns = list(rows[0])
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    try:
        with _driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row([row[name] for name in columns])
    except psycopg.IntegrityError as error:
        # the driver is asked directly here, so its error is put into the words of the rest
        raise IntegrityError(statement, None, error) from error
