"""``stain``: a stain other than Ki-67, read from its slide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from kulchitsky import workup
from kulchitsky.case.measure import Share, StainReading
from kulchitsky.cli.count import Detector
from kulchitsky.cli.progress import progress_bar
from kulchitsky.cli.text import print_issues, print_json


def stain(
    slide: Annotated[Path, typer.Argument(metavar="SLIDE", help="A slide (SVS, NDPI, MRXS, TIFF, …) or a picture.")],
    marker: Annotated[str, typer.Option(metavar="ID", help="What it is stained for: `chromogranin_a`, `CD56`, …")],
    detector: Annotated[Detector, typer.Option(help="How nuclei are found.")] = Detector.ACCURATE,
    um_per_px: Annotated[
        float | None, typer.Option("--um-per-px", help="Micrometres per pixel, where the file does not say.")
    ] = None,
    objective: Annotated[
        float | None, typer.Option(help="Objective (such as 40), in place of the scale: 10 µm over it.")
    ] = None,
    regions: Annotated[Path | None, typer.Option(help="QuPath GeoJSON of the areas to read.")] = None,
    gallery: Annotated[Path | None, typer.Option(help="Write a PNG of example cells of each pattern.")] = None,
    overlay: Annotated[Path | None, typer.Option(help="Write a PNG of the fullest field, cells by strength.")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads; all cores when not given.", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Read a stain from its slide: extent, strength, compartment and pattern of the tumour cells."""
    with progress_bar() as tell:
        reading = workup.read_stain(
            slide,
            marker=marker,
            detector=detector.value,
            um_per_px=um_per_px,
            objective=objective,
            regions=regions,
            threads=threads,
            gallery_to=gallery,
            overlay_to=overlay,
            progress=lambda done, total: tell(f"reading {slide.name}", done, total),
        )
    if as_json:
        print_json(reading)
        return
    _print(reading)


def _print(reading: StainReading) -> None:
    console = Console()
    console.print(
        f"[bold]{reading.slide}[/bold]  {reading.marker}  {reading.um_per_px:.4g} µm/px  {reading.tissue_mm2:.2f} mm²"
    )
    if reading.index_percent is not None and reading.interval_95 is not None:
        low, high = reading.interval_95
        extent = f", {reading.extent.value}" if reading.extent else ""
        console.print(
            f"stained: {reading.positive:,} of {reading.counted:,} tumour cells, "
            f"{reading.index_percent:.1f} % ({low:.1f}–{high:.1f}){extent}"
        )
    if reading.compartment_either:
        names = " or ".join(c.value.replace("_", " ") for c in reading.compartment_either)
        console.print(f"compartment: {names} (not told apart)")
    for name, value, sure in (
        ("compartment", reading.compartment, reading.compartment_confidence),
        ("pattern", reading.pattern, reading.pattern_confidence),
    ):
        if value is not None:
            confidence = f" (confidence {sure:.2f})" if sure is not None else ""
            console.print(f"{name}: {value.value.replace('_', ' ')}{confidence}")
    scores = [f"H-score {reading.h_score:.0f}"] if reading.h_score is not None else []
    scores += [f"Allred {reading.allred}"] if reading.allred is not None else []
    scores += [f"mostly {reading.intensity.value}"] if reading.intensity else []
    if scores:
        console.print(", ".join(scores))
    _print_shares(console, reading)
    if reading.expected:
        console.print(f"expected of this marker: {reading.expected}")
    print_issues(reading.issues)


def _print_shares(console: Console, reading: StainReading) -> None:
    """Shares of cells by strength, and of stained cells by place and pattern, side by side; only what there is."""
    parts = {
        "intensity": reading.intensity_classes,
        "compartment": reading.compartments,
        "pattern": reading.patterns,
    }
    columns = {heading: _lines(shares) for heading, shares in parts.items() if shares}
    if not columns:
        return
    table = Table(*columns)
    for line in range(max(map(len, columns.values()))):
        table.add_row(*(column[line] if line < len(column) else "" for column in columns.values()))
    console.print(table)


def _lines(shares: tuple[Share, ...]) -> list[str]:
    return [f"{share.name.replace('_', ' ')} {100 * share.fraction:.0f} %" for share in shares]
