"""A cohort of 50 synthetic slides: complete table, kill and resume, processes against one, cost and projection.

``python benchmarks/cohort.py [--slides 50] [--detector fast]`` writes slides to a temporary folder, two of them
broken, and then:

1. counts them in one process (threads of its own, one at a time) and in two worker processes: outcomes and files of
   cells must be the same byte for byte;
2. kills a worker of a two-process run: the outcome must be the same;
3. kills the whole command with signal 9 and starts it again: nothing finished is done twice, the outcome is the same;
4. counts one larger slide to measure the processor time per gigapixel, and projects it to 10,000 slides.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kulchitsky.case.cohort import CohortSummary, SlideOutcome, SlideStatus
from kulchitsky.slide import bands, synthetic
from kulchitsky.slide.bands import CountSettings
from kulchitsky.workup.cohort_engine import open_engine
from kulchitsky.workup.cohort_list import list_cohort
from kulchitsky.workup.cohort_run import CohortProgress, CohortRun
from kulchitsky.workup.cohort_store import CohortStore
from kulchitsky.workup.run_cohort import run_cohort
from provenance import write_result

COHORT = 10_000
GIGAPIXELS_A_SLIDE = 4.0
"""An assumption: 16 x 16 mm scanned at 0.25 µm per pixel."""
CORES = 32


def make_slides(folder: Path, wanted: int) -> None:
    for number in range(wanted):
        spec = synthetic.SlideSpec(
            seed=100 + number,
            width_px=520 + 60 * (number % 4),
            height_px=520,
            index_percent=float((0.5, 2, 4, 8, 15, 19, 22, 30, 45, 70)[number % 10]),
            tissue_fraction=0.8,
        )
        synthetic.write_slide(folder / f"slide-{number:02d}.tif", spec)
    whole = (folder / "slide-03.tif").read_bytes()
    (folder / "slide-03.tif").write_bytes(whole[: len(whole) // 2])
    (folder / "slide-07.tif").write_bytes(b"II*\0 this was a slide once" + whole[5000:9000])


def bare(outcome: SlideOutcome) -> dict[str, Any]:
    return outcome.model_dump(exclude={"worker_seconds", "cpu_seconds"})


def differing(first: Path, second: Path, slides: list[str]) -> list[str]:
    """Slides whose outcome or file of cells differs between two output folders."""
    one, two = CohortStore(first), CohortStore(second)
    different = []
    for slide in slides:
        a, b = one.load(slide), two.load(slide)
        same = a is not None and b is not None and bare(a) == bare(b)
        if same and a is not None and a.cells:
            same = one.cells_file(slide).read_bytes() == two.cells_file(slide).read_bytes()
        if not same:
            different.append(slide)
    return different


At = Callable[[CohortProgress, list[int]], None]


def work_off(slides: Path, out: Path, detector: str, workers: int, at: At | None = None) -> float:
    """One pass with an engine of ``workers`` processes; seconds without starting and ending them."""
    store = CohortStore(out)
    with store.writing(), open_engine(None, workers, out) as client:
        pids = sorted(set(client.run(os.getpid).values()))
        client.run(warm, detector)
        start = time.perf_counter()
        tell = None if at is None else lambda progress: at(progress, pids)
        run = CohortRun(client, list_cohort(slides).slides, store, CountSettings(detector), tell=tell)
        run.work_off()
        return time.perf_counter() - start


def warm(detector: str) -> None:
    """Load and compile what the first slide of a process would wait for."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warm.tif"
        synthetic.write_slide(path, synthetic.SlideSpec(seed=9, width_px=500, height_px=500))
        plan = bands.plan_slide(bands.SlideSource(str(path)), CountSettings(detector))
        bands.finish_count(plan, [bands.count_band(plan, k) for k in range(len(plan.bands))])


def kill_and_resume(slides: Path, out: Path, detector: str) -> tuple[int, int]:
    """Kill the command in the middle; slides finished before, slides worked on by the second run."""
    command = [sys.executable, "-m", "kulchitsky", "cohort", str(slides), "-o", str(out), "--detector", detector]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    while len(list(out.glob("slides/*.json"))) < 12 and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = {file: file.stat().st_mtime_ns for file in out.glob("slides/*.json")}
    again = run_cohort(slides, out, detector=detector, workers=2)
    assert all(file.stat().st_mtime_ns == moment for file, moment in before.items())
    return len(before), again.worked_on


def cost_of_a_large_slide(folder: Path, detector: str) -> CohortSummary:
    side = 8192
    spec = synthetic.SlideSpec(
        seed=5, width_px=side, height_px=side, um_per_px=0.25, tissue_fraction=0.5, period_um=1024.0
    )
    (folder / "large").mkdir(exist_ok=True)
    if not (folder / "large" / "large.tif").exists():
        synthetic.write_slide(folder / "large" / "large.tif", spec)
    return run_cohort(folder / "large", folder / f"large-{detector}", detector=detector, workers=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slides", type=int, default=50)
    parser.add_argument("--detector", default="fast")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cohort-") as temporary:
        folder = Path(temporary)
        (folder / "slides").mkdir()
        make_slides(folder / "slides", chosen.slides)
        figures = measure(folder, chosen.detector)
        files = sorted((folder / "slides").iterdir())
        print(f"written to {write_result('cohort', figures, data=files)}")


def measure(folder: Path, detector: str) -> dict[str, Any]:
    slides = folder / "slides"
    names = [slide.slide for slide in list_cohort(slides).slides]
    alone = work_off(slides, folder / "one", detector, 1)
    both = work_off(slides, folder / "two", detector, 2)
    killed: list[int] = []

    def kill_once(progress: CohortProgress, pids: list[int]) -> None:
        if not killed and progress.slides_done >= 10:
            killed.append(pids[0])
            os.kill(pids[0], signal.SIGKILL)

    survived = work_off(slides, folder / "killed", detector, 2, kill_once)
    finished, resumed = kill_and_resume(slides, folder / "resumed", detector)
    local = run_cohort(slides, folder / "local", detector=detector, workers=0)
    again = run_cohort(slides, folder / "local", detector=detector, workers=0)
    failures = {r.slide: r.outcome.reason for r in local.rows if r.outcome.status is not SlideStatus.COUNTED}
    table_rows = (folder / "local" / "results.csv").read_text(encoding="utf-8").count("\n") - 1
    runs = {"one process": "one", "two": "two", "two, one killed": "killed", "killed and resumed": "resumed"}
    different = {what: differing(folder / "local", folder / name, names) for what, name in runs.items()}
    figures = {
        "detector": detector,
        "slides": len(names),
        "table_rows": table_rows,
        "failures": failures,
        "slides_that_differ_from_threads_of_one_process": different,
        "seconds_one_process": round(alone, 2),
        "seconds_two_processes": round(both, 2),
        "speed_up": round(alone / both, 2),
        "seconds_two_processes_one_killed": round(survived, 2),
        "finished_before_kill_9": finished,
        "worked_on_after_kill_9": resumed,
        "worked_on_by_a_second_run": again.worked_on,
        "load_average": os.getloadavg()[0],
        "cost": {name: projection(cost_of_a_large_slide(folder, name)) for name in ("fast", "accurate")},
    }
    report(figures)
    return figures


def projection(large: CohortSummary) -> dict[str, Any]:
    """Processor seconds per gigapixel of a half-covered slide, and what 10,000 slides would take."""
    cost = large.cost
    per_gigapixel = cost.cpu_seconds_per_gigapixel or float("nan")
    seconds = COHORT * GIGAPIXELS_A_SLIDE * per_gigapixel
    return {
        "large_slide_gigapixels": round(cost.gigapixels, 4),
        "large_slide_tissue_mm2": round(cost.tissue_mm2, 2),
        "cpu_seconds_per_gigapixel": round(per_gigapixel, 1),
        "cpu_seconds_per_mm2": round(cost.cpu_seconds / cost.tissue_mm2, 3),
        "projected_slides": COHORT,
        "projected_gigapixels_a_slide": GIGAPIXELS_A_SLIDE,
        "projected_core_hours": round(seconds / 3600, 1),
        "projected_hours_on_32_cores": round(seconds / 3600 / CORES, 1),
    }


def report(figures: dict[str, Any]) -> None:
    for name, value in figures.items():
        print(f"{name:52} {value}")
    for detector, cost in figures["cost"].items():
        print(
            f"\n{detector}: {COHORT:,} slides x {GIGAPIXELS_A_SLIDE:g} gigapixels x "
            f"{cost['cpu_seconds_per_gigapixel']} s a gigapixel / 3600 = {cost['projected_core_hours']} core hours; "
            f"over {CORES} cores {cost['projected_hours_on_32_cores']} h"
        )


if __name__ == "__main__":
    main()
