"""``init``, ``check`` and ``schema``: write a case file, check it, describe it to an editor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from kulchitsky import workup
from kulchitsky.cli.text import print_issues, print_json


def init(
    path: Annotated[Path, typer.Argument(metavar="CASE.yaml", help="File to write; never overwritten.")],
) -> None:
    """Write a commented case template to fill in."""
    typer.echo(f"wrote {workup.write_template(path)}: fill it in, then `kulchitsky check {path}`")


def check(
    path: Annotated[Path, typer.Argument(metavar="CASE", help="A .yaml or .json case file.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Check a case file: keys, values, units, ids; list what deserves a look."""
    case, issues = workup.check_case(path)
    if as_json:
        print_json({"case": case.id, "valid": True, "issues": [i.model_dump(mode="json") for i in issues]})
        return
    typer.echo(f"{path}: valid, {len(case.markers)} stains, {len(case.laboratory)} laboratory results")
    print_issues(issues)


def schema(
    out: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write instead of standard output.")
    ] = None,
) -> None:
    """Print the JSON Schema of a case file, for completion and checking in an editor."""
    text = json.dumps(workup.case_schema(), indent=2, ensure_ascii=False)
    if out is None:
        typer.echo(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")
        typer.echo(f"wrote {out}", err=True)
