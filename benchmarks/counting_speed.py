"""How fast a slide is counted, as ratios measured in one run: against reading the same tissue, and in memory.

    python benchmarks/counting_speed.py [--slide FILE] [--pixels 1.2e9] [--repeats 3]

Makes a synthetic slide of a gigapixel (0.5 µm per pixel, 40 % tissue; kept at --slide for later runs), then measures
CPU seconds of one thread, interleaved, median of the repeats: reading the tissue through openslide-python (1024 px
regions), decoding the same tiles with libjpeg-turbo, counting with each detector. On a busy machine CPU seconds hold
where wall time does not. Peak memory is that of a process that does nothing else. Writes
``benchmarks/results/counting_speed-DATE.json``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openslide

from kulchitsky.numerics import windows
from kulchitsky.slide import synthetic
from kulchitsky.slide.blocks import plan_blocks
from kulchitsky.slide.count import Survey, count_slide, make_detector, survey
from kulchitsky.slide.reader import open_slide
from kulchitsky.slide.tiff import open_tiff

ROOT = Path(__file__).resolve().parent.parent
QUPATH_MP_PER_CPU_S = (2.2, 2.7)
REGION_PX = 1024


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


def tissue_regions(path: Path) -> tuple[list[tuple[int, int]], Survey]:
    with open_slide(path) as slide:
        view = survey(slide)
        plan = plan_blocks(view.raster, view.map.countable, view.map.um_per_px, REGION_PX)
    return [(b.x, b.y) for b in plan], view


def read_with_openslide(path: Path, corners: list[tuple[int, int]]) -> None:
    with openslide.OpenSlide(path) as slide:
        for corner in corners:
            np.asarray(slide.read_region(corner, 0, (REGION_PX, REGION_PX)))[..., :3].copy()


def decode_raw(path: Path, corners: list[tuple[int, int]]) -> None:
    tiles = open_tiff(path)
    assert tiles is not None
    level = tiles.levels[0]
    for x, y in corners:
        for row in range(y // level.tile_height, min(level.rows, (y + REGION_PX) // level.tile_height)):
            for column in range(x // level.tile_width, min(level.columns, (x + REGION_PX) // level.tile_width)):
                tiles.tile(0, row * level.columns + column)
    tiles.close()


def peak_memory_mb(path: Path, detector: str, threads: int) -> tuple[float, float, float]:
    """Peak resident memory, wall and CPU seconds of a fresh process that counts the slide."""
    code = (
        "import sys, time, resource\n"
        "from kulchitsky.slide.count import count_slide\n"
        "w, c = time.time(), time.process_time()\n"
        "count_slide(sys.argv[1], detector=sys.argv[2], threads=int(sys.argv[3]), hotspot_cells=())\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.time() - w, time.process_time() - c)\n"
    )
    run = subprocess.run([sys.executable, "-c", code, path, detector, str(threads)], capture_output=True, text=True)
    peak, wall, seconds = (float(v) for v in run.stdout.split())
    return peak, wall, seconds


def hotspot_seconds(points: int) -> dict[str, float]:
    rng = np.random.default_rng(0)
    x, y = rng.random(points) * 20_000, rng.random(points) * 15_000
    marked = rng.random(points) < 0.15
    windows.richest_by_count(x[:5000], y[:5000], marked[:5000], 500)
    return {str(k): cpu(lambda k=k: windows.richest_by_count(x, y, marked, k)) for k in (500, 2000)}  # type: ignore[misc]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slide", type=Path, default=Path(tempfile.gettempdir()) / "kulchitsky-speed.tif")
    parser.add_argument("--pixels", type=float, default=1.2e9)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--skip-accurate", action="store_true")
    options = parser.parse_args()
    if not options.slide.exists():
        make_slide(options.slide, options.pixels)
    corners, view = tissue_regions(options.slide)
    megapixels = len(corners) * REGION_PX**2 / 1e6
    detectors = ("fast",) if options.skip_accurate else ("fast", "accurate")
    small = options.slide.with_name("kulchitsky-speed-warm.tif")
    synthetic.write_slide(small, synthetic.SlideSpec(width_px=1024, height_px=1024))
    for detector in detectors:  # compile once, outside the clock
        make_detector(detector)
        count_slide(small, detector=detector)
    small.unlink()
    works: dict[str, Callable[[], object]] = {
        "openslide read": lambda: read_with_openslide(options.slide, corners),
        "raw decode": lambda: decode_raw(options.slide, corners),
    }
    for detector in detectors:
        works[detector] = lambda d=detector: count_slide(options.slide, detector=d, threads=1, hotspot_cells=())  # type: ignore[misc]
    times: dict[str, list[float]] = {name: [] for name in works}
    for repeat in range(options.repeats):
        for name, work in works.items():
            if name == "accurate" and repeat > 0 and options.repeats < 5:
                continue
            times[name].append(cpu(work))
            print(f"{name:16s}{times[name][-1]:8.2f} CPU s", flush=True)
    middle = {name: statistics.median(values) for name, values in times.items()}
    print(f"\ntissue read: {megapixels:.0f} megapixels; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    rows: dict[str, float] = {}
    for detector in detectors:
        rows[f"{detector} / openslide read"] = middle[detector] / middle["openslide read"]
        rows[f"{detector} / raw decode"] = middle[detector] / middle["raw decode"]
        rows[f"{detector} MP per CPU s"] = megapixels / middle[detector]
        rows[f"{detector} / QuPath"] = megapixels / middle[detector] / QUPATH_MP_PER_CPU_S[1]
        peak, wall, seconds = peak_memory_mb(options.slide, detector, 2)
        rows[f"{detector} peak MB, 2 threads"] = peak
        rows[f"{detector} wall s, 2 threads"] = wall
        rows[f"{detector} cores kept busy"] = seconds / wall
    for name, value in rows.items():
        print(f"{name:32s}{value:10.2f}")
    spots = hotspot_seconds(1_000_000)
    for cells, seconds in spots.items():
        print(f"hot spot of {cells} among 10^6: {seconds:.2f} CPU s")
    result = {
        "date": datetime.date.today().isoformat(),
        "commit": subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True
        ).stdout.strip(),
        "pixels": view.raster.width * view.raster.height,
        "tissue_megapixels": megapixels,
        "cpu_seconds": times,
        "ratios": rows,
        "hotspot_seconds": spots,
        "load": os.getloadavg(),
        "own_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    target = ROOT / "benchmarks" / "results" / f"counting_speed-{result['date']}.json"
    target.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
