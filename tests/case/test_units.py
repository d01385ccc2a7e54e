"""Laboratory units: usual spellings, conversion, and the slips that a range gives away."""

from __future__ import annotations

import pytest

from kulchitsky.case.units import PlausibleRange, check_unit, convert, parse_unit

CEA = (PlausibleRange("ng/mL", 0.05, 100_000), PlausibleRange("ug/L", 0.05, 100_000))
HIAA = (PlausibleRange("mg/d", 0.3, 2000), PlausibleRange("umol/d", 2, 10_000))


@pytest.mark.parametrize(
    ("written", "ucum"),
    [
        ("ng/ml", "ng/mL"),
        ("ng / mL", "ng/mL"),
        ("µg/l", "ug/L"),
        ("μg/L", "ug/L"),
        ("mcg/L", "ug/L"),
        ("mg/24h", "mg/d"),
        ("mg/24 h", "mg/d"),
        ("mg/day", "mg/d"),
        ("10^9/L", "10*9/L"),
        ("x10^3/uL", "10*3/uL"),
        ("×10³/µL", "10*3/uL"),
        ("10E9/L", "10*9/L"),
        ("1000 cells/µL", "10*3/uL"),
        ("u/mL", "U/mL"),
        ("IU/mL", "[IU]/mL"),
        ("g/dl", "g/dL"),
    ],
)
def test_usual_spellings(written: str, ucum: str) -> None:
    assert convert(3.0, written, ucum) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (0.777, "ng/dL", "ng/mL", 0.00777),
        (1, "g/L", "g/dL", 0.1),
        (10.21, "10*3/uL", "10*9/L", 10.21),
        (35, "U/mL", "kU/L", 35),
        (24, "mg/d", "mg/h", 1),
    ],
)
def test_conversion(value: float, unit: str, to: str, expected: float) -> None:
    assert convert(value, unit, to) == pytest.approx(expected)


def test_molar_mass_joins_amount_and_mass() -> None:
    # 5-HIAA, 191.18 g/mol: 9 mg a day are 47.1 umol a day
    assert convert(9, "mg/d", "umol/d", molar_mass_g_per_mol=191.18) == pytest.approx(47.08, abs=0.01)
    assert convert(47.08, "umol/d", "mg/d", molar_mass_g_per_mol=191.18) == pytest.approx(9, abs=0.01)
    assert convert(9, "mg/d", "umol/d") is None


def test_what_cannot_be_converted_is_none() -> None:
    assert convert(1, "ng/mL", "U/mL") is None
    assert convert(1, "furlongs of hope", "ng/mL") is None
    assert parse_unit("furlongs of hope") is None


def test_cea_in_ng_per_dl_is_probably_ng_per_ml() -> None:
    issue = check_unit("CEA", 0.777, "ng/dL", CEA, path="laboratory[2].unit")
    assert issue is not None
    assert issue.code == "lab.unit.suspicious"
    assert "0.00777 ng/mL" in issue.message
    assert "slip for ng/mL" in issue.message
    assert issue.path == "laboratory[2].unit"


@pytest.mark.parametrize(("value", "unit"), [(0.777, "ng/mL"), (2.5, "µg/L"), (50_000, "ng/mL"), (500, "ng/dL")])
def test_plausible_values_pass(value: float, unit: str) -> None:
    assert check_unit("CEA", value, unit, CEA) is None


@pytest.mark.parametrize(
    ("value", "unit", "code"),
    [
        (3, "bananas", "lab.unit.unknown"),
        (3, "U/mL", "lab.unit.wrong_kind"),
        (1e9, "ng/mL", "lab.value.implausible"),
    ],
)
def test_other_oddities(value: float, unit: str, code: str) -> None:
    issue = check_unit("CEA", value, unit, CEA)
    assert issue is not None
    assert issue.code == code
    assert issue.remedy


def test_units_of_either_kind_pass_with_a_molar_mass() -> None:
    assert check_unit("5-HIAA", 30, "µmol/24h", HIAA, molar_mass_g_per_mol=191.18) is None
    assert check_unit("5-HIAA", 5, "mg/24h", HIAA, molar_mass_g_per_mol=191.18) is None
