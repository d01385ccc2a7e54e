"""Count Ki-67 on one slide, and write what was asked for beside the record: cells, overlay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kulchitsky.case.errors import RefusedInput
from kulchitsky.case.measure import SlideCount
from kulchitsky.slide import count, export, overlay
from kulchitsky.slide.reader import open_slide

CELL_FILES = (".parquet", ".geojson", ".geojson.gz", ".json", ".json.gz")


def count_slide(
    slide: Path,
    *,
    detector: str = "fast",
    um_per_px: float | None = None,
    objective: float | None = None,
    regions: Path | None = None,
    hotspot_cells: tuple[int, ...] = (500, 2000),
    hotspot_area_mm2: float | None = None,
    tumour_only: bool = True,
    threads: int | None = None,
    resume_dir: Path | None = None,
    cells_to: Path | None = None,
    overlay_to: Path | None = None,
    overlay_um_per_px: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SlideCount:
    """Count the slide; see :func:`kulchitsky.slide.count.count_slide`.

    ``cells_to`` takes the cell table (Parquet or QuPath GeoJSON by its ending), ``overlay_to`` a PNG: the thumbnail
    with hot spots, or every cell at ``overlay_um_per_px``. Output names are checked before counting begins.
    """
    _check_outputs(cells_to, overlay_to)
    result = count.count_slide(
        slide,
        detector=detector,
        um_per_px=um_per_px,
        objective=objective,
        regions=regions,
        hotspot_cells=hotspot_cells,
        hotspot_area_mm2=hotspot_area_mm2,
        tumour_only=tumour_only,
        threads=threads,
        progress=progress,
        resume_dir=resume_dir,
    )
    if cells_to is not None:
        export.write_cells(cells_to, result.cells, result.count.um_per_px)
    if overlay_to is not None:
        with open_slide(slide, um_per_px, objective) as opened:
            if overlay_um_per_px is None:
                picture = overlay.thumbnail(opened, result.tissue, result.count.hotspots)
            else:
                picture = overlay.slide_overlay(opened, result.cells, result.count.hotspots, overlay_um_per_px)
        overlay.write_png(overlay_to, picture)
    return result.count


def _check_outputs(cells_to: Path | None, overlay_to: Path | None) -> None:
    for path, endings in ((cells_to, CELL_FILES), (overlay_to, (".png",))):
        if path is None:
            continue
        if not path.name.lower().endswith(endings):
            remedy = f"end the name in {' or '.join(endings)}"
            raise RefusedInput("the kind of file is not known by its ending", source=path.name, remedy=remedy)
        if not path.resolve().parent.is_dir():
            raise RefusedInput("its folder does not exist", source=str(path), remedy="create the folder first")
