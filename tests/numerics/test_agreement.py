"""Cohen's kappa against worked examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kulchitsky.numerics.agreement import cohen_kappa


def test_worked_example_of_fleiss_cohen_and_everitt() -> None:
    # Fleiss, Cohen, Everitt 1969, Psychol Bull 72:323-327: 3 x 3 table of proportions .53 .05 .02 / .11 .14 .05 /
    # .01 .06 .03, n = 200; kappa .429, standard error .054
    table = 200 * np.asarray([[0.53, 0.05, 0.02], [0.11, 0.14, 0.05], [0.01, 0.06, 0.03]])
    kappa, interval = cohen_kappa(table)
    assert kappa == pytest.approx(0.429, abs=5e-4)
    assert interval is not None
    assert (interval[1] - interval[0]) / 2 / 1.959964 == pytest.approx(0.054, abs=1e-3)


def test_two_by_two_by_hand() -> None:
    # observed 35/50 = .7, expected (.5 x .6 + .5 x .4) = .5: kappa .4
    kappa, _ = cohen_kappa([[20, 5], [10, 15]])
    assert kappa == pytest.approx(0.4)


@pytest.mark.parametrize("table", [[[0, 0], [0, 0]], [[7, 0], [0, 0]], [[0]]])
def test_undefined_is_said(table: list[list[int]]) -> None:
    assert cohen_kappa(table) == (None, None)


@pytest.mark.parametrize("table", [[[1, 2]], [1, 2], [[1, -1], [0, 3]]])
def test_other_shapes_are_refused(table: list[object]) -> None:
    with pytest.raises(ValueError, match="square table"):
        cohen_kappa(table)  # type: ignore[arg-type]


@given(hnp.arrays(np.int64, (3, 3), elements=st.integers(0, 50)), st.sampled_from(["none", "linear", "quadratic"]))
def test_bounds_and_symmetry(table: np.ndarray, weights: str) -> None:
    kappa, interval = cohen_kappa(table, weights=weights)  # type: ignore[arg-type]
    swapped, _ = cohen_kappa(table.T, weights=weights)  # type: ignore[arg-type]
    if kappa is None or interval is None or swapped is None:
        assert kappa == swapped
        return
    assert interval[0] - 1e-9 <= kappa <= interval[1] + 1e-9
    assert -1 - 1e-9 <= kappa <= 1 + 1e-9
    assert kappa == pytest.approx(swapped)
    if np.all(table == np.diag(np.diag(table))):
        assert kappa == pytest.approx(1)
