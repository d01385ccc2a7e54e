"""``differential``, ``next`` and ``challenge`` as a user meets them: contract of the JSON, tables, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

CASE = Path(__file__).parents[2] / "examples" / "thigh-mass" / "case.yaml"


def test_differential_json_is_the_contract(run) -> None:
    done = run("differential", CASE, "--json", "--draws", 200)
    found = json.loads(done.out)
    assert done.code == 0
    assert set(found) == {"edition", "diagnoses", "none_of_these", "weights", "next_tests", "issues"}
    assert set(found["diagnoses"][0]) >= {"entity", "name", "prior", "posterior", "interval_95"}
    assert set(found["weights"][0]) >= {
        "finding",
        "entity",
        "log10_lr",
        "interval_95",
        "group",
        "sentence",
        "sources",
    }
    assert set(found["next_tests"][0]) >= {"markers", "expected_bits", "separates", "p_change_top"}
    posteriors = [d["posterior"] for d in found["diagnoses"]]
    assert sum(posteriors) + found["none_of_these"] == pytest.approx(1)
    assert posteriors == sorted(posteriors, reverse=True)


def test_differential_shows_bars_for_and_against(run) -> None:
    done = run("differential", CASE, "--draws", 100, "--top", 3)
    assert done.code == 0
    assert "Merkel cell carcinoma" in done.out
    assert "none of these" in done.out
    assert "█" in done.out
    assert "studies" in done.out


def test_next_json_and_table(run) -> None:
    found = json.loads(run("next", CASE, "-k", 2, "--json").out)
    sizes = [len(t["markers"]) for t in found["next_tests"]]
    assert sizes == [1, 1, 1, 1, 1, 2]
    assert {m for t in found["next_tests"][:3] for m in t["markers"]} & {"ck20", "ttf1", "neurofilament"}
    assert "bits" in run("next", CASE).out


def test_next_refuses_more_than_six(run) -> None:
    assert run("next", CASE, "-k", 9).code == 2


def test_challenge_lists_contradictions_with_sources(run) -> None:
    found = json.loads(run("challenge", CASE, "--diagnosis", "cutaneous carcinoid", "--json").out)
    assert found["diagnosis"] == "primary_cutaneous_net"
    kinds = {c["kind"] for c in found["contradictions"]}
    assert kinds == {"improbable_finding", "missing_test"}
    text = run("challenge", CASE, "--diagnosis", "primary_cutaneous_net").out
    assert "Ki-67 65 %" in text
    assert "CK20 not done" in text
    assert "[" in text


def test_unknown_diagnosis_is_refused_in_one_sentence(run) -> None:
    done = run("challenge", CASE, "--diagnosis", "zzz")
    assert done.code == 1
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert "'zzz' is no diagnosis of the list" in done.err


def test_missing_file_is_refused(run, tmp_path: Path) -> None:
    for command in ("differential", "next", "challenge"):
        done = run(command, tmp_path / "none.yaml")
        assert done.code == 1
        assert "Traceback" not in done.err
