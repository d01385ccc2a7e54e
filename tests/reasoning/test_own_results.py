"""Only the tumour's own results are weighed; required tests are asked while their question is open."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kulchitsky.case.record import Case
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.reasoning.challenge import challenge
from kulchitsky.reasoning.posterior import posterior

CASE: dict[str, Any] = {
    "presentation": {"setting": "skin"},
    "markers": [{"marker": "ck20", "state": "present"}, {"marker": "synaptophysin", "state": "present"}],
}
LYMPHOCYTES = [
    {"marker": "cd45", "state": "present", "specimen": "b"},
    {"marker": "cd20", "state": "present", "specimen": "b"},
]


@pytest.mark.parametrize("kind", ["background", "other_tumour"])
def test_foreign_specimens_change_nothing(kind: str, knowledge: KnowledgeBase) -> None:
    alone = posterior(Case.model_validate(CASE), knowledge)
    specimens = [{"id": "b", "kind": kind, "setting": "lymph_node"}]
    beside = posterior(
        Case.model_validate({**CASE, "specimens": specimens, "markers": [*CASE["markers"], *LYMPHOCYTES]}), knowledge
    )
    assert np.allclose(alone.entities, beside.entities)


def test_specimens_of_the_tumour_count(knowledge: KnowledgeBase) -> None:
    alone = posterior(Case.model_validate(CASE), knowledge)
    whole = {**CASE, "specimens": [{"id": "b"}], "markers": [*CASE["markers"], *LYMPHOCYTES]}
    assert not np.allclose(alone.entities, posterior(Case.model_validate(whole), knowledge).entities)


def test_cytoplasm_is_not_positive_for_a_nuclear_stain(knowledge: KnowledgeBase) -> None:
    def of(**result: str) -> np.ndarray[Any, Any]:
        case = {"presentation": {"setting": "liver"}, "markers": [{"marker": "ttf1", **result}]}
        return posterior(Case.model_validate(case), knowledge).entities

    assert np.allclose(of(state="present", compartment="cytoplasmic"), of(state="absent"))
    assert not np.allclose(of(state="present", compartment="nuclear"), of(state="absent"))


@pytest.mark.parametrize(("percent", "asked"), [(3, False), (38, True)])
def test_p53_is_asked_of_a_tumour_that_proliferates(percent: float, asked: bool, knowledge: KnowledgeBase) -> None:
    case = Case.model_validate({**CASE, "ki67": [{"percent": percent}]})
    missing = [
        c.finding for c in challenge(case, knowledge, "net_pancreas").contradictions if c.kind == "missing_test"
    ]
    assert any("p53" in finding and "RB1" in finding for finding in missing) is asked


@pytest.mark.parametrize(("age", "asked"), [(30, True), (70, False)])
def test_sarcoma_is_excluded_in_the_young(age: float, asked: bool, knowledge: KnowledgeBase) -> None:
    case = Case.model_validate({**CASE, "patient": {"age_years": age}})
    found = challenge(case, knowledge, "nec_small_cell_lung").contradictions
    assert any("myogenin" in c.finding for c in found) is asked
