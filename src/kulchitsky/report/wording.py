"""How numbers and words are printed. Rounds and words; derives no figure from another."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath

from kulchitsky.case.measure import Interval
from kulchitsky.case.vocabulary import State

MINUS = "\N{MINUS SIGN}"
EN_DASH = "\N{EN DASH}"
PERCENT = "\N{NO-BREAK SPACE}%"

INTENDED_USE = (
    "For research and education. Not a medical device. Verify every statement at its source before relying on it."
)

STATE_WORDS: dict[State, str] = {
    State.PRESENT: "present",
    State.ABSENT: "absent",
    State.EQUIVOCAL: "equivocal",
    State.NOT_TESTED: "not tested",
}


_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


_LOOSE_PERCENT = re.compile(r"(?<=\d) %")


def printable(text: str) -> str:
    """``text`` without control characters, stray surrogates and marks that reverse the reading direction.

    A number keeps its per cent sign on the same line.
    """
    return _LOOSE_PERCENT.sub(PERCENT, _UNPRINTABLE.sub("", text))


def words(identifier: str) -> str:
    """An identifier as words: ``perinuclear_dot`` is printed *perinuclear dot*."""
    return identifier.replace("_", " ")


def sentence_case(text: str) -> str:
    """``text`` with its first letter upper-case, the rest untouched."""
    return text[:1].upper() + text[1:]


def number(value: float) -> str:
    """A number without trailing zeros, with a true minus sign and thousands set apart."""
    if float(value).is_integer() and abs(value) < 1e15:
        return signed_text(f"{value:,.0f}").replace(",", "\N{NO-BREAK SPACE}")
    return signed_text(f"{value:.4g}")


def signed_text(text: str) -> str:
    """``text`` with the typographic minus sign."""
    return text.replace("-", MINUS)


def share(value: float) -> str:
    """A probability as a percentage that never prints certainty that is not there."""
    text = f"{100 * value:.0f}"
    if text == "0" and value > 0:
        text = "<1"
    elif text == "100" and value < 1:
        text = ">99"
    return f"{text}{PERCENT}"


def share_interval(interval: Interval) -> str:
    """An interval of probabilities as percentages."""
    return f"{100 * interval[0]:.0f}{EN_DASH}{100 * interval[1]:.0f}{PERCENT}"


def percent(value: float) -> str:
    """A percentage, one decimal below 10 or where it has one."""
    return f"{value:.0f}{PERCENT}" if float(value).is_integer() else f"{value:.1f}{PERCENT}"


def percent_interval(interval: Interval) -> str:
    """An interval of percentages."""
    return f"{interval[0]:.1f}{EN_DASH}{interval[1]:.1f}{PERCENT}"


def log_ratio(value: float) -> str:
    """A log10 likelihood ratio with its sign."""
    text = f"{value:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else signed_text(text)


def log_ratio_interval(interval: Interval) -> str:
    """An interval of log10 likelihood ratios."""
    return f"{log_ratio(interval[0])} to {log_ratio(interval[1])}"


def listed(items: list[str] | tuple[str, ...], *, last: str = "and") -> str:
    """Items as a list in prose."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def file_name(path: str) -> str:
    """The last part of a path: folders may carry a name or a hospital and are not printed."""
    return PureWindowsPath(PurePosixPath(path).name).name or path


def stop(text: str) -> str:
    """``text`` as a sentence: stripped, with one full stop unless it ends in other punctuation."""
    stripped = text.strip()
    return stripped if not stripped or stripped[-1] in ".!?:" else f"{stripped}."
