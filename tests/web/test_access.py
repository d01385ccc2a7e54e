"""Who gets in, and what a page that did not come from here cannot do."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from kulchitsky.case.errors import RefusedInput
from kulchitsky.web.server import check_exposure
from kulchitsky.web.settings import Settings

GROUP_TOKEN = "a-long-shared-token"


def plain(app: FastAPI) -> TestClient:
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


def test_nothing_but_login_and_static_files_is_open(make_app: Callable[..., FastAPI]) -> None:
    app = make_app()
    http = plain(app)
    for route in app.routes:
        path = getattr(route, "path", "")
        for method in getattr(route, "methods", None) or ():
            if path in ("/login",) or path.startswith("/static"):
                continue
            filled = (
                path.replace("{slide_id}", "0" * 16)
                .replace("{reading_id}", "0" * 16)
                .replace("{case_id}", "x")
                .replace("{format}", "pdf")
            )
            for name in ("level", "column", "row"):
                filled = filled.replace(f"{{{name}}}", "0")
            answer = http.request(method, filled)
            assert answer.status_code == 401, (method, path, answer.status_code)


def test_a_one_time_token_works_once(make_app: Callable[..., FastAPI]) -> None:
    app = make_app()
    token = app.state.workbench.sessions.issue_one_time_token("Reader One")
    first, second = plain(app), plain(app)
    answer = first.get("/login", params={"token": token})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert first.get("/slides").status_code == 200
    assert second.get("/login", params={"token": token}).status_code == 403
    assert second.get("/slides").status_code == 401


def test_a_group_token_needs_a_name_and_may_be_used_again(make_app: Callable[..., FastAPI]) -> None:
    app = make_app(access_token=GROUP_TOKEN)
    for name, token, status in [
        ("Ada", GROUP_TOKEN, 200),
        ("Ben", GROUP_TOKEN, 200),
        ("", GROUP_TOKEN, 403),
        ("\u200b \t", GROUP_TOKEN, 403),
        ("Eve", "guess", 403),
        ("Eve", "", 422),
    ]:
        assert plain(app).post("/login", data={"reader": name, "token": token}).status_code == status, (name, token)


def test_signing_out_ends_the_session(client: Any) -> None:
    assert client.http.post("/logout", data={"csrf_token": client.csrf}).status_code == 303
    assert client.http.get("/slides").status_code == 401


def test_sessions_expire(make_app: Callable[..., FastAPI]) -> None:
    app = make_app(session_hours=-1)
    http = plain(app)
    http.get("/login", params={"token": app.state.workbench.sessions.issue_one_time_token("Ada")})
    assert http.get("/slides").status_code == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "workbench.example"])
def test_a_port_that_others_reach_needs_a_token(host: str) -> None:
    with pytest.raises(RefusedInput, match="can be reached from other machines"):
        check_exposure(Settings(data_dir=Path(), host=host))
    with pytest.raises(RefusedInput, match="at least 16 characters"):
        check_exposure(Settings(data_dir=Path(), host=host, access_token="short"))
    check_exposure(Settings(data_dir=Path(), host=host, access_token=GROUP_TOKEN))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_none(host: str) -> None:
    check_exposure(Settings(data_dir=Path(), host=host))


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:80"])
def test_other_host_names_are_refused(client: Any, host: str) -> None:
    assert client.http.get("/slides", headers={"Host": host}).status_code == 421


def test_the_names_of_the_server_are_its_own_and_those_given(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, host="0.0.0.0", extra_hosts=("Bench.Example",))
    assert {"127.0.0.1", "bench.example", socket.gethostname().lower()} <= settings.allowed_hosts
    assert "0.0.0.0" not in settings.allowed_hosts
    assert "10.1.2.3" in Settings(data_dir=tmp_path, host="10.1.2.3").allowed_hosts
    assert "[fd00::1]" in Settings(data_dir=tmp_path, host="fd00::1").allowed_hosts


CHANGES = [
    ("POST", "/logout", {}),
    ("POST", "/readers?reader=Eve", {}),
    ("POST", "/cases", {"data": {"case_id": "stolen"}}),
    ("POST", "/cases/thigh-mass", {"data": {"notes": "changed"}}),
    ("POST", "/readings", {"data": {"text": "a report"}}),
    ("PUT", "/slides/upload?name=a.png", {"content": b"x"}),
    ("PUT", "/cases/thigh-mass.json?revision=1", {"json": {"id": "thigh-mass"}}),
    ("POST", "/slides/0000000000000000/edits", {"json": {"kind": "undo"}}),
    ("POST", "/slides/0000000000000000/count", {"json": {}}),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_a_change_needs_the_token_of_its_session(client: Any, method: str, path: str, body: dict[str, Any]) -> None:
    for headers in ({}, {"X-CSRF-Token": "guess"}, {"X-CSRF-Token": ""}):
        assert client.http.request(method, path, headers=headers, **body).status_code == 403, headers
    foreign = {"X-CSRF-Token": client.csrf, "Origin": "http://evil.example"}
    assert client.http.request(method, path, headers=foreign, **body).status_code == 403
    null = {"X-CSRF-Token": client.csrf, "Origin": "null"}
    assert client.http.request(method, path, headers=null, **body).status_code == 403


def test_another_session_s_token_does_not_help(client: Any, another_reader: Callable[..., Any]) -> None:
    other = another_reader(client, "Eve")
    answer = client.http.post("/readers?reader=Mallory", headers={"X-CSRF-Token": other.csrf})
    assert answer.status_code == 403


def test_every_answer_carries_the_policy(with_case: tuple[Any, str]) -> None:
    client, slide_id = with_case
    for path in [
        "/cases",
        "/cases/thigh-mass",
        f"/slides/{slide_id}",
        "/static/viewer.js",
        "/nowhere",
        "/cases.json",
    ]:
        headers = client.http.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe-inline" not in policy
        assert "unsafe-eval" not in policy
        assert "http" not in policy.replace("https", "http").replace("'", " ").split("sha256")[0]
        assert headers["x-content-type-options"] == "nosniff"
    assert client.http.get("/cases").headers["cache-control"] == "no-store"


def test_the_report_is_shown_in_a_sandbox_without_scripts(with_case: tuple[Any, str]) -> None:
    client, _ = with_case
    policy = client.http.get("/cases/thigh-mass/report/html").headers["content-security-policy"]
    assert policy.endswith("sandbox")
    assert "script-src" not in policy
    assert "default-src 'none'" in policy


def test_an_invitation_signs_in_under_its_name(client: Any) -> None:
    invited = client.send("POST", "/readers?reader=Second%20Reader").json()
    guest = TestClient(client.http.app, base_url="http://127.0.0.1")
    assert "Signed in as Second Reader" in guest.get(invited["path"]).text
