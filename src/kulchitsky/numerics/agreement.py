"""Agreement between two raters: tables in, coefficients with intervals out."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]


def cohen_kappa(
    table: ArrayLike, *, weights: Literal["none", "linear", "quadratic"] = "none", level: float = 0.95
) -> tuple[float | None, tuple[float, float] | None]:
    """Cohen's kappa of a square table of counts (rows: first rater, columns: second), with its interval.

    ``weights`` other than ``none`` are for ordered classes. The interval is the large-sample one, cut to [-1, 1].
    ``(None, None)`` where kappa is undefined: an empty table, or one in which chance alone would agree fully.

    Source: Fleiss JL, Cohen J, Everitt BS, Psychol Bull 1969;72:323-327, doi:10.1037/h0028106 (eq. 13 and 14).
    """
    counts = np.asarray(table, dtype=float)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or np.any(counts < 0):
        raise ValueError("kappa needs a square table of counts")
    total = counts.sum()
    if total == 0:
        return None, None
    share = counts / total
    weight = _weights(counts.shape[0], weights)
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    observed = float((weight * share).sum())
    expected = float((weight * np.outer(rows, columns)).sum())
    if expected >= 1 - 1e-12:
        return None, None
    kappa = (observed - expected) / (1 - expected)
    row_weight, column_weight = weight @ columns, rows @ weight
    inner = weight * (1 - expected) - (row_weight[:, None] + column_weight[None, :]) * (1 - observed)
    variance = float((share * inner**2).sum()) - (observed * expected - 2 * expected + observed) ** 2
    error = np.sqrt(max(variance, 0.0)) / (np.sqrt(total) * (1 - expected) ** 2)
    half = float(stats.norm.ppf(0.5 + level / 2)) * float(error)
    return kappa, (max(-1.0, kappa - half), min(1.0, kappa + half))


def _weights(classes: int, kind: str) -> Floats:
    distance = np.abs(np.subtract.outer(np.arange(classes), np.arange(classes))).astype(float)
    if kind == "none" or classes < 2:
        return np.asarray(distance == 0, dtype=float)
    relative = distance / (classes - 1)
    return np.asarray(1 - (relative if kind == "linear" else relative**2))
