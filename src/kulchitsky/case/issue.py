"""Usable, but look: a remark that travels with a record and ends in the report."""

from __future__ import annotations

from enum import StrEnum

from kulchitsky.case.base import Record


class Level(StrEnum):
    """How much an issue matters to the reader."""

    NOTE = "note"
    WARNING = "warning"
    SERIOUS = "serious"


class Issue(Record):
    """A remark on usable input: what was seen, where, and what would settle it.

    ``code`` is stable and lower-case (``lab.unit.suspicious``), for filters and tests; ``path`` is the
    dotted path in the case (``laboratory[2].unit``) or the slide's name, empty when it concerns the whole.
    """

    level: Level
    code: str
    message: str
    remedy: str = ""
    path: str = ""
