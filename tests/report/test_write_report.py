"""The files of a report."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kulchitsky.case.errors import RefusedInput
from kulchitsky.case.verdict import SlidePicture, WorkedUpCase
from kulchitsky.report.files import write_whole
from kulchitsky.workup.write_report import read_pictures, write_report


def test_writes_what_was_asked_for_and_nothing_else(tmp_path: Path, worked: WorkedUpCase, picture: bytes) -> None:
    (tmp_path / "ki67-hot-spot.png").write_bytes(picture)
    files = write_report(worked, tmp_path, formats=("json", "html"))
    assert files == {"json": tmp_path / "report.json", "html": tmp_path / "report.html"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ki67-hot-spot.png", "report.html", "report.json"]
    assert "data:image/png;base64" in files["html"].read_text(encoding="utf-8")


def test_the_json_is_the_case_itself(tmp_path: Path, worked: WorkedUpCase) -> None:
    files = write_report(worked, tmp_path, formats=("json",))
    assert WorkedUpCase.model_validate_json(files["json"].read_bytes()) == worked


def test_the_fhir_bundle_is_written(tmp_path: Path, worked: WorkedUpCase) -> None:
    files = write_report(worked, tmp_path, formats=("fhir",))
    assert json.loads(files["fhir"].read_bytes())["resourceType"] == "Bundle"


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path, worked: WorkedUpCase) -> None:
    with pytest.raises(RefusedInput, match=r"'docx' is not a format of the report; choose among html, json"):
        write_report(worked, tmp_path / "out", formats=("html", "docx"))
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, worked: WorkedUpCase) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(RefusedInput, match=r"the report cannot be written \(.*\); name a folder that can be written"):
        write_report(worked, blocked / "out", formats=("json",))


def test_pictures_outside_the_folder_are_not_read(tmp_path: Path, worked: WorkedUpCase, picture: bytes) -> None:
    base = tmp_path / "out"
    base.mkdir()
    (tmp_path / "secret.png").write_bytes(picture)
    (base / "own.png").write_bytes(picture)
    (base / "link.png").symlink_to(tmp_path / "secret.png")
    names = ("../secret.png", str(tmp_path / "secret.png"), "link.png", "own.png", "absent.png")
    pictures = tuple(SlidePicture(slide="s", path=name, caption="c") for name in names)
    assert read_pictures(worked.model_copy(update={"pictures": pictures}), base) == {"own.png": picture}


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_whole(tmp_path / "a.txt", b"old")

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
