"""How results are printed: JSON to standard output, issues and remarks in one form everywhere."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import typer
from pydantic import BaseModel

from kulchitsky.case.issue import Issue, Level

_COLOUR = {Level.SERIOUS: "red", Level.WARNING: "yellow", Level.NOTE: "blue"}


def print_json(value: BaseModel | dict[str, Any]) -> None:
    """Print one JSON object and nothing else."""
    data = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2))


def print_issues(issues: Iterable[Issue]) -> None:
    """Print issues, one a line with its place and remedy, to standard output."""
    for issue in issues:
        label = typer.style(issue.level.value, fg=_COLOUR[issue.level], bold=True)
        place = f" [{issue.path}]" if issue.path else ""
        remedy = f" ({issue.remedy})" if issue.remedy else ""
        typer.echo(f"{label}{place}: {issue.message}{remedy}")
