"""``cohort``: a folder or a list of slides in one command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from kulchitsky import workup as use
from kulchitsky.case.cohort import CohortPlan, CohortSummary, SlideStatus
from kulchitsky.cli.count import Detector
from kulchitsky.cli.progress import progress_bar, transient_bar
from kulchitsky.cli.text import print_issues, print_json

if TYPE_CHECKING:
    from kulchitsky.workup.cohort_run import CohortProgress

_SHARE = 1000.0


def cohort(
    slides: Annotated[
        Path,
        typer.Argument(
            metavar="DIR|LIST.csv",
            help="A folder (with its subfolders), or a CSV list with the column slide and, where known, case, stain, "
            "um_per_px, objective, regions, manual_percent.",
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for the results.")],
    detector: Annotated[
        Detector, typer.Option(help="fast: seconds a slide; accurate: a small network, several times slower.")
    ] = Detector.ACCURATE,
    stain: Annotated[
        str | None, typer.Option(help="Stain of slides that state none; else by the file's name, else Ki-67.")
    ] = None,
    um_per_px: Annotated[
        float | None, typer.Option("--um-per-px", help="Micrometres per pixel, where neither list nor file say.")
    ] = None,
    objective: Annotated[float | None, typer.Option(help="Objective (such as 40), in place of the scale.")] = None,
    hotspot_cells: Annotated[
        list[int] | None,
        typer.Option(help="Cells in a hot spot; give it again for more. Default 500 and 2000.", min=10),
    ] = None,
    all_cells: Annotated[
        bool, typer.Option("--all-cells", help="Count every nucleus: no tumour-cell filter.")
    ] = False,
    registry: Annotated[
        str | None,
        typer.Option(help="Join cases to this registry (path or URL; `default` for the usual one)."),
    ] = None,
    key_file: Annotated[Path | None, typer.Option(help="Key file that turns own ids into pseudonyms.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler (tcp://HOST:8786); else this machine.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes on this machine, one a core unless told; 0: none, threads.", min=0)
    ] = None,
    retries: Annotated[int, typer.Option(help="How often a piece of work that failed is tried again.", min=0)] = 2,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done and estimate the time; write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Count every slide of a folder or list: one table, cells, one page; a rerun does what is left.

    A slide that cannot be used is a line with its reason and never stops the others.
    """
    sizes = tuple(hotspot_cells) if hotspot_cells else (500, 2000)
    if dry_run:
        with progress_bar() as opening:
            plan = use.plan_cohort(
                slides,
                out,
                detector=detector.value,
                stain=stain,
                um_per_px=um_per_px,
                objective=objective,
                hotspot_cells=sizes,
                tumour_only=not all_cells,
                workers=workers,
                tell=lambda done, total: opening("opening slides", done, total),
            )
        _print_plan(plan, as_json)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with transient_bar(*columns, speed_estimate_period=300) as bar:
        task = bar.add_task("starting", total=_SHARE)

        def tell(progress: CohortProgress) -> None:
            bad = f", {progress.unusable} unusable" if progress.unusable else ""
            words = f"{progress.slides_done} of {progress.slides} slides{bad}"
            bar.update(task, description=words, completed=_SHARE * progress.share)

        summary = use.run_cohort(
            slides,
            out,
            detector=detector.value,
            stain=stain,
            um_per_px=um_per_px,
            objective=objective,
            hotspot_cells=sizes,
            tumour_only=not all_cells,
            registry="" if registry == "default" else registry,
            key_file=key_file,
            scheduler=scheduler,
            workers=workers,
            retries=retries,
            tell=tell,
        )
    if as_json:
        print_json(summary)
        return
    _print(summary, out)


def _print(summary: CohortSummary, out: Path) -> None:
    done = summary.count_of(SlideStatus.COUNTED, SlideStatus.READ)
    typer.echo(f"{done} of {len(summary.rows)} slides have a result; this run worked on {summary.worked_on}")
    for row in summary.rows:
        if not row.outcome.done:
            typer.echo(f"{row.outcome.status.value} {row.file}: {row.outcome.reason}")
    if summary.agreements:
        _print_agreement(summary)
    print_issues(summary.issues)
    for name in ("summary.html", "results.csv", "results.parquet", "cells", "cohort.json"):
        if (out / name).exists():
            typer.echo(f"{name}: {out / name}")


def _print_plan(plan: CohortPlan, as_json: bool) -> None:
    if as_json:
        print_json(plan)
        return
    typer.echo(f"{plan.slides} slides: {plan.to_do} to do, {plan.up_to_date} up to date; nothing was written")
    for outcome in plan.refused:
        typer.echo(f"will be refused: {outcome.reason}")
    print_issues(plan.issues)
    if plan.tissue_mm2 is None or plan.seconds_per_mm2 is None or plan.estimate_seconds is None:
        return
    typer.echo(
        f"estimate: {plan.gigapixels:.3g} gigapixels with about {plan.tissue_mm2:.3g} mm² to count (measured on "
        f"{plan.sampled} slides), {plan.seconds_per_mm2:.2g} s per mm² on one core here (timed on "
        f"{plan.timed_mm2:.2g} mm²): {_duration(plan.estimate_seconds)} with {plan.workers} processes"
    )


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"about {seconds / length:.1f} {unit}"
    return f"about {seconds:.0f} seconds"


def _print_agreement(summary: CohortSummary) -> None:
    table = Table(title="Agreement with manual counts", title_justify="left")
    for heading in ("index", "slides", "ICC(2,1)", "bias", "limits", "r", "within 20 %", "grade kappa"):
        table.add_column(heading, justify="left" if heading == "index" else "right")
    for a in summary.agreements:
        limits = f"{a.limits[0]:.1f} to {a.limits[1]:.1f}" if a.limits else "–"
        share = f"{a.within_20_percent:.0f} %" if a.within_20_percent is not None else "–"
        figures = (_figure(a.icc_absolute), _figure(a.bias, 1), limits, _figure(a.pearson_r), share, _figure(a.kappa))
        table.add_row(a.index, str(a.slides), *figures)
    Console().print(table)


def _figure(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
