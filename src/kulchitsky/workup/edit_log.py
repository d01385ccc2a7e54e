"""The append-only log of corrections: who changed what, when, from what to what.

One row per change in a SQLite file. Rows are never changed or removed (the database itself refuses it): undo, redo
and return to the automatic result are rows like any other, so that the log is autosave, history and audit in one.
What the log means for the cells is decided by :mod:`kulchitsky.workup.slide_review`, which replays it.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import threading
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from kulchitsky.case.base import Record
from kulchitsky.case.errors import RefusedInput

SCHEMA = """
CREATE TABLE IF NOT EXISTS edit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  slide TEXT NOT NULL,
  count_id TEXT NOT NULL,
  reader TEXT NOT NULL,
  at TEXT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL CHECK (json_valid(body))
) STRICT;
CREATE INDEX IF NOT EXISTS edit_of_review ON edit (slide, count_id, reader, seq);
CREATE TRIGGER IF NOT EXISTS edit_is_never_changed BEFORE UPDATE ON edit
BEGIN SELECT RAISE(ABORT, 'the edit log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS edit_is_never_removed BEFORE DELETE ON edit
BEGIN SELECT RAISE(ABORT, 'the edit log is append-only'); END;
"""

Micrometres = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Polygon = Annotated[tuple[tuple[Micrometres, Micrometres], ...], Field(min_length=3, max_length=5000)]
"""Corners in µm from the slide's top-left corner; closed by itself."""


class SetCells(Record):
    """Cells given another class: ``before`` holds the class of each, ``after`` what they become."""

    kind: Literal["set"] = "set"
    cells: Annotated[tuple[int, ...], Field(min_length=1, max_length=200_000)]
    before: tuple[int, ...]
    after: Annotated[int, Field(ge=0, le=2)]


class AddCell(Record):
    """A cell that the counter missed."""

    kind: Literal["add"] = "add"
    cell: int
    x_um: float
    y_um: float
    after: Annotated[int, Field(ge=0, le=1)]


class DrawRegion(Record):
    """A region drawn: where tumour is (only cells inside one count), or where nothing counts."""

    kind: Literal["draw_region"] = "draw_region"
    region: int
    role: Literal["tumour", "exclusion"]
    polygon: Polygon


class RemoveRegion(Record):
    """A drawn region taken away."""

    kind: Literal["remove_region"] = "remove_region"
    region: int


class Revert(Record):
    """Back to the automatic result."""

    kind: Literal["revert"] = "revert"


class Undo(Record):
    """The last change that stands is taken back."""

    kind: Literal["undo"] = "undo"


class Redo(Record):
    """The last undone change is made again."""

    kind: Literal["redo"] = "redo"


class Finish(Record):
    """The reader declares this reading finished: from here on it may be compared with another reader's."""

    kind: Literal["finish"] = "finish"


Change = SetCells | AddCell | DrawRegion | RemoveRegion | Revert
LogBody = Annotated[Change | Undo | Redo | Finish, Field(discriminator="kind")]


class LogEntry(Record):
    """One row of the log."""

    seq: int
    reader: str
    at: dt.datetime
    body: LogBody


class EditLog:
    """The log of every slide of one workbench; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Open or create the log. Raises ``RefusedInput`` when the file is not such a log."""
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(SCHEMA)
        except sqlite3.DatabaseError as error:
            raise RefusedInput(
                "this is not an edit log", source=str(path), remedy="move the file away; a new log is begun"
            ) from error

    def append(self, slide: str, count_id: str, reader: str, body: Change | Undo | Redo | Finish) -> LogEntry:
        """Write one row; it is on the disk when this returns."""
        at = dt.datetime.now(dt.UTC)
        text = body.model_dump_json(exclude={"kind"})
        with self._lock:
            cursor = self._db.execute(
                "INSERT INTO edit (slide, count_id, reader, at, kind, body) VALUES (?, ?, ?, ?, ?, ?)",
                (slide, count_id, reader, at.isoformat(), body.kind, text),
            )
        return LogEntry(seq=int(cursor.lastrowid or 0), reader=reader, at=at, body=body)

    def entries(self, slide: str, count_id: str, reader: str, *, last: int | None = None) -> list[LogEntry]:
        """The rows of one reader's review, oldest first; only the newest ``last`` of them if given."""
        query = "SELECT seq, reader, at, kind, body FROM edit WHERE slide = ? AND count_id = ? AND reader = ?"
        query += " ORDER BY seq DESC LIMIT ?"
        with self._lock:
            rows = self._db.execute(query, (slide, count_id, reader, -1 if last is None else last)).fetchall()
        return [_entry(*row) for row in reversed(rows)]

    def readers(self, slide: str, count_id: str) -> dict[str, bool]:
        """Readers with rows for this count, and whether each has declared the reading finished."""
        query = "SELECT reader, MAX(kind = 'finish') FROM edit WHERE slide = ? AND count_id = ? GROUP BY reader"
        with self._lock:
            return {reader: bool(done) for reader, done in self._db.execute(query, (slide, count_id))}

    def rows_of_other_counts(self, slide: str, count_id: str, reader: str) -> int:
        """How many corrections this reader made to earlier counts of the slide (kept, not applied)."""
        query = "SELECT COUNT(*) FROM edit WHERE slide = ? AND count_id <> ? AND reader = ?"
        with self._lock:
            return int(self._db.execute(query, (slide, count_id, reader)).fetchone()[0])

    def former_counts(self, slide: str, count_id: str, reader: str | None = None) -> list[str]:
        """Ids of earlier counts of the slide that were corrected (by one reader, or by any), newest first."""
        query = (
            "SELECT count_id FROM edit WHERE slide = ?1 AND count_id <> ?2 AND (?3 IS NULL OR reader = ?3) "
            "GROUP BY count_id ORDER BY MAX(seq) DESC"
        )
        with self._lock:
            return [row[0] for row in self._db.execute(query, (slide, count_id, reader))]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


def _entry(seq: int, reader: str, at: str, kind: str, body: str) -> LogEntry:
    return LogEntry.model_validate(
        {"seq": seq, "reader": reader, "at": at, "body": {"kind": kind, **json.loads(body)}}
    )
