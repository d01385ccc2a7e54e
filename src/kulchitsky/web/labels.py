"""How values read on a page: template filters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def words(value: Any) -> str:
    """An identifier in words: ``salt_and_pepper`` → ``salt and pepper``; nothing for ``None``."""
    if value is None:
        return ""
    return str(getattr(value, "value", value)).replace("_", " ")


def percent(value: float | None, digits: int = 1) -> str:
    """A percentage as given (0–100); an en dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f} %"


def share(value: float | None, digits: int = 1) -> str:
    """A share (0–1) as a percentage; small ones are not shown as zero."""
    if value is None:
        return "–"
    if 0 < value < 0.001:
        return "< 0.1 %"
    if 0.999 < value < 1:
        return "> 99.9 %"
    return f"{100 * value:.{digits}f} %"


def interval(value: Sequence[float] | None, digits: int = 1) -> str:
    """Both ends of an interval, in the unit of the figure beside it."""
    return "" if value is None else f"{value[0]:.{digits}f}–{value[1]:.{digits}f}"


def share_interval(value: Sequence[float] | None, digits: int = 0) -> str:
    """Both ends of an interval of shares, as percentages."""
    return "" if value is None else f"{100 * value[0]:.{digits}f}–{100 * value[1]:.{digits}f} %"


def thousands(value: int) -> str:
    """A whole number with thin spaces between the thousands."""
    return f"{value:,}".replace(",", "\u202f")


LABELS: dict[str, Callable[..., str]] = {
    "words": words,
    "percent": percent,
    "share": share,
    "interval": interval,
    "share_interval": share_interval,
    "thousands": thousands,
}
