"""``count``: the Ki-67 labelling index of a slide, with its hot spots and their uncertainty."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from kulchitsky import workup
from kulchitsky.case.measure import CellCount, SlideCount
from kulchitsky.cli.progress import progress_bar, transient_bar
from kulchitsky.cli.text import print_issues, print_json


class Detector(StrEnum):
    """The two engines."""

    FAST = "fast"
    ACCURATE = "accurate"


def count(
    slide: Annotated[Path, typer.Argument(metavar="SLIDE", help="A slide (SVS, NDPI, MRXS, TIFF, …) or a picture.")],
    detector: Annotated[
        Detector, typer.Option(help="fast: seconds a slide; accurate: a small network, several times slower.")
    ] = Detector.ACCURATE,
    um_per_px: Annotated[
        float | None, typer.Option("--um-per-px", help="Micrometres per pixel, where the file does not say.")
    ] = None,
    objective: Annotated[
        float | None, typer.Option(help="Objective (such as 40), in place of the scale: 10 µm over it.")
    ] = None,
    regions: Annotated[Path | None, typer.Option(help="QuPath GeoJSON of the areas to count.")] = None,
    hotspot_cells: Annotated[
        list[int] | None,
        typer.Option(help="Cells in a hot spot; give it again for more. Default 500 and 2000.", min=10),
    ] = None,
    hotspot_area_mm2: Annotated[
        float | None, typer.Option("--hotspot-area-mm2", help="Also a hot spot of a fixed area.", min=0.01)
    ] = None,
    all_cells: Annotated[
        bool, typer.Option("--all-cells", help="Count every nucleus: no filter for lymphocytes, stroma, debris.")
    ] = False,
    cells: Annotated[
        Path | None, typer.Option(help="Write the cells: .parquet, .geojson or .geojson.gz (QuPath).")
    ] = None,
    overlay: Annotated[Path | None, typer.Option(help="Write a PNG of the slide with its hot spots.")] = None,
    overlay_um_per_px: Annotated[
        float | None, typer.Option("--overlay-um-per-px", help="Draw every cell, at this scale.", min=0.1)
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Folder for intermediate results: a killed count goes on from there.")
    ] = None,
    tumour_stain: Annotated[
        Path | None,
        typer.Option(
            metavar="SLIDE",
            help="A serial section with a second stain: it is laid over this slide, and only its tumour is counted.",
        ),
    ] = None,
    tumour_marker: Annotated[str, typer.Option(metavar="ID", help="What that section is stained for.")] = (
        "synaptophysin"
    ),
    tumour_um_per_px: Annotated[
        float | None, typer.Option("--tumour-um-per-px", help="Its micrometres per pixel, where the file is silent.")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads; all cores when not given.", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Count positive and negative tumour nuclei of an H-DAB Ki-67 slide and find its hot spots."""
    if tumour_stain is not None:
        alone = {"--regions": regions, "--objective": objective, "--cells": cells, "--overlay": overlay}
        alone |= {"--resume": resume, "--hotspot-area-mm2": hotspot_area_mm2}
        if clash := [name for name, value in alone.items() if value is not None] + ["--all-cells"] * all_cells:
            raise typer.BadParameter(f"--tumour-stain does not go with {', '.join(clash)}")
        with progress_bar() as tell:
            double = workup.virtual_double_stain(
                slide,
                tumour_stain,
                marker=tumour_marker,
                detector=detector.value,
                um_per_px=um_per_px,
                tumour_um_per_px=tumour_um_per_px,
                hotspot_cells=tuple(hotspot_cells) if hotspot_cells else (500, 2000),
                threads=threads,
                progress=tell,
            )
        print_json(double.inside) if as_json else _print(double.inside)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with transient_bar(*columns) as bar:
        task = bar.add_task(f"counting {slide.name}", total=None)
        result = workup.count_slide(
            slide,
            detector=detector.value,
            um_per_px=um_per_px,
            objective=objective,
            regions=regions,
            hotspot_cells=tuple(hotspot_cells) if hotspot_cells else (500, 2000),
            hotspot_area_mm2=hotspot_area_mm2,
            tumour_only=not all_cells,
            threads=threads,
            resume_dir=resume,
            cells_to=cells,
            overlay_to=overlay,
            overlay_um_per_px=overlay_um_per_px,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        print_json(result)
        return
    _print(result)


def _print(result: SlideCount) -> None:
    console = Console()
    console.print(f"[bold]{result.slide}[/bold]  {result.um_per_px:.4g} µm/px  tissue {result.tissue_mm2:.2f} mm²")
    table = Table(box=SIMPLE_HEAD, padding=0)
    for column in ("where", "cells", "positive", "index %", "95 % interval", "shrunk %", "chance %"):
        table.add_column(column, justify="left" if column == "where" else "right", no_wrap=True)
    table.add_row("whole tumour", *_figures(result), "", "")
    for spot in result.hotspots:
        where = f"hottest {spot.cells_wanted} cells" if spot.cells_wanted else f"hottest {spot.area_wanted_mm2:g} mm²"
        shrunk = "" if spot.shrunk_index_percent is None else f"{spot.shrunk_index_percent:.1f}"
        chance = "" if spot.null_index_percent is None else f"{spot.null_index_percent:.1f}"
        table.add_row(where, *_figures(spot), shrunk, chance)
    console.print(table)
    for row in result.left_out:
        console.print(f"left out: {row.cells} {row.reason.replace('_', ' ')} ({row.positive} positive)")
    if result.left_out and result.index_with_left_out_percent is not None:
        console.print(f"with the cells left out the index would be {result.index_with_left_out_percent:.1f} %")
    console.print(
        f"detector {result.method['detector']} {result.method['detector_version']}, "
        f"DAB cut {result.method['cut_od']:.2f} ({result.method['cut_from'].replace('_', ' ')})"
    )
    print_issues(result.issues)


def _figures(row: CellCount) -> tuple[str, str, str, str]:
    index = "–" if row.index_percent is None else f"{row.index_percent:.1f}"
    interval = "–" if row.interval_95 is None else f"{row.interval_95[0]:.1f}–{row.interval_95[1]:.1f}"
    return f"{row.counted:,}", f"{row.positive:,}", index, interval
