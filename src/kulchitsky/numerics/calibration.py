"""Scores of probabilistic forecasts: arrays in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def log_score(probabilities: ArrayLike, *, least: float = 1e-12) -> float:
    """Mean of minus the natural logarithm of the probability given to what happened; lower is better.

    ``least`` bounds the penalty of a forecast of zero.

    Source: Good IJ, J R Stat Soc B 1952;14:107-114, doi:10.1111/j.2517-6161.1952.tb00104.x.
    """
    p = np.asarray(probabilities, dtype=float)
    if p.size == 0:
        raise ValueError("a log score needs at least one forecast")
    return float(np.mean(-np.log(np.clip(p, least, 1.0))))


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Forecasts between ``low`` and ``high``: how many, their mean, and the share that came true."""

    low: float
    high: float
    n: int
    mean_forecast: float
    observed: float


def reliability(forecast: ArrayLike, happened: ArrayLike, *, bins: int = 10) -> tuple[ReliabilityBin, ...]:
    """Equal-width bins over [0, 1], empty ones left out. ``happened`` holds 0 or 1, in the shape of ``forecast``."""
    p, y = np.asarray(forecast, dtype=float).ravel(), np.asarray(happened, dtype=float).ravel()
    if p.shape != y.shape:
        raise ValueError(f"{p.size} forecasts do not match {y.size} outcomes")
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, p, side="right") - 1, 0, bins - 1)
    found = []
    for b in range(bins):
        inside = place == b
        if inside.any():
            found.append(
                ReliabilityBin(
                    float(edges[b]),
                    float(edges[b + 1]),
                    int(inside.sum()),
                    float(p[inside].mean()),
                    float(y[inside].mean()),
                )
            )
    return tuple(found)


def expected_calibration_error(forecast: ArrayLike, happened: ArrayLike, *, bins: int = 10) -> float:
    """Mean distance between forecast and frequency over equal-width bins, weighted by their number of forecasts.

    Source: Naeini MP, AAAI 2015;29:2901-2907, doi:10.1609/aaai.v29i1.9602.
    """
    table = reliability(forecast, happened, bins=bins)
    total = sum(b.n for b in table)
    return sum(b.n * abs(b.mean_forecast - b.observed) for b in table) / total if total else 0.0
