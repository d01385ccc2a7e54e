"""The whole count: close to the truth; the same however the slide is cut, resumed or threaded."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from kulchitsky.case.errors import RefusedInput, RefusedSlide
from kulchitsky.slide import blocks, synthetic
from kulchitsky.slide import cells as table
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.checkpoint import Checkpoint
from kulchitsky.slide.count import DETECTORS, CountResult, count_slide, make_detector
from kulchitsky.slide.export import write_cells
from kulchitsky.slide.fast import FastDetector

Slide = tuple[Path, synthetic.Truth]


@pytest.fixture(scope="module")
def fast(slide_file: Slide) -> CountResult:
    return count_slide(slide_file[0], detector="fast")


def same(a: CellTable, b: CellTable) -> bool:
    return all(
        np.array_equal(getattr(a, f.name), getattr(b, f.name), equal_nan=f.name.startswith("p_"))
        for f in dataclasses.fields(CellTable)
    )


def f1(found: np.ndarray, true: np.ndarray, reach_um: float = 3.0) -> float:
    """One-to-one matching of centres within ``reach_um``."""
    near = cKDTree(found).sparse_distance_matrix(cKDTree(true), reach_um, output_type="coo_matrix")
    rows, columns = np.unique(near.row), np.unique(near.col)
    cost = np.full((len(rows), len(columns)), 1e3)
    cost[np.searchsorted(rows, near.row), np.searchsorted(columns, near.col)] = near.data
    i, j = linear_sum_assignment(cost)
    return 2 * float((cost[i, j] <= reach_um).sum()) / (len(found) + len(true))


def test_fast_count_is_close_to_the_truth(fast: CountResult, slide_file: Slide) -> None:
    truth = slide_file[1]
    cells = fast.cells
    found = np.stack([cells.x_um, cells.y_um], axis=1)
    assert f1(found, truth.points_um()) > 0.85
    assert fast.count.index_percent is not None
    assert abs(fast.count.index_percent - truth.index_percent) < 3
    assert fast.count.counted == int(cells.counted.sum())
    assert fast.count.positive == int((cells.counted & cells.positive).sum())


@pytest.mark.parametrize("name", DETECTORS)
def test_warming_up_finds_and_measures_a_nucleus(name: str) -> None:
    assert blocks.warm_up(make_detector(name)) == 1


def test_hot_spot_lies_in_the_hot_region(fast: CountResult, slide_spec: synthetic.SlideSpec) -> None:
    hot = slide_spec.hot_regions[0]
    spot = fast.count.hotspots[0]
    assert spot.counted >= 500
    assert spot.index_percent is not None
    assert spot.null_interval_95 is not None
    assert spot.shrunk_index_percent is not None
    assert np.hypot(spot.centre_um[0] - hot.x_um, spot.centre_um[1] - hot.y_um) < hot.radius_um
    assert spot.index_percent > spot.null_interval_95[1]
    assert spot.p_value == pytest.approx(0.01)
    assert spot.shrunk_index_percent <= spot.index_percent


@pytest.mark.parametrize("block_px", [512, 768, 1024])
def test_moving_block_borders_changes_nothing(fast: CountResult, slide_file: Slide, block_px: int) -> None:
    other = count_slide(slide_file[0], detector="fast", block_px=block_px, hotspot_cells=())
    assert same(fast.cells, other.cells)


def test_threads_change_nothing(fast: CountResult, slide_file: Slide) -> None:
    assert same(fast.cells, count_slide(slide_file[0], detector="fast", threads=1, hotspot_cells=()).cells)


def test_no_nucleus_is_found_twice(fast: CountResult) -> None:
    tree = cKDTree(np.stack([fast.cells.x_um, fast.cells.y_um], axis=1))
    assert len(tree.query_pairs(1.0)) == 0


def test_interrupted_count_goes_on_to_the_same_bytes(
    slide_file: Slide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []
    original = FastDetector.find

    def stop_after_three(self: FastDetector, *args: object) -> blocks.Found:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(1)
        return original(self, *args)  # type: ignore[arg-type]

    options = {"detector": "fast", "block_px": 512, "threads": 1, "hotspot_cells": ()}
    whole = count_slide(slide_file[0], **options)
    options["resume_dir"] = tmp_path
    with monkeypatch.context() as patch:
        patch.setattr(FastDetector, "find", stop_after_three)
        with pytest.raises(KeyboardInterrupt):
            count_slide(slide_file[0], **options)
    kept = list(tmp_path.glob("count-*/*.npz"))
    assert len(kept) == 3
    kept[0].write_bytes(kept[0].read_bytes()[:100])  # a file cut by a crash counts as none
    calls: list[int] = []

    def counting(self: FastDetector, *args: object) -> blocks.Found:
        calls.append(1)
        return original(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(FastDetector, "find", counting)
    resumed = count_slide(slide_file[0], **options)
    assert same(whole.cells, resumed.cells)
    assert len(calls) == 20 - 2
    assert not list(tmp_path.iterdir())


def test_checkpoint_of_another_count_is_not_used(tmp_path: Path) -> None:
    one = Checkpoint(tmp_path, {"slide": "a", "detector": "fast"})
    one.save(0, table.empty())
    assert one.load(0) is not None
    assert Checkpoint(tmp_path, {"slide": "a", "detector": "accurate"}).load(0) is None


def test_progress_reaches_the_end(slide_file: Slide) -> None:
    seen: list[tuple[int, int]] = []
    count_slide(
        slide_file[0], hotspot_cells=(), block_px=512, progress=lambda done, total: seen.append((done, total))
    )
    assert [d for d, _ in seen] == list(range(1, seen[-1][1] + 1))


def test_filter_can_be_switched_off_and_says_what_it_left_out(slide_file: Slide, fast: CountResult) -> None:
    everything = count_slide(slide_file[0], detector="fast", tumour_only=False, hotspot_cells=())
    reasons = {row.reason for row in fast.count.left_out}
    assert "lymphocyte" in reasons
    assert everything.count.counted > fast.count.counted
    assert not {row.reason for row in everything.count.left_out} & {table.REASONS[k] for k in table.MORPHOLOGY}
    left_out = sum(row.cells for row in fast.count.left_out)
    assert fast.count.counted + left_out == len(fast.cells)


def test_regions_limit_the_count(slide_file: Slide, fast: CountResult, tmp_path: Path) -> None:
    square = [[800, 500], [1600, 500], [1600, 1100], [800, 1100], [800, 500]]
    file = tmp_path / "regions.geojson"
    geometry = {"type": "Polygon", "coordinates": [square]}
    file.write_text(json.dumps({"type": "Feature", "geometry": geometry, "properties": {}}))
    some = count_slide(slide_file[0], detector="fast", regions=file, hotspot_cells=())
    x, y = some.cells.x_um / 0.5, some.cells.y_um / 0.5
    counted = some.cells.counted
    assert counted.any()
    assert (x[counted] > 800).all()
    assert (x[counted] < 1600).all()
    assert (y[counted] < 1100).all()
    assert some.count.counted < fast.count.counted


def test_regions_off_the_slide_leave_nothing(slide_file: Slide, tmp_path: Path) -> None:
    file = tmp_path / "regions.geojson"
    file.write_text('{"type":"Polygon","coordinates":[[[90000,90000],[90100,90000],[90100,90100],[90000,90000]]]}')
    with pytest.raises(RefusedSlide, match="nothing is left to count"):
        count_slide(slide_file[0], regions=file)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not GeoJSON"),
        ("[1, 2]", "is not a list of GeoJSON features"),
        ('{"type":"FeatureCollection","features":[]}', "it holds no area"),
        ('{"type":"Polygon","coordinates":[[[0,0],["x",1],[1,1],[0,0]]]}', "its outline cannot be read"),
    ],
)
def test_bad_regions_are_refused(content: str, sentence: str, tmp_path: Path, slide_file: Slide) -> None:
    file = tmp_path / "regions.geojson"
    file.write_text(content)
    with pytest.raises(RefusedInput, match=sentence):
        count_slide(slide_file[0], regions=file)


def test_blank_slide_is_refused(tmp_path: Path) -> None:
    spec = synthetic.SlideSpec(width_px=1200, height_px=1200, tissue_fraction=0.0001)
    synthetic.write_slide(tmp_path / "blank.tif", spec)
    with pytest.raises(RefusedSlide, match="no tissue was found"):
        count_slide(tmp_path / "blank.tif")


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("nuclei", [0, 1], ids=["none", "one"])
def test_tissue_with_hardly_a_nucleus_is_counted_and_says_so(name: str, nuclei: int, tmp_path: Path) -> None:
    picture = np.full((420, 520, 3), 248, np.uint8)
    cv2.ellipse(picture, (260, 210), (170, 120), 0, 0, 360, (214, 200, 218), -1)
    picture = cv2.GaussianBlur(picture, (0, 0), 15.0)
    for k in range(nuclei):
        cv2.circle(picture, (200 + 60 * k, 200), 8, (70, 60, 130), -1, cv2.LINE_AA)
    path = tmp_path / "stroma.png"
    cv2.imwrite(str(path), cv2.GaussianBlur(picture, (0, 0), 1.0)[..., ::-1])
    result = count_slide(path, detector=name, um_per_px=0.5)
    assert len(result.cells) == nuclei
    assert result.count.positive == 0
    if nuclei == 0:
        assert result.count.index_percent is None
        assert "slide.no_cells" in {issue.code for issue in result.count.issues}
    for target in ("cells.parquet", "cells.geojson.gz"):
        write_cells(tmp_path / target, result.cells, 0.5)
        assert (tmp_path / target).stat().st_size > 0


def test_pen_fold_and_blur_are_kept_out(tmp_path: Path) -> None:
    spec = synthetic.SlideSpec(
        seed=21,
        width_px=3600,
        height_px=2800,
        stroma_fraction=0.1,
        artefacts=(
            synthetic.Artefact("pen", 500, 250, 350),
            synthetic.Artefact("fold", 1200, 1150, 300),
            synthetic.Artefact("blur", 1300, 500, 230),
        ),
    )
    synthetic.write_slide(tmp_path / "dirty.tif", spec)
    result = count_slide(tmp_path / "dirty.tif", detector="fast", hotspot_cells=())
    codes = {issue.code for issue in result.count.issues}
    assert {"slide.pen", "slide.fold", "slide.focus"} <= codes
    counted = result.cells.take(result.cells.counted)
    under_pen = (np.abs(counted.y_um - 250) < 40) & (np.abs(counted.x_um - 500) < 340)
    in_fold = (np.abs(counted.y_um - 1150) < 8) & (np.abs(counted.x_um - 1200) < 280)
    blurred = np.hypot(counted.x_um - 1300, counted.y_um - 500) < 130
    assert under_pen.sum() == 0
    assert in_fold.sum() == 0
    assert blurred.sum() < 20


def test_nest_of_dark_positive_nuclei_is_neither_fold_nor_ink(tmp_path: Path) -> None:
    spec = synthetic.SlideSpec(
        seed=23,
        width_px=2400,
        height_px=2000,
        index_percent=3,
        density_per_mm2=8000,
        stains=synthetic.Stains(dab_od=1.8, hematoxylin_od=0.4),
        hot_regions=(synthetic.HotRegion(600, 500, 200, 95),),
    )
    truth = synthetic.write_slide(tmp_path / "hot.tif", spec)
    result = count_slide(tmp_path / "hot.tif", detector="fast", hotspot_cells=(500,))
    assert not {"slide.pen", "slide.fold"} & {issue.code for issue in result.count.issues}
    inside = np.hypot(result.cells.x_um - 600, result.cells.y_um - 500) < 180
    shown = np.hypot(truth.cells.x_um - 600, truth.cells.y_um - 500) < 180
    assert inside.sum() > 0.75 * shown.sum()
    assert result.count.hotspots[0].index_percent is not None
    assert result.count.hotspots[0].index_percent > 85


def test_picture_counts_without_a_pyramid(picture_file: Slide) -> None:
    result = count_slide(picture_file[0], detector="fast", um_per_px=0.5)
    assert result.count.index_percent is not None
    assert abs(result.count.index_percent - picture_file[1].index_percent) < 4
    assert [i.code for i in result.count.issues] == ["slide.hotspot.too_few"]


def test_method_repeats_the_count(fast: CountResult) -> None:
    method = fast.count.method
    assert method["detector"] == "fast"
    assert method["detector_checksum"] == make_detector("fast").checksum
    assert len(method["slide_checksum"]) == 64
    assert method["cut_od"] == pytest.approx(fast.cut.cut_od, abs=1e-4)
    curve = [p.index_percent for p in fast.count.cut_curve]
    assert curve == sorted(curve, reverse=True)


def test_unknown_detector_is_refused() -> None:
    with pytest.raises(ValueError, match="detector must be one of fast, accurate"):
        make_detector("magic")
