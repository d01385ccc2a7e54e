"""The challenge: contradictions in known situations, required tests, refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.record import Case
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.knowledge.ordering import load_required_tests
from kulchitsky.knowledge.rules import load_rules
from kulchitsky.reasoning.challenge import challenge

CaseOf = Callable[[dict[str, Any]], Case]

THIGH: dict[str, Any] = {
    "setting": "soft_tissue",
    "region": "lower_limb",
    "age": 77,
    "sex": "female",
    "positive": ["chromogranin_a", "cd56", "nse", "pan_cytokeratin"],
    "dots": ["pan_cytokeratin"],
    "architecture": ["insular", "trabecular"],
    "cell_size": "small",
    "necrosis": "extensive",
    "ki67": 65,
}


def test_thigh_mass_called_a_well_differentiated_tumour(case_of: CaseOf, knowledge: KnowledgeBase) -> None:
    result = challenge(case_of(THIGH), knowledge, "primary_cutaneous_net")
    improbable = [c for c in result.contradictions if c.kind == "improbable_finding"]
    words = " ".join(c.finding for c in improbable)
    assert "Ki-67" in words
    assert "necrosis" in words
    assert "dot" in words
    assert improbable[0].better_explained_by == "merkel_cell_carcinoma"
    missing = " ".join(c.finding for c in result.contradictions if c.kind == "missing_test")
    for stain in ("CK20", "TTF-1", "neurofilament", "MCPyV"):
        assert stain in missing
    assert (result.posterior or 0) < 0.01


def test_a_sound_diagnosis_has_no_improbable_finding(case_of: CaseOf, knowledge: KnowledgeBase) -> None:
    case = case_of({**THIGH, "positive": [*THIGH["positive"], "ck20", "neurofilament"], "negative": ["ttf1"]})
    result = challenge(case, knowledge, "merkel_cell_carcinoma")
    assert not [c for c in result.contradictions if c.kind == "improbable_finding"]
    assert (result.posterior or 0) > 0.95


def test_done_tests_are_not_missing(case_of: CaseOf, knowledge: KnowledgeBase) -> None:
    result = challenge(case_of({**THIGH, "negative": ["ck20", "ttf1"]}), knowledge, "primary_cutaneous_net")
    missing = {c.finding for c in result.contradictions if c.kind == "missing_test"}
    assert not missing & {"CK20", "TTF-1", "Ki-67"}


def test_probability_lies_in_its_interval(case_of: CaseOf, knowledge: KnowledgeBase) -> None:
    for c in challenge(case_of(THIGH), knowledge, "primary_cutaneous_net").contradictions:
        if c.interval_95 is not None:
            assert c.interval_95[0] <= (c.probability or 0) <= c.interval_95[1]


def test_unknown_entity_is_refused(knowledge: KnowledgeBase) -> None:
    with pytest.raises(RefusedCase, match="'nonsense' is not an entity of the differential; give one of merkel"):
        challenge(Case(), knowledge, "nonsense")


def test_required_tests_name_known_ids_and_sources(knowledge: KnowledgeBase) -> None:
    keys = set(knowledge.references) | set(load_rules().references)
    for test in load_required_tests():
        assert test.entity in knowledge.entities
        assert set(test.markers) <= set(knowledge.markers)
        assert set(test.sources) <= keys
