"""Text made to hurt: long repeats that backtracking patterns choke on. The time limit of the run is the test."""

from __future__ import annotations

import pytest

from kulchitsky.narrative.read_text import read_text

REPEATS = (
    "a", " ", "\n", "1", "1 x ", "50 %", "(", "-", "+", "/", ",", ".", '"', "CK20, ", "CK20; ", "not CK20 ", "no ", "node ", "2 of 3 ",  # noqa: E501
    "three years ", "5 x 4 cm ", "mitoses 3 per 10 HPF ", "left upper ", "Ki-67 20-30 % ", "[1, 2] ", "[1,", "שלום ", "β", "a@", "a.",  # noqa: E501
    "EWSR1-", "Aaaa Bbbb ", "from Aaaa, ", "LDH 5 ", "CEA normal, ", "CT: mass in liver, ", "in January 2012 ", "a-\n", "- CK20\n",  # noqa: E501
    "positive for ", "CK20 (", "margin ", "| ", "x: ", "diagnosis of ", "survival 5 % ", "Mr. A. ",
)  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", REPEATS, ids=[repr(r) for r in REPEATS])
def test_repeats(unit: str) -> None:
    read_text((unit * (6000 // len(unit) + 1))[:6000])


def test_deep_brackets_and_unclosed_ones() -> None:
    reading = read_text("CK20 (positive (strong (dot-like " * 50 + "TTF-1 negative.")
    assert {m.marker for m in reading.case.markers} <= {"ck20", "ttf1"}


def test_many_specimens_are_no_obstacle() -> None:
    organs = (
        "liver",
        "lung",
        "ovary",
        "appendix",
        "kidney",
        "thyroid",
        "breast",
        "stomach",
        "rectum",
        "brain",
        "ileum",
    )
    text = "\n\n".join(f"{organ.capitalize()}, biopsy: CK20 positive, TTF-1 negative." for organ in organs)
    case = read_text(text).case
    assert {m.marker for m in case.markers} == {"ck20", "ttf1"}
