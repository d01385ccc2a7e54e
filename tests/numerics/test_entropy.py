"""Entropy and expected information against hand-worked figures and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulchitsky.numerics.entropy import entropy_bits, expected_information_bits


def test_known_entropies() -> None:
    assert entropy_bits([0.5, 0.5]) == pytest.approx(1.0)
    assert entropy_bits([1.0, 0.0]) == 0.0
    assert entropy_bits([[0.25] * 4, [1, 0, 0, 0]]).tolist() == pytest.approx([2.0, 0.0])


def test_a_perfect_test_brings_the_whole_entropy_and_a_useless_one_nothing() -> None:
    prior = np.array([0.3, 0.7])
    perfect = np.array([[1.0, 0.0], [0.0, 1.0]])
    useless = np.array([[0.4, 0.4], [0.6, 0.6]])
    assert expected_information_bits(prior, perfect) == pytest.approx(entropy_bits(prior))
    assert expected_information_bits(prior, useless) == pytest.approx(0.0, abs=1e-12)


def test_binary_symmetric_channel() -> None:
    """Capacity of a channel that errs in 11 % of uses: 1 - H(0.11) = 0.5 bit (Cover & Thomas, section 7.1.4)."""
    channel = np.array([[0.89, 0.11], [0.11, 0.89]])
    assert expected_information_bits([0.5, 0.5], channel) == pytest.approx(0.5, abs=1e-3)


@given(
    st.lists(st.floats(0.01, 1), min_size=2, max_size=6),
    st.lists(st.floats(0, 1), min_size=6, max_size=6),
)
def test_information_lies_between_nothing_and_the_entropy(weights: list[float], rates: list[float]) -> None:
    prior = np.array(weights) / sum(weights)
    p = np.array(rates[: len(weights)])
    bits = float(expected_information_bits(prior, np.stack([p, 1 - p])))
    assert 0 <= bits <= min(float(entropy_bits(prior)), 1.0) + 1e-9
