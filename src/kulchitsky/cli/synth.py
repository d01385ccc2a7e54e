"""``synth``: a synthetic slide whose truth is known, to try the program and check an installation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kulchitsky import workup
from kulchitsky.cli.text import print_json


def synth(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A .tif slide (pyramid), or a .png or .jpg picture.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same slide.", min=0)] = 1,
    width_px: Annotated[int, typer.Option("--width-px", help="Width in pixels.", min=64)] = 4096,
    height_px: Annotated[int, typer.Option("--height-px", help="Height in pixels.", min=64)] = 3072,
    um_per_px: Annotated[float, typer.Option("--um-per-px", help="Micrometres per pixel.")] = 0.5,
    index_percent: Annotated[float, typer.Option("--index-percent", help="Labelling index of the tumour.")] = 20.0,
    hot_index_percent: Annotated[
        float | None, typer.Option("--hot-index-percent", help="Index of a hot spot in the middle.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Write a synthetic Ki-67 slide, with the truth of every nucleus beside it as JSON."""
    truth = workup.synth_slide(
        out,
        seed=seed,
        width_px=width_px,
        height_px=height_px,
        um_per_px=um_per_px,
        index_percent=index_percent,
        hot_index_percent=hot_index_percent,
    )
    if as_json:
        print_json({"slide": str(out), **truth})
        return
    typer.echo(
        f"{out}: {truth['counted']:,} tumour nuclei, {truth['positive']:,} positive, "
        f"index {truth['index_percent']:.1f} %; truth in {out.name}.truth.json"
    )
