"""How fast a slide is counted, as ratios measured in one run: against reading the same tissue, and in memory.

    python benchmarks/counting_speed.py [--slide FILE] [--pixels 1.2e9] [--repeats 3] [--quarter FILE]

Makes two synthetic slides (0.5 µm per pixel, 40 % tissue; kept for later runs): one of a gigapixel, one of a quarter
of that. Measures

* CPU seconds of one thread, interleaved, median of the repeats: reading through openslide-python all regions of
  1024 x 1024 px that hold tissue, decoding the tiles of those regions with libjpeg-turbo, each once, the same with
  the tiles alone that touch tissue ("tissue tiles"), and counting with each detector. On a busy machine CPU seconds
  hold where wall time does not;
* where they go: CPU milliseconds a megapixel by stage;
* peak memory of a process that does nothing else, on both slides: what grows with the slide;
* wall time on the large slide with one and with two threads in turn, and the median of the ratios (on a busy machine:
  a lower bound);
* the hottest window among a million cells.

Writes ``benchmarks/results/counting_speed-DATE.json``.
"""

from __future__ import annotations

import argparse
import functools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openslide

from kulchitsky.numerics import windows
from kulchitsky.slide import accurate, blocks, count, fast, raster, synthetic
from kulchitsky.slide.blocks import Block, plan_blocks
from kulchitsky.slide.count import Survey, count_slide, survey
from kulchitsky.slide.reader import open_slide
from kulchitsky.slide.tiff import open_tiff
from provenance import write_result

QUPATH_MP_PER_CPU_S = (2.2, 2.7)
REGION_PX, TILE_PX = 1024, 256
DETECTORS = ("fast", "accurate")


def make_slide(path: Path, pixels: float) -> None:
    height = int(np.sqrt(pixels * 3 / 4)) // 256 * 256
    width = int(pixels / height) // 256 * 256
    spec = synthetic.SlideSpec(
        seed=31,
        width_px=width,
        height_px=height,
        um_per_px=0.5,
        index_percent=12,
        tissue_fraction=0.4,
        density_per_mm2=5000,
        period_um=1024.0,
        hot_regions=(synthetic.HotRegion(width * 0.25, height * 0.25, 500, 40),),
        jpeg_quality=80,
    )
    started = time.time()
    truth = synthetic.write_slide(path, spec)
    print(f"made {width} x {height} px, {truth.counted:,} tumour nuclei, in {time.time() - started:.0f} s")


def cpu(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def tissue_regions(path: Path) -> tuple[list[Block], list[Block], Survey]:
    """Squares of 1024 px that hold tissue, squares of a tile that do, and the survey that says so."""
    with open_slide(path) as slide:
        view = survey(slide)
    found = []
    for side in (REGION_PX, TILE_PX):
        plan = plan_blocks(view.raster, view.map.countable, view.map.um_per_px, side)
        corners = [(b.x // side * side, b.y // side * side) for b in plan]
        sizes = [(min(side, view.raster.width - x), min(side, view.raster.height - y)) for x, y in corners]
        found.append([Block(n, *c, *s) for n, (c, s) in enumerate(zip(corners, sizes, strict=True))])
    return found[0], found[1], view


def read_with_openslide(path: Path, regions: list[Block]) -> None:
    with openslide.OpenSlide(path) as slide:
        for b in regions:
            np.asarray(slide.read_region((b.x, b.y), 0, (b.width, b.height)))[..., :3].copy()


def tiles_of(path: Path, regions: list[Block]) -> list[int]:
    """Numbers of the level-0 tiles that the regions touch, each once."""
    tiles = open_tiff(path)
    assert tiles is not None
    level = tiles.levels[0]
    tiles.close()
    found = {
        row * level.columns + column
        for b in regions
        for row in range(b.y // level.tile_height, (b.y + b.height - 1) // level.tile_height + 1)
        for column in range(b.x // level.tile_width, (b.x + b.width - 1) // level.tile_width + 1)
    }
    return sorted(found)


def decode_raw(path: Path, numbers: list[int]) -> None:
    tiles = open_tiff(path)
    assert tiles is not None
    level = tiles.levels[0]
    out = np.empty((level.tile_height, level.tile_width, 3), np.uint8)
    for number in numbers:
        tiles.tile(0, number, 1, out)
    tiles.close()


STAGES: tuple[tuple[str, Any, str], ...] = (
    ("survey", count, "survey"),
    ("read and decode", raster.Raster, "block"),
    ("stain densities", blocks, "stain_planes"),
    ("find (fast)", fast, "find_blobs"),
    ("network (accurate)", accurate.AccurateDetector, "logits"),
    ("find (accurate, network included)", accurate.AccurateDetector, "find"),
    ("measure", blocks, "measure_nuclei"),
    ("judge", count, "judge"),
    ("sort", count, "in_reading_order"),
    ("summarise", count, "summarise"),
)
"""Stages by name, and the function whose time each is."""


def stage_costs(path: Path, detector: str, megapixels: float) -> dict[str, float]:
    """CPU milliseconds a megapixel of tissue that one thread spends in each stage."""
    spent: dict[str, float] = defaultdict(float)

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(*args: Any, **options: Any) -> Any:
            before = time.thread_time()
            try:
                return function(*args, **options)
            finally:
                spent[name] += time.thread_time() - before

        return run

    kept = [(owner, attribute, getattr(owner, attribute)) for _, owner, attribute in STAGES]
    try:
        for name, owner, attribute in STAGES:
            setattr(owner, attribute, timed(name, getattr(owner, attribute)))
        total = cpu(lambda: count_slide(path, detector=detector, threads=1, hotspot_cells=()))
    finally:
        for owner, attribute, function in kept:
            setattr(owner, attribute, function)
    costs = {name: 1e3 * seconds / megapixels for name, seconds in spent.items()}
    return costs | {"everything": 1e3 * total / megapixels}


ALONE = """
import sys, time
from kulchitsky.slide.count import count_slide
w, c = time.time(), time.process_time()
result = count_slide(sys.argv[1], detector=sys.argv[2], threads=int(sys.argv[3]), hotspot_cells=())
wall, cpu = time.time() - w, time.process_time() - c
# of this program alone: what the kernel reports to a parent may be the parent's own peak
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(peak / 1024, wall, cpu, len(result.cells))
"""


def count_alone(path: Path, detector: str, threads: int) -> tuple[float, float, float, int]:
    """Peak resident MB, wall and CPU seconds of a fresh process that counts the slide, and the cells it found."""
    command = [sys.executable, "-c", ALONE, str(path), detector, str(threads)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    peak, wall, seconds, cells = (float(v) for v in run.stdout.split())
    return peak, wall, seconds, int(cells)


def memory(paths: dict[str, Path], detector: str) -> dict[str, float]:
    rows: dict[str, float] = {}
    for name, path in paths.items():
        peak, wall, seconds, cells = count_alone(path, detector, 2)
        rows |= {f"peak MB, {name}": peak, f"cells, {name}": cells, f"cores kept busy, {name}": seconds / wall}
    small, large = (rows[f"peak MB, {name}"] for name in paths)
    return rows | {"peak of the large over the small": large / small}


def threads_gain(path: Path, detector: str, pairs: int) -> dict[str, Any]:
    """Wall time of one thread over that of two, in interleaved pairs."""
    ratios = []
    for _ in range(pairs):
        one = count_alone(path, detector, 1)[1]
        two = count_alone(path, detector, 2)[1]
        ratios.append(one / two)
    return {"pairs": ratios, "median": statistics.median(ratios), "best": max(ratios)}


def hotspot_seconds(points: int) -> dict[str, float]:
    rng = np.random.default_rng(0)
    x, y = rng.random(points) * 20_000, rng.random(points) * 15_000
    marked = rng.random(points) < 0.15
    small = windows.richest_by_count(x[:5000], y[:5000], marked[:5000], 500)
    assert small is not None
    windows.null_shares(*small[1:], 500, permutations=1, seed=0)
    rows: dict[str, float] = {}
    for wanted in (500, 2000):
        found: list[Any] = []
        rows[f"search, {wanted}"] = cpu(lambda k=wanted, f=found: f.append(windows.richest_by_count(x, y, marked, k)))  # type: ignore[misc]
        _, *rest = found[0]
        rows[f"99 permutations, {wanted}"] = cpu(
            lambda k=wanted, r=rest: windows.null_shares(*r, k, permutations=99, seed=0)  # type: ignore[misc]
        )
        rows[f"cross-fit, {wanted}"] = cpu(lambda k=wanted: windows.cross_fit_by_count(x, y, marked, k))  # type: ignore[misc]
    return rows


def warm_up(folder: Path) -> None:
    """Compile once, outside the clock."""
    small = folder / "kulchitsky-speed-warm.tif"
    synthetic.write_slide(small, synthetic.SlideSpec(width_px=1024, height_px=1024))
    for detector in DETECTORS:
        count_slide(small, detector=detector)
    small.unlink()


def interleaved(path: Path, regions: list[Block], tissue: list[Block], repeats: int) -> dict[str, list[float]]:
    numbers, tissue_numbers = tiles_of(path, regions), tiles_of(path, tissue)
    works: dict[str, Callable[[], object]] = {
        "openslide read": lambda: read_with_openslide(path, regions),
        "raw decode": lambda: decode_raw(path, numbers),
        "raw decode, tissue tiles": lambda: decode_raw(path, tissue_numbers),
    }
    for detector in DETECTORS:
        works[detector] = functools.partial(count_slide, path, detector=detector, threads=1, hotspot_cells=())
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            times[name].append(cpu(work))
            print(f"{name:26s}{times[name][-1]:8.2f} CPU s", flush=True)
    return times


def main() -> None:
    folder = Path(tempfile.gettempdir())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slide", type=Path, default=folder / "kulchitsky-speed.tif")
    parser.add_argument("--quarter", type=Path, default=folder / "kulchitsky-speed-quarter.tif")
    parser.add_argument("--pixels", type=float, default=1.2e9)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    for path, pixels in ((options.slide, options.pixels), (options.quarter, options.pixels / 4)):
        if not path.exists():
            make_slide(path, pixels)
    warm_up(folder)
    regions, tissue, view = tissue_regions(options.slide)
    megapixels = sum(b.width * b.height for b in regions) / 1e6
    times = interleaved(options.slide, regions, tissue, options.repeats)
    middle = {name: statistics.median(values) for name, values in times.items()}
    ratios: dict[str, float] = {}
    for detector in DETECTORS:
        for reference in ("openslide read", "raw decode", "raw decode, tissue tiles"):
            pairs = [a / b for a, b in zip(times[detector], times[reference], strict=True)]
            ratios[f"{detector} / {reference}"] = statistics.median(pairs)
        ratios[f"{detector} MP per CPU s"] = megapixels / middle[detector]
        ratios[f"{detector} / QuPath"] = megapixels / middle[detector] / QUPATH_MP_PER_CPU_S[1]
    paths = {"quarter": options.quarter, "whole": options.slide}
    figures: dict[str, Any] = {
        "slide": {
            "pixels": view.raster.width * view.raster.height,
            "megapixels_of_regions": megapixels,
            "megapixels_of_tissue_tiles": sum(b.width * b.height for b in tissue) / 1e6,
        },
        "cpu_seconds_one_thread": times,
        "ratios": ratios,
        "stages_ms_per_megapixel": {d: stage_costs(options.slide, d, megapixels) for d in DETECTORS},
        "memory_two_threads": {d: memory(paths, d) for d in DETECTORS},
        "two_threads_over_one": {d: threads_gain(options.slide, d, options.pairs) for d in DETECTORS},
        "hotspot_cpu_seconds_of_a_million_cells": hotspot_seconds(1_000_000),
        "load_at_the_end": os.getloadavg(),
    }
    show(figures)
    print(f"written {write_result('counting_speed', figures).name}")


def show(figures: dict[str, Any], indent: int = 0) -> None:
    for name, value in figures.items():
        if isinstance(value, dict):
            print(f"{'':{indent}}{name}")
            show(value, indent + 2)
        elif isinstance(value, float):
            print(f"{'':{indent}}{name:{46 - indent}}{value:12.2f}")
        else:
            print(f"{'':{indent}}{name:{46 - indent}}{value}")


if __name__ == "__main__":
    main()
