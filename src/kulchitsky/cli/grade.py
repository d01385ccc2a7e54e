"""``grade``: the grade of a case, how sure the counts make it, and what would settle it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kulchitsky import workup as use
from kulchitsky.case.verdict import GradeVerdict
from kulchitsky.cli.differential import CASE_HELP
from kulchitsky.cli.text import print_issues, print_json

DIAGNOSIS_HELP = "Entity (id or name) to take as the diagnosis; else the leading ones of the differential."


def grade(
    case: Annotated[Path, typer.Argument(metavar="CASE", help=CASE_HELP)],
    diagnosis: Annotated[str | None, typer.Option(help=DIAGNOSIS_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Grade a case: the probability of each grade from the counts, and how much more counting would settle it."""
    verdicts = use.grade(case, diagnosis=diagnosis)
    if as_json:
        first, *others = (verdict.model_dump(mode="json") for verdict in verdicts)
        print_json({**first, "other_systems": others})
        return
    for verdict in verdicts:
        _print(verdict)


def _print(verdict: GradeVerdict) -> None:
    typer.echo(f"{typer.style(verdict.grade, bold=True)}  {verdict.system}, {verdict.edition}")
    if verdict.probabilities:
        shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in verdict.probabilities.items())
        typer.echo(f"  from counting alone: {shares}")
    if verdict.differentiation:
        shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in verdict.differentiation.items())
        typer.echo(f"  NET G3 against NEC: {shares}")
    for reason in verdict.basis:
        typer.echo(f"  - {reason.sentence}{_sources(reason.sources)}")
    for reason in verdict.would_change:
        typer.echo(f"  > {reason.sentence}")
    print_issues(verdict.issues)


def _sources(keys: tuple[str, ...]) -> str:
    return f" [{', '.join(keys)}]" if keys else ""
