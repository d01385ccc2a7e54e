"""``workup``: the main job, chart and slides in, the worked-up case out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kulchitsky import workup as use
from kulchitsky.case.issue import Level
from kulchitsky.cli.progress import progress_bar
from kulchitsky.cli.text import print_issues, print_json

if TYPE_CHECKING:
    from kulchitsky.case.verdict import WorkedUpCase


def workup(
    case: Annotated[
        Path,
        typer.Argument(
            metavar="CASE",
            help="A case file (.yaml, .json), report prose (.txt, .md, .docx, .pdf), or a "
            "folder with one of them and its slides.",
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for the report.")] = Path(
        "workup"
    ),
    diagnosis: Annotated[
        str | None,
        typer.Option(help="Working diagnosis to challenge (an entity id or name); else the one in the case."),
    ] = None,
    slide: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STAIN=PATH[@UM]",
            help="A slide to add, with its µm per pixel where the file holds none: "
            "`--slide ki67=tile.png@0.227`. Repeatable.",
        ),
    ] = None,
    detector: Annotated[str, typer.Option(help="`fast` or `accurate` (a small neural network).")] = "accurate",
    formats: Annotated[
        str, typer.Option("--formats", help="Comma-separated: html, json, pdf, fhir, ics.")
    ] = "html,json,pdf,fhir,ics",
    as_json: Annotated[
        bool, typer.Option("--json", help="The whole result as one JSON object on standard output.")
    ] = False,
) -> None:
    """Work up a case: slides counted, stains weighed, grade, stage, prognosis, next stain, report.

    `kulchitsky workup examples/thigh-mass -o out` shows all of it.
    """
    with progress_bar() as tell:
        worked, files = use.work_up(
            case,
            out,
            diagnosis=diagnosis,
            slides=slide or (),
            detector=detector,
            formats=formats.split(","),
            tell=tell,
        )
    if as_json:
        print_json(worked)
        return
    print_issues(i for i in worked.issues if i.level is Level.SERIOUS)
    if not any(i.code in _NO_PREMISE for i in worked.issues):
        _print_summary(worked)
    for kind, path in files.items():
        typer.echo(f"{kind}: {path}")


_NO_PREMISE = ("narrative.no_tumour", "narrative.nothing_read")
"""Issues of a report without a tumour: no ranking is printed for it."""


def _print_summary(worked: WorkedUpCase) -> None:
    """The few lines that a reader wants before opening the report."""
    weighed = worked.differential
    for found in weighed.diagnoses[:3]:
        low, high = (100 * end for end in found.interval_95)
        typer.echo(f"{100 * found.posterior:5.1f} % ({low:.0f}-{high:.0f} %)  {found.name}")
    typer.echo(f"{100 * weighed.none_of_these:5.1f} %  none of the listed entities")
    for verdict in worked.grade[:1]:
        typer.echo(f"grade: {verdict.grade} ({verdict.system}, {verdict.edition})")
    for reading in worked.stage.readings:
        possible = f" (still possible: {', '.join(reading.possible)})" if len(reading.possible) > 1 else ""
        typer.echo(f"stage: {reading.stage}{possible} ({reading.scheme_name}, {reading.authority} {reading.edition})")
    first = next(iter(weighed.next_tests), None)
    named = ", ".join(worked.names.get(m, m) for m in first.markers) if first else "none would change much"
    typer.echo(f"next stain: {named}")
