"""``stage``: every stage reading of a case, with reasons and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kulchitsky import workup as use
from kulchitsky.case.verdict import StageReading
from kulchitsky.cli.differential import CASE_HELP
from kulchitsky.cli.grade import DIAGNOSIS_HELP
from kulchitsky.cli.text import print_issues, print_json


def stage(
    case: Annotated[Path, typer.Argument(metavar="CASE", help=CASE_HELP)],
    diagnosis: Annotated[str | None, typer.Option(help=DIAGNOSIS_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Stage a case under every authority and edition that applies, with what is missing and what would follow."""
    verdict = use.stage(case, diagnosis=diagnosis)
    if as_json:
        print_json(verdict)
        return
    for reason in verdict.routing:
        typer.echo(reason.sentence)
    for reading in verdict.readings:
        _print(reading)
    print_issues(verdict.issues)


def _print(reading: StageReading) -> None:
    name = f"{reading.scheme_name}, {reading.edition} ({reading.authority})"
    typer.echo(f"\n{typer.style(reading.stage, bold=True)}  {name}")
    for category in reading.categories:
        for reason in category.reasons:
            typer.echo(f"  {category.prefix}{category.name}  {reason.sentence}")
    for reason in reading.reasons:
        typer.echo(f"  - {reason.sentence}")
    if reading.missing:
        typer.echo(f"  missing: {'; '.join(reading.missing)}")
