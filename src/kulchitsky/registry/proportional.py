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
    """Score test of one coefficient's slope in time, or of all (``covariate`` = ``GLOBAL``).

    Statistic and p-value are ``None`` where the data hold no information on a slope: too few events, or covariates
    that repeat each other.
    """

    covariate: str
    statistic: float | None
    degrees: int
    p_value: float | None


def slope_tests(times: Floats, events: Floats, covariates: Floats, beta: Floats, names: list[str]) -> list[SlopeTest]:
    """Return one test for each of P covariates and the global one, at the fitted ``beta`` (P,).

    ``times`` (N,), ``events`` (N,) 0 or 1, ``covariates`` (N, P) as they were fitted.
    """
    order = np.argsort(times, kind="stable")
    t, e = times[order], events[order] == 1
    x = covariates[order] - covariates.mean(axis=0)
    linear = x @ beta
    weight = np.exp(linear - linear.max())  # a common factor cancels: only overflow would come of leaving it in
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
    every = np.arange(p)
    tests = [_test(name, score, blocks, every[j : j + 1]) for j, name in enumerate(names)]
    return [*tests, _test("GLOBAL", score, blocks, every)]


def _moments(weight: Floats, x: Floats) -> tuple[Floats, Floats, Floats]:
    first = weight[:, None] * x
    return weight, first, first[:, :, None] * x[:, None, :]


def _kaplan_meier_before(t: Floats, e: NDArray[np.bool_]) -> list[tuple[float, float]]:
    times, deaths = np.unique(t[e], return_counts=True)
    at_risk = len(t) - np.searchsorted(t, times, side="left")
    before = np.concatenate([[1.0], np.cumprod(1 - deaths / at_risk)[:-1]])
    return list(zip(times.tolist(), (1 - before).tolist(), strict=True))


def _test(name: str, score: Floats, blocks: Floats, partners: NDArray[np.intp]) -> SlopeTest:
    """Test the partners' score against its efficient information: what is left once the coefficients are known."""
    plain, crossed, squared = blocks[0], blocks[1][:, partners], blocks[2][np.ix_(partners, partners)]
    if _singular(plain):
        return SlopeTest(name, None, len(partners), None)
    information = squared - crossed.T @ np.linalg.solve(plain, crossed)
    # a slope is known only as far as its information stands out of the rounding of what it was taken from
    if _singular(information) or np.any(np.diag(information) <= 1e-9 * np.diag(squared)):
        return SlopeTest(name, None, len(partners), None)
    u = score[partners]
    statistic = float(u @ np.linalg.solve(information, u))
    return SlopeTest(name, statistic, len(partners), float(stats.chi2.sf(statistic, len(partners))))


def _singular(matrix: Floats) -> bool:
    scale = np.sqrt(np.abs(np.diag(matrix)))
    if not np.all(np.isfinite(matrix)) or np.any(scale == 0):
        return True
    return bool(np.linalg.cond(matrix / np.outer(scale, scale)) > 1e12)
