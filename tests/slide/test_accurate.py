"""The network: close to the truth on synthetic fields of every kind, the same however a slide is cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from kulchitsky.slide import synthetic
from kulchitsky.slide.count import count_slide, make_detector

Slide = tuple[Path, synthetic.Truth]


def test_weights_are_small_and_named_in_the_report(picture_file: Slide) -> None:
    detector = make_detector("accurate")
    result = count_slide(picture_file[0], detector="accurate", um_per_px=0.5, hotspot_cells=())
    assert result.count.method["detector_checksum"] == detector.checksum
    assert result.count.method["parameters"] == detector.parameters
    assert np.isfinite(result.cells.p_positive).all()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"stains": synthetic.Stains(hematoxylin_od=0.35, dab_od=0.7)},
        {"optics": synthetic.Optics(blur_sigma_um=0.7), "jpeg_quality": 50},
        {"um_per_px": 0.25, "width_px": 1500, "height_px": 1200},
    ],
    ids=["plain", "pale", "blurred", "fine"],
)
def test_nuclei_and_index_are_close_to_the_truth(changes: dict[str, object], tmp_path: Path) -> None:
    spec = synthetic.SlideSpec(seed=77, width_px=800, height_px=700, index_percent=25, density_per_mm2=5500)
    spec = spec.with_changes(**changes)
    truth = synthetic.write_slide(tmp_path / "field.png", spec)
    result = count_slide(tmp_path / "field.png", detector="accurate", um_per_px=spec.um_per_px, hotspot_cells=())
    cells = result.cells.take(result.cells.counted)
    tumour = truth.points_um()[truth.tumour]
    distance, nearest = cKDTree(np.stack([cells.x_um, cells.y_um], axis=1)).query(tumour)
    hit = distance <= 3
    assert hit.mean() > 0.9
    assert len(np.unique(nearest[hit])) / len(cells) > 0.8
    agree = cells.positive[nearest[hit]] == truth.cells.positive[truth.tumour][hit]
    assert agree.mean() > 0.97
    assert result.count.index_percent is not None
    assert abs(result.count.index_percent - truth.index_percent) < 3


def test_moving_block_borders_changes_no_count(slide_file: Slide) -> None:
    results = [
        count_slide(slide_file[0], detector="accurate", block_px=size, hotspot_cells=()) for size in (640, 1024)
    ]
    a, b = (r.cells for r in results)
    assert len(a) == len(b)
    distance, nearest = cKDTree(np.stack([b.x_um, b.y_um], axis=1)).query(np.stack([a.x_um, a.y_um], axis=1))
    assert distance.max() < 0.05
    assert np.array_equal(a.positive, b.positive[nearest])
    assert np.array_equal(a.reason, b.reason[nearest])
