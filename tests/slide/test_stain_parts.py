"""The parts of a stain reading alone: cut, background, spots and whose they are, cells' borders, the model file."""

from __future__ import annotations

from dataclasses import fields

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulchitsky.slide import cells as table
from kulchitsky.slide.calibration import REFERENCE_DAB, REFERENCE_HEMATOXYLIN, Calibration
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.planes import Planes
from kulchitsky.slide.stains import cell_net
from kulchitsky.slide.stains.cut import find_cut
from kulchitsky.slide.stains.hue import with_own_hematoxylin
from kulchitsky.slide.stains.model import CLASSES, load_model
from kulchitsky.slide.stains.spots import Spots, spot_of_cell
from kulchitsky.slide.stains.staining import STAINING_FEATURES
from kulchitsky.slide.stains.territory import territories
from kulchitsky.slide.stains.walls import own_walls

STAINS = (REFERENCE_HEMATOXYLIN, REFERENCE_DAB)


def round_cells(points: list[tuple[float, float]], radius_um: float = 3.0) -> CellTable:
    columns = {f.name: np.zeros(len(points), np.float32) for f in fields(CellTable)}
    columns |= {"x_um": np.asarray([p[0] for p in points], float), "y_um": np.asarray([p[1] for p in points], float)}
    columns |= {"radii": table.pack_radii(np.full((len(points), 16), radius_um, np.float32))}
    columns |= {"reason": np.zeros(len(points), np.uint8), "positive": np.zeros(len(points), bool)}
    return CellTable(**columns)


def spots_at(points: list[tuple[float, float]], height: float = 1.0) -> Spots:
    n = len(points)
    one = np.ones(n, np.float32)
    x, y = (np.asarray([p[k] for p in points], float) for k in range(2))
    return Spots(x, y, height * one, 0 * one, one)


@settings(max_examples=40, deadline=None)
@given(
    share=st.floats(0.05, 0.98),
    typical=st.floats(0.4, 2.0),
    leak=st.floats(0.0, 0.04),
    seed=st.integers(0, 1000),
)
def test_cut_finds_the_share_of_two_groups(share: float, typical: float, leak: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    stained = rng.random(1500) < share
    signal = np.where(stained, typical * np.exp(rng.normal(0, 0.25, 1500)), np.abs(rng.normal(leak, 0.015, 1500)))
    cut = find_cut(signal)
    assert abs(np.mean(signal > cut.cut_od) - np.mean(stained)) < 0.02
    assert cut.typical_od == pytest.approx(typical, rel=0.35)


def test_no_stain_gives_the_floor() -> None:
    cut = find_cut(np.abs(np.random.default_rng(1).normal(0.02, 0.015, 800)))
    assert cut.how == "floor"
    assert np.isnan(cut.typical_od)


def test_each_spot_goes_to_one_cell_and_crowding_is_solved() -> None:
    cells = round_cells([(10, 10), (17.5, 10)])
    # both spots lie nearest to the right cell; the left cell can reach the first one alone
    owner = spot_of_cell(cells, spots_at([(14.2, 10), (21.2, 10)]), 0.5)
    assert sorted(owner.tolist()) == [0, 1]
    assert owner[1] == 1
    assert spot_of_cell(cells, spots_at([(40, 40)]), 0.5).tolist() == [-1, -1]
    assert spot_of_cell(cells, spots_at([(14.2, 10)], height=0.2), 0.5).tolist() == [-1, -1]


def test_territories_meet_half_way_and_end() -> None:
    land = territories(round_cells([(15, 20), (25, 20)]), (80, 80), 0.5)
    assert land.owner[40, 30] == 0
    assert land.owner[40, 50] == 1
    assert land.owner[40, 38] == 0
    assert land.owner[40, 42] == 1
    assert land.border[40, 40]
    assert land.owner[0, 0] == -1
    # 3 µm of nucleus and 4 µm of cell
    assert land.owner[40, 18] == 0
    assert land.owner[40, 14] == -1
    assert land.depth_um[40, 30] == pytest.approx(3.0, abs=0.5)
    assert land.depth_um[40, 20] == pytest.approx(-2.0, abs=0.5)


def test_model_fits_its_features() -> None:
    model = load_model()
    features = np.random.default_rng(0).normal(0, 1, (50, len(model.kinds.centre))) * model.kinds.spread
    p = model.probabilities(features + model.kinds.centre)
    assert np.allclose(p.sum(axis=1), 1)
    assert model.probabilities(features[:0]).shape == (0, len(model.classes))
    assert set(model.staining) == set(model.classes)
    assert all(len(part.centre) == len(STAINING_FEATURES) for part in model.staining.values())
    # median and spread of each feature, in both ways of finding nuclei
    assert len(model.slides.centre) == 4 * len(model.kinds.centre)


def test_a_shared_wall_is_dealt_to_the_stained_cell() -> None:
    """Three cells in a row, walls painted as of the middle one alone: its neighbours get nothing of them."""
    um, shape = 0.25, (160, 240)
    cells = round_cells([(15, 20), (27, 20), (39, 20)])
    land = territories(cells, shape, um)
    middle = (land.owner == 1).astype(np.uint8)
    wall = (middle - cv2.erode(middle, np.ones((3, 3), np.uint8))).astype(np.float32)
    dab = np.asarray(cv2.GaussianBlur(wall, (0, 0), 0.4 / um), np.float32)
    x, y = ((v / um - 0.5).astype(np.float32) for v in (cells.x_um, cells.y_um))
    own, seen, _ = own_walls(dab, dab, land, x, y)
    assert own[1] > 5 * max(own[0], own[2])
    assert seen[1] > seen[0]
    both, _, _ = own_walls(np.zeros_like(dab), dab, land, x, y)
    assert np.all(both == 0)


@settings(max_examples=25, deadline=None)
@given(
    hue=st.floats(-0.12, 0.12), share=st.floats(0.0, 0.92), strength=st.floats(0.3, 1.0), seed=st.integers(0, 1000)
)
def test_the_hue_of_unstained_nuclei_is_found_among_stained_ones(
    hue: float, share: float, strength: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    blue = np.asarray(REFERENCE_HEMATOXYLIN) + hue * np.asarray(REFERENCE_DAB)
    blue /= np.linalg.norm(blue)
    stained = rng.random(600) < share
    dab = np.where(stained, rng.uniform(0.3, 1.5, 600), 0.0)[:, None] * np.asarray(REFERENCE_DAB)
    nuclei = strength * np.exp(rng.normal(0, 0.2, 600))[:, None] * blue + dab + rng.normal(0, 0.004, (600, 3))
    told = np.asarray(with_own_hematoxylin(Calibration((240, 240, 240), STAINS, 0.5), nuclei).stains[0])
    assert np.degrees(np.arccos(min(1.0, float(told @ blue)))) < 3


def test_too_few_nuclei_leave_the_hue_as_it_is() -> None:
    plain = Calibration((240, 240, 240), STAINS, 0.5)
    assert with_own_hematoxylin(plain, np.ones((5, 3))) is plain
    # all nuclei brown: the bluest of them are no haematoxylin
    brown = np.asarray(REFERENCE_HEMATOXYLIN) + 0.8 * np.asarray(REFERENCE_DAB)
    assert with_own_hematoxylin(plain, np.tile(brown, (50, 1))) is plain
    # nuclei of a colour that is none of haematoxylin
    assert with_own_hematoxylin(plain, np.tile([0.1, 0.1, 1.0], (50, 1))) is plain


def random_planes(rows: int, columns: int) -> Planes:
    rng = np.random.default_rng(3)
    hema, dab = (rng.gamma(1.0, 0.3, (rows, columns)).astype(np.float32) for _ in range(2))
    return Planes(hema=hema, dab=dab, um=0.5)


def test_the_network_looks_no_farther_than_it_says() -> None:
    planes = random_planes(240, 240)
    before = cell_net.opinion_planes(planes)
    changed = Planes(hema=planes.hema.copy(), dab=planes.dab.copy(), um=0.5)
    changed.hema[:, 120:], changed.dab[:, 120:] = 0, 2
    after = cell_net.opinion_planes(changed)
    far = (120 - cell_net.REACH_PX) // 2
    assert np.allclose(before[:, :, :far], after[:, :, :far], atol=1e-4)
    assert not np.allclose(before[:, :, 58:60], after[:, :, 58:60], atol=1e-2)


def test_opinions_are_of_the_cell_asked_for() -> None:
    assert len(CLASSES) + 1 == cell_net.OPINIONS
    logits = np.zeros((cell_net.OPINIONS, 40, 60), np.float32)
    logits[0, 5:16, 25:36], logits[4, 5:16, 25:36] = 3.0, 5.0
    opinions = cell_net.opinions_of(logits, round_cells([(30, 10), (10, 30)]), 1.0)
    assert opinions[:, 0].tolist() == [3.0, 0.0]
    assert int(np.argmax(opinions[0, 1:])) == 3
    assert np.allclose(opinions[:, 1:].sum(axis=1), 0, atol=1e-5)
    assert cell_net.opinions_of(logits, round_cells([]), 1.0).shape == (0, cell_net.OPINIONS)


def test_odd_and_small_fields_have_opinions() -> None:
    for rows, columns in ((1, 1), (37, 51), (64, 64)):
        logits = cell_net.opinion_planes(random_planes(rows, columns))
        assert logits.shape[0] == cell_net.OPINIONS
        assert logits.shape[1] * 2 >= rows
        assert np.isfinite(logits).all()
