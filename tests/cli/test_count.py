"""``count`` at the command line: JSON alone on standard output, files beside it, refusals before any work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from kulchitsky.case.errors import RefusedInput
from kulchitsky.case.measure import SlideCount
from kulchitsky.cli.count import count
from kulchitsky.slide import synthetic

app = typer.Typer()
app.command()(count)


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "ki67.tif"
    synthetic.write_slide(path, synthetic.SlideSpec(seed=3, width_px=1100, height_px=900, index_percent=20))
    return path


def test_json_is_one_object_that_the_record_reads(slide: Path, tmp_path: Path) -> None:
    cells, picture = tmp_path / "cells.geojson.gz", tmp_path / "overlay.png"
    arguments = [str(slide), "--detector", "fast", "--hotspot-cells", "200", "--json"]
    result = CliRunner().invoke(app, [*arguments, "--cells", str(cells), "--overlay", str(picture)])
    assert result.exit_code == 0, result.output
    record = SlideCount.model_validate(json.loads(result.stdout))
    assert record.counted > 500
    assert [spot.cells_wanted for spot in record.hotspots] == [200]
    assert cells.stat().st_size > 1000
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_text_names_index_interval_and_detector(slide: Path) -> None:
    result = CliRunner().invoke(app, [str(slide), "--detector", "fast", "--hotspot-cells", "300"])
    assert result.exit_code == 0, result.output
    for expected in ("whole tumour", "hottest 300 cells", "chance", "detector fast", "DAB cut"):
        assert expected in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--cells", "cells.xlsx"], "the kind of file is not known by its ending"),
        (["--overlay", "picture.gif"], "the kind of file is not known by its ending"),
        (["--overlay", "nowhere/at/all/picture.png"], "its folder does not exist"),
        (["--regions", "missing.geojson"], "there is no such file"),
    ],
)
def test_bad_options_are_refused(arguments: list[str], sentence: str, slide: Path) -> None:
    result = CliRunner().invoke(app, [str(slide), "--detector", "fast", *arguments])
    assert isinstance(result.exception, RefusedInput)
    assert sentence in str(result.exception)


def test_unknown_detector_is_wrong_usage(slide: Path) -> None:
    assert CliRunner().invoke(app, [str(slide), "--detector", "magic"]).exit_code == 2
