"""Are the hazards in proportion? The score test of a slope in time, for each coefficient and for all together.

A Cox model says that a covariate's effect is the same at all times. Here each covariate gets a partner, itself times
g(t), with g one minus the Kaplan–Meier curve just before t; the test asks whether the partner's coefficient is 0,
without refitting. This is what ``cox.zph`` of R's survival package computes since version 3.0 (the older, and
lifelines', test approximates the information by its mean and differs slightly). Ties after Efron.

Source: Grambsch PM, Therneau TM, Biometrika 1994;81:515-526, doi:10.1093/biomet/81.3.515.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SlopeTest:
    """Score test of one coefficient's slope in time, or of all (``covariate`` = ``GLOBAL``)."""

    covariate: str
    statistic: float
    degrees: int
    p_value: float


def slope_tests(times: Floats, events: Floats, covariates: Floats, beta: Floats, names: list[str]) -> list[SlopeTest]:
    """Return one test for each of P covariates and the global one, at the fitted ``beta`` (P,).

    ``times`` (N,), ``events`` (N,) 0 or 1, ``covariates`` (N, P) as they were fitted.
    """
    order = np.argsort(times, kind="stable")
    t, e = times[order], events[order] == 1
    x = covariates[order] - covariates.mean(axis=0)
    weight = np.exp(x @ beta)
    p = x.shape[1]
    score = np.zeros(p)
    blocks = np.zeros((3, p, p))  # information without g, with g, with g squared
    g_at = _kaplan_meier_before(t, e)
    moments = [np.flip(np.cumsum(np.flip(m, axis=0), axis=0), axis=0) for m in _moments(weight, x)]
    for time, g in g_at:
        first = int(np.searchsorted(t, time, side="left"))
        died = np.arange(first, int(np.searchsorted(t, time, side="right")))
        died = died[e[died]]
        tied = [m.sum(axis=0) for m in _moments(weight[died], x[died])]
        for k in range(len(died)):
            share = k / len(died)
            s0, s1, s2 = (m[first] - share * s for m, s in zip(moments, tied, strict=True))
            mean = s1 / s0
            variance = s2 / s0 - np.outer(mean, mean)
            score += g * (x[died[k]] - mean)
            blocks += np.array([variance, g * variance, g * g * variance])
    # g enters about its mean over events: the score of beta is 0, so the statistic does not depend on that choice
    plain, crossed, squared = blocks
    efficient = squared - crossed @ np.linalg.solve(plain, crossed)
    tests = []
    for j, name in enumerate(names):
        partner = crossed[:, j]
        variance_j = squared[j, j] - partner @ np.linalg.solve(plain, partner)
        tests.append(_test(name, float(score[j] ** 2 / variance_j), 1))
    tests.append(_test("GLOBAL", float(score @ np.linalg.solve(efficient, score)), p))
    return tests


def _moments(weight: Floats, x: Floats) -> tuple[Floats, Floats, Floats]:
    first = weight[:, None] * x
    return weight, first, first[:, :, None] * x[:, None, :]


def _kaplan_meier_before(t: Floats, e: NDArray[np.bool_]) -> list[tuple[float, float]]:
    times, deaths = np.unique(t[e], return_counts=True)
    at_risk = len(t) - np.searchsorted(t, times, side="left")
    before = np.concatenate([[1.0], np.cumprod(1 - deaths / at_risk)[:-1]])
    return list(zip(times.tolist(), (1 - before).tolist(), strict=True))


def _test(name: str, statistic: float, degrees: int) -> SlopeTest:
    return SlopeTest(name, statistic, degrees, float(stats.chi2.sf(statistic, degrees)))
