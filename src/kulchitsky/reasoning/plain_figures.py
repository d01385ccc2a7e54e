"""Shares and ratios in words no more precise than what stands behind them; records keep the figures themselves."""

from __future__ import annotations

from math import log

_ONE_IN = (10, 20, 50, 100, 200, 500, 1000)
_SCARCE = 0.08


def share_words(share: float, of: str = "") -> str:
    """A share between 0 and 1, of something if named: *about 15 % of cases*, *fewer than 1 in 1,000 cases*."""
    noun = f" {of}" if of else ""
    if share < 1 / _ONE_IN[-1]:
        return f"fewer than 1 in {_ONE_IN[-1]:,}{noun}"
    if share < _SCARCE:
        nearest = min(_ONE_IN, key=lambda n: abs(log(n * share)))
        return f"about 1 in {nearest:,}{noun}"
    percent = 5 * round(20 * share)
    return f"nearly all{noun}" if percent >= 100 else f"about {percent} %" + (f" of{noun}" if of else "")


def times_words(ratio: float) -> str:
    """A ratio of at least 1: *about twice*, *about 12 times*, *about 300 times*, *more than 1,000 times*."""
    if ratio >= 1000:
        return "more than 1,000 times"
    if ratio < 1.75:
        return "about one and a half times" if ratio >= 1.25 else "hardly more often"
    if ratio < 2.5:
        return "about twice"
    if ratio < 15:
        return f"about {ratio:.0f} times"
    step = 5 if ratio < 50 else 10 if ratio < 100 else 100
    return f"about {step * round(ratio / step):,} times" if ratio < 950 else "about 1,000 times"
