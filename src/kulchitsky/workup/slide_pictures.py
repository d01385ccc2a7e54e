"""The figures of a slide, as a journal prints them: the whole, its hottest field plain and marked, example cells."""

from __future__ import annotations

import math
from pathlib import Path

from kulchitsky.case.verdict import SlidePicture
from kulchitsky.slide.count import CountResult
from kulchitsky.slide.overlay import U8, field_picture, thumbnail, write_png
from kulchitsky.slide.reader import open_slide
from kulchitsky.slide.stain_reading import StainResult
from kulchitsky.slide.stains.pictures import field, fullest_field, gallery
from kulchitsky.workup.read_stain import example_groups

FOLDER = "pictures"

STAIN_FIELD_UM = 220.0

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


def pictures_of_reading(path: Path, result: StainResult, out: Path) -> list[SlidePicture]:
    """Write the fullest field (plain, and with every cell marked by its strength) and example cells."""
    reading, cells = result.reading, result.cells
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    stem = Path(reading.slide).stem
    with open_slide(path, reading.um_per_px) as slide:
        centre, side_um = fullest_field(slide, cells, STAIN_FIELD_UM)
        scale = side_um / FIELD_SIDE_PX
        plain = field_picture(slide, centre, side_um, side_px=FIELD_SIDE_PX)
        marked = field(slide, centre, side_um, cells, result.judgement.level, side_px=FIELD_SIDE_PX)
        examples = gallery(slide, cells, example_groups(result))
    name = reading.slide
    caption = "the same field: tumour cells not stained blue, 1+ yellow, 2+ orange, 3+ red; other cells grey"
    return [
        _write(folder, f"{stem}-field", plain, name, "the field with the most stained tumour cells", scale),
        _write(folder, f"{stem}-field-marked", marked, name, caption, scale),
        _write(folder, f"{stem}-cells", examples, name, "example cells of each pattern, and unstained ones", None),
    ]


def _write(folder: Path, name: str, picture: U8, slide: str, caption: str, um_per_px: float | None) -> SlidePicture:
    target = folder / f"{name}.png"
    write_png(target, picture)
    return SlidePicture(slide=slide, path=f"{FOLDER}/{target.name}", caption=caption, um_per_px=um_per_px)
