"""Registries to test on: SQLite files, and a PostgreSQL server of our own where Debian's package is installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from kulchitsky.case.record import Case
from kulchitsky.registry.store import Registry

_NUMBER = count(1)


def _server_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda p: int(p.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("pg_ctl")
    return Path(on_path).resolve().parent if on_path else None


def _as_server_user(command: list[str], folder: Path) -> None:
    # PostgreSQL refuses to run as root: drop to the user that the package made for it
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    # the server keeps the pipes of pg_ctl open: write to a file instead
    with (folder / "set-up.log").open("ab") as log:
        subprocess.run([*prefix, *command], check=True, stdout=log, stderr=log, cwd=folder, timeout=60)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL (without database) of a server that lives as long as the tests, in a temporary folder."""
    programs = _server_programs()
    if programs is None:
        pytest.skip("PostgreSQL server programs (initdb, pg_ctl) are not installed")
    folder = Path(tempfile.mkdtemp(prefix="kulchitsky-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    initdb = [
        f"{programs}/initdb",
        "-D",
        f"{data}",
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    ]
    _as_server_user(initdb, folder)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    # clients are killed in these tests, the server never: it need not wait for the disk
    options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    pg_ctl = [f"{programs}/pg_ctl", "-D", f"{data}", "-w"]
    _as_server_user([*pg_ctl, "-l", f"{folder}/server.log", "-o", options, "start"], folder)
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        _as_server_user([*pg_ctl, "-m", "immediate", "stop"], folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_location(postgresql_server: str) -> str:
    """URL of an empty database of its own."""
    name = f"registry_{next(_NUMBER)}"
    with psycopg.connect(f"{postgresql_server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{postgresql_server}/{name}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a registry can be opened: each test runs on both engines."""
    if request.param == "sqlite":
        return str(tmp_path / "registry.db")
    return str(request.getfixturevalue("postgresql_location"))


@pytest.fixture
def registry(location: str) -> Iterator[Registry]:
    with Registry.open(location, who="tester") as opened:
        yield opened


@pytest.fixture(scope="session")
def make_case() -> Callable[..., Case]:
    """Make a small case: keywords ``age``, ``sex``, ``markers`` (id to state), ``follow_up`` and so on."""

    def make(
        key: str,
        *,
        age: float | None = None,
        sex: str = "unknown",
        setting: str | None = None,
        size: float | None = None,
        ki67: float | None = None,
        markers: dict[str, str] | None = None,
        features: dict[str, str] | None = None,
        architecture: tuple[str, ...] = (),
        diagnosis: str | None = None,
        follow_up: tuple[tuple[float, str], ...] = (),
        notes: str = "",
    ) -> Case:
        return Case.model_validate(
            {
                "id": key,
                "patient": {"age_years": age, "sex": sex},
                "presentation": {"setting": setting, "size": {"greatest_cm": size} if size else None},
                "markers": [{"marker": m, "state": s} for m, s in (markers or {}).items()],
                "morphology": {
                    "architecture": architecture,
                    "features": [{"feature": f, "state": s} for f, s in (features or {}).items()],
                },
                "ki67": [{"percent": ki67}] if ki67 is not None else [],
                "working_diagnosis": {"entity": diagnosis} if diagnosis else None,
                "follow_up": [{"months": m, "status": s} for m, s in follow_up],
                "notes": notes,
            }
        )

    return make
