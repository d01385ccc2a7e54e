"""A table of attacks, each refused: traversal, size, wrong types, scripts in text and file names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from kulchitsky.web.routes.slides import safe_file_name
from kulchitsky.web.settings import Settings

TRAVERSALS = [
    "/static/../app.py",
    "/static/%2e%2e/app.py",
    "/static/..%2fapp.py",
    "/static/vendor/../../app.py",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/slides/../../etc/passwd",
    "/slides/..%2f..%2fetc%2fpasswd",
    "/slides/%2e%2e.json",
    "/slides/0123456789abcdeg",
    "/slides/0123456789abcde",
    "/slides/%00",
    "/cases/..%2f..%2fregistry.db",
    "/cases/%2e%2e/report/pdf",
    "/cases/thigh-mass/report/..%2f..%2fedits.db",
    "/cases/thigh-mass/report/etc",
    "/readings/..%2fof_case",
]


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leads_out(with_case: tuple[Any, str], path: str) -> None:
    client, _ = with_case
    answer = client.http.get(path)
    assert answer.status_code in (303, 404, 422), answer.status_code
    assert b"root:" not in answer.content
    assert b"def create_app" not in answer.content


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/cron.d/x.tif", "x.tif"),
        ("..\\..\\windows\\x.tif", "x.tif"),
        ("/etc/passwd", "passwd"),
        ("<img src=x onerror=alert(1)>.png", "_img_src_x_onerror_alert_1_.png"),
        ("a\x00b.png", "a_b.png"),
        ("\u202egnp.exe", "_gnp.exe"),
        ("....", "slide"),
        ("." * 300 + "a" * 300 + ".tif", "a" * 116 + ".tif"),
    ],
)
def test_file_names_are_made_harmless(name: str, kept: str) -> None:
    assert safe_file_name(name) == kept


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("slide.tif", b"", 422),
        ("slide.tif", b"not a slide at all", 422),
        ("slide.svs", b"II*\x00\xff\xff\xff\xff", 422),
        ("slide.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 64, 422),
        ("slide.exe", b"MZ", 422),
        ("page.html", b"<script>alert(1)</script>", 422),
        ("slide.svg", b"<svg onload='alert(1)'/>", 422),
        ("../../evil.tif", b"x" * 100, 422),
    ],
)
def test_uploads_that_are_no_slide_leave_nothing_behind(client: Any, name: str, content: bytes, status: int) -> None:
    answer = client.send("PUT", "/slides/upload", params={"name": name}, content=content)
    assert answer.status_code == status, answer.text
    uploads = client.bench.settings.data_dir / "uploads"
    assert not uploads.exists() or not any(uploads.iterdir())
    assert client.http.get("/slides.json").json()["slides"] == []


def test_an_upload_that_is_a_slide_is_shown(client: Any, slide_file: tuple[Path, Any]) -> None:
    path, _ = slide_file
    answer = client.send("PUT", "/slides/upload", params={"name": "<b>x</b>.tif"}, content=path.read_bytes())
    assert answer.status_code == 201
    slide = answer.json()
    assert slide["name"] == "b_.tif"
    tile = client.http.get(f"/slides/{slide['id']}/tiles/0/0/0")
    assert tile.headers["content-type"] == "image/jpeg"


def test_bodies_over_the_limit_are_refused(make_app: Any) -> None:
    app: FastAPI = make_app(max_body_bytes=5000, max_regions_bytes=7000, max_report_bytes=9000, max_slide_bytes=12000)
    http = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
    http.get("/login", params={"token": app.state.workbench.sessions.issue_one_time_token("Ada")})
    csrf = {"X-CSRF-Token": next(iter(app.state.workbench.sessions._sessions.values())).csrf_token}

    def chunks(n: int) -> Any:
        yield from (b"x" * 1000 for _ in range(n))

    assert http.post("/cases", data={"case_id": "x" * 6000}, headers=csrf).status_code == 413
    assert http.post("/readings", data={"text": "x" * 10000}, headers=csrf).status_code == 413
    assert http.put("/slides/upload?name=a.tif", content=b"x" * 13000, headers=csrf).status_code == 413
    regions = "/slides/0123456789abcdef/regions.geojson"
    assert http.post(regions, content=b"x" * 8000, headers=csrf).status_code == 413
    assert http.post(regions, content=chunks(8), headers=csrf).status_code == 413
    # no length declared: what arrives is counted
    assert http.put("/slides/upload?name=a.tif", content=chunks(13), headers=csrf).status_code == 413
    assert not any((app.state.workbench.settings.data_dir / "uploads").iterdir())
    lying = {**csrf, "Content-Length": "-1"}
    assert http.post("/cases", content=b"x", headers=lying).status_code == 413


WRONG_EDITS = [
    None,
    [],
    {},
    {"kind": "explode"},
    {"kind": "set"},
    {"kind": "set", "cells": [], "after": 1},
    {"kind": "set", "cells": ["1; DROP TABLE edit"], "after": 1},
    {"kind": "set", "cells": [-1], "after": 1},
    {"kind": "set", "cells": [10**12], "after": 1},
    {"kind": "set", "cells": [1, 1], "after": 1},
    {"kind": "set", "cells": [0], "after": 3},
    {"kind": "set", "cells": [0], "after": None},
    {"kind": "set", "cells": [0.5], "after": 1},
    {"kind": "add", "x_um": "here", "y_um": 1, "after": 1},
    {"kind": "add", "x_um": -5, "y_um": 1, "after": 1},
    {"kind": "add", "x_um": 1e300, "y_um": 1, "after": 1},
    {"kind": "draw_region", "role": "tumour", "polygon": []},
    {"kind": "draw_region", "role": "tumour", "polygon": [[0, 0], [1, 1]]},
    {"kind": "draw_region", "role": "tumour", "polygon": [[0, 0], [10, 10], [0, 10], [10, 0]]},
    {"kind": "draw_region", "role": "<script>", "polygon": [[0, 0], [10, 0], [10, 10]]},
    {"kind": "draw_region", "role": "tumour", "polygon": [[0, 0], [10, None], [10, 10]]},
    {"kind": "remove_region", "region": 99},
    {"kind": "undo"},
    {"kind": "redo"},
]


@pytest.mark.parametrize("body", WRONG_EDITS, ids=lambda b: json.dumps(b)[:60])
def test_wrong_edits_are_refused_and_not_logged(counted: tuple[Any, str], body: Any) -> None:
    client, slide_id = counted
    answer = client.send("POST", f"/slides/{slide_id}/edits", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]
    assert client.http.get(f"/slides/{slide_id}/edits.json").json()["lines"] == []


def test_not_a_number_is_no_coordinate(counted: tuple[Any, str]) -> None:
    client, slide_id = counted
    for value in ("NaN", "Infinity"):
        body = f'{{"kind": "add", "x_um": {value}, "y_um": 1, "after": 1}}'
        headers = {"Content-Type": "application/json"}
        answer = client.send("POST", f"/slides/{slide_id}/edits", content=body, headers=headers)
        assert answer.status_code == 422
        body = f'{{"kind": "draw_region", "role": "tumour", "polygon": [[0, 0], [{value}, 0], [9, 9]]}}'
        answer = client.send("POST", f"/slides/{slide_id}/edits", content=body, headers=headers)
        assert answer.status_code == 422


SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def test_scripts_in_a_case_stay_text(client: Any) -> None:
    client.send("POST", "/cases", data={"case_id": "odd"})
    form = {
        "revision": "1",
        "notes": SCRIPT,
        "presentation.site.text": SCRIPT,
        "comorbidities[0].name": SCRIPT,
        "working_diagnosis.text": SCRIPT,
        "claims[0].kind": "prognosis",
        "claims[0].text": SCRIPT,
    }
    assert client.send("POST", "/cases/odd", data=form).status_code == 303
    assert client.http.get("/cases/odd.json").json()["case"]["notes"] == SCRIPT
    for path in ["/cases", "/cases/odd", "/cases/odd/history", "/cases/odd/plan", "/cases/odd/report/html"]:
        page = client.http.get(path).text
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path


def test_scripts_in_a_report_stay_text(client: Any) -> None:
    text = f"A 60-year-old man. Chromogranin positive. {SCRIPT} Ki-67 is 12 %."
    made = client.send("POST", "/readings", data={"text": text})
    assert made.status_code == 303
    page = client.http.get(made.headers["location"]).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;" in page


def test_scripts_in_a_reader_s_name_stay_text(client: Any, another_reader: Any) -> None:
    other = another_reader(client, SCRIPT)
    assert "<script>alert" not in other.http.get("/slides").text


@pytest.mark.parametrize(
    "case_id", ["", " ", "a b", "../x", "a/b", "x" * 81, "new", "a.json", "..", "é", "a\nb", "<b>"]
)
def test_odd_case_ids_are_refused(client: Any, case_id: str) -> None:
    answer = client.send("POST", "/cases", data={"case_id": case_id})
    assert answer.status_code == 422
    assert client.http.get("/cases.json").json()["total"] == 0


def test_labels_and_macro_images_have_no_address(counted: tuple[Any, str]) -> None:
    client, _ = counted
    routes = [getattr(route, "path", "") for route in client.http.app.routes]
    assert not [path for path in routes if "label" in path or "macro" in path or "associated" in path]
    source = Path(__file__).parents[2] / "src" / "kulchitsky"
    reading = [*source.glob("web/**/*.py"), source / "workup" / "viewer_tiles.py", source / "slide" / "reader.py"]
    assert not [path for path in reading if ".associated_images" in path.read_text(encoding="utf-8")]


def test_pages_ask_nothing_of_other_machines() -> None:
    web = Path(__file__).parents[2] / "src" / "kulchitsky" / "web"
    for path in [*web.glob("templates/*.html"), *web.glob("static/*.js"), *web.glob("static/*.css")]:
        text = path.read_text(encoding="utf-8").replace("https://doi.org/", "")
        assert "https://" not in text, path
        assert "http://" not in text, path


def test_limits_are_those_of_the_settings() -> None:
    settings = Settings(data_dir=Path())
    assert settings.max_body_bytes < settings.max_report_bytes < settings.max_slide_bytes
