"""Which slides a cohort consists of: folders, lists, and lists that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from kulchitsky.case.errors import RefusedInput
from kulchitsky.workup.cohort_list import list_cohort


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_a_folder_with_subfolders_in_order(tmp_path: Path) -> None:
    touch(tmp_path, "b.svs", "a/one.TIF", "a/notes.txt", ".hidden/x.tif", "out/pictures/one.jpg", "._b.svs")
    found = list_cohort(tmp_path, leave_out=tmp_path / "out")
    assert [s.file for s in found.slides] == ["b.svs", "a/one.TIF"]
    assert [s.slide for s in found.slides] == ["b", "one"]


def test_the_stain_comes_from_the_list_then_the_option_then_the_name(tmp_path: Path) -> None:
    touch(tmp_path, "chromogranin_a-2.tif", "MIB-1 x.tif", "slide 7.tif")
    by_name = {s.slide: s.stain for s in list_cohort(tmp_path).slides}
    assert by_name == {"chromogranin_a-2": "chromogranin_a", "MIB-1_x": "ki67", "slide_7": "ki67"}
    assert {s.stain for s in list_cohort(tmp_path, stain="CD56").slides} == {"cd56"}
    (tmp_path / "list.csv").write_text("slide,stain\nslide 7.tif,SYN\n", encoding="utf-8")
    assert [s.stain for s in list_cohort(tmp_path / "list.csv", stain="CD56").slides] == ["synaptophysin"]


def test_slides_of_one_name_are_told_apart_and_stay_so(tmp_path: Path) -> None:
    touch(tmp_path, "a/s.tif", "b/s.tif", "b/S.svs", "c.tif")
    first = {s.file: s.slide for s in list_cohort(tmp_path).slides}
    assert len({name.lower() for name in first.values()}) == 4
    assert first["c.tif"] == "c"
    touch(tmp_path, "0.tif")
    later = {s.file: s.slide for s in list_cohort(tmp_path).slides}
    assert {file: later[file] for file in first} == first


@pytest.mark.parametrize(
    "text",
    [
        "slide,case,manual_percent,um_per_px\none.tif,A 1,12.5,0.25\n",
        "\ufeffslide;case;manual_percent;um_per_px\r\none.tif;A 1;12,5 %;0,25\r\n",
        "Slide\tCase\tmanual_percent\tum_per_px\n\none.tif\tA 1\t12,5\t0.25\n\t\t\t\n",
    ],
)
def test_lists_as_spreadsheets_write_them(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.csv").write_text(text, encoding="utf-8", newline="")
    (slide,) = list_cohort(tmp_path / "list.csv", um_per_px=9.0).slides
    assert (slide.case, slide.manual_percent, slide.source.um_per_px) == ("A 1", 12.5, 0.25)
    assert slide.source.path == str(tmp_path / "one.tif")


def test_columns_that_mean_nothing_are_named(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("slide,scanner,manual_percent\na.tif,X1,\n", encoding="utf-8")
    found = list_cohort(tmp_path / "list.csv")
    assert [issue.message for issue in found.issues] == ["columns that were not used: scanner"]
    assert found.slides[0].manual_percent is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path\na.tif\n", "line 1: has no column 'slide'"),
        ("slide,manual_percent\na.tif,twelve\n", "line 2: manual_percent is 'twelve'"),
        ("slide,manual_percent\na.tif,5\nb.tif,120\n", "line 3: manual_percent is '120'"),
        ("slide,um_per_px\na.tif,-1\n", "um_per_px is '-1'"),
        ("slide,stain\na.tif,purple\n", "line 2: 'purple' is not a stain"),
        ("slide,case\n,A\n", "line 2: names no slide"),
        ("slide\na.tif\na.tif\n", "a.tif: is listed twice"),
        ("slide\n", "there is no slide in it"),
    ],
)
def test_lists_that_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    with pytest.raises(RefusedInput, match=words):
        list_cohort(tmp_path / "list.csv")


def test_what_is_no_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"\xff\xfe\x00slide")
    with pytest.raises(RefusedInput, match="cannot be read as a list"):
        list_cohort(tmp_path / "list.csv")
    with pytest.raises(RefusedInput, match="no such file or folder"):
        list_cohort(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RefusedInput, match="there is no slide in it"):
        list_cohort(tmp_path / "empty")
