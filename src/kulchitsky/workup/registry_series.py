"""Take a published series that ships with the knowledge base into a registry, each case with its source."""

from __future__ import annotations

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.case.record import Case, NodeStation
from kulchitsky.case.vocabulary import State
from kulchitsky.exchange.flat_row import case_of_row
from kulchitsky.knowledge.aliases import resolve_entity, resolve_marker
from kulchitsky.knowledge.series import SeriesRow, load_series, series_names

COLLECTION = "series:"
"""Collections of published cases start with this: their ids are citations, no patient's."""


def series_cases(name: str) -> list[Case]:
    """Return the cases of a shipped series; ids are ``<report>``, the source stands in ``notes``."""
    try:
        rows = load_series(name)
    except KeyError:
        raise RefusedRegistry(
            f"no series {name}", source="series", remedy=f"choose from {', '.join(series_names())}"
        ) from None
    return [_case(name, row) for row in rows]


def _case(name: str, row: SeriesRow) -> Case:
    case = case_of_row(row.cells, source=name, place=row.key, marker=resolve_marker, entity=resolve_entity)
    source = row.reference
    words = [
        row.remark,
        f"Reported by {row.original_report}.",
        f"Read: {source.title}, {source.url} ({source.read}).",
    ]
    changes: dict[str, object] = {"notes": " ".join(filter(None, words))}
    if row.nodes_positive:
        nodes = (NodeStation(station="regional", state=State.PRESENT, found_by="surgery"),)
        changes["presentation"] = case.presentation.model_copy(update={"nodes": nodes})
    return case.model_copy(update=changes)
