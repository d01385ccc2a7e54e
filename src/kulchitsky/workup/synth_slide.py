"""Write a synthetic H-DAB slide with exact truth: for trying the program and for checking an installation."""

from __future__ import annotations

from pathlib import Path

from kulchitsky.case.errors import RefusedInput
from kulchitsky.slide import synthetic

ENDINGS = (".tif", ".tiff", ".png", ".jpg")


def synth_slide(
    path: Path,
    *,
    seed: int = 1,
    width_px: int = 4096,
    height_px: int = 3072,
    um_per_px: float = 0.5,
    index_percent: float = 20.0,
    hot_index_percent: float | None = None,
) -> dict[str, float]:
    """Write the slide to ``path`` and its truth (every nucleus) beside it as JSON; returns the counts of the truth.

    ``hot_index_percent`` puts a disc of that index, a fifth of the slide's height in radius, into the middle.
    """
    if not path.name.lower().endswith(ENDINGS):
        remedy = f"end the name in {' or '.join(ENDINGS)}"
        raise RefusedInput("a synthetic slide is not written in that format", source=path.name, remedy=remedy)
    if not path.resolve().parent.is_dir():
        raise RefusedInput("its folder does not exist", source=str(path), remedy="create the folder first")
    width_um, height_um = width_px * um_per_px, height_px * um_per_px
    hot: tuple[synthetic.HotRegion, ...] = ()
    if hot_index_percent is not None:
        hot = (synthetic.HotRegion(width_um / 2, height_um / 2, height_um / 5, hot_index_percent),)
    try:
        spec = synthetic.SlideSpec(
            seed=seed,
            width_px=width_px,
            height_px=height_px,
            um_per_px=um_per_px,
            index_percent=index_percent,
            hot_regions=hot,
        )
    except ValueError as error:
        raise RefusedInput(
            str(error), source=path.name, remedy="choose a size, scale and index that exist"
        ) from error
    truth = synthetic.write_slide(path, spec)
    truth.write_json(path.with_name(f"{path.name}.truth.json"))
    return {"counted": truth.counted, "positive": truth.positive, "index_percent": truth.index_percent}
