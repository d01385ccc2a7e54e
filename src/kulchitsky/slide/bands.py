"""A count cut into bands that can be worked off anywhere: what each needs travels with it, and the end is the same.

A band is a run of blocks of one row. The slide is surveyed once; bands are independent of each other; putting them
together gives, to the last bit, what :func:`kulchitsky.slide.count.count_slide` gives in one process.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide import blocks, count, raster
from kulchitsky.slide import cells as table
from kulchitsky.slide.blocks import Block, Detector
from kulchitsky.slide.buffers import Buffers
from kulchitsky.slide.calibration import Calibration
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.reader import Slide, open_slide
from kulchitsky.slide.regions import read_regions
from kulchitsky.slide.source import TileLog
from kulchitsky.slide.tissue import TissueMap

BAND_BLOCKS: Final = 8
"""Blocks in a band at most: some 2 mm² of tissue, seconds of work."""


@dataclass(frozen=True, slots=True)
class SlideSource:
    """Which slide, at what scale, where on it: as the user said, so that any process can open it."""

    path: str
    um_per_px: float | None = None
    objective: float | None = None
    regions: str | None = None

    def open(self) -> Slide:
        """Open the slide; raises :class:`kulchitsky.case.errors.RefusedSlide`."""
        return open_slide(self.path, self.um_per_px, self.objective)


@dataclass(frozen=True, slots=True)
class CountSettings:
    """What decides a count besides the slide; see :func:`kulchitsky.slide.count.count_slide`."""

    detector: str = "accurate"
    hotspot_cells: tuple[int, ...] = (500, 2000)
    hotspot_area_mm2: float | None = None
    tumour_only: bool = True


@dataclass(frozen=True, slots=True)
class SlidePlan:
    """A surveyed slide cut into bands: no open file, so that it can be sent to another process."""

    source: SlideSource
    settings: CountSettings
    fill: int
    map: TissueMap
    wanted: NDArray[np.bool_]
    calibration: Calibration
    bands: tuple[tuple[Block, ...], ...]
    tiles: TileLog
    size_px: tuple[int, int]

    @property
    def wanted_mm2(self) -> float:
        """Area to be counted."""
        return self.map.area_mm2(self.wanted)


@dataclass(frozen=True, slots=True)
class Band:
    """Cells of one band, not yet judged, and the tiles it read; ``seconds`` by the clock and the processor."""

    cells: CellTable
    tiles: TileLog
    seconds: tuple[float, float] = (0.0, 0.0)


@lru_cache(maxsize=2)
def detector_named(name: str) -> Detector:
    """A detector, loaded once a process."""
    return count.make_detector(name)


def plan_slide(source: SlideSource, settings: CountSettings, *, band_blocks: int = BAND_BLOCKS) -> SlidePlan:
    """Survey a slide and cut it into bands. Raises :class:`kulchitsky.case.errors.RefusedInput`."""
    cv2.setNumThreads(1)
    with source.open() as slide:
        area = read_regions(source.regions, slide.um_per_px) if source.regions is not None else None
        view = count.survey(slide)
        wanted = view.map.countable & (area.mask(view.map.tissue.shape, view.map.um_per_px) if area else True)
        count.check_something_to_count(slide, view.map, wanted)
        planned = blocks.plan_blocks(view.raster, wanted, view.map.um_per_px)
        return SlidePlan(
            source=source,
            settings=settings,
            fill=view.raster.fill,
            map=view.map,
            wanted=wanted,
            calibration=view.calibration,
            bands=cut_into_bands(planned, band_blocks),
            tiles=slide.tiles,
            size_px=(slide.width_px, slide.height_px),
        )


def cut_into_bands(planned: Sequence[Block], most: int) -> tuple[tuple[Block, ...], ...]:
    """Runs of blocks of one row, at most ``most`` long, in reading order."""
    bands: list[list[Block]] = []
    for block in planned:
        if not bands or bands[-1][-1].y != block.y or len(bands[-1]) >= most:
            bands.append([])
        bands[-1].append(block)
    return tuple(tuple(band) for band in bands)


def count_band(plan: SlidePlan, number: int) -> Band:
    """Find the cells of one band."""
    cv2.setNumThreads(1)
    engine = detector_named(plan.settings.detector)
    with plan.source.open() as slide:
        grid = raster.Raster(slide, fill=plan.fill)
        buffers = Buffers()
        blocks.announce_blocks(grid, plan.bands[number], engine)
        parts = [
            blocks.count_block(grid, block, plan.wanted, plan.map.um_per_px, engine, plan.calibration, buffers)
            for block in plan.bands[number]
        ]
        return Band(table.concatenate(parts), slide.tiles)


def finish_count(plan: SlidePlan, bands: Sequence[Band]) -> count.CountResult:
    """Put the bands of a slide together and judge its cells; raises where too many tiles were damaged."""
    cv2.setNumThreads(1)
    engine, settings = detector_named(plan.settings.detector), plan.settings
    tiles = plan.tiles
    for band in bands:
        tiles = tiles | band.tiles
    with plan.source.open() as slide:
        regions = plan.source.regions
        area = read_regions(regions, slide.um_per_px) if regions is not None else None
        grid = raster.Raster(slide, fill=plan.fill)
        view = count.Survey(raster=grid, map=plan.map, calibration=plan.calibration)
        bad = count.unreadable_issue(slide.name, len(tiles.unreadable), len(tiles.asked))
        found = count.in_reading_order(table.gather(band.cells for band in bands))
        cells, cut = count.judge(found, engine.faintest, area, tumour_only=settings.tumour_only)
        method = count.method_of(slide, engine, view, cut, settings.tumour_only)
        summary = count.summarise(slide, cells, view, method, settings.hotspot_cells, settings.hotspot_area_mm2, bad)
    return count.CountResult(count=summary, cells=cells, tissue=plan.map, calibration=plan.calibration, cut=cut)


def save_band(path: Path, band: Band) -> None:
    """Keep a band on disk; the file appears under its name only when complete."""
    buffer = io.BytesIO()
    columns: dict[str, Any] = {f.name: getattr(band.cells, f.name) for f in fields(CellTable)}
    columns |= {"asked": _pairs(band.tiles.asked), "unreadable": _pairs(band.tiles.unreadable)}
    np.savez(buffer, seconds=np.asarray(band.seconds, np.float64), **columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(buffer.getvalue())
    part.replace(path)


def load_band(path: Path) -> Band | None:
    """A band kept before, ``None`` where there is none or it is damaged."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as saved:
            cells = CellTable(**{f.name: saved[f.name] for f in fields(CellTable)})
            tiles = TileLog(_set(saved["asked"]), _set(saved["unreadable"]))
            clock, cpu = saved["seconds"]
            return Band(cells, tiles, (float(clock), float(cpu)))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _pairs(tiles: frozenset[tuple[int, int]]) -> NDArray[np.int64]:
    return np.asarray(sorted(tiles), np.int64).reshape(-1, 2)


def _set(pairs: NDArray[np.int64]) -> frozenset[tuple[int, int]]:
    return frozenset((int(level), int(number)) for level, number in pairs)
