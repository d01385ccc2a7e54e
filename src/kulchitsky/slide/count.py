"""Counts a whole slide: tissue, calibration, nuclei block by block, classes, hot spots, record."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from kulchitsky._version import __version__
from kulchitsky.case.errors import RefusedSlide
from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.measure import CutCurvePoint, HotSpot, LeftOut, SlideCount
from kulchitsky.numerics import intervals
from kulchitsky.slide import blocks, classify, hotspot, raster, tissue, tumour
from kulchitsky.slide import cells as table
from kulchitsky.slide.accurate import AccurateDetector
from kulchitsky.slide.blocks import Detector
from kulchitsky.slide.buffers import Buffers
from kulchitsky.slide.calibration import Calibration, calibrate
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.checkpoint import Checkpoint
from kulchitsky.slide.fast import FastDetector
from kulchitsky.slide.pages import trim_heap
from kulchitsky.slide.pool import finished_blocks, usable_cores
from kulchitsky.slide.reader import Slide, open_slide
from kulchitsky.slide.regions import Regions, read_regions
from kulchitsky.slide.tissue import TissueMap

Progress = Callable[[int, int], None]
"""Called with blocks done and blocks in all."""

DETECTORS: Final = ("fast", "accurate")
_OVERVIEW_UM: Final = 8.0
_SMALL_OVERVIEW_UM: Final = 2.0
_CURVE: Final = tuple(round(0.05 * k, 2) for k in range(1, 21))
_MOST_BAD_TILES: Final = 0.05


@dataclass(frozen=True, slots=True)
class CountResult:
    """The record of a count and what it rests on: cells, tissue map, calibration."""

    count: SlideCount
    cells: CellTable
    tissue: TissueMap
    calibration: Calibration
    cut: classify.PositivityCut


def make_detector(name: str) -> Detector:
    """``fast`` or ``accurate``; ValueError for anything else."""
    if name == "fast":
        return FastDetector()
    if name == "accurate":
        return AccurateDetector()
    raise ValueError(f"detector must be one of {', '.join(DETECTORS)}, not {name!r}")


def count_slide(
    path: str | os.PathLike[str],
    *,
    detector: str = "fast",
    um_per_px: float | None = None,
    objective: float | None = None,
    regions: str | os.PathLike[str] | None = None,
    hotspot_cells: tuple[int, ...] = (500, 2000),
    hotspot_area_mm2: float | None = None,
    tumour_only: bool = True,
    threads: int | None = None,
    progress: Progress | None = None,
    resume_dir: str | os.PathLike[str] | None = None,
    block_px: int | None = None,
) -> CountResult:
    """Count the nuclei of one H-DAB slide or photomicrograph.

    ``regions`` is a QuPath GeoJSON of where to count; ``tumour_only`` switches the morphology filter;
    ``resume_dir`` keeps the results of blocks so that a killed count goes on; ``threads`` defaults to the cores at
    hand. The result does not depend on ``threads``, on resuming, nor on ``block_px``. Raises :class:`RefusedSlide`
    (or :class:`RefusedInput` for the regions) for what cannot be counted.
    """
    engine = make_detector(detector)
    threads = threads or usable_cores()
    cv2.setNumThreads(threads)
    with open_slide(path, um_per_px, objective) as slide, ThreadPoolExecutor(1) as beside:
        area = read_regions(regions, slide.um_per_px) if regions is not None else None
        # what the detector loads on first use is loaded while the slide is looked over
        ready = beside.submit(blocks.warm_up, engine) if threads > 1 else None
        view = survey(slide, threads)
        wanted = view.map.countable
        if area:
            wanted = wanted & area.mask(view.map.tissue.shape, view.map.um_per_px)
        check_something_to_count(slide, view.map, wanted)
        found = _find_cells(slide, view, wanted, engine, threads, progress, resume_dir, block_px or engine.block_px)
        if ready is not None:
            ready.result()
        bad = unreadable_issue(slide.name, slide.unreadable_tiles, slide.tiles_read)
        cells, cut = judge(found, engine.faintest, area, tumour_only=tumour_only)
        del found  # its memory is that of ``cells`` now
        method = method_of(slide, engine, view, cut, tumour_only)
        count = summarise(slide, cells, view, method, hotspot_cells, hotspot_area_mm2, bad)
    return CountResult(count=count, cells=cells, tissue=view.map, calibration=view.calibration, cut=cut)


@dataclass(frozen=True, slots=True)
class Survey:
    """What is learned of a slide before counting: working raster, tissue map, calibration."""

    raster: raster.Raster
    map: TissueMap
    calibration: Calibration


def survey(slide: Slide, threads: int = 1) -> Survey:
    """Look over the slide once: tissue from the overview, colours from fields spread over the tissue."""
    small = slide.width_px * slide.height_px * slide.um_per_px**2 < 4e6
    view, view_um = raster.overview(slide, _SMALL_OVERVIEW_UM if small else _OVERVIEW_UM)
    glass = tissue.glass_colour(view)
    mapped = tissue.map_tissue(view, view_um, glass, threads)
    grid = raster.Raster(slide, fill=int(np.clip(round(float(glass.mean())), 0, 255)))
    fields = list(blocks.sample_fields(grid, mapped.countable, mapped.um_per_px))
    calibration = calibrate(fields, glass, slide.name)
    # what was looked at serves nothing later, and the heap has held some large arrays
    del view, fields
    slide.forget()
    trim_heap()
    return Survey(raster=grid, map=mapped, calibration=calibration)


def judge(
    cells: CellTable, faintest: float, area: Regions | None = None, *, tumour_only: bool = True
) -> tuple[CellTable, classify.PositivityCut]:
    """Decide for each cell whether it counts and whether it is positive; the cut comes from the cells themselves.

    Faint background that is no nucleus is dropped from the table, see :func:`kulchitsky.slide.tumour.visible`. The
    result takes over the memory of ``cells``, which must not be used afterwards.
    """
    soft = tumour.out_of_focus(cells)
    keep = soft | tumour.visible(cells, faintest)
    cells, soft = cells.rearrange(keep), soft[keep]
    reason = np.zeros(len(cells), np.uint8)
    if tumour_only:
        reason = tumour.leave_out(cells)
    reason[soft] = table.OUT_OF_FOCUS
    if area is not None:
        reason[~area.hold(cells.x_um, cells.y_um)] = table.OUTSIDE_REGION
    cells = cells.with_reason(reason)
    signal = classify.nuclear_signal(cells)
    cut = classify.find_cut(signal[cells.counted])
    return cells.with_positive(signal > cut.cut_od), cut


def check_something_to_count(slide: Slide, mapped: TissueMap, wanted: NDArray[np.bool_]) -> None:
    """Refuse a slide without tissue, or without any that may be counted."""
    if not mapped.tissue.any():
        raise RefusedSlide("no tissue was found on it", source=slide.name, remedy="check that the slide is stained")
    if not wanted.any():
        problem = "nothing is left to count once pen, folds and regions are taken into account"
        raise RefusedSlide(problem, source=slide.name, remedy="check the regions file, or mark other regions")


def _find_cells(
    slide: Slide,
    view: Survey,
    wanted: NDArray[np.bool_],
    engine: Detector,
    threads: int | None,
    progress: Progress | None,
    resume_dir: str | os.PathLike[str] | None,
    block_px: int,
) -> CellTable:
    plan = blocks.plan_blocks(view.raster, wanted, view.map.um_per_px, block_px)
    checkpoint = None
    if resume_dir is not None:
        identity = {
            "slide": slide.fingerprint(),
            "um_per_px": slide.um_per_px,
            "detector": [engine.name, engine.version, engine.checksum],
            "block": block_px,
            "mask": hashlib.sha256(np.packbits(wanted).tobytes()).hexdigest(),
            "software": __version__,
        }
        checkpoint = Checkpoint(Path(resume_dir), identity)
    buffers = Buffers()
    blocks.announce_blocks(view.raster, [b for b in plan if not (checkpoint and checkpoint.holds(b.number))], engine)

    def work(block: blocks.Block) -> CellTable:
        return blocks.count_block(view.raster, block, wanted, view.map.um_per_px, engine, view.calibration, buffers)

    parts = finished_blocks(plan, work, threads=threads, progress=progress, checkpoint=checkpoint)
    cells = table.gather(parts)
    if checkpoint is not None:
        checkpoint.clear()
    return in_reading_order(cells)


def in_reading_order(cells: CellTable) -> CellTable:
    """Reading order of the slide, not of the blocks: the same table whatever the block size.

    The result takes over the memory of ``cells``, which must not be used afterwards.
    """
    if len(cells) < 2:
        return cells
    order = np.argsort(cells.y_um, kind="stable")
    y = cells.y_um[order]
    same = y[1:] == y[:-1]
    tied = order[np.append(same, False) | np.append(False, same)]
    order[np.append(same, False) | np.append(False, same)] = tied[np.lexsort((cells.x_um[tied], cells.y_um[tied]))]
    return cells.rearrange(order)


def unreadable_issue(name: str, bad: int, read: int) -> Issue | None:
    """What ``bad`` damaged tiles of ``read`` mean: nothing, an issue, or a refused slide."""
    if bad == 0:
        return None
    if bad > _MOST_BAD_TILES * read + 1:
        problem = f"{bad} of {read} tiles read are damaged"
        raise RefusedSlide(problem, source=name, remedy="copy or scan the slide again")
    message = f"{bad} damaged tiles were left out of the count"
    remedy = "copy or scan the slide again"
    return Issue(level=Level.SERIOUS, code="slide.tiles.damaged", message=message, remedy=remedy, path=name)


def method_of(
    slide: Slide,
    engine: Detector,
    view: Survey,
    cut: classify.PositivityCut,
    tumour_only: bool,
) -> dict[str, Any]:
    """How the count was made: enough to repeat it."""
    cal = view.calibration
    return {
        "software": __version__,
        "detector": engine.name,
        "detector_version": engine.version,
        "detector_checksum": engine.checksum,
        "parameters": engine.parameters,
        "tumour_only": tumour_only,
        "slide_checksum": slide.fingerprint(),
        "format": slide.vendor,
        "scale_source": slide.scale.source,
        "working_um_per_px": round(view.raster.um_per_px, 5),
        "glass_rgb": [round(v, 1) for v in cal.glass],
        "hematoxylin_vector": [round(v, 4) for v in cal.stains[0]],
        "dab_vector": [round(v, 4) for v in cal.stains[1]],
        "vectors_estimated": list(cal.estimated),
        "cut_od": round(cut.cut_od, 4),
        "cut_from": cut.how,
        "interval": "Wilson 95 %: covers the sampling of cells, not the choice of the field",
    }


def summarise(
    slide: Slide,
    cells: CellTable,
    view: Survey,
    method: dict[str, Any],
    hotspot_cells: tuple[int, ...],
    hotspot_area_mm2: float | None,
    unreadable: Issue | None,
) -> SlideCount:
    """The record of a judged cell table."""
    counted = cells.counted
    n, k = int(counted.sum()), int((counted & cells.positive).sum())
    low, high = intervals.wilson(k, n)
    inside = (cells.reason != table.OUTSIDE_REGION) & (cells.reason != table.OUT_OF_FOCUS)
    everyone = int(inside.sum())
    spots, spot_issues = find_hotspots(cells, hotspot_cells, hotspot_area_mm2, slide.name)
    curve = classify.cut_curve(classify.nuclear_signal(cells)[counted], np.asarray(_CURVE))
    return SlideCount(
        slide=slide.name,
        um_per_px=slide.um_per_px,
        tissue_mm2=view.map.area_mm2(view.map.tissue),
        counted=n,
        positive=k,
        index_percent=100 * k / n if n else None,
        interval_95=(100 * float(low), 100 * float(high)) if n else None,
        hotspots=tuple(spots),
        left_out=_left_out(cells),
        index_with_left_out_percent=100 * int((inside & cells.positive).sum()) / everyone if everyone else None,
        cut_curve=tuple(
            CutCurvePoint(cut_od=c, index_percent=float(v)) for c, v in zip(_CURVE, curve, strict=True) if n
        ),
        method=method,
        issues=(
            *slide.issues,
            *view.calibration.issues,
            *_map_issues(view.map, slide.name),
            *((unreadable,) if unreadable else ()),
            *_count_issues(cells, n, slide.name),
            *spot_issues,
        ),
    )


def find_hotspots(
    cells: CellTable, hotspot_cells: tuple[int, ...], hotspot_area_mm2: float | None, name: str
) -> tuple[list[HotSpot], list[Issue]]:
    """Hot spots of the counted cells, and an issue for each that the slide is too small for."""
    use = cells.counted
    x, y, positive = cells.x_um[use], cells.y_um[use], cells.positive[use]
    spots: list[HotSpot] = []
    issues: list[Issue] = []
    for wanted in hotspot_cells:
        found = hotspot.hotspot_by_cells(x, y, positive, wanted)
        if found is not None:
            spots.append(found)
            continue
        message = f"no window of {wanted} tumour cells: only {len(x)} were counted"
        remedy = "count more fields before a grade rests on it"
        issues.append(
            Issue(level=Level.WARNING, code="slide.hotspot.too_few", message=message, remedy=remedy, path=name)
        )
    if hotspot_area_mm2 is not None:
        found = hotspot.hotspot_by_area(x, y, positive, hotspot_area_mm2)
        if found is not None:
            spots.append(found)
    return spots, issues


def _left_out(cells: CellTable) -> tuple[LeftOut, ...]:
    rows = []
    for code, name in enumerate(table.REASONS):
        these = cells.reason == code
        if code != table.COUNTED and these.any():
            rows.append(LeftOut(reason=name, cells=int(these.sum()), positive=int((these & cells.positive).sum())))
    return tuple(rows)


def _map_issues(mapped: TissueMap, name: str) -> list[Issue]:
    issues = []
    for mask, what in ((mapped.pen, "pen"), (mapped.fold, "fold")):
        if mask.any():
            area = mapped.area_mm2(mask)
            message = f"{area:.2f} mm² of tissue under {'pen ink' if what == 'pen' else 'folds'} were not counted"
            issues.append(Issue(level=Level.NOTE, code=f"slide.{what}", message=message, path=name))
    return issues


def _count_issues(cells: CellTable, counted: int, name: str) -> list[Issue]:
    issues = []
    soft = int((cells.reason == table.OUT_OF_FOCUS).sum())
    if soft:
        message = f"{soft} nuclei in fields out of focus were not counted"
        issues.append(Issue(level=Level.NOTE, code="slide.focus", message=message, path=name))
    if counted == 0:
        message = "no tumour cell was counted: there is no labelling index"
        remedy = "check stain, scale and regions; try --all-cells"
        issues.append(Issue(level=Level.SERIOUS, code="slide.no_cells", message=message, remedy=remedy, path=name))
    return issues
