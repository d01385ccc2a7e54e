"""``differential``: the ranked diagnoses of a case with the weight of every finding."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from kulchitsky import workup as use
from kulchitsky.case.verdict import Differential, Weight
from kulchitsky.cli.text import print_issues, print_json

_BAR_CELLS = 12
_BAR_FULL = 2.0
"""Log10 likelihood ratio that fills a bar."""

CASE_HELP = "A case file (.yaml, .json), report prose, or a folder with one of them."


def differential(
    case: Annotated[Path, typer.Argument(metavar="CASE", help=CASE_HELP)],
    top: Annotated[int, typer.Option(help="How many diagnoses to print.", min=1)] = 5,
    draws: Annotated[int, typer.Option(help="Draws of the evidence for the intervals; 0 for none.", min=0)] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Rank the diagnoses of a case: posterior with interval, and every finding's weight for and against."""
    result = use.differential(case, draws=draws)
    if as_json:
        print_json(result)
        return
    console = Console()
    console.print(ranking(result, top))
    for diagnosis in result.diagnoses[: min(top, 2)]:
        console.print(weights_table(result, diagnosis.entity, diagnosis.name))
    print_issues(result.issues)


def ranking(result: Differential, top: int) -> Table:
    """The leading diagnoses with prior, posterior and interval."""
    table = Table(title="Differential diagnosis", title_justify="left")
    for column in ("diagnosis", "prior %", "posterior %", "95 % interval"):
        table.add_column(column, justify="left" if column == "diagnosis" else "right")
    for d in result.diagnoses[:top]:
        low, high = d.interval_95
        table.add_row(d.name, f"{100 * d.prior:.1f}", f"{100 * d.posterior:.1f}", f"{100 * low:.1f}-{100 * high:.1f}")
    table.add_row("none of these", "", f"{100 * result.none_of_these:.1f}", "")
    return table


def weights_table(result: Differential, entity: str, name: str) -> Table:
    """One bar a finding, for and against, strongest first."""
    table = Table(title=f"Weights for {name}", title_justify="left")
    table.add_column("finding")
    table.add_column("against", justify="right", style="red")
    table.add_column("for", style="green")
    table.add_column("log10 LR", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("basis")
    mine = sorted((w for w in result.weights if w.entity == entity), key=lambda w: -abs(w.log10_lr))
    for w in mine:
        low, high = w.interval_95
        against, favour = bar(w.log10_lr)
        table.add_row(w.finding, against, favour, f"{w.log10_lr:+.2f}", f"{low:+.2f} to {high:+.2f}", basis(w))
    return table


def bar(log10_lr: float) -> tuple[str, str]:
    """A bar to the left for evidence against, to the right for evidence for; its length is the log10 ratio."""
    cells = "█" * min(_BAR_CELLS, round(_BAR_CELLS * abs(log10_lr) / _BAR_FULL))
    return (cells, "") if log10_lr < 0 else ("", cells)


def basis(weight: Weight) -> str:
    """What stands behind a weight, in a few characters."""
    if weight.kind == "counts" and weight.n_tested:
        return f"{weight.n_positive:g}/{weight.n_tested:g}, {weight.studies} studies"
    return {"density": "distribution", "family": "family default"}.get(weight.kind, "default")
