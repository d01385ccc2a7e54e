"""The published series that ship with the knowledge base: facts of single patients, each with its source."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

from kulchitsky.case.errors import BrokenKnowledge
from kulchitsky.case.verdict import Reference

_SOURCE = ("original_report", "source_title", "source_year", "source_link", "read", "remark")
_NODES = "nodes_positive_stated"


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One published patient: clinical cells as written in the file, who reported it, where it was read, a remark."""

    key: str
    cells: dict[str, str]
    nodes_positive: bool
    original_report: str
    reference: Reference
    remark: str


@cache
def series_names() -> tuple[str, ...]:
    """Return the names of the shipped series."""
    folder = resources.files("kulchitsky.knowledge").joinpath("data/series")
    return tuple(sorted(f.name.removesuffix(".csv") for f in folder.iterdir() if f.name.endswith(".csv")))


@cache
def load_series(name: str) -> tuple[SeriesRow, ...]:
    """Return the rows of a shipped series; an unknown name raises ``KeyError``.

    A row without id, title, link or what was read of it, and an id used twice, raise :class:`BrokenKnowledge`.
    """
    if name not in series_names():
        raise KeyError(name)
    text = resources.files("kulchitsky.knowledge").joinpath(f"data/series/{name}.csv").read_text(encoding="utf-8")
    rows = [_row(name, n, cells) for n, cells in enumerate(csv.DictReader(text.splitlines()), start=2)]
    if len({row.key for row in rows}) != len(rows):
        raise BrokenKnowledge(f"data/series/{name}.csv: an id is used twice")
    return tuple(rows)


def _row(name: str, line: int, cells: dict[str, str]) -> SeriesRow:
    for column in ("id", "original_report", "source_title", "source_link", "read"):
        if not cells.get(column):
            raise BrokenKnowledge(f"data/series/{name}.csv, line {line}: {column} is empty")
    if cells[_NODES] not in ("", "present"):
        raise BrokenKnowledge(f"data/series/{name}.csv, line {line}: {_NODES} is 'present' or empty")
    link = cells["source_link"]
    return SeriesRow(
        key=cells["id"],
        cells={k: v for k, v in cells.items() if v and k not in (*_SOURCE, _NODES)},
        nodes_positive=cells[_NODES] == "present",
        original_report=cells["original_report"],
        reference=Reference(
            key=f"{name}.{cells['id']}",
            title=cells["source_title"],
            year=int(cells["source_year"]) if cells["source_year"] else None,
            doi=link.removeprefix("doi:") if link.startswith("doi:") else "",
            url=f"https://doi.org/{link.removeprefix('doi:')}" if link.startswith("doi:") else link,
            read=cells["read"],
        ),
        remark=cells["remark"],
    )
