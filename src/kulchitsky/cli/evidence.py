"""``evidence``: what the knowledge base holds on a marker, a diagnosis, or both, with counts and sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from kulchitsky import workup as use
from kulchitsky.cli.text import print_json

if TYPE_CHECKING:
    from kulchitsky.workup.evidence import Coverage, EvidenceCell, EvidenceTable

_SOURCES_SHOWN = 3
_PLAIN_WIDTH = 160
"""Columns when the output is a file or a pipe."""


def evidence(
    marker: Annotated[
        str | None, typer.Argument(metavar="[MARKER]", help="A stain (`CK20`, `CgA`), or a diagnosis on its own.")
    ] = None,
    entity: Annotated[str | None, typer.Argument(metavar="[ENTITY]", help="A diagnosis (`MCC`, `SCLC`).")] = None,
    show_coverage: Annotated[
        bool, typer.Option("--coverage", help="How many cells that matter are filled from sources that were read.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Show counts, percentages and sources for a stain, a diagnosis, or one stain in one diagnosis.

    `kulchitsky evidence CK20`, `kulchitsky evidence MCC`, `kulchitsky evidence CK20 MCC`.
    """
    if show_coverage or marker is None:
        _print_coverage(use.evidence_coverage(), as_json)
        return
    found = use.evidence_for(marker, entity)
    if as_json:
        print_json(found)
    elif len(found.cells) == 1:
        _print_rows(found)
    else:
        _print_cells(found)


def _print_cells(found: EvidenceTable) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("marker", "diagnosis"):
        table.add_column(heading)
    for heading in ("positive", "%", "95 %", "studies"):
        table.add_column(heading, justify="right")
    table.add_column("sources", overflow="fold")
    for cell in found.cells:
        table.add_row(cell.marker_name, cell.entity_name, *_figures(cell), _sources(cell))
    _print(table)
    if found.features:
        _print_features(found)


def _figures(cell: EvidenceCell) -> tuple[str, str, str, str]:
    if cell.percent is None or cell.interval_95 is None:
        shares = [row.percent for row in cell.rows if row.percent is not None]
        return "-", f"({max(shares):.0f})" if shares else "-", "-", "0"
    low, high = cell.interval_95
    return f"{cell.n_positive:g}/{cell.n_tested:g}", f"{cell.percent:.0f}", f"{low:.0f}-{high:.0f}", str(cell.studies)


def _sources(cell: EvidenceCell) -> str:
    keys = list(dict.fromkeys(row.source for row in sorted(cell.rows, key=lambda r: -(r.n_tested or 0))))
    rest = f" +{len(keys) - _SOURCES_SHOWN}" if len(keys) > _SOURCES_SHOWN else ""
    return ", ".join(keys[:_SOURCES_SHOWN]) + rest


def _print_rows(found: EvidenceTable) -> None:
    cell = found.cells[0]
    positive, percent, interval, studies = _figures(cell)
    typer.echo(
        f"{cell.marker_name} in {cell.entity_name}: {positive} ({percent} %, 95 % {interval}), {studies} studies"
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("row", "positive", "%", "what", "added up", "source"):
        table.add_column(heading, overflow="fold")
    for row in cell.rows:
        counted = f"{row.n_positive:g}/{row.n_tested:g}" if row.n_tested and row.n_positive is not None else "-"
        what = "; ".join(
            x for x in (row.pattern or "", row.cutoff, row.clone, row.subset, row.method, row.derived) if x
        )
        share = f"{row.percent:.0f}" if row.percent is not None else "-"
        table.add_row(row.id, counted, share, what, row.why_not or "yes", row.source)
    _print(table)
    for source in found.references:
        year = f" {source.year}" if source.year else ""
        typer.echo(f"{source.key}: {source.title}{year}. {source.url} ({source.read})")


def _print_features(found: EvidenceTable) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("feature", "value", "figure", "of whom", "source"):
        table.add_column(heading, overflow="fold")
    for row in found.features:
        quantities = [(name, getattr(row, name)) for name in ("mean", "median", "sd", "low", "high")]
        figure = f"{row.n_with:g}/{row.n_total:g}" if row.n_with is not None and row.n_total else ""
        figure = figure or (f"{row.percent:g} %" if row.percent is not None else "")
        figure = figure or " ".join(f"{name} {value:g}" for name, value in quantities if value is not None)
        table.add_row(row.feature, row.value, f"{figure} {row.unit}".strip(), row.subset, row.source)
    _print(table)


def _print_coverage(found: Coverage, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("diagnosis")
    for heading in ("cells", "counts", "share", "other", "default"):
        table.add_column(heading, justify="right")
    table.add_column("not filled from a read source", overflow="fold")
    for e in found.entities:
        table.add_row(
            e.name,
            str(e.cells),
            str(e.counts),
            str(e.share),
            str(e.other),
            str(e.default + e.nothing),
            " ".join(e.missing),
        )
    _print(table)
    filled = found.core_with_counts + found.core_with_share + found.core_with_other_rows
    typer.echo(
        f"{found.evidence_rows} evidence rows ({found.poolable_rows} that may be added up) and {found.feature_rows} "
        f"clinical and morphological rows from {found.sources} sources; {found.cells_with_counts} cells with counts."
    )
    typer.echo(
        f"Of {found.core_cells} cells that matter, {filled} ({100 * filled / found.core_cells:.0f} %) are filled "
        f"from a read source: {found.core_with_counts} by counts, {found.core_with_share} by a share without a "
        f"count, {found.core_with_other_rows} by rows that are never added up (selected series, single cases); "
        f"{found.core_by_default} rest on a marked default. Edition {found.edition}."
    )


def _print(table: Table) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PLAIN_WIDTH)
    console.print(table)
