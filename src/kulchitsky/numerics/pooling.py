"""Pooling proportions over studies that differ: beta-binomial, arrays in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PooledProportion:
    """A Beta distribution for the proportion that the next laboratory will see.

    ``mean`` is the expected proportion; ``cases`` is how many independent cases the studies are worth once their
    disagreement is discounted (prior included); ``correlation`` is the intra-study correlation used.
    """

    mean: float
    cases: float
    correlation: float

    @property
    def precision(self) -> float:
        """Sum of the Beta parameters: uncertainty of the mean and differences between laboratories together."""
        return 1.0 / (1.0 / (self.cases + 1.0) + self.correlation) - 1.0


def intra_study_correlation(positive: ArrayLike, tested: ArrayLike) -> float:
    """Moment estimate of the beta-binomial correlation of k of n over studies; 0 when they agree, below 1.

    NaN with fewer than two studies or a pooled proportion of 0 or 1, where the data are silent.

    Source: Kleinman JC, J Am Stat Assoc 1973;68:46-54, doi:10.1080/01621459.1973.10481332.
    """
    k, n = np.asarray(positive, dtype=float), np.asarray(tested, dtype=float)
    if k.size < 2 or n.sum() <= k.size:
        return float("nan")
    p = k / n
    w = n / n.sum()
    mean = float(np.sum(w * p))
    if mean <= 0 or mean >= 1:
        return float("nan")
    between = float(np.sum(w * (p - mean) ** 2))
    within = float(np.sum(w * (1 - w) / n)) * mean * (1 - mean)
    scale = mean * (1 - mean) * float(np.sum(w * (1 - w) * (1 - 1 / n)))
    return float(np.clip((between - within) / scale, 0.0, 0.95)) if scale > 0 else float("nan")


def pool(
    positive: ArrayLike,
    tested: ArrayLike,
    *,
    prior_mean: float,
    prior_cases: float,
    usual_correlation: float,
    correlation_studies: float = 3.0,
) -> PooledProportion:
    """Pool studies onto a Beta prior; a study of n counts as n / (1 + (n - 1) r) independent cases.

    ``r`` is the moment estimate of these studies, drawn towards ``usual_correlation`` as if that were worth
    ``correlation_studies`` studies. So no single study, however large, is worth more than 1 / r cases, and studies
    that disagree widen the result. Without studies the prior comes back with correlation 0.
    """
    k, n = np.asarray(positive, dtype=float), np.asarray(tested, dtype=float)
    if np.any(k < 0) or np.any(k > n) or np.any(n <= 0):
        raise ValueError("pooling needs 0 <= positive <= tested and tested > 0 in every study")
    if k.size == 0:
        return PooledProportion(prior_mean, prior_cases, 0.0)
    seen = intra_study_correlation(k, n)
    weight = 0.0 if np.isnan(seen) else k.size / (k.size + correlation_studies)
    r = weight * (0.0 if np.isnan(seen) else seen) + (1 - weight) * usual_correlation
    worth = n / (1 + (n - 1) * r)
    total = prior_cases + float(worth.sum())
    mean = (prior_mean * prior_cases + float(np.sum(worth * k / n))) / total
    return PooledProportion(mean, total, r)
