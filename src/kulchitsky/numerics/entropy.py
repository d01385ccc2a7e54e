"""Information of discrete distributions, in bits: arrays in, numbers out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def entropy_bits(probabilities: ArrayLike, *, axis: int = -1) -> Floats:
    """Shannon entropy along ``axis``; 0 log 0 counts as 0. The distribution isn't checked to sum to one."""
    p = np.asarray(probabilities, dtype=float)
    return np.asarray(-np.sum(np.where(p > 0, p * np.log2(np.where(p > 0, p, 1.0)), 0.0), axis=axis))


def expected_information_bits(prior: ArrayLike, likelihoods: ArrayLike) -> Floats:
    """Mutual information between hypothesis and outcome.

    ``prior`` has shape (H,), ``likelihoods`` (..., O, H): the probability of each outcome under each hypothesis,
    summing to one over O. Result (...,): how many bits an observation is expected to bring; never negative beyond
    rounding.

    Source: Lindley DV, Ann Math Stat 1956;27:986-1005, doi:10.1214/aoms/1177728069.
    """
    p = np.asarray(prior, dtype=float)
    joint = np.asarray(likelihoods, dtype=float) * p
    outcome = joint.sum(axis=-1)
    posterior = joint / np.where(outcome > 0, outcome, 1.0)[..., None]
    left = np.sum(outcome * entropy_bits(posterior), axis=-1)
    return np.asarray(np.maximum(entropy_bits(p) - left, 0.0))
