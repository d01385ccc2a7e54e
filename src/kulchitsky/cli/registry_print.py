"""How the registry's answers are printed: tables for people, plain values for JSON."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from pydantic import BaseModel
from rich import box
from rich.console import Console
from rich.table import Table

from kulchitsky.cli.text import print_issues

if TYPE_CHECKING:
    from kulchitsky.registry.cohort import CohortTable
    from kulchitsky.registry.cox import CoxModel
    from kulchitsky.registry.survival import Curve
    from kulchitsky.workup.registry_list import Listing
    from kulchitsky.workup.registry_show import Shown
    from kulchitsky.workup.registry_similar import Similar
    from kulchitsky.workup.registry_survival import SurvivalResult

_PLAIN_WIDTH = 160
"""Columns when the output is a file or a pipe."""
_TIMES = (12.0, 24.0, 36.0, 60.0)


def plain(value: Any) -> Any:
    """Return nested values as JSON takes them: moments in ISO form, paths as text, NaN as null."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def listing(found: Listing) -> None:
    """Print a page of the list."""
    table = _table(
        "key", "collection", "status", "age", "sex", "setting", "diagnosis", "size cm", "Ki-67 %", "months"
    )
    for row in found.rows:
        table.add_row(
            row.key,
            row.collection,
            f"{row.status.replace('_', ' ')} r{row.revision}",
            _number(row.age_years),
            row.sex or "",
            row.setting or "",
            row.diagnosis or "",
            _number(row.size_cm),
            _number(row.ki67_percent),
            _number(row.follow_up_months) + (f" {row.outcome.replace('_', ' ')}" if row.outcome else ""),
        )
    if found.rows:
        _print(table)
    typer.echo(f"{len(found.rows)} of {found.total} cases in {found.registry}")


def shown(item: Shown, *, history: bool) -> None:
    """Print one case: where it stands, its record, its changes."""
    stored = item.stored
    typer.echo(
        f"{stored.key} ({stored.collection}): {stored.status.replace('_', ' ')}, revision {stored.revision}, "
        f"added {stored.added_at:%Y-%m-%d %H:%M} UTC"
    )
    if item.own_id:
        typer.echo(f"own id: {item.own_id}")
    record = stored.case.model_dump(mode="json", exclude_defaults=True)
    record.pop("id", None)
    for path, value in _leaves(record):
        typer.echo(f"  {path}: {value}")
    for verdict in item.verdicts:
        words = ", ".join(filter(None, [verdict.leading, verdict.grade, f"stage {verdict.stage}"]))
        typer.echo(f"work-up of revision {verdict.revision} ({verdict.at:%Y-%m-%d}, {verdict.edition}): {words}")
    if history:
        for change in item.history:
            note = f": {change.note}" if change.note else ""
            action = change.action.replace("_", " ")
            typer.echo(f"r{change.number} {change.at:%Y-%m-%d %H:%M:%S} UTC {change.who} {action}{note}")
            for field in change.changes:
                typer.echo(f"    {field.path}: {_value(field.before)} -> {_value(field.after)}")


def similar(found: list[Similar]) -> None:
    """Print neighbours with what matched, what differed, what is unknown."""
    if not found:
        typer.echo("no case to compare with")
    shown_fields = ("age_years", "sex", "setting", "diagnosis", "follow_up_months", "status")
    for rank, item in enumerate(found, start=1):
        values = [item.fields.get(name) for name in shown_fields]
        words = ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values if v is not None)
        typer.echo(f"{rank}. {item.key}  distance {item.distance:.3f}, {item.known:.0%} known  ({words})")
        for outcome in ("same", "near", "different"):
            terms = [t for t in item.terms if t.outcome == outcome]
            if terms:
                listed = ", ".join(
                    f"{t.finding} {t.asked}" if outcome == "same" else f"{t.finding} {t.asked} / {t.other}"
                    for t in terms
                )
                typer.echo(f"   {outcome}: {listed}")
        unknown = [t.finding for t in item.terms if t.outcome == "unknown"]
        if unknown:
            typer.echo(f"   unknown there: {', '.join(unknown)}")
        if item.source:
            typer.echo(f"   {item.source}")


def survival(result: SurvivalResult) -> None:
    """Print curves as a table, the test, the Cox model and its issues."""
    found = result.survival
    table = _table("group", "cases", "events", "median months (95 %)", *(f"{t:g} months" for t in _TIMES))
    for curve in found.curves:
        table.add_row(
            curve.group, str(curve.cases), str(curve.events), _median(curve), *(_at(curve, t) for t in _TIMES)
        )
    _print(table)
    if found.test is not None:
        t = found.test
        typer.echo(f"log-rank: chi-squared {t.statistic:.2f} on {t.degrees} df, p = {t.p_value:.3g}")
    left = [f"{found.without_follow_up} without follow-up"]
    if found.by:
        left.append(f"{found.without_group} without {found.by}")
    typer.echo(f"left out: {', '.join(left)}; intervals on the {found.interval} scale")
    if result.cox is not None:
        _cox(result.cox)
    if result.figure is not None:
        typer.echo(f"wrote {result.figure}", err=True)


def survival_json(result: SurvivalResult) -> dict[str, Any]:
    """Return the survival result as JSON content; arrays become lists, NaN null."""
    found = result.survival
    curves = []
    for curve in found.curves:
        made = {k: v.tolist() if hasattr(v, "tolist") else v for k, v in asdict(curve).items()}
        curves.append(made)
    made = {**asdict(found), "curves": curves}
    cox = None if result.cox is None else asdict(result.cox)
    content: dict[str, Any] = plain({"survival": made, "cox": cox, "figure": result.figure})
    return content


def cohort(table: CohortTable) -> None:
    """Print a cohort table."""
    columns = [f"{name} (n = {size})" for name, size in zip(table.groups, table.sizes, strict=True)]
    made = _table("field", "", *columns, "unknown", "p")
    earlier = ""
    for line in table.lines:
        first = line.field != earlier
        made.add_row(
            line.field if first else "",
            line.value,
            *line.cells,
            " / ".join(str(n) for n in line.unknown) if first else "",
            f"{line.p_value:.2g}" if line.p_value is not None else "",
        )
        earlier = line.field
    _print(made)
    if table.without_group:
        typer.echo(f"left out: {table.without_group} without a group")


def _cox(model: CoxModel) -> None:
    table = _table("Cox model", "hazard ratio (95 %)", "coefficient (SE)", "p", "proportional hazards p")
    slopes = {slope.covariate: slope.p_value for slope in model.slopes}
    for c in model.coefficients:
        table.add_row(
            c.covariate,
            f"{c.hazard_ratio:.3g} ({c.interval_95[0]:.3g} to {c.interval_95[1]:.3g})",
            f"{c.coefficient:.4f} ({c.standard_error:.4f})",
            f"{c.p_value:.3g}",
            _p(slopes[c.covariate]),
        )
    _print(table)
    typer.echo(
        f"{model.cases} cases, {model.events} events, {model.left_out} left out; likelihood ratio "
        f"{model.likelihood_ratio:.2f}, p = {model.likelihood_ratio_p:.3g}; concordance {model.concordance:.3f}; "
        f"proportional hazards overall p = {_p(slopes['GLOBAL'])}"
    )
    print_issues(model.issues)


def _p(value: float | None) -> str:
    return "cannot be said" if value is None else f"{value:.2g}"


def _median(curve: Curve) -> str:
    if curve.median_months is None:
        return "not reached"
    low, high = ("–" if end is None else f"{end:.3g}" for end in curve.median_interval)
    return f"{curve.median_months:.3g} ({low} to {high})"


def _at(curve: Curve, months: float) -> str:
    found = curve.at(months)
    if found is None:
        return "–"
    survival_, low, high = found
    if survival_ == 1:
        return "100% (no event yet)"  # Greenwood's interval would be 100 % to 100 %, which says too much
    return f"{survival_:.0%}" + ("" if math.isnan(low) else f" ({low:.0%} to {high:.0%})")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for k, v in value.items() for leaf in _leaves(v, f"{path}.{k}" if path else k)]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [leaf for i, v in enumerate(value) for leaf in _leaves(v, f"{path}[{i}]")]
    return [(path, ", ".join(map(str, value)) if isinstance(value, list) else value)]


def _value(value: Any) -> str:
    return "nothing" if value is None else str(value)


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _print(table: Table) -> None:
    console = Console()
    (console if console.is_terminal else Console(width=_PLAIN_WIDTH)).print(table)
