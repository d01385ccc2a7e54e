"""Intervals of proportions and rates: arrays in, numbers out.

All are exact or closed-form and vectorised over their arguments; nothing here knows what was counted. Quantiles come
from ``scipy.special``: ``scipy.stats`` gives the same figures and takes a second to import.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]


def wilson(successes: ArrayLike, trials: ArrayLike, *, level: float = 0.95) -> tuple[Floats, Floats]:
    """Wilson score interval of a proportion.

    ``successes`` and ``trials`` broadcast; the result is a pair of arrays of proportions in [0, 1]. Where ``trials``
    is 0 nothing is known and the interval is (0, 1). Does not cover how the sample was chosen.

    Source: Wilson EB, J Am Stat Assoc 1927;22:209-212, doi:10.1080/01621459.1927.10502953.
    """
    k, n = np.broadcast_arrays(np.asarray(successes, dtype=float), np.asarray(trials, dtype=float))
    _check_counts(k, n)
    z = float(special.ndtri(0.5 + level / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = k / n
        denominator = 1 + z * z / n
        centre = (p + z * z / (2 * n)) / denominator
        half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / denominator
    low = np.where(n > 0, np.clip(centre - half, 0, 1), 0.0)
    high = np.where(n > 0, np.clip(centre + half, 0, 1), 1.0)
    # the closed form leaves rounding dust where the bound is exactly 0 or 1
    return np.where(k == 0, 0.0, low), np.where((k == n) & (n > 0), 1.0, high)


def beta_posterior(
    successes: ArrayLike, trials: ArrayLike, *, prior: tuple[float, float] = (0.5, 0.5), level: float = 0.95
) -> tuple[Floats, Floats]:
    """Equal-tailed Beta posterior interval of a proportion (Jeffreys prior unless told otherwise)."""
    k, n = np.broadcast_arrays(np.asarray(successes, dtype=float), np.asarray(trials, dtype=float))
    _check_counts(k, n)
    a, b = k + prior[0], n - k + prior[1]
    tail = (1 - level) / 2
    return np.asarray(special.betaincinv(a, b, tail)), np.asarray(special.betaincinv(a, b, 1 - tail))


def poisson_rate(count: float, exposure: float, *, level: float = 0.95) -> tuple[float, float]:
    """Exact (Garwood) interval of a rate: ``count`` events in ``exposure`` units, per unit.

    Source: Garwood F, Biometrika 1936;28:437-442, doi:10.1093/biomet/28.3-4.437.
    """
    if count < 0 or exposure <= 0:
        raise ValueError(f"a rate needs count >= 0 and exposure > 0, not {count:g} in {exposure:g}")
    tail = (1 - level) / 2
    low = 0.0 if count == 0 else float(special.gammaincinv(count, tail))
    high = float(special.gammaincinv(count + 1, 1 - tail))
    return low / exposure, high / exposure


def _check_counts(k: Floats, n: Floats) -> None:
    if np.any(k < 0) or np.any(n < 0) or np.any(k > n):
        raise ValueError("a proportion needs 0 <= successes <= trials")
