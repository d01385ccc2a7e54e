"""A small cohort from end to end: failures named, nothing done twice, the same result however it is worked off."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from kulchitsky.case.cohort import CohortSummary, SlideOutcome, SlideStatus
from kulchitsky.case.errors import RefusedInput
from kulchitsky.cli.main import app
from kulchitsky.slide import bands, count, synthetic
from kulchitsky.slide.bands import CountSettings, SlideSource
from kulchitsky.slide.cells import CellTable
from kulchitsky.workup import cohort_engine
from kulchitsky.workup.cohort_engine import open_engine
from kulchitsky.workup.cohort_list import CohortSlide, list_cohort
from kulchitsky.workup.cohort_plan import plan_cohort
from kulchitsky.workup.cohort_run import CohortProgress, CohortRun
from kulchitsky.workup.cohort_store import CohortStore
from kulchitsky.workup.read_stain import read_stain
from kulchitsky.workup.run_cohort import run_cohort

SIZES = (100, 400)
BAD = {"cut", "empty"}
COUNTED = {"wide", "low", "middle", "high"}


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four slides, one of several bands, and two that cannot be used; a list with manual counts."""
    folder = tmp_path_factory.mktemp("slides")
    base = synthetic.SlideSpec(width_px=700, height_px=600)
    synthetic.write_slide(folder / "wide.tif", base.with_changes(seed=1, width_px=1400, height_px=2100))
    for seed, (name, index) in enumerate([("low", 2.0), ("middle", 12.0), ("high", 50.0)]):
        synthetic.write_slide(folder / f"{name}.tif", base.with_changes(seed=seed + 2, index_percent=index))
    data = (folder / "low.tif").read_bytes()
    (folder / "cut.tif").write_bytes(data[: len(data) // 3])
    (folder / "empty.svs").write_bytes(b"")
    lines = ["slide,case,manual_percent", "wide.tif,A,21", "low.tif,B,2", "middle.tif,C,11", "high.tif,D,55"]
    (folder / "list.csv").write_text("\n".join([*lines, "cut.tif,E,1", "empty.svs,F,"]) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def alone(slides: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CohortSummary]:
    """The cohort worked off in this process."""
    out = tmp_path_factory.mktemp("alone")
    return out, run_cohort(slides / "list.csv", out, detector="fast", workers=0, hotspot_cells=SIZES)


def bare(out: Path, slide: str) -> dict[str, object]:
    """An outcome without what differs from run to run: how long it took."""
    outcome = SlideOutcome.model_validate_json((out / "slides" / f"{slide}.json").read_bytes())
    return outcome.model_dump(exclude={"worker_seconds", "cpu_seconds"})


def leaves(value: object, path: str = "") -> dict[str, object]:
    """Every figure of a nested record by its path, so that a difference names itself."""
    if isinstance(value, dict):
        return {k: v for key, part in value.items() for k, v in leaves(part, f"{path}.{key}").items()}
    if isinstance(value, list | tuple):
        return {k: v for n, part in enumerate(value) for k, v in leaves(part, f"{path}[{n}]").items()}
    return {path: value}


def same(first: Path, second: Path) -> None:
    """Every outcome and every file of cells of two output folders is the same, byte for byte."""
    for slide in sorted(COUNTED | BAD):
        one, other = leaves(bare(first, slide)), leaves(bare(second, slide))
        assert {k: (one.get(k), other.get(k)) for k in one | other if one.get(k) != other.get(k)} == {}
    for slide in sorted(COUNTED):
        cells = f"cells/slide={slide}/cells.parquet"
        assert (first / cells).read_bytes() == (second / cells).read_bytes()


def test_the_table_is_complete_and_failures_are_named(alone: tuple[Path, CohortSummary]) -> None:
    out, summary = alone
    table = pq.read_table(out / "results.parquet").to_pydict()
    assert set(table["slide"]) == COUNTED | BAD
    reasons = dict(zip(table["slide"], table["reason"], strict=True))
    assert "damaged or incomplete" in reasons["cut"]
    assert "empty" in reasons["empty"]
    assert all(reasons[name] is None for name in COUNTED)
    assert summary.count_of(SlideStatus.COUNTED) == 4
    assert (out / "results.csv").read_text(encoding="utf-8").count("\n") == 7
    assert dict(zip(table["slide"], table["case"], strict=True))["high"] == "D"
    (whole, hot100, hot400) = summary.agreements
    assert [a.index for a in (whole, hot100, hot400)] == ["whole slide", "hottest 100 cells", "hottest 400 cells"]
    assert whole.slides == 4
    assert whole.icc_absolute is not None
    assert whole.icc_absolute > 0.9


def test_cells_are_one_partitioned_data_set(alone: tuple[Path, CohortSummary]) -> None:
    out, summary = alone
    cells = ds.dataset(out / "cells", partitioning="hive").to_table(columns=["slide", "reason", "positive"])
    for row in summary.rows:
        if row.outcome.count is not None:
            mine = [str(name) == row.slide for name in cells["slide"].to_pylist()]
            counted = np.asarray(mine) & (np.asarray(cells["reason"].to_pylist()) == "counted")
            assert counted.sum() == row.outcome.count.counted
            assert (counted & np.asarray(cells["positive"].to_pylist())).sum() == row.outcome.count.positive


def test_bands_give_what_one_count_gives_to_the_last_bit(slides: Path) -> None:
    whole = count.count_slide(slides / "wide.tif", detector="fast", hotspot_cells=SIZES)
    plan = bands.plan_slide(SlideSource(str(slides / "wide.tif")), CountSettings("fast", SIZES), band_blocks=1)
    assert len(plan.bands) >= 4
    parts = [bands.count_band(plan, number) for number in reversed(range(len(plan.bands)))]
    joined = bands.finish_count(plan, parts[::-1])
    assert joined.count == whole.count
    for field in fields(CellTable):
        np.testing.assert_array_equal(getattr(joined.cells, field.name), getattr(whole.cells, field.name))


def test_the_cohort_counts_what_count_counts(slides: Path, alone: tuple[Path, CohortSummary]) -> None:
    whole = count.count_slide(slides / "wide.tif", detector="fast", hotspot_cells=SIZES).count
    kept = next(row.outcome.count for row in alone[1].rows if row.slide == "wide")
    assert kept == whole


def test_a_second_run_does_nothing(slides: Path, alone: tuple[Path, CohortSummary]) -> None:
    out, summary = alone
    before = {file: file.stat().st_mtime_ns for file in (out / "slides").iterdir()}
    again = run_cohort(slides / "list.csv", out, detector="fast", workers=0, hotspot_cells=SIZES)
    assert again.worked_on == 0
    assert {file: file.stat().st_mtime_ns for file in (out / "slides").iterdir()} == before
    assert again.rows == summary.rows


def test_what_changed_is_done_again_and_the_rest_is_not(
    slides: Path, alone: tuple[Path, CohortSummary], tmp_path: Path
) -> None:
    shutil.copytree(slides, tmp_path / "in")
    shutil.copytree(alone[0], tmp_path / "out")
    shutil.copy(slides / "high.tif", tmp_path / "in" / "low.tif")  # another picture under the old name
    (tmp_path / "in" / "middle.tif").write_bytes(b"")  # and one that is no longer readable
    summary = run_cohort(
        tmp_path / "in" / "list.csv", tmp_path / "out", detector="fast", workers=0, hotspot_cells=SIZES
    )
    assert summary.worked_on == 2
    by_name = {row.slide: row for row in summary.rows}
    low, high = by_name["low"].outcome.count, by_name["high"].outcome.count
    assert low is not None
    assert high is not None
    assert low.index_percent == high.index_percent
    assert by_name["low"].issues[0].code == "cohort.slide.double"
    assert by_name["middle"].outcome.status is SlideStatus.REFUSED
    assert not (tmp_path / "out" / "cells" / "slide=middle").exists()


def test_another_parameter_is_another_count(slides: Path, tmp_path: Path) -> None:
    (slides / "one.csv").write_text("slide\nlow.tif\n", encoding="utf-8")
    first = run_cohort(slides / "one.csv", tmp_path, detector="fast", workers=0, hotspot_cells=(100,))
    second = run_cohort(slides / "one.csv", tmp_path, detector="fast", workers=0, hotspot_cells=(200,))
    assert (first.worked_on, second.worked_on) == (1, 1)
    assert first.rows[0].outcome.key != second.rows[0].outcome.key


def test_two_processes_one_of_them_killed_give_the_same(
    slides: Path, alone: tuple[Path, CohortSummary], tmp_path: Path
) -> None:
    listed = list_cohort(slides / "list.csv")
    store = CohortStore(tmp_path / "out")
    killed: list[int] = []
    with store.writing(), open_engine(None, 2, store.folder) as client:
        pids = list(client.run(os.getpid).values())

        def kill_one(progress: CohortProgress) -> None:
            if not killed and progress.share > 0:
                killed.append(pids[0])
                os.kill(pids[0], signal.SIGKILL)

        run = CohortRun(client, listed.slides, store, CountSettings("fast", SIZES), tell=kill_one)
        run.work_off()
    assert len(set(pids)) == 2
    assert killed
    same(alone[0], tmp_path / "out")
    assert not list((tmp_path / "out" / ".work").glob("*-*")), "band files are removed with the outcome"


@pytest.mark.parametrize(("times", "status"), [(1, SlideStatus.COUNTED), (99, SlideStatus.FAILED)])
def test_a_slide_whose_results_are_lost_is_worked_off_again(
    times: int, status: SlideStatus, slides: Path, tmp_path: Path
) -> None:
    (slides / "one.csv").write_text("slide\nmiddle.tif\n", encoding="utf-8")
    listed = list_cohort(slides / "one.csv")
    store = CohortStore(tmp_path / "out")
    with store.writing(), open_engine(None, 0, store.folder) as client:
        run = CohortRun(client, listed.slides, store, CountSettings("fast", SIZES), retries=2)
        start, attempts = run._start, []

        def start_and_lose(slide: CohortSlide, attempt: int = 0) -> None:
            start(slide, attempt)
            attempts.append(attempt)
            if len(attempts) <= times:
                client.cancel(run._in_work[slide.slide].futures, force=True)

        run._start = start_and_lose  # type: ignore[method-assign]
        run.work_off()
    assert attempts == list(range(min(times + 1, 3)))
    outcome = SlideOutcome.model_validate_json((store.folder / "slides" / "middle.json").read_bytes())
    assert outcome.status is status
    assert ("lost with a worker" in outcome.reason) == (status is SlideStatus.FAILED)


def test_killed_and_taken_up_again(slides: Path, alone: tuple[Path, CohortSummary], tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = [str(slides / "list.csv"), "-o", str(out), "--detector", "fast", "--workers", "0"]
    arguments += ["--hotspot-cells", "100", "--hotspot-cells", "400"]
    process = subprocess.Popen([sys.executable, "-m", "kulchitsky", "cohort", *arguments], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(out.glob(".work/*/band-*.npz")) and not list(out.glob("slides/*.json")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert not (out / "results.csv").exists()
    kept = {file: file.stat().st_mtime_ns for file in out.glob("slides/*.json")}
    summary = run_cohort(slides / "list.csv", out, detector="fast", workers=0, hotspot_cells=SIZES)
    assert summary.worked_on == 6 - len(kept)
    assert {file: file.stat().st_mtime_ns for file in kept} == kept
    same(alone[0], out)


def test_an_unexpected_error_is_recorded_and_tried_again(
    slides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (slides / "two.csv").write_text("slide\nlow.tif\nmiddle.tif\n", encoding="utf-8")
    real, tries = bands.count_band, []

    def fails(plan: bands.SlidePlan, number: int) -> bands.Band:
        if plan.source.path.endswith("low.tif"):
            tries.append(number)
            raise ZeroDivisionError("a defect of ours")
        return real(plan, number)

    monkeypatch.setattr(bands, "count_band", fails)
    summary = run_cohort(slides / "two.csv", tmp_path, detector="fast", workers=0, retries=1)
    assert [row.outcome.status for row in summary.rows] == [SlideStatus.FAILED, SlideStatus.COUNTED]
    assert summary.rows[0].outcome.reason == "ZeroDivisionError: a defect of ours"
    assert len(tries) == 2
    monkeypatch.undo()
    again = run_cohort(slides / "two.csv", tmp_path, detector="fast", workers=0)
    assert again.worked_on == 1
    assert again.rows[0].outcome.status is SlideStatus.COUNTED


def test_other_stains_are_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "chromogranin_a-1.tif"
    spec = synthetic.SlideSpec(seed=4, width_px=600, height_px=500, pattern="cytoplasmic_granular", index_percent=80)
    synthetic.write_slide(path, spec)
    summary = run_cohort(tmp_path / "in", tmp_path / "out", detector="fast", workers=0)
    (row,) = summary.rows
    assert (row.stain, row.outcome.status) == ("chromogranin_a", SlideStatus.READ)
    assert row.outcome.reading == read_stain(path, marker="chromogranin_a", detector="fast")
    cells = pq.read_table(tmp_path / "out" / row.outcome.cells)
    assert cells["reason"].to_pylist().count("counted") == row.outcome.reading.counted
    assert run_cohort(tmp_path / "in", tmp_path / "out", detector="fast", workers=0).worked_on == 0


def test_one_run_at_a_time_in_a_folder(slides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cohort_engine, "_CONNECT_S", 1)
    with CohortStore(tmp_path).writing(), pytest.raises(RefusedInput, match="another run is writing there"):
        run_cohort(slides / "list.csv", tmp_path, detector="fast", workers=0)
    with pytest.raises(RefusedInput, match="is the folder of the slides"):
        run_cohort(slides, slides, detector="fast", workers=0)
    with pytest.raises(RefusedInput, match="no Dask scheduler answers"):
        run_cohort(slides, tmp_path / "o", detector="fast", scheduler="tcp://127.0.0.1:9")


def test_a_dry_run_writes_nothing_and_says_that_it_estimates(slides: Path, tmp_path: Path) -> None:
    plan = plan_cohort(slides / "list.csv", tmp_path / "out", detector="fast", workers=2)
    assert (plan.slides, plan.to_do, plan.up_to_date, plan.sampled) == (6, 6, 0, 4)
    assert [o.slide for o in plan.refused] == ["cut", "empty"]
    assert plan.tissue_mm2 == pytest.approx(1400 * 2100 / 4e6 + 3 * 700 * 600 / 4e6, rel=0.02)
    assert plan.estimate_seconds == pytest.approx((plan.tissue_mm2 or 0) * (plan.seconds_per_mm2 or 0) / 2)
    assert not (tmp_path / "out").exists()
    shown = CliRunner().invoke(
        app, ["cohort", str(slides / "list.csv"), "-o", str(tmp_path / "out"), "--detector", "fast", "--dry-run"]
    )
    assert shown.exit_code == 0
    assert "estimate:" in shown.output


def test_the_command_prints_one_object(slides: Path, alone: tuple[Path, CohortSummary]) -> None:
    arguments = ["--detector", "fast", "--workers", "0", "--hotspot-cells", "100", "--hotspot-cells", "400"]
    shown = CliRunner().invoke(app, ["cohort", str(slides / "list.csv"), "-o", str(alone[0]), *arguments, "--json"])
    assert shown.exit_code == 0
    summary = json.loads(shown.stdout)
    assert len(summary["rows"]) == 6
    assert summary["worked_on"] == 0
