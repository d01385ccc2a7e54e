"""Ki-67 counted in the tumour that a second section marks: positive cells of the stroma stay out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from kulchitsky.slide import synthetic
from kulchitsky.slide.synthetic.serial import SectionWarp, serial_section
from kulchitsky.workup.virtual_double_stain import virtual_double_stain

UM = 0.55
SPEC = synthetic.SlideSpec(
    seed=12,
    width_px=1500,
    height_px=1300,
    um_per_px=UM,
    index_percent=20,
    tissue_fraction=0.75,
    stroma_fraction=0.45,
    nest_um=190,
    lymphocyte_fraction=0.8,
    non_tumour_positive_percent=60,
)
WARP = SectionWarp(turn_deg=9, shift_um=(25, -30), bend_um=8, bend_length_um=900, seed=2)


@pytest.fixture(scope="module")
def ki67(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    path = tmp_path_factory.mktemp("double") / "ki67.png"
    truth = synthetic.write_slide(path, SPEC)
    return path, truth.index_percent


def test_only_marked_tumour_is_counted(ki67: tuple[Path, float]) -> None:
    path, true_percent = ki67
    second = SPEC.with_changes(
        pattern="cytoplasmic_diffuse", index_percent=95, stains=replace(SPEC.stains, dab_od=0.9)
    )
    rgb = serial_section(second.with_changes(non_tumour_positive_percent=0.0), WARP, cell_seed=90)
    other = path.with_name("synaptophysin.png")
    cv2.imwrite(str(other), rgb[..., ::-1])
    found = virtual_double_stain(
        path, other, marker="synaptophysin", detector="fast", um_per_px=UM, tumour_um_per_px=UM, hotspot_cells=()
    )
    assert found.inside.counted < found.plain.counted
    assert found.inside.index_percent is not None
    assert found.plain.index_percent is not None
    assert abs(found.inside.index_percent - true_percent) < abs(found.plain.index_percent - true_percent)
    assert "outside_marked_tumour" in {row.reason for row in found.inside.left_out}
    assert found.inside.method["tumour_marked_by"]["marker"] == "synaptophysin"
    assert "slide.double_stain" in {i.code for i in found.inside.issues}
