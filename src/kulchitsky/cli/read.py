"""``read``: report prose to a case file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kulchitsky import workup as use
from kulchitsky.case.verdict import Reading
from kulchitsky.case.yaml_file import write_case
from kulchitsky.cli.text import print_issues, print_json


def read(
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="Report prose: .txt, .md, .docx or .pdf.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="CASE", help="Write the case here as YAML.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Case, facts with their places, and what was not read.")
    ] = False,
) -> None:
    """Read report prose into a case: every fact with its place in the text, and what was not understood."""
    reading = use.read_report(report)
    if out is not None:
        write_case(reading.case, out)
    if as_json:
        print_json(reading)
        return
    for fact in reading.facts:
        shown = " ".join(fact.text.split())
        typer.echo(f"{fact.path}: {fact.value}  [{fact.start}-{fact.end}] {shown[:100]!r}")
    for stretch in reading.not_understood:
        shown = " ".join(stretch.text.split())
        typer.echo(f"not read [{stretch.start}-{stretch.end}] {shown[:100]!r}: {stretch.why}")
    print_issues(reading.issues)
    typer.echo(_summary(reading, out))


def _summary(reading: Reading, out: Path | None) -> str:
    found = f"{len(reading.facts)} facts, {len(reading.case.markers)} stains, {len(reading.not_understood)} not read"
    return f"{found}; case written to {out}" if out is not None else found
