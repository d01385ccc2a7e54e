"""The next stain: information against brute force, what is proposed in known situations, sets beyond one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from kulchitsky.case.record import Case
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.numerics.entropy import entropy_bits
from kulchitsky.reasoning.next_test import marker_rates, next_tests
from kulchitsky.reasoning.posterior import by_entity, posterior

CaseOf = Callable[[dict[str, Any]], Case]

SMALL_CELL_IN_SKIN = {
    "setting": "skin",
    "age": 70,
    "cell_size": "small",
    "positive": ["synaptophysin", "pan_cytokeratin"],
    "ki67": 75,
}


def brute_force_bits(case: Case, knowledge: KnowledgeBase, markers: tuple[str, ...]) -> float:
    """Entropy now minus the expected entropy over every combination of results, written out."""
    post = posterior(case, knowledge)
    rates = marker_rates(post, markers, knowledge)
    left = 0.0
    for results in product([True, False], repeat=len(markers)):
        joint = post.profiles.copy()
        for row, positive in zip(rates, results, strict=True):
            joint = joint * (row if positive else 1 - row)
        left += joint.sum() * float(entropy_bits(by_entity(joint / joint.sum(), post.table)))
    return float(entropy_bits(post.entities)) - left


def test_expected_bits_equal_brute_force(case_of: CaseOf, knowledge: KnowledgeBase) -> None:
    case = case_of(SMALL_CELL_IN_SKIN)
    tests = next_tests(case, knowledge, k=4)
    assert [len(t.markers) for t in tests] == [1, 1, 1, 1, 1, 2, 3, 4]
    for test in tests:
        assert test.expected_bits == pytest.approx(brute_force_bits(case, knowledge, test.markers), abs=1e-6)


def test_the_best_pair_is_the_best_of_all_pairs_of_the_pool(case_of: CaseOf, knowledge: KnowledgeBase) -> None:
    case = case_of(SMALL_CELL_IN_SKIN)
    pair = next(t for t in next_tests(case, knowledge, k=2) if len(t.markers) == 2)
    for other in ("ck20", "ttf1", "neurofilament", "ck7", "satb2", "cd45"):
        for first in pair.markers:
            if other != first:
                assert brute_force_bits(case, knowledge, (first, other)) <= pair.expected_bits + 1e-9


def test_a_larger_set_never_brings_less(case_of: CaseOf, knowledge: KnowledgeBase) -> None:
    tests = next_tests(case_of(SMALL_CELL_IN_SKIN), knowledge, k=5)
    best = [max(t.expected_bits for t in tests if len(t.markers) == n) for n in range(1, 6)]
    assert best == sorted(best)


def test_stains_already_done_are_not_proposed(case_of: CaseOf, knowledge: KnowledgeBase) -> None:
    case = case_of({**SMALL_CELL_IN_SKIN, "negative": ["ck20", "ttf1"]})
    proposed = {m for t in next_tests(case, knowledge) for m in t.markers}
    assert not proposed & {"ck20", "ttf1", "synaptophysin", "pan_cytokeratin"}


def test_small_cell_tumour_in_skin_asks_for_ck20_ttf1_or_neurofilament(
    case_of: CaseOf, knowledge: KnowledgeBase
) -> None:
    first = next_tests(case_of(SMALL_CELL_IN_SKIN), knowledge)[:3]
    assert {m for t in first for m in t.markers} & {"ck20", "ttf1", "neurofilament"}
    assert all(0 <= t.p_change_top <= 1 and 0 <= (t.p_change_family or 0) <= 1 for t in first)


def test_round_cell_tumour_of_a_boy_asks_for_lineage(case_of: CaseOf, knowledge: KnowledgeBase) -> None:
    case = case_of({"setting": "soft_tissue", "age": 14, "sex": "male", "cell_size": "small", "positive": ["cd99"]})
    first = next_tests(case, knowledge)[:5]
    assert {m for t in first for m in t.markers} & {"nkx2_2", "tdt", "myogenin", "desmin", "cd45", "cd79a", "myod1"}


def test_what_a_settled_case_has_left_to_learn_is_little(case_of: CaseOf, knowledge: KnowledgeBase) -> None:
    open_case = next_tests(case_of(SMALL_CELL_IN_SKIN), knowledge)[0]
    settled = case_of(
        {
            **SMALL_CELL_IN_SKIN,
            "positive": ["ck20", "neurofilament", "mcpyv_lt", "synaptophysin"],
            "negative": ["ttf1"],
        }
    )
    left = max((t.expected_bits for t in next_tests(settled, knowledge)), default=0.0)
    assert left < 0.3 * open_case.expected_bits


def test_a_settled_case_has_no_next_stain(case_of: CaseOf, knowledge: KnowledgeBase) -> None:
    case = case_of(
        {
            "setting": "adrenal",
            "age": 44,
            "architecture": ["zellballen"],
            "positive": ["chromogranin_a", "synaptophysin", "gata3", "tyrosine_hydroxylase", "phox2b", "inhibin"],
            "negative": ["pan_cytokeratin"],
        }
    )
    assert next_tests(case, knowledge) == ()


def test_nothing_left_to_order(knowledge: KnowledgeBase) -> None:
    everything = [{"marker": m, "state": "absent"} for m in knowledge.markers if m != "ki67"]
    assert next_tests(Case.model_validate({"markers": everything}), knowledge) == ()


def test_rates_are_probabilities(case_of: CaseOf, knowledge: KnowledgeBase) -> None:
    rates = marker_rates(posterior(case_of(SMALL_CELL_IN_SKIN), knowledge), ("ck20", "ttf1"), knowledge)
    assert np.all((rates > 0) & (rates < 1))
