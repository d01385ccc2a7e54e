"""Agreement with manual counts: the figures against hand calculation, the grades against the rules."""

from __future__ import annotations

import pytest

from kulchitsky.workup.cohort_agreement import agreement_of, ki67_grades

PAIRS = [(2.0, 2.5), (2.0, 1.9), (10.0, 11.0), (18.0, 22.0), (40.0, 36.0), (60.0, 80.0)]


def test_against_hand_calculation() -> None:
    found = agreement_of("whole slide", PAIRS)
    # differences .5 -.1 1 4 -4 20: mean 21.4/6; squares sum to 433.26, about the mean 356.93, over 5 71.39
    assert found.bias == pytest.approx(3.5667, abs=1e-3)
    assert found.limits == pytest.approx((3.5667 - 1.95996 * 8.4491, 3.5667 + 1.95996 * 8.4491), abs=1e-2)
    # 1.9, 11 and 36 lie within 20 %; 2.5 is 25 % off, 22 and 80 are 22 % and 33 % off
    assert (found.within_20, found.within_20_percent) == (3, 50.0)
    # G1 G1 G2 G2->G3 G3 G3: five of six agree; by chance 2/6 x 2/6 + 2/6 x 1/6 + 2/6 x 3/6 = 1/3
    assert found.grade_table == ((2, 0, 0), (0, 1, 1), (0, 0, 2))
    assert found.kappa == pytest.approx((5 / 6 - 1 / 3) / (1 - 1 / 3))
    assert found.points == tuple(PAIRS)


def test_the_grades_are_those_of_the_rules() -> None:
    names, cuts, bands, system = ki67_grades()
    assert system.id == "who_digestive"
    assert names == ("G1", "G2", "G3 or NEC")
    assert cuts == ("< 3 %", "≥ 3 and ≤ 20 %", "> 20 %")
    assert [next(k for k, band in enumerate(bands) if band.holds(v)) for v in (0, 2.99, 3, 20, 20.01, 100)] == [
        0, 0, 1, 1, 2, 2,
    ]  # fmt: skip


def test_perfect_agreement() -> None:
    found = agreement_of("whole slide", [(1.0, 1.0), (5.0, 5.0), (50.0, 50.0)])
    assert (found.icc_absolute, found.bias, found.kappa, found.within_20_percent) == (1.0, 0.0, 1.0, 100.0)
    assert found.limits == (0.0, 0.0)


def test_one_grade_only_has_no_kappa() -> None:
    found = agreement_of("whole slide", [(1.0, 1.1), (2.0, 1.5), (0.5, 0.4)])
    assert found.kappa is None
    assert found.icc_absolute is not None
