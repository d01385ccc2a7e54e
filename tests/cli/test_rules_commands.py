"""grade, stage and plan as a user meets them: text, one JSON object, refusals in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

THIGH_MASS = Path(__file__).resolve().parents[2] / "examples" / "thigh-mass" / "case.yaml"
CONTRACT = {"system", "edition", "grade", "probabilities", "basis", "would_change", "issues"}


def test_grade_json_keeps_the_contract(run) -> None:
    done = run("grade", THIGH_MASS, "--json")
    assert done.code == 0
    verdict = json.loads(done.out)
    assert set(verdict) >= CONTRACT
    assert verdict["grade"] == "ungraded"
    assert verdict["other_systems"][0]["grade"] == "undetermined"


def test_grade_says_why_and_what_would_settle_it(run) -> None:
    done = run("grade", THIGH_MASS, "--diagnosis", "nec_extrapulmonary")
    assert done.code == 0
    assert "NET G3 against NEC" in done.out
    assert "[KIM20]" in done.out
    assert "Would help to settle it: p53 stain." in done.out


def test_stage_json_holds_every_reading(run) -> None:
    done = run("stage", THIGH_MASS, "--diagnosis", "Merkel cell carcinoma", "--json")
    assert done.code == 0
    verdict = json.loads(done.out)
    assert {r["scheme"] for r in verdict["readings"]} == {"merkel_uicc9", "merkel_ajcc8"}
    assert {r["stage"] for r in verdict["readings"]} == {"IIIB"}
    assert ["IIIB", "IV"] in [r["possible"] for r in verdict["readings"]]


def test_stage_names_what_is_missing(run) -> None:
    done = run("stage", THIGH_MASS)
    assert done.code == 0
    assert "missing: microscopy of the distant nodes" in done.out
    assert "not_staged" in done.out


def test_plan_dates_the_follow_up_and_keeps_its_sources(run) -> None:
    done = run("plan", THIGH_MASS, "--diagnosis", "merkel_cell_carcinoma", "--today", "2026-11-24", "--json")
    assert done.code == 0
    planned = json.loads(done.out)
    assert planned["follow_up"][0]["date"] == "2027-02-24"
    assert {o["entity"] for o in planned["options"]} == {"merkel_cell_carcinoma"}
    assert all(figure["sources"] for figure in planned["prognosis"]["figures"])


def test_plan_takes_a_pre_test_probability(run) -> None:
    done = run("plan", THIGH_MASS, "--diagnosis", "merkel_cell_carcinoma", "--pre-test", 50, "--json")
    pet = next(t for t in json.loads(done.out)["tests"] if t["test"] == "FDG PET/CT")
    assert pet["pre_test"] == 0.5
    assert pet["post_test_if_positive"] > 0.9


@pytest.mark.parametrize("command", ["grade", "stage", "plan"])
def test_an_unknown_diagnosis_is_refused_in_one_sentence(run, command: str) -> None:
    done = run(command, THIGH_MASS, "--diagnosis", "dragon pox")
    assert done.code == 1
    assert done.out == ""
    assert "'dragon pox' is not a known entity" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", ["grade", "stage", "plan"])
def test_a_missing_file_is_refused(run, tmp_path: Path, command: str) -> None:
    done = run(command, tmp_path / "nowhere.yaml")
    assert done.code == 1
    assert "nowhere.yaml" in done.err
    assert "Traceback" not in done.err


def test_plan_writes_a_calendar_or_says_why_not(run, tmp_path: Path) -> None:
    path = tmp_path / "follow-up.ics"
    undated = run("plan", THIGH_MASS, "--diagnosis", "merkel_cell_carcinoma", "--ics", path)
    assert undated.code == 1
    assert "give --today" in undated.err
    assert not path.exists()
    done = run("plan", THIGH_MASS, "--diagnosis", "merkel_cell_carcinoma", "--today", "2026-11-24", "--ics", path)
    assert done.code == 0
    text = path.read_text(encoding="utf-8")
    assert text.startswith("BEGIN:VCALENDAR")
    assert "DTSTART;VALUE=DATE:20270224" in text
    refused = run(
        "plan",
        THIGH_MASS,
        "--diagnosis",
        "merkel_cell_carcinoma",
        "--today",
        "2026-11-24",
        "--ics",
        tmp_path / "no" / "x",
    )
    assert refused.code == 1
    assert "Traceback" not in refused.err
