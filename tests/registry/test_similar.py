"""Neighbours: the same distance as an independent reading of the definition, term by term."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.case.fields import fields_of
from kulchitsky.case.record import Case
from kulchitsky.registry.packing import PackedCases, pack_cases
from kulchitsky.registry.similar import nearest

Make = Callable[..., Case]


def packed_of(cases: list[Case]) -> PackedCases:
    packed = pack_cases(cases)
    return replace(packed, ids=packed.ids + 1)


def slow_distances(case: Case, others: list[Case]) -> list[float]:
    """The definition, read again with dictionaries and loops; only the fields that the strategy draws."""
    asked = fields_of(case)
    views = [fields_of(other) for other in others]
    level = {"present": 1.0, "equivocal": 0.5, "absent": 0.0}
    totals = [0.0] * len(others)
    used = 0
    for name, value in asked.items():
        if name in ("diagnosis", "status", "follow_up_months") or value == "not_tested":
            continue
        gaps: list[float | None] = []
        for view in views:
            other = view.get(name)
            if other is None or other == "not_tested":
                gaps.append(None)
            elif isinstance(value, float) and isinstance(other, float):
                known = [float(np.float32(v[name])) for v in views if name in v]  # type: ignore[arg-type]
                span = float(np.percentile(known, 95) - np.percentile(known, 5))
                gap = abs(float(np.float32(other)) - value)
                gaps.append(min(gap / span, 1.0) if span > 0 else float(gap > 0))
            elif isinstance(value, tuple) and isinstance(other, tuple):
                gaps.append(1 - len(set(value) & set(other)) / len(set(value) | set(other)))
            elif value in level:
                gaps.append(abs(level[str(value)] - level[str(other)]))
            else:
                gaps.append(float(value != other))
        stated = [g for g in gaps if g is not None]
        expected = (sum(stated) + 0.5) / (len(stated) + 1)
        totals = [t + (expected if g is None else g) for t, g in zip(totals, gaps, strict=True)]
        used += 1
    return [t / used for t in totals]


STATES = st.sampled_from(["present", "absent", "equivocal", "not_tested"])
DRAWN = st.fixed_dictionaries(
    {"sex": st.sampled_from(["female", "male", "unknown"])},
    optional={
        "age": st.integers(0, 100).map(float),
        "ki67": st.integers(0, 100).map(float),
        "setting": st.sampled_from(["skin", "lung", "liver"]),
        "markers": st.dictionaries(st.sampled_from(["ck20", "ttf1", "insm1"]), STATES, max_size=3),
        "architecture": st.lists(st.sampled_from(["nested", "insular", "solid"]), unique=True, max_size=3),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=DRAWN, others=st.lists(DRAWN, min_size=1, max_size=12))
def test_agrees_with_the_definition(make_case: Make, asked: dict[str, Any], others: list[dict[str, Any]]) -> None:
    case = make_case("asked", **{**asked, "age": 60.0})
    cases = [make_case(f"o{i}", **other) for i, other in enumerate(others)]
    found = nearest(case, packed_of(cases), k=len(cases))
    expected = slow_distances(case, cases)
    assert len(found) == len(cases)
    for neighbour in found:
        assert neighbour.distance == pytest.approx(expected[neighbour.row_id - 1], abs=1e-6)
        assert sum(term.share for term in neighbour.terms) == pytest.approx(neighbour.distance, abs=1e-9)
    assert [n.distance for n in found] == sorted(n.distance for n in found)


def test_twin_is_nearest_and_at_zero(make_case: Make) -> None:
    twin = {"age": 70, "sex": "female", "markers": {"ck20": "present", "ttf1": "absent"}, "architecture": ("nested",)}
    others = [make_case("far", age=30, sex="male", markers={"ck20": "absent"}), make_case("twin", **twin)]
    first = nearest(make_case("asked", **twin), packed_of(others), k=1)[0]
    assert (first.row_id, first.distance, first.known) == (2, 0.0, 1.0)
    assert {term.outcome for term in first.terms} == {"same"}


def test_emptiest_record_is_not_everyones_neighbour(make_case: Make) -> None:
    asked = make_case("asked", age=70, sex="female", markers={"ck20": "present", "ttf1": "absent"})
    empty = make_case("empty")
    alike = make_case("alike", age=70, sex="female", markers={"ck20": "present", "ttf1": "present"})
    unlike = make_case("unlike", age=20, sex="male", markers={"ck20": "absent", "ttf1": "present"})
    found = nearest(asked, packed_of([empty, alike, unlike]), k=3)
    assert [n.row_id for n in found] == [2, 1, 3]
    assert found[1].known == 0
    assert {t.outcome for t in found[1].terms} == {"unknown"}


def test_says_what_matched_and_what_did_not(make_case: Make) -> None:
    asked = make_case("asked", age=70, markers={"ck20": "present", "ttf1": "absent", "insm1": "present"})
    other = make_case("other", age=70, markers={"ck20": "present", "ttf1": "present"})
    terms = {t.finding: t for t in nearest(asked, packed_of([other]))[0].terms}
    assert terms["marker.ttf1"].outcome == "different"
    assert (terms["marker.ttf1"].asked, terms["marker.ttf1"].other) == ("absent", "present")
    assert terms["marker.ck20"].outcome == "same"
    assert terms["marker.insm1"].outcome == "unknown"


def test_outcome_and_diagnosis_play_no_part(make_case: Make) -> None:
    asked = make_case("asked", age=70, diagnosis="merkel_cell_carcinoma", follow_up=((5, "dead"),))
    a = make_case("a", age=70, diagnosis="paraganglioma", follow_up=((90, "alive"),))
    assert nearest(asked, packed_of([a]))[0].distance == 0


def test_weights_and_leaving_out(make_case: Make) -> None:
    asked = make_case("asked", age=70, markers={"ck20": "present"})
    same_stain = make_case("s", age=20, markers={"ck20": "present"})
    same_age = make_case("a", age=70, markers={"ck20": "absent"})
    packed = packed_of([same_stain, same_age])
    assert nearest(asked, packed, k=1, weights={"marker": 5})[0].row_id == 1
    assert nearest(asked, packed, k=1, weights={"age_years": 5})[0].row_id == 2
    assert nearest(asked, packed, weights={"marker": 0})[0].distance == 0
    assert [n.row_id for n in nearest(asked, packed, leave_out=[1])] == [2]
    with pytest.raises(ValueError, match="negative"):
        nearest(asked, packed, weights={"marker": -1})


def test_case_without_findings_is_refused(make_case: Make) -> None:
    with pytest.raises(RefusedRegistry, match="the case has no finding to compare"):
        nearest(make_case("empty", diagnosis="paraganglioma"), packed_of([make_case("a", age=3)]))


def test_empty_registry_has_no_neighbours(make_case: Make) -> None:
    assert nearest(make_case("a", age=3), packed_of([])) == []
