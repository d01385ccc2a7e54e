"""Serial sections with a known warp: points go where they should; sections of other tissue are known as such."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from kulchitsky.slide import synthetic
from kulchitsky.slide.marked_tumour import MarkedTumour
from kulchitsky.slide.reader import open_slide
from kulchitsky.slide.registration import Registration, register
from kulchitsky.slide.registration_map import SectionMap, section_map
from kulchitsky.slide.synthetic.serial import SectionWarp, serial_section

SPEC = synthetic.SlideSpec(
    seed=5, width_px=1150, height_px=900, um_per_px=1.6, tissue_fraction=0.7, stroma_fraction=0.35, nest_um=170
)
WARP = SectionWarp(turn_deg=-17.0, shift_um=(55.0, -70.0), bend_um=18.0, bend_length_um=1100.0, seed=3)


def mapped(folder: Path, rgb: np.ndarray) -> SectionMap:
    path = folder / "section.png"
    cv2.imwrite(str(path), rgb[..., ::-1])
    with open_slide(path, 1.2) as slide:  # coarser than can be counted, yet fine for laying sections over each other
        found = section_map(slide)
    scale = SPEC.um_per_px / 1.2
    return SectionMap(found.density, found.tissue, found.um * scale)


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> tuple[SectionMap, SectionMap]:
    folder = tmp_path_factory.mktemp("sections")
    first = synthetic.render(SPEC)[0]
    second = serial_section(SPEC.with_changes(pattern="cytoplasmic_diffuse", index_percent=85), WARP, cell_seed=77)
    return mapped(folder, first), mapped(folder, second)


def test_warp_and_its_inverse_agree() -> None:
    points = np.random.default_rng(0).uniform(100, 1400, (200, 2))
    there = WARP.to_section(points, (900, 700))
    assert np.abs(WARP.from_section(there, (900, 700)) - points).max() < 0.01
    assert np.abs(there - points).max() > 50


def test_points_land_within_ten_micrometres(sections: tuple[SectionMap, SectionMap]) -> None:
    fixed, moving = sections
    laid = register(fixed, moving)
    rows, columns = np.nonzero(fixed.tissue)
    pick = np.random.default_rng(0).choice(len(rows), 500)
    points = (np.stack([columns[pick], rows[pick]], axis=1) + 0.5) * fixed.um
    true = WARP.to_section(points, (SPEC.width_um / 2, SPEC.height_um / 2))
    error = np.linalg.norm(laid.to_moving(points) - true, axis=1)
    assert np.median(error) <= 10
    assert laid.overlap > 0.9
    assert laid.correlation > 0.4
    assert laid.residual_um < 20


def test_another_tissue_is_known_by_its_fit(sections: tuple[SectionMap, SectionMap], tmp_path: Path) -> None:
    other = mapped(tmp_path, synthetic.render(SPEC.with_changes(seed=900))[0])
    # the outlines are alike, so that the maps correlate; the nests are not
    assert register(sections[0], other).residual_um > 40


def test_empty_section_cannot_be_registered() -> None:
    empty = SectionMap(np.zeros((50, 50), np.float32), np.zeros((50, 50), bool), 4.0)
    with pytest.raises(ValueError, match="without tissue"):
        register(empty, empty)


def test_marked_tumour_holds_points_on_the_slide_only() -> None:
    mask = np.zeros((4, 4), bool)
    mask[1, 2] = True
    marked = MarkedTumour(mask, 10.0)
    points = np.asarray([[25.0, 15.0], [15.0, 15.0], [-5.0, 15.0], [25.0, 400.0]])
    assert marked.holds(points).tolist() == [True, False, False, False]


def test_without_anchors_the_transform_is_rigid() -> None:
    matrix = np.asarray([[1.0, 0.0, 5.0], [0.0, 1.0, -3.0]])
    none = np.zeros((0, 2))
    laid = Registration(matrix, none, none, 1.0, 1.0, float("nan"))
    assert laid.to_moving(np.asarray([[1.0, 2.0]])).tolist() == [[6.0, -1.0]]
