"""Cox regression on fields of the registry, with the diagnostics that say whether to believe it.

Cases without any one of the fields are left out and counted. Numeric fields enter as they are; words enter as
indicators against the most frequent one. Small groups, few events for each coefficient, separation and hazards out
of proportion come back as issues beside the result, never as silence.

Sources: Cox DR, J R Stat Soc B 1972;34:187-220; ten events a variable: Peduzzi P, J Clin Epidemiol 1995;48:1503-1510,
doi:10.1016/0895-4356(95)00048-8; fitted by lifelines (Efron's ties).
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.exceptions import ConvergenceError, ConvergenceWarning
from numpy.typing import NDArray
from scipy.linalg import LinAlgWarning

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.case.issue import Issue, Level
from kulchitsky.registry.packing import NUMBERS, PackedCases
from kulchitsky.registry.proportional import SlopeTest, slope_tests
from kulchitsky.registry.selection import Mask, field_words
from kulchitsky.registry.survival import outcome_columns

_EVENTS_WANTED = 10  # for each coefficient, Peduzzi 1995
_DOUBT = 0.05  # p below which hazards out of proportion deserve a look


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One covariate: log hazard ratio with standard error, hazard ratio with 95 % interval, Wald p-value."""

    covariate: str
    coefficient: float
    standard_error: float
    hazard_ratio: float
    interval_95: tuple[float, float]
    p_value: float


@dataclass(frozen=True, slots=True)
class CoxModel:
    """A fitted model: coefficients, fit, tests of proportional hazards, and what to look at."""

    endpoint: str
    cases: int
    events: int
    left_out: int
    coefficients: tuple[Coefficient, ...]
    likelihood_ratio: float
    likelihood_ratio_p: float
    concordance: float
    slopes: tuple[SlopeTest, ...]
    issues: tuple[Issue, ...]


def cox(
    packed: PackedCases, fields: Sequence[str], *, endpoint: str = "overall", mask: Mask | None = None
) -> CoxModel:
    """Fit a Cox model of ``endpoint`` on ``fields`` for the cases of ``mask``.

    Refused: no field, an unknown one, one that never varies, no event, and a model that does not converge.
    """
    if not fields:
        raise RefusedRegistry("a Cox model needs a field", source="cox", remedy="name one, such as ki67_percent")
    months, events = outcome_columns(packed, endpoint)
    chosen = np.ones(len(packed), dtype=bool) if mask is None else mask
    used = chosen & ~np.isnan(months)
    raw = {name: packed.numbers(name) if name in NUMBERS else field_words(packed, name) for name in fields}
    for column in raw.values():
        used &= ~pd.isna(column)
    columns = {label: c for name in fields for label, c in _design(name, raw[name][used]).items()}
    return fit_cox(months[used], events[used], columns, endpoint=endpoint, left_out=int(chosen.sum() - used.sum()))


def fit_cox(
    months: NDArray[np.float64],
    events: NDArray[np.float64],
    columns: dict[str, NDArray[np.float64]],
    *,
    endpoint: str = "overall",
    left_out: int = 0,
) -> CoxModel:
    """Fit a Cox model to times (N,), events (N,) and named covariates (N,) each."""
    if not len(months) or not events.any():
        raise RefusedRegistry(
            f"no event of {endpoint.replace('_', ' ')} survival among {len(months)} complete cases",
            source="cox",
            remedy="choose other fields or cases",
        )
    constant = [name for name, column in columns.items() if np.ptp(column) == 0]
    if constant:
        raise RefusedRegistry(
            f"{constant[0]} has one value in all {len(months)} complete cases", source="cox", remedy="leave it out"
        )
    frame = pd.DataFrame({**columns, "_months": months, "_event": events})
    fitter = CoxPHFitter()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fitter.fit(frame, "_months", "_event")
            ratio = fitter.log_likelihood_ratio_test()
            summary = fitter.summary.loc[list(columns)]
    except (ConvergenceError, np.linalg.LinAlgError):
        raise RefusedRegistry(
            "the model does not converge: a field separates events from the rest, or repeats another field",
            source="cox",
            remedy="leave one of them out",
        ) from None
    names = list(columns)
    x = frame[names].to_numpy(dtype=np.float64)
    slopes = slope_tests(months, events, x, fitter.params_[names].to_numpy(dtype=np.float64), names)
    troubled = [w for w in caught if issubclass(w.category, ConvergenceWarning | LinAlgWarning | RuntimeWarning)]
    issues = _issues(len(names), int(events.sum()), slopes, [str(w.message) for w in troubled])
    return CoxModel(
        endpoint=endpoint,
        cases=len(months),
        events=int(events.sum()),
        left_out=left_out,
        coefficients=tuple(_coefficient(name, row) for name, row in summary.iterrows()),
        likelihood_ratio=float(ratio.test_statistic),
        likelihood_ratio_p=float(ratio.p_value),
        concordance=float(fitter.concordance_index_),
        slopes=tuple(slopes),
        issues=issues,
    )


def _design(name: str, column: NDArray[np.float32] | NDArray[np.object_]) -> dict[str, NDArray[np.float64]]:
    if name in NUMBERS:
        return {name: column.astype(np.float64)}
    counted = Counter(column.tolist())
    # the most frequent word is the reference; among equals the first in the alphabet
    ranked = sorted(counted, key=lambda word: (-counted[word], word))
    reference, others = ranked[0] if ranked else "", sorted(ranked[1:])
    if not others:
        return {f"{name}={reference}": np.ones(len(column))}
    return {f"{name}={word} (vs {reference})": (column == word).astype(np.float64) for word in others}


def _coefficient(name: object, row: pd.Series) -> Coefficient:
    return Coefficient(
        str(name),
        float(row["coef"]),
        float(row["se(coef)"]),
        float(row["exp(coef)"]),
        (float(row["exp(coef) lower 95%"]), float(row["exp(coef) upper 95%"])),
        float(row["p"]),
    )


def _issues(coefficients: int, events: int, slopes: Sequence[SlopeTest], caught: Sequence[str]) -> tuple[Issue, ...]:
    issues = []
    if events < _EVENTS_WANTED * coefficients:
        issues.append(
            Issue(
                level=Level.WARNING,
                code="cox.few_events",
                message=f"{events} events for {coefficients} coefficients: fewer than {_EVENTS_WANTED} for each",
                remedy="use fewer fields; read the intervals, not the p-values",
            )
        )
    for slope in slopes:
        if slope.p_value is not None and slope.p_value < _DOUBT:
            what = "the model as a whole" if slope.covariate == "GLOBAL" else slope.covariate
            issues.append(
                Issue(
                    level=Level.WARNING,
                    code="cox.not_proportional",
                    message=f"hazards are not in proportion for {what} (p = {slope.p_value:.2g})",
                    remedy="look at the curves by that field: its hazard ratio is an average over time",
                )
            )
    if caught:
        first = caught[0].split("\n", 1)[0].strip()
        issues.append(
            Issue(
                level=Level.SERIOUS,
                code="cox.convergence",
                message=f"the fit is not to be trusted ({first})",
                remedy="a group without events, or two fields that say the same: leave one out",
            )
        )
    return tuple(issues)
