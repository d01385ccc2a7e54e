"""Kills and power cuts: what was acknowledged is there, nothing is half there, the history adds up."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO

import pytest

from kulchitsky.case.record import Case
from kulchitsky.registry.store import Registry

_FORK = multiprocessing.get_context("fork")  # a fresh interpreter would spend a second importing before it writes


def write_cases(location: str, name: str, first: int, count: int, acknowledge: int) -> None:
    with Registry.open(location, who=name) as registry:
        for i in range(first, first + count):
            key = f"{name}-{i}"
            case = Case.model_validate({"id": key, "markers": [{"marker": f"m{i}", "state": "present"}]})
            registry.add(case)
            registry.edit(case.model_copy(update={"notes": "x" * 500}), revision=1)
            os.write(acknowledge, f"{i}\n".encode())  # from here on it must survive


def start_writer(location: str, name: str, first: int, count: int) -> tuple[BaseProcess, IO[str]]:
    read, write = os.pipe()
    writer = _FORK.Process(target=write_cases, args=(location, name, first, count, write))
    writer.start()
    os.close(write)
    return writer, os.fdopen(read)


def check_whole(location: str) -> dict[str, int]:
    """Open the registry as any program would; return the revision of every case after checking each of them."""
    with Registry.open(location, who="check") as registry:
        assert registry.broken_histories() == []
        found = {}
        for stored in registry.cases():
            changes = registry.history(stored.key)
            assert [c.number for c in changes] == list(range(1, stored.revision + 1))
            assert stored.case.notes == ("x" * 500 if stored.revision == 2 else "")
            found[stored.key] = stored.revision
        packed = registry.packed()
        assert len(packed) == len(found)
        for key in found:
            assert (packed.state(f"marker.m{key.split('-')[1]}") == 1).sum() == 1
        return found


def test_kill_during_twenty_writes(location: str) -> None:
    """The writer is killed twenty times, each time a little later into its work."""
    Registry.open(location, who="set-up").close()
    acknowledged: set[int] = set()
    first = 0
    for round_ in range(20):
        writer, acknowledgements = start_writer(location, "w", first, 1000)
        acknowledged.add(int(acknowledgements.readline()))
        time.sleep(0.0007 * round_)
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
        # a last line cut in the middle acknowledges nothing
        acknowledged |= {int(text) for text in acknowledgements.read().split("\n")[:-1]}
        acknowledgements.close()
        first = max(acknowledged) + 3
    found = check_whole(location)
    assert {f"w-{i}" for i in acknowledged} <= set(found)
    assert all(found[f"w-{i}"] == 2 for i in acknowledged)
    # at most one case a round was on its way when the kill came
    assert len(found) - len(acknowledged) <= 20


def test_two_processes_at_once_lose_nothing(location: str) -> None:
    Registry.open(location, who="set-up").close()
    writers = [start_writer(location, name, 0, 25) for name in ("a", "b")]
    for writer, acknowledgements in writers:
        assert len(acknowledgements.read().split()) == 25
        writer.join()
        acknowledgements.close()
        assert writer.exitcode == 0
    found = check_both(location)
    assert found == {f"{name}-{i}": 2 for name in "ab" for i in range(25)}


def check_both(location: str) -> dict[str, int]:
    with Registry.open(location, who="check") as registry:
        assert registry.broken_histories() == []
        packed = registry.packed()
        assert all((packed.state(f"marker.m{i}") == 1).sum() == 2 for i in range(25))
        return {stored.key: stored.revision for stored in registry.cases()}


@pytest.fixture
def written(tmp_path: Path, make_case: Callable[..., Case]) -> tuple[Path, list[int]]:
    """A registry with an open write-ahead log, and the log's size after each acknowledged commit."""
    path = tmp_path / "live" / "r.db"
    sizes = []
    with Registry.open(path, who="t") as registry:
        # hold a reader open and checkpoints off, so that every commit stays in the log
        holder = sqlite3.connect(path)
        holder.execute("PRAGMA wal_autocheckpoint=0")
        holder.execute("BEGIN")
        holder.execute("SELECT count(*) FROM study_case").fetchone()
        for i in range(12):
            registry.add(make_case(f"c-{i}", markers={f"m{i}": "present"}))
            sizes.append((path.parent / "r.db-wal").stat().st_size)
        copy = tmp_path / "cut"
        shutil.copytree(path.parent, copy)
        holder.close()
    return copy, sizes


def cut_copy(source: Path, target: Path, size: int) -> Path:
    target.mkdir()
    shutil.copy(source / "r.db", target / "r.db")
    (target / "r.db-wal").write_bytes((source / "r.db-wal").read_bytes()[:size])
    return target / "r.db"


def test_power_cut_at_any_point_of_the_log(written: tuple[Path, list[int]], tmp_path: Path) -> None:
    """SQLite syncs the log at each commit (synchronous=FULL): a cut loses only what came after the last whole one.

    The log is cut at 40 places, also in the middle of frames and of commits; each time the registry opens, holds
    exactly the commits whose frames are whole, and every one of them complete.
    """
    source, sizes = written
    assert sizes == sorted(set(sizes)), "every commit must have reached the log"
    last = sizes[-1]
    places = sorted({int(last * part / 33) for part in range(34)} | {s - 1 for s in sizes[:3]} | set(sizes[3:6]))
    for n, size in enumerate(places):
        path = cut_copy(source, tmp_path / f"cut-{n}", size)
        committed = sum(s <= size for s in sizes)
        with Registry.open(path, who="check") as registry:
            keys = {stored.key for stored in registry.cases()}
            assert keys == {f"c-{i}" for i in range(committed)}
            assert registry.broken_histories() == []
            packed = registry.packed()
            assert all((packed.state(f"marker.m{i}") == 1).sum() == 1 for i in range(committed))


def test_garbage_after_the_last_commit_is_ignored(written: tuple[Path, list[int]], tmp_path: Path) -> None:
    """A power cut may leave a torn page: bytes that never were a frame."""
    source, sizes = written
    path = cut_copy(source, tmp_path / "torn", sizes[4])
    with (path.parent / "r.db-wal").open("ab") as log:
        log.write(bytes(range(256)) * 40)
    with Registry.open(path, who="check") as registry:
        assert {s.key for s in registry.cases()} == {f"c-{i}" for i in range(5)}
        assert registry.broken_histories() == []


def test_durability_settings_hold_on_every_connection(tmp_path: Path) -> None:
    with Registry.open(tmp_path / "r.db", who="t") as registry:
        for _ in range(3):
            with registry.engine.connect() as connection:
                assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
                assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
                assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
            registry.engine.dispose()
