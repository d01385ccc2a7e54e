"""init, check and schema as a new user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

EXAMPLE = Path(__file__).parents[2] / "examples" / "thigh-mass" / "case.yaml"


def test_init_writes_a_template_that_check_accepts(run, tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    assert run("init", path).code == 0
    done = run("check", path)
    assert done.code == 0
    assert "valid" in done.out


def test_init_never_overwrites(run, tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    path.write_text("id: mine\n")
    done = run("init", path)
    assert done.code == 1
    assert "exists already" in done.err
    assert path.read_text() == "id: mine\n"


def test_check_flags_the_unit_of_cea(run) -> None:
    done = run("check", EXAMPLE, "--json")
    assert done.code == 0
    issues = json.loads(done.out)["issues"]
    assert any(i["path"] == "laboratory[2].unit" and "ng/mL" in i["message"] + i["remedy"] for i in issues)


def test_check_resolves_names_and_refuses_unknown_ones(run, tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    path.write_text("markers:\n  - {marker: CgA, state: present}\n  - {marker: CK21, state: present}\n")
    done = run("check", path)
    assert done.code == 1
    assert "line 3, markers[1].marker: unknown marker 'CK21'; did you mean" in done.err
    assert "Traceback" not in done.err


def test_schema_describes_the_example(run) -> None:
    schema = json.loads(run("schema").out)
    case = YAML(typ="safe", pure=True).load(EXAMPLE.read_text(encoding="utf-8"))
    case["markers"] = [{**m, "marker": m["marker"].lower()} for m in case["markers"]]
    jsonschema.Draft202012Validator(schema).validate(case)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({**case, "unknown": 1})


@pytest.mark.parametrize(
    "text",
    ["", "id: [", "markers: [{marker: ck20, state: positive}]", "a: &a [1]\nb: *a", "ki67: 65", "\x00"],
    ids=range(6),
)
def test_a_bad_case_is_one_sentence_on_standard_error(run_process, tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    done = run_process("check", path)
    assert done.code == 1
    assert done.out == ""
    assert "Traceback" not in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert str(path) in done.err


def test_wrong_usage_is_exit_2(run) -> None:
    assert run("check").code == 2
    assert run("no-such-command").code == 2


def test_help_and_version(run) -> None:
    shown = run("--help")
    assert shown.code == 0
    assert "workup" in shown.out
    assert "Research and education use only" in shown.out
    assert run("--version").out.startswith("kulchitsky ")
