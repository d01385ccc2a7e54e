"""The probability of each grade that the viewer shows is the one that the case's report states."""

from __future__ import annotations

from typing import Any

import pytest

from kulchitsky.case.record import Case

CASES = {
    "a primary of the small bowel": {
        "presentation": {"site": {"text": "small bowel"}},
        "markers": [{"marker": "cdx2", "state": "present"}, {"marker": "chromogranin_a", "state": "present"}],
    },
    "a lung tumour": {
        "presentation": {"site": {"text": "lung"}},
        "markers": [{"marker": "ttf1", "state": "present"}, {"marker": "synaptophysin", "state": "present"}],
    },
    "a stated diagnosis": {"working_diagnosis": {"entity": "merkel_cell_carcinoma"}},
    "another index in the report": {
        "working_diagnosis": {"entity": "net_pancreas"},
        "ki67": [{"percent": 2.0, "counted": 400, "positive": 8, "origin": "report"}],
    },
}


def now_and_reported(client: Any, slide_id: str, case_id: str) -> tuple[list[Any], list[Any]]:
    """The viewer's grades, then the report's after the count as it stands was chosen for the case."""
    shown = client.http.get(f"/slides/{slide_id}/review.json").json()["grades"]
    assert client.send("POST", f"/slides/{slide_id}/use").status_code == 200
    worked = client.http.get(f"/cases/{case_id}/report.json").json()["worked"]
    reported = [{key: verdict[key] for key in ("system", "grade", "probabilities")} for verdict in worked["grade"]]
    return shown, reported


@pytest.mark.parametrize("name", CASES)
def test_the_viewer_shows_the_grades_of_the_report(counted: tuple[Any, str], name: str) -> None:
    client, slide_id = counted
    case = Case.model_validate({"id": "other", **CASES[name]})
    client.bench.cases.add(case, "Reader One", note="")
    client.bench.slides.assign(slide_id, case_id="other", stain="ki67")
    shown, reported = now_and_reported(client, slide_id, "other")
    assert shown
    assert shown == reported


def test_a_correction_moves_the_grades_of_viewer_and_report_alike(with_case: tuple[Any, str]) -> None:
    client, slide_id = with_case
    client.bench.slides.assign(slide_id, case_id="thigh-mass", stain="ki67")
    review = client.bench.reviews.open(slide_id, "Reader One").review
    positive = [int(cell) for cell in range(review.size) if review.klass_of(cell) == 1]
    before = now_and_reported(client, slide_id, "thigh-mass")
    changed = client.send(
        "POST", f"/slides/{slide_id}/edits", json={"kind": "set", "cells": positive[5:], "after": 0}
    ).json()
    after = now_and_reported(client, slide_id, "thigh-mass")
    assert before[0] == before[1]
    assert after[0] == after[1] == changed["grades"]
    assert before[0] != after[0]


def test_the_entity_decides_which_system_grades(counted: tuple[Any, str]) -> None:
    client, slide_id = counted
    systems = []
    for entity, marker in (("medullary_thyroid_carcinoma", "calcitonin"), ("net_midgut", "cdx2")):
        case_id = entity.replace("_", "-")
        stain = {"marker": marker, "state": "present"}
        case = Case.model_validate({"id": case_id, "working_diagnosis": {"entity": entity}, "markers": [stain]})
        client.bench.cases.add(case, "Reader One", note="")
        client.bench.slides.assign(slide_id, case_id=case_id, stain="ki67")
        systems.append([g["system"] for g in client.http.get(f"/slides/{slide_id}/review.json").json()["grades"]])
    assert systems[0] != systems[1]


def test_a_slide_without_a_case_is_graded_without_a_diagnosis(counted: tuple[Any, str]) -> None:
    client, slide_id = counted
    grades = client.http.get(f"/slides/{slide_id}/review.json").json()["grades"]
    assert grades
    assert sum(grades[0]["probabilities"].values()) == pytest.approx(1, abs=1e-6)
