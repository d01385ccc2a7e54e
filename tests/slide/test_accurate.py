"""The network: close to the truth on synthetic fields of every kind, the same however a slide is cut."""

from __future__ import annotations

import dataclasses
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial import cKDTree

from kulchitsky.slide import accurate, rays, synthetic
from kulchitsky.slide.accurate import AccurateDetector
from kulchitsky.slide.blocks import halo_px
from kulchitsky.slide.cells import CellTable
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


def test_moving_block_borders_changes_nothing(slide_file: Slide) -> None:
    a, b = (
        count_slide(slide_file[0], detector="accurate", block_px=size, hotspot_cells=()).cells for size in (640, 1024)
    )
    for field in dataclasses.fields(CellTable):
        np.testing.assert_array_equal(getattr(a, field.name), getattr(b, field.name))


def test_halo_covers_all_that_bears_on_a_nucleus() -> None:
    """The reach of the network, worked out from its graph, is what the detector's halo is built on."""
    onnx = pytest.importorskip("onnx", reason="the graph is read with the package that the train extra brings")
    weights = resources.files("kulchitsky.slide.models").joinpath(accurate.MODEL_FILE).read_bytes()
    reach = network_reach(onnx, onnx.load_from_string(weights).graph)
    assert reach <= accurate.REACH_PX
    detector = AccurateDetector()
    for um_per_px in (0.44, 0.5, 0.56):
        halo = halo_px(um_per_px, detector.halo_um(2 * um_per_px))
        outlines = (detector.repeat_within + 1) * rays.LONGEST_UM / um_per_px
        assert halo >= reach + outlines


def network_reach(onnx: Any, graph: Any) -> int:
    """How many input pixels from its own place an output of the network looks, at most.

    Pixel p of a tensor depends on the input pixels from ``step * p + low`` to ``step * p + high``.
    """
    constants = {i.name: onnx.numpy_helper.to_array(i) for i in graph.initializer}
    seen = {graph.input[0].name: (1, 0, 0)}
    for node in graph.node:
        sources = [seen[name] for name in node.input if name in seen]
        (step,) = {s for s, _, _ in sources}
        low, high = min(a for _, a, _ in sources), max(b for _, _, b in sources)
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        match node.op_type:
            case "Conv":
                side = constants[node.input[1]].shape[2] // 2
                assert attributes["pads"] == [side] * 4
                low, high = low - side * step, high + side * step
                step *= attributes["strides"][0]
            case "Resize":
                assert attributes["mode"] == b"nearest"
                step //= int(constants[node.input[2]][2])
                low -= step  # an odd pixel takes the value of the even one before it
            case "DepthToSpace":
                step //= attributes["blocksize"]
                low -= step * (attributes["blocksize"] - 1)
            case "Relu" | "Add":
                pass
            case other:
                raise AssertionError(other)
        seen[node.output[0]] = (step, low, high)
    step, low, high = seen[graph.output[0].name]
    return max(-low, high - step + 1)
