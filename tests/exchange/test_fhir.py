"""FHIR R4: every bundle is valid, says what the case says, and gives the whole case back."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import WorkedUpCase
from kulchitsky.exchange.fhir import bundle, case_bundle, read_bundle

Resources = list[dict[str, Any]]


def resources(made: dict[str, Any], kind: str = "Observation") -> Resources:
    return [e["resource"] for e in made["entry"] if e["resource"]["resourceType"] == kind]


def named(made: dict[str, Any], text: str) -> dict[str, Any]:
    return next(r for r in resources(made) if text in r["code"].get("text", ""))


def by_code(made: dict[str, Any], code: str) -> Resources:
    return [r for r in resources(made) if any(c["code"] == code for c in r["code"].get("coding", ()))]


def test_worked_bundle_is_valid_r4(worked: WorkedUpCase) -> None:
    # fhir.resources models R5 by default; R4B (4.3.0) differs from R4 (4.0.1) in none of the resources used here
    made = json.loads(json.dumps(bundle(worked)))
    assert Bundle.model_validate(made).entry is not None


def test_bare_case_is_valid_too(bare_case: Case) -> None:
    made = json.loads(json.dumps(case_bundle(bare_case)))
    Bundle.model_validate(made)
    assert read_bundle(made, source="b.json") == bare_case


def test_whole_case_comes_back(worked: WorkedUpCase) -> None:
    assert read_bundle(json.loads(json.dumps(bundle(worked))), source="b.json") == worked.case


def test_every_reference_resolves(worked: WorkedUpCase) -> None:
    made = bundle(worked)
    known = {entry["fullUrl"] for entry in made["entry"]}
    assert len(known) == len(made["entry"])

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "reference" in node:
                assert node["reference"] in known
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(made["entry"])


def test_ids_are_stable_and_differ_between_cases(worked: WorkedUpCase) -> None:
    assert bundle(worked) == bundle(worked)
    other = case_bundle(worked.case.model_copy(update={"id": "other"}))
    ids = {e["resource"]["id"] for e in bundle(worked)["entry"]}
    assert ids.isdisjoint(e["resource"]["id"] for e in other["entry"])


def test_not_tested_is_not_negative(worked: WorkedUpCase) -> None:
    made = bundle(worked)
    virus = named(made, "mcpyv_lt")
    assert "valueCodeableConcept" not in virus
    assert virus["dataAbsentReason"]["coding"][0]["code"] == "not-performed"
    assert named(made, "TTF-1")["interpretation"][0]["coding"][0]["code"] == "NEG"
    assert named(made, "insm1")["interpretation"][0]["coding"][0]["code"] == "IND"


def test_ki67_keeps_bound_range_and_cells(worked: WorkedUpCase) -> None:
    first, bound, span, counted = by_code(bundle(worked), "29593-1")
    assert [c["valueInteger"] for c in first["component"]] == [1000, 620]
    assert bound["valueQuantity"]["comparator"] == "<="
    assert (span["valueRange"]["low"]["value"], span["valueRange"]["high"]["value"]) == (50, 70)
    assert counted["component"][2]["valueRange"]["low"]["value"] == 58.3


def test_stage_and_grade_say_undetermined(worked: WorkedUpCase) -> None:
    made = bundle(worked)
    group = by_code(made, "399390009")[0]
    assert group["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert "IIIA" in group["note"][0]["text"]
    assert group["method"]["coding"][0]["code"] == "897275008"
    assert by_code(made, "384625004")[0]["valueCodeableConcept"]["text"] == "T2"
    g3, unknown = by_code(made, "C18000")
    assert g3["valueCodeableConcept"]["coding"][0]["code"] == "1155707008"
    assert "dataAbsentReason" in unknown


@pytest.mark.parametrize(
    ("word", "reason"),
    [("undetermined", "unknown"), ("ungraded", "not-applicable"), ("not_staged", "not-applicable")],
)
def test_words_for_no_value_are_no_values(worked: WorkedUpCase, word: str, reason: str) -> None:
    graded = worked.grade[0].model_copy(update={"grade": word})
    staged = worked.stage.readings[0].model_copy(update={"stage": word})
    changed = worked.model_copy(
        update={"grade": (graded,), "stage": worked.stage.model_copy(update={"readings": (staged,)})}
    )
    made = bundle(changed)
    for found in (by_code(made, "C18000")[0], by_code(made, "399390009")[0]):
        assert "valueCodeableConcept" not in found
        assert found["dataAbsentReason"]["coding"][0]["code"] == reason
    Bundle.model_validate(json.loads(json.dumps(made)))


def test_no_evidence_of_disease_is_never_called_worse(worked: WorkedUpCase) -> None:
    trend = by_code(bundle(worked), "97509-4")
    assert len(trend) == 1
    assert trend[0]["valueCodeableConcept"]["text"] == "recurrence"


def test_radiotherapy_dose_reaches_the_bundle(worked: WorkedUpCase) -> None:
    made = bundle(worked)
    (course,) = [r for r in resources(made, "Procedure") if r.get("extension")]
    (extension,) = course["extension"]
    parts = {part["url"]: part for part in extension["extension"]}
    assert parts["totalDoseDelivered"]["valueQuantity"] == {
        "value": 5000.0,
        "unit": "cGy",
        "system": "http://unitsofmeasure.org",
        "code": "cGy",
    }
    assert course["category"]["coding"][0]["code"] == "108290001"
    assert "meta" not in course


def test_bundle_names_nobody(worked: WorkedUpCase) -> None:
    patient = resources(bundle(worked), "Patient")[0]
    assert set(patient) == {"resourceType", "id", "meta", "identifier", "name", "gender", "_birthDate"}
    assert patient["name"][0]["extension"][0]["valueCode"] == "masked"


def _drop_document(made: dict[str, Any]) -> None:
    made["entry"] = [e for e in made["entry"] if e["resource"]["resourceType"] != "DocumentReference"]


def _edit_gender(made: dict[str, Any]) -> None:
    resources(made, "Patient")[0]["gender"] = "male"


def _damage(made: dict[str, Any]) -> None:
    resources(made, "DocumentReference")[0]["content"][0]["attachment"]["data"] = "%%%"


def _not_a_case(made: dict[str, Any]) -> None:
    resources(made, "DocumentReference")[0]["content"][0]["attachment"]["data"] = "eyJhIjoxfQ=="


def _other_type(made: dict[str, Any]) -> None:
    made["resourceType"] = "Patient"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_drop_document, "carries no complete case"),
        (_edit_gender, "changed after the export"),
        (_damage, "the complete case is damaged"),
        (_not_a_case, "Extra inputs are not permitted"),
        (_other_type, "not a FHIR Bundle but Patient"),
    ],
)
def test_spoiled_bundles_are_refused(
    worked: WorkedUpCase, spoil: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    made = copy.deepcopy(bundle(worked))
    spoil(made)
    with pytest.raises(RefusedCase, match=sentence):
        read_bundle(made, source="b.json")
