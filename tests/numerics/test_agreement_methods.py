"""Intraclass correlation and limits of agreement against the tables of the papers that define them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kulchitsky.numerics.agreement_icc import intraclass_correlations
from kulchitsky.numerics.agreement_limits import limits_of_agreement, pearson, within_share

SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
"""Shrout and Fleiss 1979, table 2: six targets rated by four judges."""

# Bland and Altman 1986, table 1, first readings: peak expiratory flow (l/min), Wright meter and mini Wright meter
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]

ratings = hnp.arrays(
    np.float64,
    st.tuples(st.integers(3, 12), st.integers(2, 4)),
    elements=st.floats(0, 100).map(lambda v: round(v, 1)),
)


def test_shrout_and_fleiss_table_4() -> None:
    found = intraclass_correlations(SHROUT_FLEISS)
    values = [found.one_way.value, found.absolute.value, found.consistency.value]
    assert values == pytest.approx([0.17, 0.29, 0.71], abs=0.005)


@pytest.mark.parametrize(
    ("name", "interval"),
    [("one_way", (-0.133, 0.723)), ("absolute", (0.019, 0.761)), ("consistency", (0.342, 0.946))],
)
def test_intervals_of_the_same_table(name: str, interval: tuple[float, float]) -> None:
    # 95 % bounds that the R package psych (function ICC) prints for this table
    assert getattr(intraclass_correlations(SHROUT_FLEISS), name).interval == pytest.approx(interval, abs=0.001)


def test_bland_and_altman_peak_flow() -> None:
    # the paper gives mean difference -2.1, standard deviation 38.8, r = 0.94 (Wright minus mini)
    found = limits_of_agreement(MINI, WRIGHT)
    assert found is not None
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.standard_deviation == pytest.approx(38.8, abs=0.05)
    assert found.bias_interval == pytest.approx((-22.0, 17.8), abs=0.1)
    # mean plus and minus 1.96 standard deviations (the paper rounds 1.96 to 2)
    assert found.limits == pytest.approx((-2.12 - 1.96 * 38.77, -2.12 + 1.96 * 38.77), abs=0.1)
    # the paper's standard error of a limit, s x sqrt(3/n), is the round form of the one used here
    half = (found.upper_interval[1] - found.upper_interval[0]) / 2
    assert half == pytest.approx(2.12 * 38.77 * np.sqrt(3 / 17), rel=0.03)
    assert pearson(WRIGHT, MINI)[0] == pytest.approx(0.94, abs=0.005)


def test_fisher_interval_by_hand() -> None:
    # r = .94, n = 17: atanh .9433 = 1.7677, half width 1.96 / sqrt 14 = .5238: tanh 1.2439 to tanh 2.2915
    r, interval = pearson(WRIGHT, MINI)
    assert r is not None
    assert interval == pytest.approx((np.tanh(np.arctanh(r) - 0.52382), np.tanh(np.arctanh(r) + 0.52382)), abs=1e-4)


@pytest.mark.parametrize(
    ("manual", "automatic", "hits"),
    [([10, 10, 10], [8, 12, 12.1], 2), ([0, 0], [0, 0.1], 1), ([2.5], [3.0], 1), ([20], [15.9], 0)],
)
def test_share_within_twenty_percent(manual: list[float], automatic: list[float], hits: int) -> None:
    assert within_share(manual, automatic, 0.2)[:2] == (hits, len(manual))


@pytest.mark.parametrize("table", [[[1, 1], [1, 1]], [[1, 2]], [[1], [2]], np.zeros((0, 2))])
def test_undefined_coefficients_are_none(table: object) -> None:
    found = intraclass_correlations(table)  # type: ignore[arg-type]
    assert (found.absolute.value, found.absolute.interval, found.consistency.value) == (None, None, None)


def test_undefined_elsewhere() -> None:
    assert limits_of_agreement([1, 2], [1, 2]) is None
    assert pearson([1, 1, 1], [1, 2, 3]) == (None, None)
    assert within_share([], [], 0.2) == (0, 0, None)


@pytest.mark.parametrize("bad", [[1, 2, float("nan")], [[1, 2], [3, 4]], [1, 2]])
def test_pairs_must_match(bad: object) -> None:
    with pytest.raises(ValueError, match="pairs"):
        pearson([1, 2, 3], bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="full"):
        intraclass_correlations([[1, float("nan")], [2, 3]])


@settings(max_examples=60)
@given(ratings, st.floats(-20, 20))
def test_properties_of_the_coefficients(table: np.ndarray, shift: float) -> None:
    found = intraclass_correlations(table)
    moved = table.copy()
    moved[:, 0] += shift
    shifted = intraclass_correlations(moved)
    if found.consistency.value is None or shifted.consistency.value is None:
        return
    # a rater's systematic difference leaves consistency alone
    assert shifted.consistency.value == pytest.approx(found.consistency.value, abs=1e-6)
    for icc in (found.one_way, found.consistency):
        assert icc.value is not None
        assert icc.interval is not None
        assert icc.interval[0] - 1e-6 <= icc.value <= min(icc.interval[1], 1) + 1e-6
    assert found.absolute.value is not None
    assert found.absolute.value <= 1 + 1e-9
    swapped = intraclass_correlations(table[:, ::-1])
    assert swapped.absolute.value == pytest.approx(found.absolute.value)


@settings(max_examples=40)
@given(hnp.arrays(np.float64, st.integers(3, 20), elements=st.floats(0, 100)), st.floats(-10, 10))
def test_a_constant_difference_is_all_bias(values: np.ndarray, shift: float) -> None:
    found = limits_of_agreement(values, values + shift)
    assert found is not None
    assert found.bias == pytest.approx(shift, abs=1e-6)
    assert found.limits == pytest.approx((shift, shift), abs=1e-6)
    same = intraclass_correlations(np.stack([values, values], axis=1))
    assert same.absolute.value is None or same.absolute.value == pytest.approx(1)
