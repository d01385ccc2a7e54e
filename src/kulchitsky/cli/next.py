"""``next``: which stain to order."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from kulchitsky import workup as use
from kulchitsky.cli.differential import CASE_HELP
from kulchitsky.cli.text import print_json

_SENTENCES = 3


def next_stain(
    case: Annotated[Path, typer.Argument(metavar="CASE", help=CASE_HELP)],
    k: Annotated[int, typer.Option("-k", help="Largest set of stains to price.", min=1, max=6)] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Price the next stains: expected information, and the chance that the diagnosis or its treatment changes."""
    tests = use.next_tests(case, k=k)
    if as_json:
        print_json({"next_tests": [t.model_dump(mode="json") for t in tests]})
        return
    if not tests:
        typer.echo("no further stain: none that has not been done would change the differential noticeably")
        return
    table = Table(title="Next stains", title_justify="left")
    for column in ("stains", "bits", "diagnosis changes", "treatment changes", "or instead"):
        table.add_column(column, justify="right" if column == "bits" or "changes" in column else "left")
    for t in tests:
        family = "" if t.p_change_family is None else f"{100 * t.p_change_family:.0f} %"
        stains = " + ".join(t.markers)
        table.add_row(
            stains, f"{t.expected_bits:.2f}", f"{100 * t.p_change_top:.0f} %", family, ", ".join(t.alternatives)
        )
    Console().print(table)
    for t in tests[:_SENTENCES]:
        typer.echo(t.sentence)
