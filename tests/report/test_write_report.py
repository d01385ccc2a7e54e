"""The files of a report."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kulchitsky.case.errors import RefusedInput
from kulchitsky.case.verdict import SlidePicture, WorkedUpCase
from kulchitsky.report.files import write_whole
from kulchitsky.workup.report_pictures import HEAVY_BYTES, LONGEST_PX, report_pictures
from kulchitsky.workup.write_report import write_report


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


def test_the_calendar_holds_the_visits_of_the_leading_diagnosis(tmp_path: Path, worked: WorkedUpCase) -> None:
    assert "ics" not in write_report(worked, tmp_path, formats=("ics",)), "no visit has a date"
    leading, other = (worked.differential.diagnoses[i].entity for i in (0, 1))
    first, second, third, _ = (v.model_copy(update={"date": dt.date(2027, 1, 4)}) for v in worked.plan.follow_up)
    visits = (
        first,
        second.model_copy(update={"entity": leading, "what": "scan"}),
        third.model_copy(update={"entity": other, "what": "nothing for this one"}),
    )
    plan = worked.plan.model_copy(update={"follow_up": visits})
    files = write_report(worked.model_copy(update={"plan": plan}), tmp_path, formats=("ics",))
    content = files["ics"].read_text(encoding="utf-8")
    assert content.count("BEGIN:VEVENT") == 2
    assert "scan" in content
    assert "nothing for this one" not in content


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
    assert report_pictures(worked.model_copy(update={"pictures": pictures}), base) == {"own.png": picture}


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


def test_a_heavy_picture_travels_as_jpeg_and_looks_the_same(tmp_path: Path, worked: WorkedUpCase) -> None:
    rng = np.random.default_rng(1)
    coarse = Image.fromarray(rng.integers(60, 250, (60, 80, 3), dtype=np.uint8))
    image = coarse.resize((1760, 1320), Image.Resampling.BICUBIC)
    image.save(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > HEAVY_BYTES
    record = worked.model_copy(update={"pictures": (SlidePicture(slide="s", path="a.png", caption="c"),)})
    data = report_pictures(record, tmp_path)["a.png"]
    assert data.startswith(b"\xff\xd8\xff")
    assert len(data) < (tmp_path / "a.png").stat().st_size / 3
    with Image.open(io.BytesIO(data)) as light:
        assert max(light.size) == LONGEST_PX
        expected = image.resize(light.size, Image.Resampling.LANCZOS)
        difference = np.abs(np.asarray(light, dtype=float) - np.asarray(expected, dtype=float))
    assert difference.mean() < 2


def test_a_heavy_file_that_is_no_picture_is_passed_on(tmp_path: Path, worked: WorkedUpCase) -> None:
    (tmp_path / "a.png").write_bytes(b"x" * (HEAVY_BYTES + 1))
    record = worked.model_copy(update={"pictures": (SlidePicture(slide="s", path="a.png", caption="c"),)})
    files = write_report(record, tmp_path, formats=("html", "pdf"))
    assert "The picture was not supplied" in files["html"].read_text(encoding="utf-8")
