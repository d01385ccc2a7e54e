"""Pooling of proportions: agreement, disagreement, size, and the known beta-binomial moments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulchitsky.numerics.pooling import PooledProportion, intra_study_correlation, pool

PRIOR = {"prior_mean": 0.5, "prior_cases": 2.0, "usual_correlation": 0.05}


def test_no_study_is_the_prior() -> None:
    assert pool([], [], **PRIOR) == PooledProportion(0.5, 2.0, 0.0)


def test_one_study_is_worth_at_most_the_inverse_correlation() -> None:
    large = pool([900_000], [1_000_000], **PRIOR)
    assert large.cases == pytest.approx(2 + 1 / 0.05, rel=1e-3)
    assert large.mean == pytest.approx((0.5 * 2 + 0.9 * 20) / 22, rel=1e-3)


def test_studies_that_disagree_are_worth_less_than_studies_that_agree() -> None:
    n = [50] * 6
    agree = pool([40] * 6, n, **PRIOR)
    disagree = pool([50, 30, 50, 30, 50, 30], n, **PRIOR)
    assert disagree.mean == pytest.approx(agree.mean, abs=0.02)
    assert disagree.cases < agree.cases
    assert disagree.precision < agree.precision


def test_correlation_of_simulated_studies_is_found() -> None:
    rng = np.random.default_rng(7)
    true, n = 0.15, np.full(400, 40)
    a = 0.7 * (1 / true - 1)
    b = 0.3 * (1 / true - 1)
    k = rng.binomial(n, rng.beta(a, b, n.size))
    assert intra_study_correlation(k, n) == pytest.approx(true, abs=0.03)
    binomial = rng.binomial(n, 0.7)
    assert intra_study_correlation(binomial, n) < 0.02


def test_silent_data_have_no_correlation() -> None:
    assert np.isnan(intra_study_correlation([3], [5]))
    assert np.isnan(intra_study_correlation([0, 0], [5, 9]))


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 30)), min_size=1, max_size=8),
    st.floats(0.02, 0.98),
)
def test_mean_lies_between_prior_and_studies(studies: list[tuple[int, int]], prior_mean: float) -> None:
    k = [min(a, n) for a, n in studies]
    n = [n for _, n in studies]
    found = pool(k, n, prior_mean=prior_mean, prior_cases=3, usual_correlation=0.08)
    rates = [a / b for a, b in zip(k, n, strict=True)]
    assert min([prior_mean, *rates]) - 1e-9 <= found.mean <= max([prior_mean, *rates]) + 1e-9
    assert found.cases >= 3
    assert 0 <= found.correlation < 1
    assert found.precision <= found.cases


@pytest.mark.parametrize(("k", "n"), [([6], [5]), ([-1], [5]), ([0], [0])])
def test_impossible_counts_are_refused(k: list[int], n: list[int]) -> None:
    with pytest.raises(ValueError, match="0 <= positive <= tested"):
        pool(k, n, **PRIOR)
