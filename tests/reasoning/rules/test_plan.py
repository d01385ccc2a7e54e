"""Options, tests and follow-up for other cases; post-test arithmetic; claims that agree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Plan
from kulchitsky.knowledge.rules import Rules
from kulchitsky.reasoning.follow_up import add_months
from kulchitsky.reasoning.grade import grade
from kulchitsky.reasoning.plan import plan
from kulchitsky.reasoning.stage import stage
from kulchitsky.reasoning.tests_advice import post_test

MakeCase = Callable[..., Case]


def _plan(case: Case, rules: Rules, **options: Any) -> Plan:
    return plan(case, rules, differential=None, grade=grade(case, rules), stage=stage(case, rules), **options)


def _advanced(entity: str, setting: str, ki67: float, *, scan: str | None = None, **more: Any) -> dict[str, Any]:
    imaging = [{"modality": "ct", "findings": [{"what": "metastases", "place": "liver", "state": "present"}]}]
    if scan is not None:
        imaging.append({"modality": "sstr_pet", "findings": [{"what": "uptake", "place": "liver", "state": scan}]})
    return {
        "presentation": {"setting": setting},
        "morphology": {"mitoses": {"per_2mm2": 1}, "differentiation": "well"},
        "ki67": [{"percent": ki67}],
        "imaging": imaging,
        "working_diagnosis": {"entity": entity},
        **more,
    }


# the populations of the trials: TRIALS21 (CLARINET: Ki-67 < 10 %), NETTER2 (receptor-positive, 10 to 55 %)
@pytest.mark.parametrize(
    ("ki67", "scan", "ssa", "prrt"),
    [
        (5, "present", "yes", "yes"),
        (5, None, "yes", "undetermined"),
        (5, "absent", "conditional", "no"),
        (15, "present", "no", "yes"),
        (40, "present", "no", "yes"),
        (55, "present", "no", "yes"),
        (56, "present", "no", "no"),
    ],
)
def test_gates_of_ssa_and_prrt(
    ki67: float, scan: str | None, ssa: str, prrt: str, rules: Rules, make_case: MakeCase
) -> None:
    planned = _plan(make_case(**_advanced("net_midgut", "small_bowel", ki67, scan=scan)), rules)
    found = {option.option: option for option in planned.options}
    assert found["Somatostatin analogue (octreotide LAR, lanreotide)"].applies == ssa
    assert found["PRRT with 177Lu-DOTATATE"].applies == prrt
    assert all(option.strength and option.sources for option in planned.options)


def test_an_undetermined_option_says_what_is_missing(rules: Rules, make_case: MakeCase) -> None:
    planned = _plan(make_case(**_advanced("net_midgut", "small_bowel", 5)), rules)
    prrt = next(o for o in planned.options if o.option.startswith("PRRT"))
    assert "SSTR PET or SSTR2A stain" in prrt.sentence


def test_sunitinib_is_for_the_pancreas_only(rules: Rules, make_case: MakeCase) -> None:
    pancreas = _plan(make_case(**_advanced("net_pancreas", "pancreas", 5)), rules)
    midgut = _plan(make_case(**_advanced("net_midgut", "small_bowel", 5)), rules)
    assert next(o for o in pancreas.options if o.option == "Sunitinib").applies == "yes"
    assert not [o for o in midgut.options if o.option == "Sunitinib"]


def test_nec_gets_platinum_and_not_ssa(rules: Rules, make_case: MakeCase) -> None:
    fields = _advanced("nec_extrapulmonary", "pancreas", 80)
    fields["morphology"] = {"differentiation": "poor"}
    fields["comorbidities"] = [{"name": "chronic heart failure"}]
    planned = _plan(make_case(**fields), rules)
    found = {option.option: option for option in planned.options}
    assert found["Carboplatin and etoposide"].applies == "yes"
    assert any("carboplatin" in caution for caution in found["Carboplatin and etoposide"].cautions)
    assert found["Somatostatin analogue (octreotide LAR, lanreotide)"].applies == "no"
    assert planned.prognosis.figures[0].median_months == 7.4  # NORDIC2, n=427


def test_merkel_metastatic_gets_immunotherapy_first(rules: Rules, make_case: MakeCase) -> None:
    fields = _advanced("merkel_cell_carcinoma", "skin", 60)
    planned = _plan(make_case(**fields), rules)
    first = next(o for o in planned.options if o.applies == "yes")
    assert first.option.startswith("Checkpoint inhibitor")


def test_a_small_g1_pancreatic_tumour_needs_no_schedule(rules: Rules, make_case: MakeCase) -> None:
    # COMMNETS18: no follow-up for G1, node-negative, below 2 cm
    fields = {
        "presentation": {"setting": "pancreas"},
        "morphology": {"mitoses": {"per_2mm2": 0}},
        "ki67": [{"percent": 1}],
        "procedures": [{"kind": "resection", "tumour_size_cm": 1.5, "nodes_removed": 8, "nodes_positive": 0}],
        "working_diagnosis": {"entity": "net_pancreas"},
    }
    without = _plan(make_case(**fields), rules)
    assert without.follow_up == ()
    assert [issue.code for issue in without.issues] == ["follow_up.not_needed"]
    fields["procedures"][0]["nodes_positive"] = 1
    visits = _plan(make_case(**fields), rules, today=dt.date(2026, 1, 31)).follow_up
    assert [visit.months for visit in visits] == [12, 24, 36, 60, 84, 108]
    assert visits[0].date == dt.date(2027, 1, 31)


def test_dates_count_from_the_diagnosis_where_it_is_known(rules: Rules, make_case: MakeCase) -> None:
    case = make_case(
        presentation={"setting": "skin"},
        working_diagnosis={"entity": "merkel_cell_carcinoma"},
        diagnosed_on="2026-03-31",
    )
    visits = _plan(case, rules, today=dt.date(2026, 11, 24)).follow_up
    assert [visit.date for visit in visits[:2]] == [dt.date(2026, 6, 30), dt.date(2026, 9, 30)]


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (dt.date(2026, 1, 31), 1, dt.date(2026, 2, 28)),
        (dt.date(2024, 1, 31), 1, dt.date(2024, 2, 29)),
        (dt.date(2026, 11, 30), 3, dt.date(2027, 2, 28)),
        (dt.date(2026, 3, 15), -6, dt.date(2025, 9, 15)),
        (dt.date(2026, 12, 1), 12, dt.date(2027, 12, 1)),
    ],
)
def test_month_arithmetic(start: dt.date, months: float, end: dt.date) -> None:
    assert add_months(start, months) == end


@given(pre=st.floats(0.001, 0.999), sensitivity=st.floats(0.01, 0.99), specificity=st.floats(0.01, 0.99))
def test_post_test_agrees_with_likelihood_ratios(pre: float, sensitivity: float, specificity: float) -> None:
    """Bayes by odds: post-test odds are pre-test odds times the likelihood ratio."""
    positive, negative = post_test(pre, sensitivity, specificity)
    odds = pre / (1 - pre)
    assert positive / (1 - positive) == pytest.approx(odds * sensitivity / (1 - specificity), rel=1e-9)
    assert negative / (1 - negative) == pytest.approx(odds * (1 - sensitivity) / specificity, rel=1e-9)


def test_a_chosen_pre_test_probability_replaces_the_sourced_one(rules: Rules, make_case: MakeCase) -> None:
    case = make_case(presentation={"setting": "skin"}, working_diagnosis={"entity": "merkel_cell_carcinoma"})
    pet = next(t for t in _plan(case, rules, pre_test=0.5).tests if t.test == "FDG PET/CT")
    # LR+ 14 and LR- 0.09 as SHIM22 prints them, up to rounding of 91 and 93 %
    assert pet.post_test_if_positive == pytest.approx(14 / 15, abs=0.01)
    assert pet.post_test_if_negative == pytest.approx(0.09 / 1.09, abs=0.01)


def test_a_probability_outside_zero_and_one_is_refused() -> None:
    with pytest.raises(ValueError, match="fractions from 0 to 1"):
        post_test(10, 0.9, 0.9)


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ({"kind": "test_performance", "text": "FDG PET", "endpoint": "sensitivity", "percent": 90}, "not_supported"),
        ({"kind": "test_performance", "text": "FDG PET", "endpoint": "specificity", "percent": 95}, "supported"),
        ({"kind": "test_performance", "text": "FDG PET", "endpoint": "sensitivity", "percent": 30}, "contradicted"),
        ({"kind": "prognosis", "text": "local disease: 53 % without metastases", "percent": 53}, "supported"),
        (
            {"kind": "test_performance", "text": "mIBG is 60 % sensitive and 60 % specific", "percent": 60},
            "not_supported",
        ),
        ({"kind": "treatment", "text": "thalidomide"}, "cannot_be_checked"),
        ({"kind": "treatment", "text": "radiotherapy palliates"}, "cannot_be_checked"),
        ({"kind": "prognosis", "text": "Merkel cell carcinoma survives five months on average"}, "contradicted"),
    ],
)
def test_claims(claim: dict[str, Any], verdict: str, rules: Rules, make_case: MakeCase) -> None:
    # SHIM22 91/93, TREGLIA13 90/98, SACHP20 83/95; HARMS16 local disease 51 %
    case = make_case(
        presentation={"setting": "skin"}, working_diagnosis={"entity": "merkel_cell_carcinoma"}, claims=[claim]
    )
    assert _plan(case, rules).prognosis.claims[0].verdict == verdict


def test_the_subject_says_which_test_a_figure_belongs_to(rules: Rules, make_case: MakeCase) -> None:
    text = "mIBG shows 60 % and the octreotide scan 55 to 60 %"
    claims = [
        {
            "kind": "test_performance",
            "text": text,
            "subject": "octreotide_scan",
            "low_percent": 55,
            "high_percent": 60,
        },
        {"kind": "test_performance", "text": text, "subject": "mibg_scan", "percent": 60},
    ]
    case = make_case(
        presentation={"setting": "skin"}, working_diagnosis={"entity": "merkel_cell_carcinoma"}, claims=claims
    )
    octreotide, mibg = _plan(case, rules).prognosis.claims
    assert "octreotide" in octreotide.sentence
    assert "mIBG" in mibg.sentence


def test_without_a_diagnosis_nothing_is_planned(rules: Rules, make_case: MakeCase) -> None:
    planned = _plan(make_case(laboratory=[{"test": "CEA", "value": 2, "unit": "ng/mL"}]), rules)
    assert planned.options == ()
    assert planned.prognosis.figures == ()
    assert [test.test for test in planned.tests] == ["CEA"]
    assert planned.issues == ()


def _lung(grade_of: dict[str, Any], **procedure: Any) -> dict[str, Any]:
    return {
        "presentation": {"setting": "lung", "primary_found": "present"},
        "morphology": {"differentiation": "well", **grade_of},
        "procedures": [{"kind": "resection", "tumour_size_cm": 2.0, **procedure}],
        "working_diagnosis": {"entity": "net_lung"},
    }


TYPICAL = {"mitoses": {"per_2mm2": 1}, "necrosis": "absent"}
ATYPICAL = {"mitoses": {"per_2mm2": 5}, "necrosis": "focal"}


@pytest.mark.parametrize(
    ("fields", "months", "figures"),
    [
        # RAZ15: 5-year overall survival 93 %, disease-specific 97 % (node-negative typical carcinoid, lobectomy);
        # HASHMI17: surveillance is very unlikely to help them
        (_lung(TYPICAL, nodes_removed=6, nodes_positive=0), [], [93, 97, 94]),
        # HASHMI17: every six months for two years, then yearly; ATYPICAL18: 90, 79 and 68 % free of recurrence
        (
            _lung(ATYPICAL, nodes_removed=6, nodes_positive=1),
            [6, 12, 18, 24, 36, 48, 60, 72, 84, 96, 108, 120],
            [90, 79, 68, 76],
        ),
        # NCUK22 after ESMO: a rectal G1 tumour below 1 cm needs none; KUIPER20: 1 % spread later
        (
            {
                "presentation": {"setting": "colorectum", "site": {"topography": "C20.9"}},
                "morphology": {"differentiation": "well", "mitoses": {"per_2mm2": 0}},
                "ki67": [{"percent": 1}],
                "procedures": [
                    {
                        "kind": "resection",
                        "tumour_size_cm": 0.7,
                        "invades": ["submucosa"],
                        "nodes_removed": 2,
                        "nodes_positive": 0,
                    }
                ],
                "working_diagnosis": {"entity": "net_rectum"},
            },
            [],
            [97.6, 1],
        ),
        # NORNET: G2 of the rectum at 6 and 12 months, then 2, 3, 4, 5, 7, 9 and 12 years
        (
            {
                "presentation": {"setting": "colorectum", "site": {"topography": "C20.9"}},
                "morphology": {"differentiation": "well", "mitoses": {"per_2mm2": 4}},
                "ki67": [{"percent": 8}],
                "procedures": [
                    {
                        "kind": "resection",
                        "tumour_size_cm": 2.5,
                        "invades": ["muscularis_propria"],
                        "nodes_removed": 12,
                        "nodes_positive": 2,
                    }
                ],
                "working_diagnosis": {"entity": "net_rectum"},
            },
            [6, 12, 24, 36, 48, 60, 84, 108, 144],
            [],
        ),
        # SHAIB21: metastatic pancreatic NET, primary resected 75.6 %; SONBOL22: metastatic 28 %
        (
            {
                "presentation": {"setting": "pancreas"},
                "morphology": {"differentiation": "well", "mitoses": {"per_2mm2": 4}},
                "procedures": [{"kind": "resection", "tumour_size_cm": 3, "nodes_removed": 9, "nodes_positive": 1}],
                "imaging": [
                    {"modality": "ct", "findings": [{"what": "metastases", "place": "liver", "state": "present"}]}
                ],
                "working_diagnosis": {"entity": "net_pancreas"},
            },
            None,
            [28, 75.6],
        ),
    ],
    ids=["typical N0", "atypical N1", "rectal G1 0.7 cm", "rectal G2", "pancreas with liver metastases"],
)
def test_organ_schedules_and_figures(
    fields: dict[str, Any], months: list[int] | None, figures: list[float], rules: Rules, make_case: MakeCase
) -> None:
    planned = _plan(make_case(**fields), rules)
    if months is not None:
        assert [visit.months for visit in planned.follow_up] == months
    shown = [figure.percent for figure in planned.prognosis.figures]
    for percent in figures:
        assert percent in shown


def test_small_cell_lung_carcinoma_wants_the_brain_imaged(rules: Rules, make_case: MakeCase) -> None:
    # SCLCCA23, recommendations 5 and 7
    fields: dict[str, Any] = {
        "presentation": {"setting": "lung"},
        "imaging": [{"modality": "ct", "body_parts": ["chest", "abdomen"], "findings": []}],
        "working_diagnosis": {"entity": "nec_small_cell_lung"},
    }
    tests = {advice.test: advice.status for advice in _plan(make_case(**fields), rules).tests}
    assert tests["CT of the chest"] == "done"
    assert tests["MRI or CT of the brain"] == "missing"
    fields["imaging"].append(
        {"modality": "mri", "findings": [{"what": "metastases", "place": "brain", "state": "present"}]}
    )
    planned = _plan(make_case(**fields), rules)
    assert {a.test: a.status for a in planned.tests}["MRI or CT of the brain"] == "done"
    first = next(option for option in planned.options if option.option.startswith("Platinum and etoposide with"))
    assert first.applies == "yes"
