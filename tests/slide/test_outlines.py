"""Outlines: the median network, discs and ellipses of known size, and nuclei measured alone or together."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulchitsky.slide.nuclei import Nuclei, measure_nuclei
from kulchitsky.slide.outlines import GROUP, MIDDLE_SWAPS
from kulchitsky.slide.planes import Planes
from kulchitsky.slide.rays import LONGEST_UM, RAYS


@given(st.lists(st.floats(-9, 9), min_size=RAYS, max_size=RAYS))
def test_swaps_bring_the_two_middle_values_to_the_middle(values: list[float]) -> None:
    ordered = list(values)
    for low, high in MIDDLE_SWAPS:
        ordered[low], ordered[high] = sorted((ordered[low], ordered[high]))
    assert ordered[RAYS // 2 - 1 : RAYS // 2 + 1] == sorted(values)[RAYS // 2 - 1 : RAYS // 2 + 1]


def ellipse(long_um: float, short_um: float, turn: float, dab: float) -> Planes:
    """A nucleus of even density, with a border a pixel and a half wide, in the middle of 61 x 61 pixels."""
    y, x = np.mgrid[-30:31, -30:31].astype(np.float64)
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    from_edge = (np.hypot(u / long_um, v / short_um) - 1) * np.sqrt(long_um * short_um)
    inside = np.clip(0.5 - from_edge / 1.5, 0, 1)
    return Planes((0.05 + 0.5 * inside).astype(np.float32), (dab * inside).astype(np.float32), 1.0)


@pytest.mark.parametrize("turn", [0.0, 0.6, 1.3])
@pytest.mark.parametrize(("long_um", "short_um"), [(3.0, 3.0), (4.5, 4.5), (5.5, 3.5)])
def test_size_shape_and_density_of_an_ellipse(long_um: float, short_um: float, turn: float) -> None:
    planes = ellipse(long_um, short_um, turn, 0.3)
    seed = np.full(1, 30.0, np.float32)
    nucleus = measure_nuclei(planes, planes.hema, seed, seed)
    assert nucleus.area_um2[0] == pytest.approx(np.pi * long_um * short_um, rel=0.12)
    # the outline is smoothed: what is long is told less long than it is
    true = long_um / short_um
    assert 1 + 0.3 * (true - 1) <= nucleus.elongation[0] <= true + 0.01
    assert nucleus.dab_od[0] == pytest.approx(0.3, abs=0.04)
    assert nucleus.ring_dab_od[0] < 0.02
    assert nucleus.contrast[0] == pytest.approx(0.5, abs=0.05)
    assert np.hypot(nucleus.centroid_x_um[0], nucleus.centroid_y_um[0]) < 0.15


def test_an_even_field_gives_the_longest_rays() -> None:
    even = np.full((50, 50), 0.5, np.float32)
    seed = np.full(1, 25.0, np.float32)
    nucleus = measure_nuclei(Planes(even, even, 1.0), even, seed, seed)
    assert np.allclose(nucleus.radii_um, LONGEST_UM)
    assert nucleus.contrast[0] == 0


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 2 * GROUP + 5))
def test_a_nucleus_is_measured_alike_alone_and_in_company(seed: int, number: int) -> None:
    """To the last bit, at the border of the plane too."""
    rng = np.random.default_rng(seed)
    hema, dab = rng.random((2, 70, 80)).astype(np.float32)
    planes = Planes(hema, dab, 1.0)
    x, y = (np.float32(1 / 256) * rng.integers(0, 256 * side, number).astype(np.float32) for side in (79, 69))
    together = measure_nuclei(planes, planes.hema, x, y)
    for n in {0, number // 2, number - 1}:
        alone = measure_nuclei(planes, planes.hema, x[n : n + 1], y[n : n + 1])
        for f in fields(Nuclei):
            assert np.array_equal(getattr(alone, f.name)[0], getattr(together, f.name)[n])
