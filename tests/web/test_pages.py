"""Pages and their JSON: what a case comes to, what-if, corrections that move figures, readers blind to each other."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "thigh-mass"
CASE = "/cases/thigh-mass"
PAGES = ["", "/differential", "/grade", "/stage", "/plan", "/report", "/history"]


@pytest.mark.parametrize("page", PAGES)
def test_every_case_page_is_served_as_html_and_as_json(with_case: tuple[Any, str], page: str) -> None:
    client, _ = with_case
    html, data = client.http.get(CASE + page), client.http.get(f"{CASE}{page}.json")
    assert html.status_code == data.status_code == 200
    assert html.headers["content-type"].startswith("text/html")
    assert data.json()["id"] == "thigh-mass"


@pytest.mark.parametrize("path", ["/cases/nobody", "/cases/nobody/stage", "/slides/0123456789abcdef", "/nowhere"])
def test_what_is_not_there_is_said_in_both_forms(client: Any, path: str) -> None:
    page = client.http.get(path, headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "<h1>Not found</h1>" in page.text
    assert client.http.get(f"{path}.json").json()["error"]


def test_saving_keeps_a_revision_and_names_who(with_case: tuple[Any, str]) -> None:
    client, _ = with_case
    data = client.http.get(f"{CASE}.json").json()
    case = {**data["case"], "notes": "seen twice"}
    saved = client.send("PUT", f"{CASE}.json", params={"revision": 1}, json=case)
    assert saved.status_code == 200
    assert saved.json()["revision"] == 2
    stale = client.send("PUT", f"{CASE}.json", params={"revision": 1}, json={**case, "notes": "a third time"})
    assert stale.status_code == 422
    assert "moved on" in stale.json()["error"]
    newest = client.http.get(f"{CASE}/history.json").json()["changes"][0]
    assert newest["who"] == "Reader One"
    assert [f["path"] for f in newest["fields"]] == ["notes"]


def test_a_wrong_value_is_shown_beside_its_field_and_nothing_is_saved(with_case: tuple[Any, str]) -> None:
    client, _ = with_case
    answer = client.send(
        "POST", CASE, data={"revision": "1", "patient.age_years": "200", "notes": "kept on the page"}
    )
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert "kept on the page" in answer.text
    assert client.http.get(f"{CASE}.json").json()["revision"] == 1


def test_rows_are_added_and_removed_without_saving(with_case: tuple[Any, str]) -> None:
    client, _ = with_case
    form = {"revision": "1", "markers[0].marker": "ck20", "markers[0].state": "absent"}
    added = client.send("POST", CASE, data={**form, "_add": "markers"})
    assert added.status_code == 200
    assert 'name="markers[1].marker"' in added.text
    removed = client.send("POST", CASE, data={**form, "_remove": "markers[0]"})
    assert 'name="markers[0].marker"' not in removed.text
    assert client.http.get(f"{CASE}.json").json()["revision"] == 1


def test_a_signed_case_is_not_changed(with_case: tuple[Any, str]) -> None:
    client, _ = with_case
    assert client.send("POST", f"{CASE}/sign-off", data={"revision": "1"}).status_code == 303
    case = {**client.http.get(f"{CASE}.json").json()["case"], "notes": "too late"}
    assert client.send("PUT", f"{CASE}.json", params={"revision": 2}, json=case).status_code == 422


def test_what_if_moves_the_differential_and_records_nothing(with_case: tuple[Any, str]) -> None:
    client, _ = with_case
    now = client.http.get(f"{CASE}/differential.json").json()
    asked = client.http.get(f"{CASE}/differential.json", params={"set": ["ck20:absent", "ttf1:present"]}).json()
    before = {d["entity"]: d["posterior"] for d in now["differential"]["diagnoses"]}
    after = {d["entity"]: d["posterior"] for d in asked["differential"]["diagnoses"]}
    assert after["merkel_cell_carcinoma"] < before["merkel_cell_carcinoma"] / 2
    assert asked["before"] == before
    total = sum(after.values()) + asked["differential"]["none_of_these"]
    assert total == pytest.approx(1, abs=1e-6)
    assert client.http.get(f"{CASE}/differential.json").json()["differential"] == now["differential"]
    assert client.http.get(f"{CASE}.json").json()["revision"] == 1


@pytest.mark.parametrize("query", ["set=ck20", "set=ck20:maybe", "set=no_such_marker:absent", "diagnosis=no_such"])
def test_other_questions_are_refused(with_case: tuple[Any, str], query: str) -> None:
    client, _ = with_case
    assert client.http.get(f"{CASE}/differential.json?{query}").status_code == 422


@pytest.mark.parametrize(
    ("kind", "begins"), [("html", b"<!doctype html>"), ("pdf", b"%PDF-"), ("json", b"{"), ("fhir", b"{")]
)
def test_the_report_downloads_in_every_format(with_case: tuple[Any, str], kind: str, begins: bytes) -> None:
    client, _ = with_case
    answer = client.http.get(f"{CASE}/report/{kind}", params={"download": "true"})
    assert answer.status_code == 200
    assert answer.content.lower().lstrip().startswith(begins.lower())
    assert answer.headers["content-disposition"].startswith("attachment; filename=")


def test_prose_becomes_a_case_once_confirmed(client: Any) -> None:
    text = (EXAMPLE / "report.txt").read_text(encoding="utf-8")
    made = client.send("POST", "/readings", data={"text": text})
    reading = client.http.get(f"{made.headers['location']}.json").json()
    for fact in reading["facts"]:
        assert reading["text"][fact["start"] : fact["end"]] == fact["text"]
    age = next(i for i, f in enumerate(reading["facts"]) if f["path"] == "patient.age_years")
    keep = [str(i) for i in range(len(reading["facts"])) if i != age]
    form = {"case_id": "read-1", "keep": keep}
    answer = client.send("POST", made.headers["location"], data=form)
    assert answer.status_code == 303, answer.text
    case = client.http.get("/cases/read-1.json").json()["case"]
    assert case["patient"]["age_years"] is None
    assert {m["marker"] for m in case["markers"]} >= {"chromogranin_a", "cd56"}


def test_a_document_is_read_like_pasted_text(client: Any) -> None:
    upload = {"document": ("../report.txt", (EXAMPLE / "report.txt").read_bytes(), "text/plain")}
    made = client.send("POST", "/readings", files=upload, data={"text": ""})
    assert made.status_code == 303
    assert client.http.get(f"{made.headers['location']}.json").json()["source"] == "report.txt"
    assert client.send("POST", "/readings", data={"text": "  "}).status_code == 422
    wrong = {"document": ("a.exe", b"MZ", "application/octet-stream")}
    assert client.send("POST", "/readings", files=wrong).status_code == 422


def test_tiles_make_up_the_slide_and_no_others_exist(counted: tuple[Any, str]) -> None:
    client, slide_id = counted
    page = client.http.get(f"/slides/{slide_id}.json").json()
    assert (page["width_px"], page["height_px"], page["um_per_px"]) == (1600, 1200, 0.5)
    top = page["max_level"]
    assert client.http.get(f"/slides/{slide_id}/tiles/{top}/3/2").status_code == 200
    for place in (f"{top}/4/0", f"{top}/0/3", f"{top + 1}/0/0", "0/1/0"):
        assert client.http.get(f"/slides/{slide_id}/tiles/{place}").status_code == 404


def squares_of(client: Any, slide_id: str, review: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Ids and classes of every cell, as a viewer receives them."""
    ids, classes = [], []
    for row in range(review["square_rows"]):
        for column in range(review["square_columns"]):
            body = client.http.get(f"/slides/{slide_id}/cells/{column}/{row}").content
            (n,) = struct.unpack_from("<I", body)
            assert len(body) == 8 + 13 * n
            ids.append(np.frombuffer(body, "<u4", n, 8))
            classes.append(np.frombuffer(body, np.uint8, n, 8 + 12 * n))
    return np.concatenate(ids), np.concatenate(classes)


def test_a_flip_moves_index_interval_and_grade_at_once(with_case: tuple[Any, str]) -> None:
    client, slide_id = with_case
    client.bench.slides.assign(slide_id, case_id="thigh-mass", stain="ki67")
    review = client.http.get(f"/slides/{slide_id}/review.json").json()
    ids, classes = squares_of(client, slide_id, review)
    total = review["recount"]["total"]
    assert (int((classes < 2).sum()), int((classes == 1).sum())) == (total["counted"], total["positive"])
    negative = [int(i) for i in ids[classes == 0][:200]]
    changed = client.send(
        "POST", f"/slides/{slide_id}/edits", json={"kind": "set", "cells": negative, "after": 1}
    ).json()
    assert changed["recount"]["total"]["positive"] == total["positive"] + 200
    assert changed["recount"]["total"]["interval_95"][0] > total["interval_95"][0]
    assert changed["grades"]
    assert changed["recount"]["changed_cells"] == 200
    back = client.send("POST", f"/slides/{slide_id}/edits", json={"kind": "undo"}).json()
    assert back["recount"]["total"] == total
    assert client.http.get(f"/slides/{slide_id}/edits.json").json()["lines"][0]["reader"] == "Reader One"


def test_heat_tiles_add_up(counted: tuple[Any, str]) -> None:
    client, slide_id = counted
    review = client.http.get(f"/slides/{slide_id}/review.json").json()
    body = client.http.get(f"/slides/{slide_id}/heat/{review['heat_levels'] - 1}/0/0").content
    bins, _ = struct.unpack_from("<II", body)
    counts = np.frombuffer(body, "<u4", 2 * bins * bins, 8).reshape(2, -1).sum(axis=1)
    total = review["recount"]["total"]
    assert counts.tolist() == [total["counted"], total["positive"]]
    assert client.http.get(f"/slides/{slide_id}/heat/{review['heat_levels']}/0/0").status_code == 404


def test_the_case_uses_a_corrected_count_when_told_to(with_case: tuple[Any, str]) -> None:
    client, slide_id = with_case
    client.bench.slides.assign(slide_id, case_id="thigh-mass", stain="ki67")
    path = f"/slides/{slide_id}"
    ids, classes = squares_of(client, slide_id, client.http.get(f"{path}/review.json").json())
    positive = [int(i) for i in ids[classes == 1]]
    client.send("POST", f"{path}/edits", json={"kind": "set", "cells": positive, "after": 0})
    before = client.http.get(f"{CASE}/report.json").json()["worked"]["counts"]
    assert client.send("POST", f"{path}/use").json()["positive"] == 0
    after = client.http.get(f"{CASE}/report.json").json()["worked"]["counts"]
    assert before[0]["positive"] == len(positive)
    assert after[0]["positive"] == 0
    assert after[0]["method"]["corrected_by"] == "Reader One"


def test_readers_are_blind_until_both_have_finished(
    counted: tuple[Any, str], another_reader: Callable[[Any, str], Any]
) -> None:
    first, slide_id = counted
    second = another_reader(first, "Reader Two")
    path = f"/slides/{slide_id}"
    ids, classes = squares_of(first, slide_id, first.http.get(f"{path}/review.json").json())
    flip = [int(i) for i in ids[classes == 0][:7]]
    first.send("POST", f"{path}/edits", json={"kind": "set", "cells": flip, "after": 1})
    assert second.http.get(f"{path}/review.json").json()["recount"]["changed_cells"] == 0
    assert second.http.get(f"{path}/edits.json").json()["lines"] == []
    second.send("POST", f"{path}/edits", json={"kind": "set", "cells": flip[:4], "after": 1})
    for reader in (first, second):
        assert reader.http.get(f"{path}/agreement.json").status_code == 403
    first.send("POST", f"{path}/edits", json={"kind": "finish"})
    alone = first.http.get(f"{path}/agreement.json").json()
    assert alone["agreements"] == []
    assert "Reader Two" in alone["message"]
    second.send("POST", f"{path}/edits", json={"kind": "finish"})
    # what is changed after finishing does not enter the comparison
    second.send("POST", f"{path}/edits", json={"kind": "set", "cells": flip[4:], "after": 1})
    found = second.http.get(f"{path}/agreement.json").json()["agreements"]
    assert [(a["first"], a["second"], a["differing"]) for a in found] == [("Reader One", "Reader Two", 3)]


def test_corrections_outlive_the_server(counted: tuple[Any, str]) -> None:
    client, slide_id = counted
    review = client.http.get(f"/slides/{slide_id}/review.json").json()
    ids, classes = squares_of(client, slide_id, review)
    edit = {"kind": "set", "cells": [int(ids[classes == 0][0])], "after": 2}
    changed = client.send("POST", f"/slides/{slide_id}/edits", json=edit).json()
    client.bench.reviews.forget(slide_id)
    again = client.http.get(f"/slides/{slide_id}/review.json").json()
    assert again["recount"]["total"] == changed["recount"]["total"]
    assert again["recount"]["can_undo"] == 1


def test_a_count_runs_in_the_background_and_replaces_the_old_one(counted: tuple[Any, str]) -> None:
    client, slide_id = counted
    old = client.http.get(f"/slides/{slide_id}/review.json").json()["count"]
    assert client.send("POST", f"/slides/{slide_id}/count", json={"detector": "fast"}).status_code == 202
    events = client.http.get(f"/slides/{slide_id}/count/events").text
    assert events.rstrip().splitlines()[-2] == "event: done", events
    new = client.http.get(f"/slides/{slide_id}/review.json").json()["count"]
    assert new["method"]["detector"] == "fast"
    assert new["counted"] != old["counted"]
    assert abs(new["index_percent"] - old["index_percent"]) < 6
    assert client.http.get(f"/slides/{slide_id}/count.json").json()["state"] == "done"


def test_a_slide_without_a_scale_is_shown_but_not_counted(client: Any, tmp_path: Path) -> None:
    path = tmp_path / "tile.png"
    cv2.imwrite(str(path), np.full((300, 400, 3), 230, np.uint8))
    slide_id = client.bench.slides.add(path).id
    page = client.http.get(f"/slides/{slide_id}.json").json()
    assert page["um_per_px"] is None
    assert client.send("POST", f"/slides/{slide_id}/count", json={}).status_code == 422
    for wrong in (0, -1, 11, "x", None):
        answer = client.send("PUT", f"/slides/{slide_id}/scale", json={"um_per_px": wrong})
        assert answer.status_code == 422
    given = client.send("PUT", f"/slides/{slide_id}/scale", json={"um_per_px": 0.25}).json()
    assert given["um_per_px"] == 0.25
    client.send("POST", f"/slides/{slide_id}/count", json={"detector": "fast"})
    events = client.http.get(f"/slides/{slide_id}/count/events").text
    assert "event: failed" in events
    assert "no tissue" in events


def test_a_slide_of_another_stain_is_read_and_enters_the_report(client: Any) -> None:
    client.bench.take_in(EXAMPLE / "case.yaml")
    slide_id = next(s.id for s in client.bench.slides if s.name == "ae1_ae3.tif")
    assert client.http.get(f"/slides/{slide_id}/reading.json").status_code == 404
    client.send("POST", f"/slides/{slide_id}/count", json={"detector": "fast"})
    assert "event: done" in client.http.get(f"/slides/{slide_id}/count/events").text
    reading = client.http.get(f"/slides/{slide_id}/reading.json").json()
    assert reading["pattern"] == "perinuclear_dot"
    for number, status in [(0, 200), (2, 200), (3, 404)]:
        assert client.http.get(f"/slides/{slide_id}/pictures/{number}").status_code == status
    worked = client.http.get(f"{CASE}/report.json").json()["worked"]
    assert [r["slide"] for r in worked["readings"]] == ["ae1_ae3.tif"]
    assert len(worked["pictures"]) == 3
    assert [m["state"] for m in worked["case"]["markers"] if m["origin"] == "slide"] == ["present"]
    assert client.http.get(f"/slides/{slide_id}.json").json()["counted"]


def test_corrected_cells_leave_as_qupath_reads_them(counted: tuple[Any, str]) -> None:
    client, slide_id = counted
    path = f"/slides/{slide_id}"
    ids, classes = squares_of(client, slide_id, client.http.get(f"{path}/review.json").json())
    flip, drop = int(ids[classes == 0][0]), int(ids[classes == 1][0])
    client.send("POST", f"{path}/edits", json={"kind": "set", "cells": [flip], "after": 1})
    client.send("POST", f"{path}/edits", json={"kind": "set", "cells": [drop], "after": 2})
    client.send("POST", f"{path}/edits", json={"kind": "add", "x_um": 100, "y_um": 50, "after": 0})
    answer = client.http.get(f"{path}/cells.geojson.gz")
    found = json.loads(gzip.decompress(answer.content))
    assert found["type"] == "FeatureCollection"
    assert len(found["features"]) == len(ids) + 1
    names = [f["properties"]["classification"]["name"] for f in found["features"]]
    total = client.http.get(f"{path}/review.json").json()["recount"]["total"]
    assert names.count("Positive") == total["positive"]
    assert names.count("Negative") == total["counted"] - total["positive"]
    corrected = [f for f in found["features"] if "corrected by" in f["properties"].get("metadata", {})]
    assert len(corrected) == 3
    added = np.asarray(found["features"][-1]["geometry"]["coordinates"][0])
    assert np.allclose(added[:-1].mean(axis=0), [200, 100], atol=0.1)
    assert {f["properties"]["objectType"] for f in found["features"]} == {"detection"}
