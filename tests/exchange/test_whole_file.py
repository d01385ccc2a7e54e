"""Files and folders: whole or not at all, and one sentence where they cannot be written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kulchitsky.case.errors import BrokenKnowledge, RefusedInput
from kulchitsky.exchange.codes import coding, has_code
from kulchitsky.exchange.whole_file import write_folder, write_whole


def _write_file(path: Path) -> None:
    write_whole(path, b"x")


def _write_folder(path: Path) -> None:
    write_folder(path, {"a.txt": "x"})


@pytest.mark.parametrize("write", [_write_file, _write_folder])
def test_place_under_a_file_is_refused(tmp_path: Path, write: Callable[[Path], None]) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RefusedInput, match="cannot be written"):
        write(tmp_path / "file" / "out")


def test_file_over_a_folder_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(RefusedInput, match="cannot be written"):
        write_whole(tmp_path / "out", b"x")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_failed_folder_leaves_nothing(tmp_path: Path) -> None:
    # a file where a folder is needed: the second entry cannot be written
    with pytest.raises(RefusedInput, match="cannot be written"):
        write_folder(tmp_path / "out", {"a": "x", "a/b": "y"})
    assert list(tmp_path.iterdir()) == []


def test_file_is_replaced_whole(tmp_path: Path) -> None:
    write_whole(tmp_path / "deep" / "out", b"first")
    write_whole(tmp_path / "deep" / "out", b"second")
    assert (tmp_path / "deep" / "out").read_bytes() == b"second"
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out"]


def test_every_code_has_its_source_and_unknown_ones_are_defects() -> None:
    assert coding("ki67") == {
        "system": "http://loinc.org",
        "code": "29593-1",
        "display": "Cells.Ki-67 nuclear Ag/cells in Tissue by Immune stain",
    }
    assert not has_code("colour")
    with pytest.raises(BrokenKnowledge, match="has no row 'colour'"):
        coding("colour")
