"""``stain`` as a user types it: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

from kulchitsky.slide import synthetic

Run = Callable[..., Any]

SPEC = synthetic.SlideSpec(
    seed=41,
    width_px=620,
    height_px=560,
    um_per_px=0.45,
    pattern="cytoplasmic_granular",
    index_percent=70,
    density_per_mm2=6000,
    faint_fraction=0.05,
    non_tumour_positive_percent=0.0,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Painted slides: ``.tif`` says its scale, ``.png`` does not."""
    place = tmp_path_factory.mktemp("stains")
    synthetic.write_slide(place / "granular.tif", SPEC)
    synthetic.write_slide(place / "granular.png", SPEC)
    synthetic.write_slide(place / "nuclear.tif", SPEC.with_changes(pattern="nuclear"))
    synthetic.write_slide(place / "unstained.tif", SPEC.with_changes(index_percent=0))
    synthetic.write_slide(place / "lymphoid.tif", SPEC.with_changes(stroma_fraction=0.999, lymphocyte_fraction=0.9))
    picture = cv2.imread(str(place / "granular.png"))
    assert picture is not None
    cv2.imwrite(str(place / "negative.png"), 255 - picture)
    return place


def test_a_reading_is_printed_and_pictured(run: Run, folder: Path, tmp_path: Path) -> None:
    gallery, overlay = tmp_path / "gallery.png", tmp_path / "overlay.png"
    slide = folder / "granular.tif"
    done = run("stain", slide, "--marker", "CgA", "--gallery", gallery, "--overlay", overlay)
    assert done.code == 0
    for words in ("chromogranin_a", "compartment: cytoplasmic", "pattern: granular", "H-score", "1+", "expected of"):
        assert words in done.out
    assert "artefact" not in done.out + done.err
    assert all(cv2.imread(str(path)) is not None for path in (gallery, overlay))


def test_json_holds_one_object_and_nothing_else(run: Run, folder: Path) -> None:
    done = run("stain", folder / "granular.tif", "--marker", "chromogranin_a", "--json")
    reading = json.loads(done.out)
    assert (reading["marker"], reading["compartment"], reading["pattern"]) == (
        "chromogranin_a",
        "cytoplasmic",
        "granular",
    )
    assert reading["positive"] <= reading["counted"]
    assert reading["compartment_either"] == []


def test_nuclear_chromogranin_is_suspected_to_be_an_artefact(run: Run, folder: Path) -> None:
    done = run("stain", folder / "nuclear.tif", "--marker", "chromogranin_a")
    assert done.code == 0
    assert "compartment: nuclear" in done.out
    assert "suspect an artefact" in " ".join((done.out + done.err).split())
    expected = run("stain", folder / "nuclear.tif", "--marker", "ttf1")
    assert "artefact" not in expected.out + expected.err


def test_no_stain_asks_for_a_control(run: Run, folder: Path) -> None:
    done = run("stain", folder / "unstained.tif", "--marker", "ck20", "--json")
    reading = json.loads(done.out)
    assert reading["index_percent"] < 1.5
    assert reading["compartment"] is None
    codes = {issue["code"] for issue in reading["issues"]}
    assert codes & {"stain.control.negative", "stain.control.none"}


def test_no_tumour_is_said(run: Run, folder: Path) -> None:
    done = run("stain", folder / "lymphoid.tif", "--marker", "ck20", "--json")
    assert done.code == 0
    codes = {issue["code"]: issue["level"] for issue in json.loads(done.out)["issues"]}
    assert "serious" in (codes.get("stain.tumour.doubtful"), codes.get("stain.no_tumour"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("granular.tif", "--marker", "chromogranine"), "is not a known marker"),
        (("granular.png", "--marker", "ck20"), "nothing in the file says how large a pixel is"),
        (("negative.png", "--marker", "ck20", "--um-per-px", "0.45"), "photographic negative"),
        (("nowhere.tif", "--marker", "ck20"), "there is no such file"),
        (("granular.tif", "--marker", "ck20", "--gallery", "a.jpg"), "end the name in .png"),
        (("granular.tif", "--marker", "ck20", "--regions", "granular.png"), "GeoJSON"),
    ],
)
def test_refusals_are_one_clear_sentence(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.chdir(folder)
    done = run("stain", *arguments)
    assert done.code == 1
    assert sentence in " ".join(done.err.split())
    assert "Traceback" not in done.err
    assert done.out == ""


def test_marker_is_required(run: Run, folder: Path) -> None:
    assert run("stain", folder / "granular.tif").code == 2
