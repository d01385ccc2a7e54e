"""Colours of the page hold WCAG 2.2 AA contrast, light and dark: text 4.5 : 1, drawings 3 : 1."""

from __future__ import annotations

import re
from importlib import resources

import pytest

STYLE = resources.files("kulchitsky.report").joinpath("templates/report.css").read_text(encoding="utf-8")
TEXT = [
    ("ink", "paper"), ("ink", "panel"), ("soft", "paper"), ("soft", "panel"), ("link", "paper"), ("link", "panel"),
    ("good", "good-bg"), ("bad", "bad-bg"), ("warn", "warn-bg"), ("ink", "quiet-bg"), ("soft", "quiet-bg"),
    ("bad", "paper"), ("ink", "warn-bg"), ("link", "warn-bg"),
]  # fmt: skip
DRAWN = [("for", "paper"), ("against", "paper"), ("ink", "paper"), ("warn", "panel")]


def palette(block: int) -> dict[str, tuple[float, float, float]]:
    body = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[block]
    return {
        name: tuple(int(value[i : i + 2], 16) / 255 for i in (0, 2, 4))  # type: ignore[misc]
        for name, value in re.findall(r"--([a-z-]+): #([0-9a-f]{6})", body)
    }


def luminance(colour: tuple[float, float, float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("block", [0, 1], ids=["light", "dark"])
def test_contrast(block: int) -> None:
    colours = palette(block)
    for pairs, least in ((TEXT, 4.5), (DRAWN, 3.0)):
        for front, back in pairs:
            assert contrast(colours[front], colours[back]) >= least, (front, back)


def test_the_formula_gives_the_known_extremes() -> None:
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert contrast((1, 1, 1), (1, 1, 1)) == pytest.approx(1)
