"""The figures of a counted slide, as a journal prints them: the whole, and its hottest field plain and marked."""

from __future__ import annotations

import math
from pathlib import Path

from kulchitsky.case.verdict import SlidePicture
from kulchitsky.slide.count import CountResult
from kulchitsky.slide.overlay import U8, field_picture, thumbnail, write_png
from kulchitsky.slide.reader import open_slide

FOLDER = "pictures"

FIELD_SIDE_PX = 760
"""About 400 µm at 0.5 µm per pixel: what a 20x to 40x field shows."""


def pictures_of_count(path: Path, result: CountResult, out: Path) -> list[SlidePicture]:
    """Write the overview and the hottest field (plain, and with every nucleus marked) to ``out/pictures``."""
    count = result.count
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    stem = Path(count.slide).stem
    with open_slide(path, count.um_per_px) as slide:
        longest_um = max(slide.width_px, slide.height_px) * slide.um_per_px
        made = [
            _write(
                folder,
                f"{stem}-overview",
                thumbnail(slide, result.tissue, count.hotspots),
                count.slide,
                "the whole slide; rings mark the hottest windows, tinted places were left out",
                None,
            )
        ]
        if count.hotspots:
            hot = count.hotspots[0]
            side_um = min(longest_um, max(200.0, 2.2 * math.sqrt(hot.area_mm2 * 1e6 / math.pi)))
            scale = side_um / FIELD_SIDE_PX
            plain = field_picture(slide, hot.centre_um, side_um, side_px=FIELD_SIDE_PX)
            marked = field_picture(
                slide, hot.centre_um, side_um, side_px=FIELD_SIDE_PX, cells=result.cells, hotspots=(hot,)
            )
            made.append(_write(folder, f"{stem}-hot-spot", plain, count.slide, "the hottest field", scale))
            made.append(
                _write(
                    folder,
                    f"{stem}-hot-spot-marked",
                    marked,
                    count.slide,
                    "the same field: positive tumour nuclei red, negative blue, cells left out grey",
                    scale,
                )
            )
    return made


def _write(folder: Path, name: str, picture: U8, slide: str, caption: str, um_per_px: float | None) -> SlidePicture:
    target = folder / f"{name}.png"
    write_png(target, picture)
    return SlidePicture(slide=slide, path=f"{FOLDER}/{target.name}", caption=caption, um_per_px=um_per_px)
