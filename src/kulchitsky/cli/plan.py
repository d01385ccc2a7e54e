"""``plan``: prognosis, tests, options and follow-up of a case, each with its source."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from kulchitsky import workup as use
from kulchitsky.case.errors import RefusedInput
from kulchitsky.case.verdict import Plan, PrognosisFigure
from kulchitsky.cli.differential import CASE_HELP
from kulchitsky.cli.grade import DIAGNOSIS_HELP
from kulchitsky.cli.text import print_issues, print_json


def plan(
    case: Annotated[Path, typer.Argument(metavar="CASE", help=CASE_HELP)],
    diagnosis: Annotated[str | None, typer.Option(help=DIAGNOSIS_HELP)] = None,
    pre_test: Annotated[
        float | None,
        typer.Option(min=0, max=100, help="Pre-test probability in percent, in place of the sourced ones."),
    ] = None,
    today: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Date the follow-up counts from where the case has none."),
    ] = None,
    ics: Annotated[
        Path | None, typer.Option("--ics", help="File to write the dated follow-up to, for a calendar.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Show what sources say of prognosis, tests, options and follow-up: with population and N, never as advice."""
    record = use.gather(case).case
    result = use.plan(
        record,
        diagnosis=diagnosis,
        pre_test=None if pre_test is None else pre_test / 100,
        today=today.date() if today is not None else None,
    )
    if ics is not None:
        _write_calendar(ics, result, record.id)
    if as_json:
        print_json(result)
        return
    _print(result)
    print_issues((*result.issues, *result.prognosis.issues))


def _write_calendar(path: Path, result: Plan, case_id: str) -> None:
    content = use.follow_up_calendar(result.follow_up, case_id=case_id)
    if content is None:
        raise RefusedInput(
            "no visit of the follow-up has a date",
            source=str(path),
            remedy="give --today, or diagnosed_on in the case",
        )
    try:
        path.write_bytes(content)
    except OSError as error:
        problem = f"cannot be written ({error.strerror})"
        raise RefusedInput(problem, source=str(path), remedy="name a file in a folder that exists") from error


def _print(result: Plan) -> None:
    _heading("Prognosis")
    for figure in result.prognosis.figures:
        typer.echo(f"  {_figure(figure)}")
    for claim in result.prognosis.claims:
        typer.echo(f"  claim '{claim.claim}': {claim.verdict.replace('_', ' ')}. {claim.sentence}")
    _heading("Tests")
    for test in result.tests:
        typer.echo(f"  {test.status.replace('_', ' ')}: {test.test}. {test.sentence}")
    _heading("Options (what sources say, no advice)")
    for option in result.options:
        typer.echo(f"  {option.applies}: {option.option} ({option.entity.replace('_', ' ')}). {option.sentence}")
        for caution in option.cautions:
            typer.echo(f"    ! {caution}")
    _heading("Follow-up")
    for visit in result.follow_up:
        when = visit.date.isoformat() if visit.date is not None else f"month {visit.months:g}"
        typer.echo(f"  {when}: {visit.what}")


def _heading(text: str) -> None:
    typer.echo(typer.style(text, bold=True))


def _figure(figure: PrognosisFigure) -> str:
    years = f"{figure.years:g}-year " if figure.years is not None else ""
    if figure.percent is not None:
        value = f"{figure.percent:g} %"
    elif figure.median_months is not None:
        value = f"median {figure.median_months:g} months"
    else:
        value = f"hazard ratio {figure.hazard_ratio:g}"
    if figure.interval_95 is not None:
        value += f" ({figure.interval_95[0]:g}-{figure.interval_95[1]:g})"
    count = f", n={figure.n:,}" if figure.n is not None else ""
    return (
        f"{years}{figure.endpoint} {value}: {figure.population}{count}. {figure.fits} [{', '.join(figure.sources)}]"
    )
