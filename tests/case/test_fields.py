"""The flat view: one value a field, unknown left out, not tested kept apart from absent."""

from __future__ import annotations

from typing import Any

import pytest

from kulchitsky.case.fields import NOMINAL, NUMERIC, SETS, STATES, fields_of, slug
from kulchitsky.case.record import Case


def flat(**record: Any) -> dict[str, Any]:
    return dict(fields_of(Case.model_validate({"id": "c", **record})))


def test_empty_case_has_no_field() -> None:
    assert flat() == {}


@pytest.mark.parametrize(
    ("entries", "figure"),
    [
        ([{"percent": 20}], 20),
        ([{"percent": 65, "bound": "at_most"}], 65),
        ([{"counted": 500, "positive": 60}], 12),
        ([{"low_percent": 10, "high_percent": 20}], 20),
        ([{"low_percent": 10}], 10),
        ([{"percent": 3}, {"percent": 30}], 30),
    ],
)
def test_ki67_is_the_highest_figure_stated(entries: list[dict[str, Any]], figure: float) -> None:
    assert flat(ki67=entries)["ki67_percent"] == pytest.approx(figure)


@pytest.mark.parametrize(
    ("states", "settled"),
    [
        (["present"], "present"),
        (["present", "present"], "present"),
        (["present", "absent"], "equivocal"),
        (["not_tested", "absent"], "absent"),
        (["absent", "not_tested"], "absent"),
        (["not_tested"], "not_tested"),
        (["equivocal", "present"], "equivocal"),
    ],
)
def test_two_results_of_one_stain(states: list[str], settled: str) -> None:
    assert flat(markers=[{"marker": "ck20", "state": s} for s in states])["marker.ck20"] == settled


@pytest.mark.parametrize(
    ("record", "size"),
    [
        ({"presentation": {"size": {"greatest_cm": 4}}}, 4),
        ({"presentation": {"size": {"dimensions_cm": [2, 3]}}}, 3),
        ({"procedures": [{"kind": "excision", "tumour_size_cm": 2}, {"kind": "excision", "tumour_size_cm": 5}]}, 5),
        ({"presentation": {"size": {}}}, None),
    ],
)
def test_size_from_presentation_else_from_a_procedure(record: dict[str, Any], size: float | None) -> None:
    assert flat(**record).get("size_cm") == size


def test_mitoses_are_per_two_square_millimetres() -> None:
    assert flat(morphology={"mitoses": {"count": 30, "area_mm2": 10}})["mitoses_per_2mm2"] == pytest.approx(6)
    assert flat(morphology={"mitoses": {"per_2mm2": 7}})["mitoses_per_2mm2"] == 7
    assert "mitoses_per_2mm2" not in flat(morphology={"mitoses": {"words": "rare"}})


def test_nodes_add_up_and_unknown_positives_stay_unknown() -> None:
    one = {"kind": "node_dissection", "nodes_removed": 7, "nodes_positive": 2}
    assert flat(procedures=[one, one])["nodes_positive"] == 4
    unknown = flat(procedures=[{"kind": "node_dissection", "nodes_removed": 7}])
    assert unknown["nodes_removed"] == 7
    assert "nodes_positive" not in unknown


def test_last_status_and_longest_follow_up() -> None:
    visits = [{"months": 12}, {"months": 3, "status": "alive"}, {"months": 6, "status": "recurrence"}]
    fields = flat(follow_up=visits)
    assert (fields["status"], fields["follow_up_months"]) == ("recurrence", 12)


def test_every_field_has_a_known_name() -> None:
    fields = flat(
        patient={"age_years": 70, "sex": "male", "ecog": 1, "immune_suppression": {"state": "present"}},
        presentation={"primary_found": "absent", "setting": "skin", "site": {"region": "trunk"}},
        morphology={"architecture": ["nested"], "features": [{"feature": "amyloid", "state": "absent"}]},
        markers=[{"marker": "ck20", "state": "present", "pattern": "perinuclear_dot"}],
        molecular=[{"test": "MCPyV (PCR)", "state": "present"}],
        treatments=[{"kind": "radiotherapy", "dose_gy": 50}],
    )
    assert fields["molecular.mcpyv_pcr"] == "present"
    assert fields["pattern.ck20"] == ("perinuclear_dot",)
    known = {*NUMERIC, *NOMINAL, *SETS, *STATES, "pattern"}
    assert {name.split(".")[0] for name in fields} <= known


def test_slug() -> None:
    assert slug(" MCPyV (PCR), 2nd ") == "mcpyv_pcr_2nd"
