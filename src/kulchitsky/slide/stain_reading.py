"""Reads a stained slide: how many tumour cells stain, how strongly, in which compartment, in what pattern."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky._version import __version__
from kulchitsky.case.errors import RefusedSlide
from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.measure import Share, StainReading
from kulchitsky.case.vocabulary import Compartment, Intensity, Pattern
from kulchitsky.numerics import intervals
from kulchitsky.slide import blocks, tumour
from kulchitsky.slide import cells as table
from kulchitsky.slide.blocks import Block, Detector
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.count import Progress, Survey, make_detector, survey
from kulchitsky.slide.pool import run_blocks
from kulchitsky.slide.reader import Slide, open_slide
from kulchitsky.slide.regions import Regions, read_regions
from kulchitsky.slide.stains import find
from kulchitsky.slide.stains.controls import control_issues, unsure_issues
from kulchitsky.slide.stains.cut import HIGHEST_BACKGROUND_OD
from kulchitsky.slide.stains.find import StainedCells
from kulchitsky.slide.stains.first_look import FirstLook, first_look
from kulchitsky.slide.stains.judge import COMPARTMENT_OF, PATTERN_OF, Judgement, grouped, judge
from kulchitsky.slide.stains.model import StainModel, load_model
from kulchitsky.slide.stains.negative import looks_inverted
from kulchitsky.slide.stains.tumour_cells import leave_out
from kulchitsky.slide.tissue import TissueMap

SURE_COMPARTMENT: Final = 0.5
"""A compartment is named where it is likelier than all others together; else the reading says which ones it may be.

Of painted fields with a certainty of 0.5 to 0.6 (cross-validated over the training fields) six in ten were right.
"""
_EITHER: Final = 0.85
LEVELS: Final = ("0", "1+", "2+", "3+")
_WORDS: Final = (Intensity.WEAK, Intensity.MODERATE, Intensity.STRONG)


@dataclass(frozen=True, slots=True)
class StainResult:
    """The record of a reading and what it rests on: cells (``positive`` is stained), judgement, tissue map."""

    reading: StainReading
    cells: CellTable
    judgement: Judgement
    tissue: TissueMap
    classes: tuple[str, ...]

    def examples(self, kind: str, wanted: int) -> NDArray[np.intp]:
        """Rows of the stained tumour cells that show a class best, surest first."""
        column = self.classes.index(kind)
        rows = np.nonzero(self.cells.counted & self.cells.positive)[0]
        return rows[np.argsort(-self.judgement.probabilities[rows, column], kind="stable")][:wanted]


def read_stain(
    path: str | os.PathLike[str],
    *,
    marker: str,
    um_per_px: float | None = None,
    objective: float | None = None,
    regions: str | os.PathLike[str] | None = None,
    detector: str = "accurate",
    threads: int | None = None,
    progress: Progress | None = None,
    block_px: int = blocks.BLOCK_PX,
) -> StainResult:
    """Read one H-DAB slide or photomicrograph of a stain other than a proliferation count.

    The reading says what the pixels show; what is expected of the marker, and the words that depend on the marker
    (extent, Allred score), belong to the floor that knows it. Raises :class:`RefusedSlide` (or
    :class:`kulchitsky.case.errors.RefusedInput` for the regions) for what cannot be read.
    """
    engine, model = make_detector(detector), load_model()
    with open_slide(path, um_per_px, objective) as slide:
        area = read_regions(regions, slide.um_per_px) if regions is not None else None
        view = survey(slide)
        wanted = view.map.countable & (area.mask(view.map.tissue.shape, view.map.um_per_px) if area else True)
        if not wanted.any():
            what = "no tissue was found on it" if not view.map.tissue.any() else "nothing is left of it to read"
            raise RefusedSlide(what, source=slide.name, remedy="check that the slide is stained, and its regions")
        look = _look(slide, view, wanted, engine, model)
        found = _find(view, look, wanted, engine, threads, progress, block_px)
        found = _with_reasons(found, engine, area, model)
        verdict = judge(found, found.cells.counted, look.certainty, model)
        cells = found.cells.with_positive(verdict.stained)
        view = replace(view, calibration=look.calibration)
        method = _method(engine, look)
        reading = _reading(slide, marker, replace(found, cells=cells), view, verdict, model, method)
    return StainResult(reading, cells, verdict, view.map, model.classes)


def _look(slide: Slide, view: Survey, wanted: NDArray[np.bool_], engine: Detector, model: StainModel) -> FirstLook:
    """The first look at sample fields; raises :class:`RefusedSlide` for a photographic negative."""
    fields = list(blocks.sample_fields(view.raster, wanted, view.map.um_per_px))
    if looks_inverted(fields, view.raster.um_per_px, engine):
        problem = "it looks like a photographic negative: more nuclei show once its colours are inverted"
        raise RefusedSlide(problem, source=slide.name, remedy="invert its colours, or export the picture again")
    return first_look(fields, view.raster.um_per_px, engine, view.calibration, model)


def _find(
    view: Survey,
    look: FirstLook,
    wanted: NDArray[np.bool_],
    engine: Detector,
    threads: int | None,
    progress: Progress | None,
    block_px: int,
) -> StainedCells:
    grid, mapped = view.raster, view.map
    plan = blocks.plan_blocks(grid, wanted, mapped.um_per_px, block_px)

    def work(block: Block) -> StainedCells:
        return find.find_in_block(grid, block, wanted, mapped.um_per_px, engine, look.calibration, look.channel)

    found = find.concatenate(run_blocks(plan, work, threads=threads, progress=progress))
    # reading order of the slide, not of the blocks: the same table whatever the block size
    return found.take(np.lexsort((found.cells.x_um, found.cells.y_um)))


def _with_reasons(found: StainedCells, engine: Detector, area: Regions | None, model: StainModel) -> StainedCells:
    """Drop faint background, and say which cells are no tumour cells in focus inside the regions."""
    cells = found.cells
    soft = tumour.out_of_focus(cells)
    keep = soft | tumour.visible(cells, engine.faintest)
    found, soft = found.take(keep), soft[keep]
    reason = leave_out(found.cells, model)
    reason[soft] = table.OUT_OF_FOCUS
    if area is not None:
        reason[~area.hold(found.cells.x_um, found.cells.y_um)] = table.OUTSIDE_REGION
    return replace(found, cells=found.cells.with_reason(reason))


def _method(engine: Detector, look: FirstLook) -> dict[str, Any]:
    return {
        "software": __version__,
        "detector": engine.name,
        "detector_version": engine.version,
        "detector_checksum": engine.checksum,
        "nuclei_found_on": look.channel,
    }


def _reading(
    slide: Slide,
    marker: str,
    found: StainedCells,
    view: Survey,
    verdict: Judgement,
    model: StainModel,
    method: dict[str, Any],
) -> StainReading:
    counted = found.cells.counted
    n, k = int(counted.sum()), int((counted & verdict.stained).sum())
    low, high = intervals.wilson(k, n)
    levels = np.bincount(verdict.level[counted], minlength=4)[:4]
    by_compartment, by_pattern = (grouped(verdict.class_shares, names) for names in (COMPARTMENT_OF, PATTERN_OF))
    sure_compartment, sure_pattern = (grouped(verdict.certainty, names) for names in (COMPARTMENT_OF, PATTERN_OF))
    compartment, either = _named(sure_compartment) if k else (None, ())
    pattern = Pattern(max(sure_pattern, key=lambda name: sure_pattern[name])) if k and sure_pattern else None
    stained_level = int(np.argmax(levels[1:])) if k else None
    return StainReading(
        slide=slide.name,
        marker=marker,
        um_per_px=slide.um_per_px,
        tissue_mm2=view.map.area_mm2(view.map.tissue),
        counted=n,
        positive=k,
        index_percent=100 * k / n if n else None,
        interval_95=(100 * float(low), 100 * float(high)) if n else None,
        intensity=_WORDS[stained_level] if stained_level is not None else None,
        compartment=compartment,
        compartment_confidence=sure_compartment.get(compartment.value) if compartment else None,
        compartment_either=either,
        pattern=pattern,
        pattern_confidence=sure_pattern.get(pattern.value) if pattern else None,
        intensity_classes=_levels(levels) if n else (),
        compartments=_shares(by_compartment) if k else (),
        patterns=_shares(by_pattern) if k else (),
        h_score=float(np.dot(levels, (0, 1, 2, 3))) * 100 / n if n else None,
        method=method
        | {
            "slide_checksum": slide.fingerprint(),
            "scale_source": slide.scale.source,
            "working_um_per_px": round(view.raster.um_per_px, 5),
            "hematoxylin_vector": [round(v, 4) for v in view.calibration.stains[0]],
            "dab_vector": [round(v, 4) for v in view.calibration.stains[1]],
            "background_od": round(verdict.background_od, 4),
            "highest_background_od": HIGHEST_BACKGROUND_OD,
            "cut_od": round(verdict.cut.cut_od, 4),
            "cut_from": verdict.cut.how,
            "intensity_od": list(model.intensity_od),
            "intensity_source": model.facts["intensity_source"],
            "model_checksum": model.checksum,
            "interval": "Wilson 95 %: covers the sampling of cells, not the choice of the slide",
        },
        issues=(
            *slide.issues,
            *view.calibration.issues,
            *control_issues(found, verdict, Path(slide.name).name),
            *unsure_issues(either, sure_compartment, Path(slide.name).name),
            *_unreadable(slide),
        ),
    )


def _named(certainty: dict[str, float]) -> tuple[Compartment | None, tuple[Compartment, ...]]:
    """The compartment where it is sure enough, else those it may be: the likeliest until they make it sure."""
    ordered = sorted(certainty, key=lambda name: -certainty[name])
    if not ordered or certainty[ordered[0]] >= SURE_COMPARTMENT:
        return (Compartment(ordered[0]) if ordered else None), ()
    total, either = 0.0, []
    for name in ordered:
        either.append(Compartment(name))
        total += certainty[name]
        if total >= _EITHER:
            break
    return None, tuple(either)


def _levels(cells: NDArray[np.intp]) -> tuple[Share, ...]:
    return tuple(Share(name=name, fraction=float(c / cells.sum())) for name, c in zip(LEVELS, cells, strict=True))


def _shares(groups: dict[str, float]) -> tuple[Share, ...]:
    ordered = sorted(groups.items(), key=lambda item: -item[1])
    return tuple(Share(name=name, fraction=min(1.0, share)) for name, share in ordered if share >= 0.005)


def _unreadable(slide: Slide) -> tuple[Issue, ...]:
    if not slide.unreadable_tiles:
        return ()
    message = f"{slide.unreadable_tiles} damaged tiles were left out of the reading"
    remedy = "copy or scan the slide again"
    return (Issue(level=Level.SERIOUS, code="slide.tiles.damaged", message=message, remedy=remedy, path=slide.name),)
