"""Intraclass correlation of measurements by several raters, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]
Interval = tuple[float, float]

_LEAST_DF = 0.05
"""Below so few degrees of freedom a quantile of F means nothing: no interval is given."""


@dataclass(frozen=True, slots=True)
class Icc:
    """A coefficient and its interval; both ``None`` where it is undefined."""

    value: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class IntraclassCorrelations:
    """The three single-rater coefficients.

    ``one_way``: ICC(1,1), each target rated by other raters. ``absolute``: ICC(2,1), raters drawn at random, their
    systematic differences count as disagreement. ``consistency``: ICC(3,1), these raters only, systematic differences
    left aside.
    """

    one_way: Icc
    absolute: Icc
    consistency: Icc


def intraclass_correlations(ratings: ArrayLike, *, level: float = 0.95) -> IntraclassCorrelations:
    """ICC(1,1), ICC(2,1) and ICC(3,1) of an (n targets, k raters) array without gaps, with F-based intervals.

    Undefined with fewer than two targets or raters, or where nothing varies. Raises ``ValueError`` for other shapes
    and for values that are not finite.

    Source: Shrout PE, Fleiss JL, Psychol Bull 1979;86:420-428, doi:10.1037/0033-2909.86.2.420; interval of ICC(2,1)
    with the correction of McGraw KO, Wong SP, Psychol Methods 1996;1:30-46, doi:10.1037/1082-989X.1.1.30.
    """
    table = np.asarray(ratings, dtype=float)
    if table.ndim != 2 or not np.all(np.isfinite(table)):
        raise ValueError("intraclass correlation needs a full (targets, raters) table of finite numbers")
    n, k = table.shape
    if n < 2 or k < 2:
        none = Icc(None, None)
        return IntraclassCorrelations(none, none, none)
    mean = table.mean()
    between = k * float(((table.mean(axis=1) - mean) ** 2).sum()) / (n - 1)
    raters = n * float(((table.mean(axis=0) - mean) ** 2).sum()) / (k - 1)
    total = float(((table - mean) ** 2).sum())
    raters = _cleared(raters, total)
    within = _cleared(total - between * (n - 1), total) / (n * (k - 1))
    rest = _cleared(total - between * (n - 1) - raters * (k - 1), total) / ((n - 1) * (k - 1))
    if total <= 1e-12 * max(1.0, mean**2) * n * k:
        none = Icc(None, None)
        return IntraclassCorrelations(none, none, none)
    return IntraclassCorrelations(
        one_way=_from_f(between, within, n - 1, n * (k - 1), k, level),
        absolute=_absolute(between, raters, rest, n, k, level),
        consistency=_from_f(between, rest, n - 1, (n - 1) * (k - 1), k, level),
    )


def _cleared(squares: float, total: float) -> float:
    """A sum of squares that is a difference, without its rounding dust."""
    return squares if squares > 1e-12 * total else 0.0


def _from_f(between: float, error: float, df1: int, df2: int, k: int, level: float) -> Icc:
    if between + error == 0:
        return Icc(None, None)
    value = (between - error) / (between + (k - 1) * error)
    if error == 0:
        return Icc(1.0, (1.0, 1.0))
    f, upper = between / error, 0.5 + level / 2
    low = f / float(stats.f.ppf(upper, df1, df2))
    high = f * float(stats.f.ppf(upper, df2, df1))
    return Icc(value, ((low - 1) / (low + k - 1), (high - 1) / (high + k - 1)))


def _absolute(between: float, raters: float, rest: float, n: int, k: int, level: float) -> Icc:
    value = (between - rest) / (between + (k - 1) * rest + k * (raters - rest) / n)
    if raters + rest == 0 or value >= 1 - 1e-12:
        return Icc(1.0, (1.0, 1.0))
    # Satterthwaite's degrees of freedom for the error of a rater drawn at random (McGraw and Wong, table 7)
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    spread = (a * raters) ** 2 / (k - 1) + (b * rest) ** 2 / ((n - 1) * (k - 1))
    df = (a * raters + b * rest) ** 2 / spread if spread > 0 else 0.0
    if df < _LEAST_DF:
        return Icc(value, None)
    upper = 0.5 + level / 2
    error = k * raters + (k * n - k - n) * rest
    f_low = float(stats.f.ppf(upper, n - 1, df))
    f_high = float(stats.f.ppf(upper, df, n - 1))
    low = n * (between - f_low * rest) / (f_low * error + n * between)
    high = n * (f_high * between - rest) / (error + n * f_high * between)
    return Icc(value, (low, high))
