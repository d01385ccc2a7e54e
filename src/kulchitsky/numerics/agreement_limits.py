"""Two methods measuring the same things: bias and limits of agreement, correlation, share within a tolerance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from kulchitsky.numerics.intervals import wilson

Floats = NDArray[np.float64]
Interval = tuple[float, float]

_Z: float = float(stats.norm.ppf(0.975))


@dataclass(frozen=True, slots=True)
class LimitsOfAgreement:
    """Mean difference and the limits between which 95 % of differences lie, each with its interval."""

    bias: float
    bias_interval: Interval
    standard_deviation: float
    limits: Interval
    lower_interval: Interval
    upper_interval: Interval


def limits_of_agreement(first: ArrayLike, second: ArrayLike, *, level: float = 0.95) -> LimitsOfAgreement | None:
    """Bland and Altman's bias and 95 % limits of ``second - first``; ``None`` with fewer than three pairs.

    Source: Bland JM, Altman DG, Lancet 1986;327:307-310, doi:10.1016/S0140-6736(86)90837-8; standard error of the
    limits, s² (1/n + z² / (2 (n - 1))): Bland JM, Altman DG, Stat Methods Med Res 1999;8:135-160,
    doi:10.1177/096228029900800204.
    """
    a, b = _pairs(first, second)
    n = len(a)
    if n < 3:
        return None
    differences = b - a
    bias, spread = float(differences.mean()), float(differences.std(ddof=1))
    t = float(stats.t.ppf(0.5 + level / 2, n - 1))
    of_bias = t * spread / np.sqrt(n)
    of_limit = t * spread * np.sqrt(1 / n + _Z**2 / (2 * (n - 1)))
    low, high = bias - _Z * spread, bias + _Z * spread
    return LimitsOfAgreement(
        bias=bias,
        bias_interval=(bias - float(of_bias), bias + float(of_bias)),
        standard_deviation=spread,
        limits=(low, high),
        lower_interval=(low - float(of_limit), low + float(of_limit)),
        upper_interval=(high - float(of_limit), high + float(of_limit)),
    )


def pearson(first: ArrayLike, second: ArrayLike, *, level: float = 0.95) -> tuple[float | None, Interval | None]:
    """Product-moment correlation and Fisher's interval; ``None`` where it is undefined (or with it, below 4 pairs).

    Source: Fisher RA, Metron 1921;1:3-32.
    """
    a, b = _pairs(first, second)
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None, None
    r = float(np.clip(np.corrcoef(a, b)[0, 1], -1, 1))
    if len(a) < 4:
        return r, None
    if abs(r) == 1:
        return r, (r, r)
    half = float(stats.norm.ppf(0.5 + level / 2)) / np.sqrt(len(a) - 3)
    return r, (float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half)))


def within_share(reference: ArrayLike, other: ArrayLike, tolerance: float) -> tuple[int, int, Interval | None]:
    """How many of ``other`` lie within ``tolerance`` of ``reference``, relative to it; of how many; Wilson interval.

    The interval is that of the share (0 to 1). A reference of 0 is met by 0 only.
    """
    a, b = _pairs(reference, other)
    if len(a) == 0:
        return 0, 0, None
    hits = int((np.abs(b - a) <= tolerance * np.abs(a) * (1 + 1e-12)).sum())
    low, high = wilson(hits, len(a))
    return hits, len(a), (float(low), float(high))


def _pairs(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if a.ndim != 1 or a.shape != b.shape or not (np.all(np.isfinite(a)) and np.all(np.isfinite(b))):
        raise ValueError("pairs of finite numbers are needed")
    return a, b
