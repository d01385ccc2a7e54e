"""Scripts and styles: kept by the browser for good under an address that changes with them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kulchitsky.web.assets import DIRECTORY, Assets, assets


def test_pages_name_files_that_may_be_kept_for_good(counted: tuple[Any, str]) -> None:
    client, slide_id = counted
    page = client.http.get(f"/slides/{slide_id}").text
    paths = re.findall(r'(?:href|src)="(/static/[^"#]+)', page)
    assert len(paths) > 15
    for path in paths:
        answer = client.http.get(path)
        assert answer.status_code == 200, path
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_viewer_page_names_every_script_that_the_viewer_imports() -> None:
    modules = set(assets().modules("viewer.js"))
    for name in modules:
        imported = set(re.findall(r'from "\./([\w.]+)"', (DIRECTORY / name).read_text(encoding="utf-8")))
        assert imported <= modules, name
    assert {"viewer.js", "api.js", "overlay.js", "cells.js"} <= modules


def test_a_changed_file_changes_every_address(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1")
    before = Assets(tmp_path).digest
    (tmp_path / "a.js").write_text("2")
    assert Assets(tmp_path).digest != before


def test_without_the_version_a_file_is_asked_for_again(client: Any) -> None:
    answer = client.http.get("/static/viewer.js")
    assert answer.headers["cache-control"] == "no-cache"
    again = client.http.get("/static/viewer.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["", "nothing.js", "vendor", "vendor/", "/viewer.js/", "0" * 16 + "/viewer.js"])
def test_nothing_but_the_files_is_served(client: Any, name: str) -> None:
    assert client.http.get(f"/static/{name}").status_code == 404
    assert client.http.post("/static/viewer.js").status_code == 405
