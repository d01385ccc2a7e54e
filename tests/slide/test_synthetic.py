"""The generator: exact truth, the same picture for the same record, windows without seams, readable slides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openslide
import pytest

from kulchitsky.slide import synthetic
from kulchitsky.slide.synthetic.render import Renderer
from kulchitsky.slide.synthetic.variety import random_tissue_spec

SPEC = synthetic.SlideSpec(seed=4, width_px=512, height_px=384, um_per_px=0.5, index_percent=25)


def test_same_record_gives_same_pixels_and_another_seed_others() -> None:
    first, truth = synthetic.render(SPEC)
    second, _ = synthetic.render(SPEC)
    other, _ = synthetic.render(SPEC.with_changes(seed=5))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
    assert first.shape == (384, 512, 3)
    assert truth.counted > 100


def test_index_of_truth_follows_the_wanted_index() -> None:
    spec = SPEC.with_changes(width_px=2048, height_px=2048)
    truth = synthetic.render(spec.with_changes(jpeg_quality=100))[1]
    # binomial, n about 5,500: 3 standard errors are 1.8 points
    assert abs(truth.index_percent - 25) < 1.8


def test_positive_nuclei_are_brown_and_negative_ones_blue_where_truth_says() -> None:
    rgb, truth = synthetic.render(SPEC.with_changes(faint_fraction=0.0))
    x = (truth.cells.x_um / SPEC.um_per_px).astype(int)
    y = (truth.cells.y_um / SPEC.um_per_px).astype(int)
    red_minus_blue = rgb[y, x, 0].astype(int) - rgb[y, x, 2]
    positive = truth.cells.positive
    assert np.mean(red_minus_blue[positive] > 0) > 0.97
    assert np.mean(red_minus_blue[~positive] < 0) > 0.97


def test_cells_between_the_nests_are_as_the_record_says() -> None:
    spec = SPEC.with_changes(stroma_fraction=0.5, lymphocyte_fraction=0.4, width_px=1024, height_px=1024)
    plump = spec.with_changes(stroma_semi_um=(4.0, 2.4), lymphocyte_radius_um=2.4, lymphocyte_pitch_um=14.0)
    usual, other = (Renderer(s).scene.cells(0, 0, 512, 512) for s in (spec, plump))
    stroma, lymphocyte = synthetic.scene.STROMA, synthetic.scene.LYMPHOCYTE
    assert np.median(usual.semi_b[usual.kind == stroma]) == pytest.approx(1.5, rel=0.1)
    assert np.median(other.semi_b[other.kind == stroma]) == pytest.approx(2.4, rel=0.1)
    assert np.median(other.semi_a[other.kind == lymphocyte]) == pytest.approx(2.5, rel=0.1)
    assert np.sum(other.kind == lymphocyte) < 0.6 * np.sum(usual.kind == lymphocyte)
    assert np.array_equal(usual.x_um[usual.kind == 0], other.x_um[other.kind == 0])


@pytest.mark.parametrize("seed", range(8))
def test_tissue_of_any_kind_keeps_lymphocytes_smaller_than_tumour_nuclei(seed: int) -> None:
    spec = random_tissue_spec(seed)
    assert spec.lymphocyte_radius_um <= spec.nucleus_diameter_um / 2 / 1.1
    assert spec == random_tissue_spec(seed)


def test_windows_fit_together_without_a_seam() -> None:
    renderer = Renderer(SPEC)
    whole = renderer.window(0, 0, 512, 384).astype(int)
    part = renderer.window(130, 77, 200, 190).astype(int)
    assert np.abs(whole[77:267, 130:330] - part).max() <= 1


@pytest.mark.parametrize(
    "pattern", ["cytoplasmic_diffuse", "cytoplasmic_granular", "membranous", "perinuclear_dot", "globular"]
)
def test_other_patterns_leave_the_nucleus_blue(pattern: synthetic.spec.MarkerPattern) -> None:
    hema, dab = Renderer(SPEC.with_changes(pattern=pattern, index_percent=100)).densities(0, 0, 512, 384)
    _, truth = synthetic.render(SPEC.with_changes(pattern=pattern, index_percent=100))
    tumour = truth.cells.take(truth.tumour)
    x, y = (tumour.x_um / 0.5).astype(int), (tumour.y_um / 0.5).astype(int)
    assert np.median(dab[y, x]) < 0.25
    assert dab.max() > 0.8
    assert np.median(hema[y, x]) > 0.4


def test_slide_opens_in_openslide_with_its_scale(tmp_path: Path) -> None:
    spec = SPEC.with_changes(
        width_px=3000, height_px=2100, tissue_fraction=0.5, hot_regions=(synthetic.HotRegion(750, 500, 200, 90),)
    )
    truth = synthetic.write_slide(tmp_path / "slide.tif", spec)
    with openslide.OpenSlide(tmp_path / "slide.tif") as slide:
        assert slide.dimensions == (3000, 2100)
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(0.5)
        assert slide.level_count == 2
        region = np.asarray(slide.read_region((1300, 900), 0, (400, 300)).convert("RGB")).astype(int)
    painted = Renderer(spec).window(1300, 900, 400, 300).astype(int)
    assert np.abs(region - painted).mean() < 4
    inside = np.hypot(truth.cells.x_um - 750, truth.cells.y_um - 500) < 200
    assert np.mean(truth.cells.positive[inside & truth.tumour]) > 0.8
    assert not list(tmp_path.glob(".synthetic-*"))


def test_repeating_scene_repeats(tmp_path: Path) -> None:
    spec = SPEC.with_changes(width_px=2048, height_px=1024, period_um=512.0)
    synthetic.write_slide(tmp_path / "slide.tif", spec)
    with openslide.OpenSlide(tmp_path / "slide.tif") as slide:
        left = np.asarray(slide.read_region((0, 0), 0, (1024, 1024)))
        right = np.asarray(slide.read_region((1024, 0), 0, (1024, 1024)))
    assert np.array_equal(left, right)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width_px": 0}, "positive size"),
        ({"um_per_px": 9.0}, "um_per_px must lie"),
        ({"index_percent": 101.0}, "index_percent must lie"),
        ({"tissue_fraction": 0.0}, "tissue_fraction must lie"),
    ],
)
def test_impossible_slides_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SPEC.with_changes(**changes)
