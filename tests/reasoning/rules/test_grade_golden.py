"""Worked grades, each with the rule or paper it comes from (keys of the rule base's reference list)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kulchitsky.case.record import Case
from kulchitsky.knowledge.rules import Rules
from kulchitsky.reasoning.grade import grade

# organ, mitoses per 2 mm2, Ki-67 %, differentiation, necrosis, grade, source
GOLDEN: list[tuple[str, float | None, float | None, str | None, str | None, str, str]] = [
    # digestive: interval ends and AND/OR of the WHO table and the registry's grade table
    ("pancreas", 1, 1.4, None, None, "G1", "EOD33 note 2, example of a biopsy"),
    ("pancreas", 0, 0, None, None, "G1", "SNMMI19"),
    ("stomach", 1.9, 2.9, None, None, "G1", "UTD122325: <2 and <3"),
    ("pancreas", 1, 3.0, None, None, "G2", "UTD122325: 3 belongs to G2"),
    ("small_bowel", 2, 1, None, None, "G2", "UTD122325: 2 belongs to G2"),
    ("colorectum", 1, 15, None, None, "G2", "CAPnote: the higher index decides"),
    ("colorectum", 15, 1, None, None, "G2", "CAPnote: the higher index decides"),
    ("pancreas", 20, 20, None, None, "G2", "EOD33: 2-20 and 3-20 inclusive"),
    ("pancreas", 5, 20.0, None, None, "G2", "EOD33: exactly 20 is G2"),
    ("pancreas", 5, 20.1, "well", None, "G3", "EOD33: above 20 is G3"),
    ("pancreas", 20.5, 5, "well", None, "G3", "EOD33: either index"),
    ("small_bowel", 21, 25, "poor", None, "NEC", "SNMMI19: poorly differentiated is not graded G3"),
    ("pancreas", 30, 22.6, "well", None, "G3", "KIM20 mean of NET G3"),
    ("pancreas", 30, 58.2, "poor", None, "NEC", "KIM20 mean of NEC"),
    ("pancreas", None, 46.3, "well", None, "G3", "HIJIOKA median of well-differentiated"),
    ("pancreas", None, 85, "poor", None, "NEC", "HIJIOKA median of poorly differentiated"),
    ("colorectum", None, 100, "poor", None, "NEC", "SNMMI19"),
    ("pancreas", None, 2, None, None, "G1", "EOD33 note 7: Ki-67 below 3 alone is enough for G1"),
    ("pancreas", None, 10, None, None, "G2", "EOD33 note 7: either index for G2"),
    ("pancreas", 10, None, None, None, "G2", "EOD33 note 7: either index for G2"),
    ("pancreas", 1, None, None, None, "undetermined", "EOD33: G1 needs both"),
    ("pancreas", None, None, "well", None, "undetermined", "EOD33 note 6: words are no grade"),
    ("pancreas", 5, 40, None, None, "undetermined", "TANG16: differentiation is needed above 20 %"),
    # lung and thymus
    ("lung", 0, None, None, "absent", "typical carcinoid", "LUNGtab: <2, no necrosis"),
    ("lung", 1.9, 2.3, "well", "absent", "typical carcinoid", "LUNGdia mean Ki-67 of typical carcinoids"),
    ("lung", 2, None, "well", "absent", "atypical carcinoid", "LUNGtab: 2 belongs to 2-10"),
    ("lung", 10, 16.8, "well", "absent", "atypical carcinoid", "LUNGtab: 10 belongs to 2-10; LUNGdia mean"),
    ("lung", 1, None, "well", "focal", "atypical carcinoid", "LUNG99: focal necrosis"),
    ("lung", 1, None, "well", "punctate", "atypical carcinoid", "LUNG99: focal necrosis"),
    ("lung", 1, None, "well", None, "undetermined", "LUNGtab: necrosis is a criterion"),
    ("lung", 11, None, "poor", "extensive", "neuroendocrine carcinoma", "LUNGtab: >10"),
    ("lung", 60, 81.3, "poor", "extensive", "neuroendocrine carcinoma", "LUNGdia mean of LCNEC"),
    ("lung", 12, 20, "well", "absent", "carcinoid with elevated mitotic count", "LUNGKi24: >10"),
    ("lung", 5, 30, "well", "absent", "carcinoid with elevated mitotic count", "LUNGKi24: >=30 %"),
    ("lung", 5, 29.9, "well", "absent", "atypical carcinoid", "LUNGKi24: below 30 %"),
    # head and neck
    ("head_and_neck", 1, 5, "well", "absent", "G1", "HN22"),
    ("sinonasal", 1, 19.9, "well", "absent", "G1", "HN22: <20 %"),
    ("head_and_neck", 2, 5, "well", "absent", "G2", "HN22: 2-10"),
    ("head_and_neck", 10, 5, "well", "absent", "G2", "HN22: 2-10"),
    ("head_and_neck", 1, 5, "well", "present", "G2", "HN22: or necrosis"),
    ("head_and_neck", 11, 5, "well", "absent", "G3", "HN22: >10"),
    ("head_and_neck", 1, 20.5, "well", "absent", "G3", "HN22: >20 %"),
    ("head_and_neck", 1, 20, "well", "absent", "undetermined", "HN22: 20 % exactly is assigned to neither"),
    ("head_and_neck", 40, 60, "poor", "present", "NEC", "HN22"),
]


def _case(make: Callable[..., Case], row: tuple[Any, ...]) -> Case:
    organ, mitoses, ki67, differentiation, necrosis, _, _ = row
    morphology: dict[str, Any] = {}
    if mitoses is not None:
        morphology["mitoses"] = {"per_2mm2": mitoses}
    if differentiation is not None:
        morphology["differentiation"] = differentiation
    if necrosis is not None:
        morphology["necrosis"] = necrosis
    return make(
        presentation={"setting": organ}, morphology=morphology, ki67=[] if ki67 is None else [{"percent": ki67}]
    )


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: f"{row[0]}-{row[1]}-{row[2]}-{row[5]}")
def test_golden_grade(row: tuple[Any, ...], rules: Rules, make_case: Callable[..., Case]) -> None:
    verdict = grade(_case(make_case, row), rules)[0]
    assert verdict.grade == row[5], row[6]
    assert verdict.basis
    assert all(reason.sources for reason in verdict.basis)


@pytest.mark.parametrize(
    ("mitoses", "ki67", "necrosis", "expected"),
    # IMTCGS: high grade is any of >=5 mitoses per 2 mm2, Ki-67 >=5 %, necrosis
    [
        (4.9, 4.9, "absent", "low grade"),
        (5, 1, "absent", "high grade"),
        (1, 5, "absent", "high grade"),
        (1, 1, "focal", "high grade"),
        (1, 1, None, "undetermined"),
    ],
)
def test_medullary_thyroid_carcinoma(
    mitoses: float, ki67: float, necrosis: str | None, expected: str, rules: Rules, make_case: Callable[..., Case]
) -> None:
    morphology: dict[str, Any] = {"mitoses": {"per_2mm2": mitoses}}
    if necrosis is not None:
        morphology["necrosis"] = necrosis
    case = make_case(
        presentation={"setting": "thyroid"},
        working_diagnosis={"entity": "medullary_thyroid_carcinoma"},
        morphology=morphology,
        ki67=[{"percent": ki67}],
    )
    verdicts = grade(case, rules)
    assert [verdict.grade for verdict in verdicts] == [expected]


def test_merkel_cell_carcinoma_is_ungraded(rules: Rules, make_case: Callable[..., Case]) -> None:
    # ASIOLI20; EOD33: the registry's Merkel schema has neither a Ki-67 nor a mitosis item
    case = make_case(presentation={"setting": "skin"}, working_diagnosis={"entity": "merkel_cell_carcinoma"})
    assert grade(case, rules)[0].grade == "ungraded"


def test_paraganglioma_is_ungraded_whatever_its_ki67(rules: Rules, make_case: Callable[..., Case]) -> None:
    # ASA18: not epithelial; KIMURA18: all have some metastatic potential
    case = make_case(presentation={"setting": "retroperitoneum"}, ki67=[{"percent": 2}])
    verdicts = grade(case, rules, diagnoses=["paraganglioma"])
    assert [verdict.grade for verdict in verdicts] == ["ungraded", "ungraded"]
    assert "metastatic potential" in verdicts[0].basis[0].sentence
    both = grade(case, rules, diagnoses=["paraganglioma", "net_pancreas"])
    assert [verdict.grade for verdict in both] == ["ungraded", "G1"]


@pytest.mark.parametrize("organ", ["lung", "liver"])
def test_a_system_of_an_entity_leads_only_where_the_entity_does(
    organ: str, rules: Rules, make_case: Callable[..., Case]
) -> None:
    case = make_case(presentation={"setting": organ}, ki67=[{"percent": 60}], morphology={"differentiation": "poor"})
    medullary, lung = "medullary_thyroid_carcinoma", "nec_small_cell_lung"
    leading = [grade(case, rules, diagnoses=pair)[0].system for pair in ([lung, medullary], [medullary, lung])]
    assert ["Medullary" in system for system in leading] == [False, True]


@pytest.mark.parametrize("entity", ["ewing_sarcoma", "melanoma", "diffuse_large_b_cell_lymphoma"])
@pytest.mark.parametrize("organ", ["soft_tissue", "lung", "pancreas"])
def test_what_is_not_neuroendocrine_gets_no_grade(
    entity: str, organ: str, rules: Rules, make_case: Callable[..., Case]
) -> None:
    case = make_case(presentation={"setting": organ}, ki67=[{"percent": 60}])
    assert [verdict.grade for verdict in grade(case, rules, diagnoses=[entity])] == ["ungraded"]
    assert grade(case, rules, diagnoses=[entity, "nec_extrapulmonary"])[0].grade != "ungraded"


def test_a_borrowed_scale_is_flagged(rules: Rules, make_case: Callable[..., Case]) -> None:
    # JEDRYCH14, CHEN17: skin has no cut-off of its own, the digestive scale is borrowed
    case = make_case(presentation={"setting": "skin"}, morphology={"mitoses": {"per_2mm2": 1}}, ki67=[{"percent": 2}])
    verdict = grade(case, rules)[0]
    assert verdict.grade == "G1"
    assert "grade.borrowed_scale" in {issue.code for issue in verdict.issues}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ki67": [{"percent": 10, "specimen": "m"}], "specimens": [{"id": "m", "kind": "metastasis"}]},
         "grade.specimen.metastasis"),
        ({"ki67": [{"percent": 10, "specimen": "p"}],
          "specimens": [{"id": "p", "kind": "primary", "after_treatment": True}]}, "grade.specimen.after_treatment"),
        ({"ki67": [{"counted": 200, "positive": 20}]}, "grade.ki67.few_cells"),
        ({"ki67": [{"percent": 10, "bound": "at_most"}]}, "grade.ki67.upper_bound"),
        ({"ki67": [{"percent": 10}], "morphology": {"mitoses": {"words": "rare"}}}, "grade.mitoses.words"),
        ({"ki67": [{"percent": 10}], "morphology": {"mitoses": {"count": 3, "area_mm2": 2}}},
         "grade.mitoses.small_area"),
        ({"ki67": [{"percent": 10}]}, "grade.single_index"),
        ({"ki67": [{"percent": 10}]}, "grade.interval_unknown"),
    ],
)  # fmt: skip
def test_registry_caveats(fields: dict[str, Any], code: str, rules: Rules, make_case: Callable[..., Case]) -> None:
    verdict = grade(make_case(presentation={"setting": "pancreas"}, **fields), rules)[0]
    assert code in {issue.code for issue in verdict.issues}


def test_the_primary_before_treatment_grades(rules: Rules, make_case: Callable[..., Case]) -> None:
    # EOD33 notes 3 and 8: highest grade of the primary, not of a metastasis
    case = make_case(
        presentation={"setting": "pancreas"},
        specimens=[{"id": "p", "kind": "primary"}, {"id": "m", "kind": "metastasis"}],
        ki67=[{"percent": 30, "specimen": "m"}, {"percent": 2, "specimen": "p"}, {"percent": 4, "specimen": "p"}],
        morphology={"mitoses": {"per_2mm2": 1}},
    )
    assert grade(case, rules)[0].grade == "G2"


def test_a_range_that_crosses_a_cut_off_is_undetermined(rules: Rules, make_case: Callable[..., Case]) -> None:
    case = make_case(
        presentation={"setting": "pancreas"},
        morphology={"mitoses": {"per_2mm2": 1}, "differentiation": "well"},
        ki67=[{"low_percent": 15, "high_percent": 25}],
    )
    verdict = grade(case, rules)[0]
    assert verdict.grade == "undetermined"
    assert any("G2" in reason.sentence and "G3" in reason.sentence for reason in verdict.basis)


@pytest.mark.parametrize(
    ("mitoses", "ki67", "index"),
    [(1, 15, "ki67_percent"), (15, 1, "mitoses_per_2mm2"), (5, 10, "mitoses_per_2mm2 and ki67_percent")],
)
def test_which_index_decides(
    mitoses: float, ki67: float, index: str, rules: Rules, make_case: Callable[..., Case]
) -> None:
    case = make_case(
        presentation={"setting": "pancreas"},
        morphology={"mitoses": {"per_2mm2": mitoses}},
        ki67=[{"percent": ki67}],
    )
    assert grade(case, rules)[0].decided_by == index
