"""Readings of painted slides against their truth: share, compartment, pattern, controls, refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from kulchitsky.case.errors import RefusedInput, RefusedSlide
from kulchitsky.case.vocabulary import Compartment, Pattern
from kulchitsky.slide import synthetic
from kulchitsky.slide.reader import open_slide
from kulchitsky.slide.stain_reading import SURE_COMPARTMENT, StainResult, read_stain
from kulchitsky.slide.stains import pictures
from kulchitsky.slide.synthetic.spec import MarkerPattern

SPEC = synthetic.SlideSpec(
    seed=31,
    width_px=620,
    height_px=560,
    um_per_px=0.45,
    density_per_mm2=6000,
    stroma_fraction=0.2,
    faint_fraction=0.05,
    non_tumour_positive_percent=0.0,
)

EXPECTED: dict[MarkerPattern, tuple[Compartment, Pattern]] = {
    "nuclear": (Compartment.NUCLEAR, Pattern.DIFFUSE),
    "cytoplasmic_diffuse": (Compartment.CYTOPLASMIC, Pattern.DIFFUSE),
    "cytoplasmic_granular": (Compartment.CYTOPLASMIC, Pattern.GRANULAR),
    "membranous": (Compartment.MEMBRANOUS, Pattern.DIFFUSE),
    "perinuclear_dot": (Compartment.CYTOPLASMIC, Pattern.PERINUCLEAR_DOT),
    "globular": (Compartment.CYTOPLASMIC, Pattern.GLOBULAR),
    "nuclear_and_cytoplasmic": (Compartment.NUCLEAR_AND_CYTOPLASMIC, Pattern.DIFFUSE),
    "cytoplasmic_and_membranous": (Compartment.CYTOPLASMIC_AND_MEMBRANOUS, Pattern.DIFFUSE),
}


def read(folder: Path, spec: synthetic.SlideSpec, name: str = "field.png") -> tuple[StainResult, synthetic.Truth]:
    truth = synthetic.write_slide(folder / name, spec)
    return read_stain(folder / name, marker="any", um_per_px=spec.um_per_px), truth


@pytest.mark.parametrize("pattern", list(EXPECTED))
def test_compartment_pattern_and_share_are_those_painted(pattern: MarkerPattern, tmp_path: Path) -> None:
    result, truth = read(tmp_path, SPEC.with_changes(pattern=pattern, index_percent=65))
    reading = result.reading
    assert (reading.compartment, reading.pattern) == EXPECTED[pattern]
    assert reading.index_percent is not None
    assert abs(reading.index_percent - truth.index_percent) < 5
    assert sum(s.fraction for s in reading.intensity_classes) == pytest.approx(1)
    assert reading.h_score == pytest.approx(
        100 * sum(k * s.fraction for k, s in enumerate(reading.intensity_classes)), abs=1e-6
    )
    assert reading.positive == int((result.cells.counted & result.cells.positive).sum())


def test_stronger_stain_has_a_higher_score_and_the_same_share(tmp_path: Path) -> None:
    spec = SPEC.with_changes(pattern="cytoplasmic_diffuse", index_percent=60)
    weak, _ = read(tmp_path, spec.with_changes(stains=replace(spec.stains, dab_od=0.5)))
    strong, _ = read(tmp_path, spec.with_changes(stains=replace(spec.stains, dab_od=1.6)))
    assert weak.reading.h_score is not None
    assert strong.reading.h_score is not None
    assert strong.reading.h_score > weak.reading.h_score + 40
    assert abs((strong.reading.index_percent or 0) - (weak.reading.index_percent or 0)) < 6


def test_unstained_slide_says_so(tmp_path: Path) -> None:
    result, _ = read(tmp_path, SPEC.with_changes(pattern="cytoplasmic_diffuse", index_percent=0))
    assert result.reading.index_percent is not None
    assert result.reading.index_percent < 1.5
    assert result.reading.compartment is None
    codes = {issue.code for issue in result.reading.issues}
    assert codes & {"stain.none_stained", "stain.control.negative", "stain.control.none", "stain.control"}


def test_stain_everywhere_is_not_taken_for_tumour_staining(tmp_path: Path) -> None:
    stains = replace(SPEC.stains, background_dab_od=0.55)
    result, _ = read(tmp_path, SPEC.with_changes(pattern="cytoplasmic_diffuse", index_percent=0, stains=stains))
    assert {i.code for i in result.reading.issues} & {"stain.background", "stain.everywhere"}


def test_negative_is_refused(tmp_path: Path) -> None:
    rgb, _ = synthetic.render(SPEC.with_changes(pattern="cytoplasmic_granular", index_percent=60))
    cv2.imwrite(str(tmp_path / "negative.png"), 255 - rgb[:, :, ::-1])
    with pytest.raises(RefusedSlide, match="photographic negative"):
        read_stain(tmp_path / "negative.png", marker="any", um_per_px=0.45)


def test_dark_slide_is_no_negative(tmp_path: Path) -> None:
    """Nearly everything black-brown, and bright gaps rare: a strong stain, not a negative."""
    stains = replace(SPEC.stains, dab_od=2.0, background_dab_od=0.12, background_hematoxylin_od=0.25)
    spec = SPEC.with_changes(
        pattern="cytoplasmic_diffuse", index_percent=100, stains=stains, stroma_fraction=0, density_per_mm2=9000
    )
    result, _ = read(tmp_path, spec.with_changes(cell_radius_ratio=2.2))
    assert (result.reading.index_percent or 0) > 80


def test_lymphoid_tissue_is_not_taken_for_tumour_without_a_word(tmp_path: Path) -> None:
    result, _ = read(tmp_path, SPEC.with_changes(stroma_fraction=0.999, lymphocyte_fraction=0.9, index_percent=0))
    assert {i.code for i in result.reading.issues} & {"stain.tumour.doubtful", "stain.no_tumour"}


def test_what_blur_hides_is_not_guessed(tmp_path: Path) -> None:
    """Far out of focus no place in the cell can be told: the reading names what it may be, or is unsure."""
    optics = replace(SPEC.optics, blur_sigma_um=1.4)
    spec = SPEC.with_changes(pattern="cytoplasmic_and_membranous", index_percent=60, optics=optics)
    reading = read(tmp_path, spec)[0].reading
    if reading.compartment is None:
        assert len(reading.compartment_either) >= 2
        assert "stain.compartment.unsure" in {i.code for i in reading.issues}
    else:
        assert reading.compartment_either == ()
        assert (reading.compartment_confidence or 0) >= SURE_COMPARTMENT


def test_blank_slide_is_refused(tmp_path: Path) -> None:
    synthetic.write_slide(
        tmp_path / "blank.tif", synthetic.SlideSpec(width_px=1200, height_px=1200, tissue_fraction=0.0001)
    )
    with pytest.raises(RefusedSlide, match="no tissue was found"):
        read_stain(tmp_path / "blank.tif", marker="any")


def test_regions_that_are_none_are_refused(tmp_path: Path) -> None:
    synthetic.write_slide(tmp_path / "a.png", SPEC)
    (tmp_path / "r.geojson").write_text("{")
    with pytest.raises(RefusedInput, match="is not GeoJSON"):
        read_stain(tmp_path / "a.png", marker="any", um_per_px=0.45, regions=tmp_path / "r.geojson")


def test_blocks_do_not_change_the_reading(tmp_path: Path) -> None:
    spec = SPEC.with_changes(pattern="perinuclear_dot", index_percent=70)
    synthetic.write_slide(tmp_path / "a.png", spec)
    whole = read_stain(tmp_path / "a.png", marker="any", um_per_px=0.45, detector="fast")
    cut = read_stain(tmp_path / "a.png", marker="any", um_per_px=0.45, detector="fast", block_px=256)
    assert abs(whole.reading.counted - cut.reading.counted) <= 2
    assert abs((whole.reading.index_percent or 0) - (cut.reading.index_percent or 0)) < 1
    assert whole.reading.pattern is cut.reading.pattern


def test_pictures_show_the_cells(tmp_path: Path) -> None:
    result, _ = read(tmp_path, SPEC.with_changes(pattern="perinuclear_dot", index_percent=70))
    rows = result.examples("perinuclear_dot", 5)
    assert len(rows) == 5
    assert (result.cells.counted & result.cells.positive)[rows].all()
    with open_slide(tmp_path / "field.png", 0.45) as slide:
        picture = pictures.gallery(slide, result.cells, [("dots", rows), ("none", rows[:0])], columns=5)
        marked = pictures.field(slide, (120, 120), 150, result.cells, result.judgement.level, side_px=300)
    assert picture.shape[1] == 5 * 132
    assert (picture < 120).any()
    assert marked.shape == (300, 300, 3)
    assert np.any(np.all(marked == pictures.LEVEL_RGB[3], axis=2))
