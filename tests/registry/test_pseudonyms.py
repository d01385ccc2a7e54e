"""Pseudonyms: stable, unguessable without the key, written down before use, and the key kept to its owner."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.registry.pseudonyms import KeyFile


def test_same_id_same_name_and_back(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "k" / "a.key")
    made = keys.record(["H-123", "H-124", "H-123"])
    assert made[0] == made[2] != made[1]
    assert "123" not in made[0]
    again = KeyFile(tmp_path / "k" / "a.key")
    assert again.pseudonym("H-123") == made[0]
    assert again.own_id(made[1]) == "H-124"
    assert again.own_id("K-UNKNOWN") is None


def test_another_key_gives_other_names(tmp_path: Path) -> None:
    assert KeyFile(tmp_path / "a").pseudonym("x") != KeyFile(tmp_path / "b").pseudonym("x")


def test_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    KeyFile(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(RefusedRegistry, match="can be read by others; run chmod 600"):
        KeyFile(path)


def _record(path: Path, start: int) -> None:
    keys = KeyFile(path)
    for i in range(start, start + 50):
        keys.record([f"id-{i}"])


def test_two_programs_write_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_record, args=(path, n * 50)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [w.exitcode for w in workers] == [0, 0, 0]
    keys = KeyFile(path)
    assert {keys.own_id(keys.pseudonym(f"id-{i}")) for i in range(150)} == {f"id-{i}" for i in range(150)}


def test_line_cut_off_by_a_kill_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    keys = KeyFile(path)
    keys.record(["one"])
    path.write_bytes(path.read_bytes() + b'{"pseudonym": "K-HA')
    keys = KeyFile(path)
    keys.record(["two"])
    keys = KeyFile(path)
    assert (keys.own_id(keys.pseudonym("one")), keys.own_id(keys.pseudonym("two"))) == ("one", "two")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"hello\n", "is no key file of this version"),
        (b'{"format": "other", "secret": "00"}\n', "is no key file of this version"),
        (b"[]\n", "is no key file of this version"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "a.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(RefusedRegistry, match=sentence):
        KeyFile(path)
    assert path.read_bytes() == content


def test_damaged_line_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    KeyFile(path).record(["one", "two"])
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], b"{}", *lines[2:]]))
    with pytest.raises(RefusedRegistry, match="line 2 is damaged; restore it from a backup"):
        KeyFile(path)


def test_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RefusedRegistry, match="cannot be opened"):
        KeyFile(tmp_path / "file" / "a.key")
