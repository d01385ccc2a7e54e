"""``kulchitsky read``: the JSON contract, the case file, and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kulchitsky.case.errors import RefusedReport
from kulchitsky.case.yaml_file import read_case
from kulchitsky.cli.main import app

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "thigh-mass" / "report.txt"


def test_json_is_one_object_with_spans() -> None:
    result = CliRunner().invoke(app, ["read", str(EXAMPLE), "--json"])
    assert result.exit_code == 0
    reading = json.loads(result.stdout)
    assert set(reading) == {"case", "facts", "not_understood", "issues"}
    text = EXAMPLE.read_text(encoding="utf-8")
    assert all(text[f["start"] : f["end"]] == f["text"] for f in reading["facts"])
    assert {m["marker"]: m["state"] for m in reading["case"]["markers"]}["pan_cytokeratin"] == "present"


def test_case_file_is_written_and_read_back(tmp_path: Path) -> None:
    target = tmp_path / "case.yaml"
    result = CliRunner().invoke(app, ["read", str(EXAMPLE), "-o", str(target)])
    assert result.exit_code == 0
    assert "case written to" in result.stdout
    case = read_case(target)
    assert case.patient.age_years == 77
    assert len(case.markers) == 4


def test_missing_report(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["read", str(tmp_path / "none.txt")])
    assert result.exit_code == 1
    assert isinstance(result.exception, RefusedReport)


@pytest.mark.parametrize("name", ["report.svs", "report"])
def test_unknown_kind(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"CK20 positive")
    result = CliRunner().invoke(app, ["read", str(tmp_path / name)])
    assert isinstance(result.exception, RefusedReport)
