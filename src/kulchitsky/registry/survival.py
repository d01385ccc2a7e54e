"""Kaplan–Meier curves with intervals and numbers at risk, and the log-rank test, by any field of the registry.

Survival is estimated by the product limit with Greenwood's variance. The interval is on the log(-log) scale, which
stays inside [0, 1] and behaves in small groups; ``interval="log"`` gives the default of R's ``survfit``. The median's
interval is where the curve's interval crosses one half. The log-rank test assumes hazards in proportion: when curves
cross it loses its power.

Sources: Kaplan EL, Meier P, J Am Stat Assoc 1958;53:457-481; Kalbfleisch JD, Prentice RL, The Statistical Analysis of
Failure Time Data, 2nd ed. (log-log interval); lifelines (Davidson-Pilon C, J Open Source Softw 2019;4:1317).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import survival_table_from_events
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.registry.packing import ENDPOINTS, NUMBERS, PackedCases
from kulchitsky.registry.selection import Mask, field_words

Floats = NDArray[np.float64]
IntervalKind = Literal["log-log", "log"]
ALL = "all cases"
MOST_GROUPS = 8


@dataclass(frozen=True, slots=True)
class Curve:
    """One group's survival: steps at its event and censoring times (T,), starting at time 0.

    ``low`` and ``high`` are NaN where nothing can be said (after the curve has reached 0). The median and its ends
    are ``None`` where the curve does not come down to one half.
    """

    group: str
    cases: int
    events: int
    months: Floats
    survival: Floats
    low: Floats
    high: Floats
    at_risk: Floats
    censored_at: Floats
    median_months: float | None
    median_interval: tuple[float | None, float | None]

    def at(self, months: float) -> tuple[float, float, float] | None:
        """Return survival with its interval at a time, or ``None`` beyond the last case followed."""
        if self.cases == 0 or months > self.months[-1]:
            return None
        i = int(np.searchsorted(self.months, months, side="right")) - 1
        return float(self.survival[i]), float(self.low[i]), float(self.high[i])

    def risk(self, months: ArrayLike) -> list[int]:
        """Return how many were still followed just before each time."""
        i = np.searchsorted(self.months, np.asarray(months, dtype=float), side="left")
        padded = np.append(self.at_risk, 0)
        return [int(n) for n in padded[i]]


@dataclass(frozen=True, slots=True)
class LogRank:
    """The log-rank test over all groups."""

    statistic: float
    degrees: int
    p_value: float


@dataclass(frozen=True, slots=True)
class Survival:
    """Curves of all groups, the test between them, and how many cases could not be used and why."""

    endpoint: str
    by: str
    curves: tuple[Curve, ...]
    test: LogRank | None
    without_follow_up: int
    without_group: int
    interval: IntervalKind


def survival(
    packed: PackedCases,
    *,
    endpoint: str = "overall",
    by: str | None = None,
    cuts: Sequence[float] = (),
    mask: Mask | None = None,
    interval: IntervalKind = "log-log",
) -> Survival:
    """Return the curves of ``endpoint`` for the cases of ``mask``, split ``by`` a field.

    A numeric field needs ``cuts`` (months, years, percent …): groups are below the first, from the first to below
    the second, and so on. Cases without follow-up, or without the field, are counted and left out. Refused: an
    unknown endpoint or field, a numeric field without cuts, more than :data:`MOST_GROUPS` groups, nobody left.
    """
    months, events = outcome_columns(packed, endpoint)
    chosen = np.ones(len(packed), dtype=bool) if mask is None else mask
    followed = chosen & ~np.isnan(months)
    groups = np.full(len(packed), ALL, dtype=object) if by is None else group_words(packed, by, cuts)
    grouped = np.array([word is not None for word in groups], dtype=bool)
    used = followed & grouped
    if not used.any():
        raise RefusedRegistry(
            f"no case has {endpoint.replace('_', ' ')} follow-up" + (f" and {by}" if by else ""),
            source="survival",
            remedy="add follow_up with months and status, or choose other cases",
        )
    names = _order(set(groups[used].tolist()), cuts)
    if len(names) > MOST_GROUPS:
        raise RefusedRegistry(
            f"{by} splits the cases into {len(names)} groups", source="survival", remedy="narrow them with --where"
        )
    curves = tuple(
        kaplan_meier(months[used & (groups == name)], events[used & (groups == name)], group=name, interval=interval)
        for name in names
    )
    compared = len(names) > 1 and bool(events[used].any())  # without an event there is nothing to compare
    test = log_rank(months[used], events[used], groups[used]) if compared else None
    return Survival(
        endpoint,
        by or "",
        curves,
        test,
        int((chosen & np.isnan(months)).sum()),
        int((followed & ~grouped).sum()),
        interval,
    )


def kaplan_meier(
    months: ArrayLike, events: ArrayLike, *, group: str = ALL, interval: IntervalKind = "log-log", level: float = 0.95
) -> Curve:
    """Return the curve of one group from times (N,) and events (N,) (1 happened, 0 censored)."""
    t = np.asarray(months, dtype=np.float64)
    e = np.asarray(events, dtype=np.float64)
    table = survival_table_from_events(t, e)
    observed, risk = (table[name].to_numpy(dtype=np.float64) for name in ("observed", "at_risk"))
    times = table.index.to_numpy(dtype=np.float64)
    curve = np.cumprod(1 - observed / risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(observed / (risk * (risk - observed)))
    low, high = _interval(curve, greenwood, interval, level)
    return Curve(
        group=group,
        cases=len(t),
        events=int(e.sum()),
        months=times,
        survival=curve,
        low=low,
        high=high,
        at_risk=risk,
        censored_at=np.sort(t[e == 0]),
        median_months=_crossing(times, curve),
        median_interval=(_crossing(times, low), _crossing(times, high)),
    )


def log_rank(months: ArrayLike, events: ArrayLike, groups: ArrayLike) -> LogRank:
    """Return the log-rank test of equal hazards in all groups."""
    words = np.asarray(groups, dtype=str)
    result = multivariate_logrank_test(np.asarray(months, dtype=float), words, np.asarray(events, dtype=float))
    return LogRank(float(result.test_statistic), len(np.unique(words)) - 1, float(result.p_value))


def outcome_columns(packed: PackedCases, endpoint: str) -> tuple[Floats, Floats]:
    """Return (months, events) of an endpoint (N,), NaN for cases that cannot say."""
    if endpoint not in ENDPOINTS:
        raise RefusedRegistry(
            f"no endpoint {endpoint}",
            source="survival",
            remedy=f"choose {', '.join(ENDPOINTS[:-1])} or {ENDPOINTS[-1]}",
        )
    return (
        packed.numbers(f"{endpoint}_months").astype(np.float64),
        packed.numbers(f"{endpoint}_event").astype(np.float64),
    )


def group_words(packed: PackedCases, by: str, cuts: Sequence[float] = ()) -> NDArray[np.object_]:
    """Return the group of each case (N,) as words, ``None`` where the field is unknown."""
    if by not in NUMBERS:
        if cuts:
            raise RefusedRegistry(f"{by} has words and cannot be cut", source="survival", remedy="leave --cut out")
        return field_words(packed, by)
    if not cuts:
        raise RefusedRegistry(
            f"{by} is a number and makes no groups by itself",
            source="survival",
            remedy=f"say where to cut it, such as --by {by} --cut 20",
        )
    ends = sorted(set(cuts))
    labels = [
        f"< {ends[0]:g}",
        *(f"{a:g} to < {b:g}" for a, b in pairwise(ends)),
        f"≥ {ends[-1]:g}",
    ]
    column = packed.numbers(by)
    words = np.array(labels, dtype=object)[np.digitize(column, np.asarray(ends, dtype=np.float32))]
    words[np.isnan(column)] = None
    return np.asarray(words, dtype=object)


def _order(names: set[str], cuts: Sequence[float]) -> list[str]:
    if not cuts:
        return sorted(names)
    return sorted(
        names, key=lambda name: -np.inf if name.startswith("<") else float(name.split()[-1 if "≥" in name else 0])
    )


def _interval(curve: Floats, greenwood: Floats, kind: IntervalKind, level: float) -> tuple[Floats, Floats]:
    z = float(stats.norm.ppf(0.5 + level / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(greenwood)
        if kind == "log":
            low, high = curve * np.exp(-z * error), np.minimum(curve * np.exp(z * error), 1.0)
        else:
            v = np.log(curve)
            half = z * error / np.abs(v)
            low, high = curve ** np.exp(half), curve ** np.exp(-half)
    untouched = greenwood == 0  # before the first event nothing has been estimated yet
    return np.where(untouched, 1.0, np.where(curve > 0, low, np.nan)), np.where(
        untouched, 1.0, np.where(curve > 0, high, np.nan)
    )


def _crossing(times: Floats, curve: Floats) -> float | None:
    # a curve that stays exactly at one half has its median half-way along that step, as in R
    tolerance = 1e-12
    below = np.flatnonzero(curve <= 0.5 + tolerance)
    if below.size == 0:
        return None
    first = int(below[0])
    if abs(curve[first] - 0.5) <= tolerance:
        after = np.flatnonzero(curve < 0.5 - tolerance)
        if after.size:
            return float((times[first] + times[int(after[0])]) / 2)
    return float(times[first])
