"""The richest window: equal to trying every one; its null and its freed value behave."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from kulchitsky.numerics import windows


def field(seed: int, n: int, side: float, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random(n) * side, rng.random(n) * side, rng.random(n) < share


def brute_by_count(
    x: np.ndarray, y: np.ndarray, marked: np.ndarray, wanted: int, lattice: windows.Lattice, widest: float
) -> tuple[float, float]:
    """Best share and the smallest radius that reaches it, over every lattice point, by sorting all distances."""
    best, best_radius = -1.0, np.inf
    for cx, cy in zip(lattice.x, lattice.y, strict=True):
        d2 = (x - cx) ** 2 + (y - cy) ** 2
        r2 = np.sort(d2)[wanted - 1]
        if r2 > widest**2:
            continue
        inside = d2 <= r2
        share = marked[inside].sum() / inside.sum()
        if share > best or (share == best and r2 < best_radius**2):
            best, best_radius = float(share), float(np.sqrt(r2))
    return best, best_radius


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(40, 200),
    wanted=st.integers(5, 40),
    share=st.floats(0, 1),
)
def test_search_by_count_equals_brute_force(seed: int, n: int, wanted: int, share: float) -> None:
    x, y, marked = field(seed, n, 1000.0, share)
    found = windows.richest_by_count(x, y, marked, wanted)
    assert found is not None
    best, _, lattice, _ = found
    widest = 2.5 * windows._usual_radius(x, y, wanted)
    expected, radius = brute_by_count(x, y, marked, wanted, lattice, widest)
    assert best.share == pytest.approx(expected)
    assert best.radius == pytest.approx(radius)
    assert best.count >= wanted


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(30, 400), radius=st.floats(60, 300))
def test_search_by_radius_equals_brute_force(seed: int, n: int, radius: float) -> None:
    x, y, marked = field(seed, n, 1000.0, 0.3)
    found = windows.richest_by_radius(x, y, marked, radius, 3)
    lattice = windows.lattice_over(x, y, radius / 8)
    tree = cKDTree(np.stack([x, y], axis=1))
    shares = [
        marked[i].mean() for i in tree.query_ball_point(np.stack([lattice.x, lattice.y], 1), radius) if len(i) >= 3
    ]
    assert (found is None) == (not shares)
    if found is not None:
        assert found[0].share == pytest.approx(max(shares))


def test_too_few_points_give_no_window() -> None:
    x, y, marked = field(1, 20, 100.0, 0.5)
    assert windows.richest_by_count(x, y, marked, 21) is None
    assert windows.richest_by_radius(x, y, marked, 10.0, 21) is None


def test_nothing_marked_still_gives_a_window() -> None:
    x, y, _ = field(1, 200, 100.0, 0.5)
    found = windows.richest_by_count(x, y, np.zeros(200, bool), 20)
    assert found is not None
    assert found[0].marked == 0


def test_every_point_lies_near_a_lattice_point() -> None:
    x, y, _ = field(3, 500, 1000.0, 0.5)
    lattice = windows.lattice_over(x, y, 40.0)
    distance, _ = cKDTree(np.stack([lattice.x, lattice.y], 1)).query(np.stack([x, y], 1))
    assert distance.max() <= 40.0 * np.sqrt(0.5) + 1e-9


def test_homogeneous_tissue_shows_a_hot_spot_by_chance() -> None:
    """15 % everywhere, 200,000 cells: the hottest 500 show about 21 %, and the null must say so."""
    x, y, marked = field(5, 200_000, 9000.0, 0.15)
    found = windows.richest_by_count(x, y, marked, 500)
    assert found is not None
    best, raster, lattice, radius = found
    null, seen = windows.null_shares(raster, lattice, radius, 500, permutations=19, seed=1)
    assert 0.19 < best.share < 0.24
    assert abs(float(np.median(null)) - best.share) < 0.02
    assert abs(seen - best.share) < 0.02
    freed = windows.cross_fit_by_count(x, y, marked, 500)
    assert freed is not None
    value, error = freed
    assert abs(value - 0.15) < 0.02
    assert 0.01 < error < 0.03


def test_true_hot_spot_keeps_its_true_value() -> None:
    x, y, _ = field(6, 60_000, 5000.0, 0.0)
    hot = np.hypot(x - 2500, y - 2500) < 700
    marked = np.random.default_rng(7).random(60_000) < np.where(hot, 0.5, 0.1)
    found = windows.richest_by_count(x, y, marked, 500)
    assert found is not None
    best, raster, lattice, radius = found
    null, seen = windows.null_shares(raster, lattice, radius, 500, permutations=19, seed=1)
    freed = windows.cross_fit_by_count(x, y, marked, 500)
    assert freed is not None
    assert seen > null.max()
    assert best.share > 0.54
    assert abs(freed[0] - 0.5) < abs(best.share - 0.5)


def test_value_freed_of_selection_with_a_fixed_radius() -> None:
    x, y, marked = field(8, 60_000, 5000.0, 0.2)
    found = windows.richest_by_radius(x, y, marked, 250.0, 200)
    freed = windows.cross_fit_by_radius(x, y, marked, 250.0, 200)
    assert found is not None
    assert freed is not None
    assert found[0].share > 0.24
    assert abs(freed[0] - 0.2) < 0.03


def test_permutations_are_seeded() -> None:
    x, y, marked = field(9, 3000, 1000.0, 0.3)
    found = windows.richest_by_count(x, y, marked, 100)
    assert found is not None
    a, _ = windows.null_shares(*found[1:], 100, permutations=5, seed=3)
    b, _ = windows.null_shares(*found[1:], 100, permutations=5, seed=3)
    c, _ = windows.null_shares(*found[1:], 100, permutations=5, seed=4)
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
