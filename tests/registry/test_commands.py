"""The registry as it is used: commands in, files and sentences out."""

from __future__ import annotations

import csv
import datetime as dt
import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Differential, Plan, StageVerdict, Versions, WorkedUpCase
from kulchitsky.case.yaml_file import read_case, write_case
from kulchitsky.cli.main import main
from kulchitsky.knowledge.series import load_series, series_names
from kulchitsky.workup.registry_export import FORMATS
from kulchitsky.workup.registry_series import series_cases


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run ``kulchitsky registry ARGUMENTS`` on a registry and key file of this test's own."""
    monkeypatch.setenv("KULCHITSKY_REGISTRY", str(tmp_path / "home" / "registry.db"))
    monkeypatch.setenv("KULCHITSKY_KEY_FILE", str(tmp_path / "keys" / "pseudonyms.key"))
    monkeypatch.setenv("KULCHITSKY_USER", "Dr Test")

    def _run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["kulchitsky", "registry", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as left:
            code = int(left.code or 0)
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return _run


@pytest.fixture
def chart(tmp_path: Path, make_case: Callable[..., Case]) -> Path:
    path = tmp_path / "chart.yaml"
    case = make_case("H-2024-117", age=71, sex="female", ki67=60, markers={"ck20": "present", "ttf1": "absent"})
    write_case(case, path)
    return path


def added_key(run: Run, chart: Path) -> str:
    return str(run("add", chart, "--json").json["added"][0]["key"])


def test_own_id_stays_out_of_the_registry(run: Run, chart: Path, tmp_path: Path) -> None:
    key = added_key(run, chart)
    assert key.startswith("K-")
    assert b"H-2024-117" not in b"".join(f.read_bytes() for f in (tmp_path / "home").iterdir())
    assert (tmp_path / "keys" / "pseudonyms.key").stat().st_mode & 0o077 == 0
    assert run("show", "H-2024-117").out.startswith(key)
    assert "own id" not in run("show", key).out
    assert "own id: H-2024-117" in run("show", key, "--reveal").out
    again = run("add", chart)
    assert (again.code, again.out) == (1, "")
    assert f"{key} is already there" in again.err
    assert run("add", chart, "--keep-id").code == 0


def test_change_history_of_one_case(run: Run, chart: Path, tmp_path: Path) -> None:
    key = added_key(run, chart)
    copy = tmp_path / "copy.yaml"
    shown = run("show", key, "-o", copy)
    assert f"registry edit {key} {copy} --revision 1" in shown.err
    case = read_case(copy)
    write_case(case.model_copy(update={"patient": case.patient.model_copy(update={"age_years": 72})}), copy)
    assert run("edit", key, copy, "--revision", 1, "--note", "slip of the pen").out == f"{key} is at revision 2\n"
    stale = run("edit", key, copy, "--revision", 1)
    assert stale.code == 1
    assert "has moved on to revision 2" in stale.err
    assert run("sign", key).code == 0
    refused = run("edit", key, copy, "--revision", 3)
    assert "is signed off: edit is not possible; amend it with an addendum." in refused.err
    assert run("amend", key, "--text", "second opinion agrees").code == 0
    history = run("show", key, "--history").out
    for words in ("Dr Test add", "edit: slip of the pen", "patient.age_years: 71.0 -> 72.0", "sign off",
                  "addendum: second opinion agrees"):  # fmt: skip
        assert words in history
    assert run("show", key, "--revision", 1, "--json").json["stored"]["case"]["patient"]["age_years"] == 71
    assert run("remove", key, "--note", "consent withdrawn").code == 0
    assert run("list", "--json").json["total"] == 0
    assert "signed off" in run("restore", key).out


def test_list_by_condition(run: Run, chart: Path) -> None:
    key = added_key(run, chart)
    assert [r["key"] for r in run("list", "-w", "marker.ck20=present", "--json").json["rows"]] == [key]
    assert run("list", "-w", "ki67_percent<20", "--json").json["rows"] == []
    assert "1 of 1 cases" in run("list").out
    bad = run("list", "-w", "sexx=female")
    assert (bad.code, bad.out) == (1, "")
    assert "no field sexx; did you mean sex" in bad.err


def test_work_up_goes_in_with_its_case(run: Run, chart: Path, tmp_path: Path) -> None:
    case = read_case(chart)
    worked = WorkedUpCase(
        case=case,
        differential=Differential(edition="e", diagnoses=(), none_of_these=1),
        stage=StageVerdict(),
        plan=Plan(),
        versions=Versions(software="0.1", knowledge_edition="e", created=dt.datetime(2023, 7, 9, tzinfo=dt.UTC)),
    )
    (tmp_path / "worked.json").write_text(worked.model_dump_json())
    done = run("add", tmp_path / "worked.json", "--json").json["added"][0]
    assert done["with_verdict"] is True
    assert len(run("show", done["key"], "--json").json["verdicts"]) == 1
    (tmp_path / "broken.json").write_text(
        worked.model_dump_json().replace('"none_of_these":1.0', '"none_of_these":7')
    )
    broken = run("add", tmp_path / "broken.json")
    assert "differential.none_of_these" in broken.err
    (tmp_path / "not.json").write_text("{")
    assert run("add", tmp_path / "not.json").code == 1


def test_nothing_goes_in_when_one_file_is_bad(run: Run, chart: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("id: b\npatient: {age_years: 400}\n")
    assert run("add", chart, tmp_path / "bad.yaml").code == 1
    assert not (tmp_path / "home").exists()


def test_shipped_series_comes_in_with_its_sources(run: Run) -> None:
    done = run("import", "--series", "rare_site_net", "--json").json
    assert done["collection"] == "series:rare_site_net"
    assert done["cases"] == len(load_series("rare_site_net"))
    shown = run("show", "courville_2000").out
    assert "doi.org/10.1186/1477-7819-5-77" in shown
    survival = run("survival", "--json").json["survival"]
    assert survival["curves"][0]["events"] == 0
    assert survival["test"] is None
    assert "no event yet" in run("survival").out
    assert "no series x; choose from rare_site_net" in run("import", "--series", "x").err


def test_every_series_reads_and_names_its_source() -> None:
    for name in series_names():
        cases = series_cases(name)
        assert len({case.id for case in cases}) == len(cases)
        for row, case in zip(load_series(name), cases, strict=True):
            assert row.reference.url.startswith("https://")
            assert row.reference.url in case.notes
            assert row.reference.title
            assert row.reference.read
    with pytest.raises(KeyError):
        load_series("none")


@pytest.mark.parametrize("format", FORMATS)
def test_export_leaves_no_identifier_and_comes_back(run: Run, chart: Path, tmp_path: Path, format: str) -> None:
    case = read_case(chart)
    write_case(case.model_copy(update={"notes": "Mrs Jane Doe, born 3.4.1950"}), chart)
    key = added_key(run, chart)
    out = tmp_path / ("out.csv" if format == "csv" else "out.parquet" if format == "parquet" else "out")
    done = run("export", out, "--format", format, "--json")
    assert done.json["deidentified"] is True
    files = [out] if out.is_file() else [f for f in out.rglob("*") if f.is_file()]
    content = b"".join(f.read_bytes() for f in files)
    assert key.encode() in content
    assert b"Jane" not in content
    assert b"H-2024-117" not in content
    run("remove", key, "--note", "make room")
    # the exported case keeps its pseudonym, so in this registry it is known already
    assert f"{key} is already there" in run("import", out).err
    other = tmp_path / "other.db"
    assert run("import", out, "--registry", other).code == 0
    assert run("show", key, "--registry", other, "--json").json["stored"]["case"]["markers"][0]["marker"] == "ck20"


def test_complete_export_carries_everything(run: Run, chart: Path, tmp_path: Path) -> None:
    case = read_case(chart).model_copy(update={"notes": "Mrs Jane Doe"})
    write_case(case, chart)
    key = added_key(run, chart)
    assert "complete" in run("export", tmp_path / "all.csv", "--complete").out
    other = tmp_path / "other.db"
    run("import", tmp_path / "all.csv", "--registry", other)
    back = run("show", key, "--registry", other, "--json").json["stored"]["case"]
    assert Case.model_validate(back) == case.model_copy(update={"id": key})


def test_export_stops_before_writing_when_a_case_cannot_be_cleared(run: Run, chart: Path, tmp_path: Path) -> None:
    run("add", chart, "--keep-id")
    refused = run("export", tmp_path / "x.csv")
    assert refused.code == 1
    assert "the id H-2024-117 is no pseudonym" in refused.err
    assert not (tmp_path / "x.csv").exists()
    assert "no format pdf" in run("export", tmp_path / "x.csv", "--format", "pdf").err
    assert "no case to export" in run("export", tmp_path / "x.csv", "-w", "sex=male").err


def test_table_written_by_hand_comes_in(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "cohort.csv"
    table.write_text(
        "id,age_years,sex,marker.CK20,marker.TTF-1,ki67_percent,diagnosis,follow_up_months,status\n"
        "p1,70,female,+,-,60,MCC,14,dead_of_disease\n"
        "p2,66,male,neg,pos,80,SCLC,3,dead_of_disease\n"
        "p3,59,male,+,nd,40,MCC,30,alive\n"
        "p4,81,female,+,-,55,MCC,22,no_evidence_of_disease\n"
    )
    assert run("import", table).out == "4 cases from csv into local\n"
    result = run("survival", "--by", "marker.ck20", "--cox", "ki67_percent", "-o", tmp_path / "km.svg", "--json")
    groups = {c["group"]: c["cases"] for c in result.json["survival"]["curves"]}
    assert groups == {"absent": 1, "present": 3}
    assert result.json["cox"]["cases"] == 4
    assert (tmp_path / "km.svg").read_text().endswith("</svg>\n")
    printed = run("survival", "--by", "marker.ck20", "--cox", "ki67_percent").out
    assert "log-rank: chi-squared" in printed
    assert "fewer than 10 for each" in printed
    cohort = run("cohort-table", "age_years", "sex", "--by", "diagnosis").out
    assert "merkel_cell_carcinoma (n = 3)" in cohort
    assert run("cohort-table", "age_years", "--json").json["sizes"] == [4]
    bad = tmp_path / "bad.csv"
    bad.write_text(table.read_text().replace("marker.CK20", "marker.CK2000"))
    refused = run("import", bad)
    assert "line 2: unknown marker 'CK2000'" in refused.err


def test_similar_explains_itself(run: Run, chart: Path, tmp_path: Path) -> None:
    key = added_key(run, chart)
    (tmp_path / "two.csv").write_text(
        "id,age_years,sex,marker.ck20,marker.ttf1\nnear,70,female,present,absent\nfar,20,male,absent,present\n"
    )
    run("import", tmp_path / "two.csv", "--keep-id")
    found = run("similar", key, "--json").json["similar"]
    assert [item["key"] for item in found] == ["near", "far"]
    assert sum(t["share"] for t in found[1]["terms"]) == pytest.approx(found[1]["distance"])
    printed = run("similar", chart, "-k", 2, "-w", "sex=female").out
    assert f"1. {key}  distance 0.000, 100% known" in printed
    assert "2. near" in printed
    assert "unknown there: ki67_percent" in printed
    assert run("similar", key, "--weight", "marker=zwei").code == 2
    assert run("similar", "nobody").code == 1


def test_similar_among_published_cases_needs_no_registry(run: Run, chart: Path, tmp_path: Path) -> None:
    found = run("similar", chart, "--series", "rare_site_net", "-k", 3, "-w", "setting=skin", "--json").json[
        "similar"
    ]
    assert len(found) == 3
    assert {item["fields"]["setting"] for item in found} == {"skin"}
    assert all("https://" in item["source"] for item in found)
    assert not (tmp_path / "home").exists()
    key = added_key(run, chart)
    assert "Read: " in run("similar", key, "--series", "rare_site_net").out


@pytest.mark.parametrize(
    "command",
    [("list",), ("show", "a"), ("survival",), ("similar", "a"), ("verify",), ("sign", "a"), ("cohort-table",)],
)
def test_reading_makes_no_registry_of_a_typing_error(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    refused = run(*command, "--registry", tmp_path / "tpyo.db")
    assert (refused.code, refused.out) == (1, "")
    assert "there is no registry here yet; add or import a case to make one" in refused.err
    assert not (tmp_path / "tpyo.db").exists()


def test_verify_finds_an_altered_history(run: Run, chart: Path, tmp_path: Path) -> None:
    key = added_key(run, chart)
    assert run("verify").out.startswith("1 cases read, 0 with an altered history")
    with closing(sqlite3.connect(tmp_path / "home" / "registry.db")) as connection:
        connection.execute("DROP TRIGGER revision_no_update")
        connection.execute("UPDATE revision SET who = 'somebody else'")
        connection.commit()
    found = run("verify")
    assert found.code == 1
    assert f"{key}: its history no longer adds up" in found.out
    assert run("verify", "--json").json["broken"] == [key]


def test_import_wants_one_thing(run: Run, tmp_path: Path) -> None:
    assert "give a path, or --series NAME" in run("import").err
    (tmp_path / "empty").mkdir()
    assert "there is no case in it" in run("import", tmp_path / "empty").err
    (tmp_path / "x.json").write_text("[")
    assert "not JSON" in run("import", tmp_path / "x.json").err


def test_folder_of_case_files_comes_in(run: Run, chart: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    chart.rename(folder / "a.yaml")
    assert run("import", folder).out == "1 cases from case file into local\n"


def test_csv_export_opens_in_a_spreadsheet(run: Run, chart: Path, tmp_path: Path) -> None:
    key = added_key(run, chart)
    run("export", tmp_path / "x.csv")
    (row,) = csv.DictReader((tmp_path / "x.csv").read_text(encoding="utf-8").splitlines())
    assert (row["id"], row["age_years"], row["marker.ck20"], row["ki67_percent"]) == (key, "71", "present", "60")
