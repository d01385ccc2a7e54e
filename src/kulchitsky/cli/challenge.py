"""``challenge``: what in the case contradicts a diagnosis."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kulchitsky import workup as use
from kulchitsky.cli.differential import CASE_HELP
from kulchitsky.cli.text import print_issues, print_json


def challenge(
    case: Annotated[Path, typer.Argument(metavar="CASE", help=CASE_HELP)],
    diagnosis: Annotated[
        str | None, typer.Option(help="Diagnosis to challenge (an id or usual name); else the one in the case.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """List what contradicts a diagnosis: improbable findings, and tests it shouldn't be signed out without."""
    result = use.challenge(case, diagnosis)
    if as_json:
        print_json(result)
        return
    posterior = "" if result.posterior is None else f" (posterior {100 * result.posterior:.1f} %)"
    typer.echo(f"Challenge of {result.name}{posterior}")
    if not result.contradictions:
        typer.echo("nothing in the case contradicts it, and no required test is missing")
    for number, c in enumerate(result.contradictions, 1):
        sources = f" [{', '.join(c.sources)}]" if c.sources else ""
        typer.echo(f"{number:2d}. {c.sentence}{sources}")
    print_issues(result.issues)
