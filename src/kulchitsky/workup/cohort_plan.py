"""What a run over a cohort would do and how long it would take: an estimate from a sample of its slides."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from kulchitsky.case.cohort import CohortPlan, SlideOutcome, SlideStatus
from kulchitsky.case.errors import RefusedInput
from kulchitsky.slide.bands import CountSettings, SlidePlan, count_band, plan_slide
from kulchitsky.slide.pool import usable_cores
from kulchitsky.workup.cohort_list import CohortSlide, list_cohort
from kulchitsky.workup.cohort_store import CohortStore, key_of
from kulchitsky.workup.cohort_tasks import refused

_SURVEYED: Final = 12
_TIMED: Final = 4


def plan_cohort(
    slides: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    detector: str = "accurate",
    stain: str | None = None,
    um_per_px: float | None = None,
    objective: float | None = None,
    hotspot_cells: tuple[int, ...] = (500, 2000),
    tumour_only: bool = True,
    workers: int | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> CohortPlan:
    """Open every slide, measure the tissue of a sample, time a band of a few of those; write nothing.

    The estimate is tissue per gigapixel of the sample, times the gigapixels to do, times seconds per mm² on one core
    of this machine, over ``workers``. It leaves out reading from a slow disk, and takes other stains for counts.
    """
    folder = Path(out)
    listed = list_cohort(Path(slides), stain=stain, um_per_px=um_per_px, objective=objective, leave_out=folder)
    settings = CountSettings(detector, tuple(hotspot_cells), None, tumour_only)
    store = CohortStore(folder.resolve())
    to_do: list[CohortSlide] = []
    bad: list[SlideOutcome] = []
    gigapixels: dict[str, float] = {}
    for number, slide in enumerate(listed.slides):
        if not _up_to_date(slide, store, settings):
            to_do.append(slide)
            size = _gigapixels(slide, bad)
            if size is not None:
                gigapixels[slide.slide] = size
        if tell is not None:
            tell(number + 1, len(listed.slides))
    usable = [slide for slide in to_do if slide.slide in gigapixels]
    plans = _survey(usable, settings, bad)
    seconds_per_mm2, timed_mm2 = _speed(plans)
    sampled = sum(gigapixels[p_slide] for p_slide in plans)
    total = sum(gigapixels.values())
    share = sum(plan.wanted_mm2 for plan in plans.values()) / sampled if sampled else None
    tissue = total * share if share is not None else None
    processes = workers or usable_cores()
    return CohortPlan(
        slides=len(listed.slides),
        up_to_date=len(listed.slides) - len(to_do),
        to_do=len(to_do),
        refused=tuple(bad),
        gigapixels=total,
        sampled=len(plans),
        timed_mm2=timed_mm2,
        tissue_mm2=tissue,
        seconds_per_mm2=seconds_per_mm2,
        workers=processes,
        estimate_seconds=tissue * seconds_per_mm2 / processes
        if tissue is not None and seconds_per_mm2 is not None
        else None,
        issues=listed.issues,
    )


def _up_to_date(slide: CohortSlide, store: CohortStore, settings: CountSettings) -> bool:
    kept = store.load(slide.slide)
    return kept is not None and kept.status is not SlideStatus.FAILED and kept.key == key_of(slide, settings)


def _gigapixels(slide: CohortSlide, bad: list[SlideOutcome]) -> float | None:
    try:
        with slide.source.open() as opened:
            return opened.width_px * opened.height_px / 1e9
    except RefusedInput as error:
        bad.append(refused(slide, "", str(error)))
        return None


def _survey(slides: Sequence[CohortSlide], settings: CountSettings, bad: list[SlideOutcome]) -> dict[str, SlidePlan]:
    """Plans of slides spread over the list."""
    plans: dict[str, SlidePlan] = {}
    if not slides:
        return plans
    for pick in np.unique(np.linspace(0, len(slides) - 1, _SURVEYED).astype(int)):
        slide = slides[pick]
        try:
            plans[slide.slide] = plan_slide(slide.source, settings, band_blocks=2)
        except RefusedInput as error:
            bad.append(refused(slide, "", str(error)))
    return plans


def _speed(plans: dict[str, SlidePlan]) -> tuple[float | None, float]:
    """Seconds per mm² of the blocks of one band from the middle of a few slides, and their area.

    The first band is counted twice: what is loaded or compiled on first use is not the speed.
    """
    seconds = area = 0.0
    for number, plan in enumerate(list(plans.values())[:_TIMED]):
        middle = len(plan.bands) // 2
        if number == 0:
            count_band(plan, middle)
        start = time.perf_counter()
        count_band(plan, middle)
        seconds += time.perf_counter() - start
        share = sum(b.width * b.height for b in plan.bands[middle]) / sum(
            b.width * b.height for band in plan.bands for b in band
        )
        area += share * plan.wanted_mm2
    return (seconds / area if area else None), area
