"""What a worker does for a slide of a cohort: look it over, count a band, put bands together.

Tasks may run twice, on any process that sees the files: they write under names of their own and rename, and the same
input gives the same bytes. A refused slide is a result; anything unexpected is raised, so that it is tried again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from kulchitsky.case.cohort import SlideOutcome, SlideStatus
from kulchitsky.case.errors import RefusedInput
from kulchitsky.case.measure import HotSpot
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.knowledge.stain_rules import load_stain_rules
from kulchitsky.report.files import write_whole
from kulchitsky.slide import bands, export, overlay, stain_reading
from kulchitsky.slide.bands import CountSettings, SlidePlan
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.overlay import U8
from kulchitsky.slide.reader import Slide
from kulchitsky.slide.tissue import TissueMap
from kulchitsky.workup.cohort_list import CohortSlide
from kulchitsky.workup.cohort_store import CohortStore, key_of
from kulchitsky.workup.read_stain import with_expectation
from kulchitsky.workup.slide_names import PROLIFERATION_STAIN

_PICTURE_PX = 1000


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds a task took, by the clock and of its thread's processor."""

    clock: float = 0.0
    cpu: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.clock + other.clock, self.cpu + other.cpu)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.clock - other.clock, self.cpu - other.cpu)


def _now() -> Spent:
    return Spent(time.perf_counter(), time.thread_time())


@dataclass(frozen=True, slots=True)
class Looked:
    """A slide looked over: its plan, or that it is to be read, or its outcome, or nothing: it is up to date."""

    slide: CohortSlide
    key: str
    detector: str
    plan: SlidePlan | None = None
    to_read: bool = False
    outcome: SlideOutcome | None = None
    spent: Spent = Spent()


@dataclass(frozen=True, slots=True)
class Brief:
    """What the one who hands out work must know of a slide: how many bands, or its outcome, or up to date."""

    key: str
    bands: int
    to_read: bool
    outcome: SlideOutcome | None


@dataclass(frozen=True, slots=True)
class BandDone:
    """A band lies in its file; or the slide was refused there."""

    number: int
    spent: Spent
    refusal: str = ""


def look(slide: CohortSlide, settings: CountSettings, done_key: str) -> Looked:
    """Open and survey a slide, unless its key says that it is done."""
    start = _now()
    key = key_of(slide, settings)
    if key == done_key:
        return Looked(slide, key, settings.detector)
    if slide.stain != PROLIFERATION_STAIN:
        return Looked(slide, key, settings.detector, to_read=True, spent=_now() - start)
    try:
        plan = bands.plan_slide(slide.source, settings)
    except RefusedInput as error:
        return Looked(slide, key, settings.detector, outcome=refused(slide, key, str(error)))
    return Looked(slide, key, settings.detector, plan=plan, spent=_now() - start)


def brief(looked: Looked) -> Brief:
    """The part of ``looked`` that is small enough to send around."""
    return Brief(looked.key, len(looked.plan.bands) if looked.plan is not None else 0, looked.to_read, looked.outcome)


def count_band(looked: Looked, number: int, folder: str) -> BandDone:
    """Count one band into its file; one that lies there already is not counted again."""
    assert looked.plan is not None
    file = CohortStore(Path(folder)).band_file(looked.slide.slide, looked.key, number)
    kept = bands.load_band(file)
    if kept is not None:
        return BandDone(number, Spent(*kept.seconds))
    start = _now()
    try:
        band = bands.count_band(looked.plan, number)
    except RefusedInput as error:
        return BandDone(number, _now() - start, refusal=str(error))
    spent = _now() - start
    bands.save_band(file, replace(band, seconds=(spent.clock, spent.cpu)))
    return BandDone(number, spent)


def finish(looked: Looked, done: Sequence[BandDone], folder: str) -> SlideOutcome:
    """Put the bands together, write cells and overview, and return the outcome."""
    assert looked.plan is not None
    slide, store, start = looked.slide, CohortStore(Path(folder)), _now()
    refusals = [band.refusal for band in sorted(done, key=lambda band: band.number) if band.refusal]
    if refusals:
        return refused(slide, looked.key, refusals[0])
    parts = []
    for number in range(len(looked.plan.bands)):
        file = store.band_file(slide.slide, looked.key, number)
        kept = bands.load_band(file)
        if kept is None:
            raise FileNotFoundError(f"the cells of band {number} are gone: {file}")
        parts.append(kept)
    try:
        result = bands.finish_count(looked.plan, parts)
    except RefusedInput as error:
        return refused(slide, looked.key, str(error))
    with slide.source.open() as opened:
        picture = _write_picture(store, slide, _overview(opened, result.tissue, result.count.hotspots))
    cells = _write_cells(store, slide, result.cells)
    spent = sum((band.spent for band in done), looked.spent) + (_now() - start)
    width, height = looked.plan.size_px
    return SlideOutcome(
        slide=slide.slide,
        key=looked.key,
        status=SlideStatus.COUNTED,
        count=result.count,
        width_px=width,
        height_px=height,
        worker_seconds=spent.clock,
        cpu_seconds=spent.cpu,
        cells=cells,
        picture=picture,
    )


def read(looked: Looked, folder: str) -> SlideOutcome:
    """Read the stain of a slide that is not counted, and write its cells and overview."""
    slide, store, start = looked.slide, CohortStore(Path(folder)), _now()
    source, marker = slide.source, load_knowledge().markers[slide.stain]
    try:
        result = stain_reading.read_stain(
            source.path,
            marker=marker.id,
            um_per_px=source.um_per_px,
            objective=source.objective,
            regions=source.regions,
            detector=looked.detector,
            threads=1,
        )
        with source.open() as opened:
            size, picture = (opened.width_px, opened.height_px), _overview(opened, result.tissue, ())
    except RefusedInput as error:
        return refused(slide, looked.key, str(error))
    cells = _write_cells(store, slide, result.cells)
    drawn = _write_picture(store, slide, picture)
    spent = looked.spent + (_now() - start)
    return SlideOutcome(
        slide=slide.slide,
        key=looked.key,
        status=SlideStatus.READ,
        reading=with_expectation(result.reading, marker, load_stain_rules()),
        width_px=size[0],
        height_px=size[1],
        worker_seconds=spent.clock,
        cpu_seconds=spent.cpu,
        cells=cells,
        picture=drawn,
    )


def refused(slide: CohortSlide, key: str, sentence: str) -> SlideOutcome:
    """The outcome of a slide that cannot be used; the folder of the slide is left out of the sentence."""
    folder = f"{Path(slide.source.path).parent}/"
    return SlideOutcome(slide=slide.slide, key=key, status=SlideStatus.REFUSED, reason=sentence.replace(folder, ""))


def _write_cells(store: CohortStore, slide: CohortSlide, cells: CellTable) -> str:
    file = store.cells_file(slide.slide)
    file.parent.mkdir(parents=True, exist_ok=True)
    export.write_parquet(file, cells)
    return file.relative_to(store.folder).as_posix()


def _overview(opened: Slide, tissue: TissueMap, hotspots: tuple[HotSpot, ...]) -> U8:
    return overlay.thumbnail(opened, tissue, hotspots, side_px=_PICTURE_PX)


def _write_picture(store: CohortStore, slide: CohortSlide, picture: U8) -> str:
    ok, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    if not ok:
        raise RuntimeError(f"{slide.slide}: the overview could not be encoded")
    file = write_whole(store.picture_file(slide.slide), data.tobytes())
    return file.relative_to(store.folder).as_posix()
