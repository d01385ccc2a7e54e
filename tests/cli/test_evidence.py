"""evidence: table, rows, coverage and JSON as a user meets them."""

from __future__ import annotations

import json


def test_rows_of_one_cell_name_their_sources(run) -> None:
    done = run("evidence", "CK20", "MCC")
    assert done.code == 0
    assert "CK20 in MCC" in done.out
    assert "https://" in done.out


def test_json_is_one_object(run) -> None:
    done = run("evidence", "neurofilament", "SCLC", "--json")
    found = json.loads(done.out)
    assert done.code == 0
    assert found["cells"][0]["marker"] == "neurofilament"
    assert found["references"]


def test_coverage_states_the_share_filled(run) -> None:
    done = run("evidence", "--coverage")
    assert done.code == 0
    assert "cells that matter" in done.out
    found = json.loads(run("evidence", "--coverage", "--json").out)
    assert found["core_with_counts"] + found["core_with_share"] <= found["core_cells"]


def test_a_diagnosis_shows_its_clinical_rows(run) -> None:
    done = run("evidence", "MCC")
    assert done.code == 0
    assert "age_years" in done.out


def test_an_unknown_word_is_refused_in_one_sentence(run) -> None:
    done = run("evidence", "zzz")
    assert done.code == 1
    assert done.err.count("\n") == 1
