"""``synth`` writes a slide that ``count`` opens, and the truth that it is to be held against."""

from __future__ import annotations

import json
from pathlib import Path

import openslide
import pytest
import typer
from typer.testing import CliRunner

from kulchitsky.case.errors import RefusedInput
from kulchitsky.cli.synth import synth

app = typer.Typer()
app.command()(synth)


def test_slide_and_truth_agree(tmp_path: Path) -> None:
    path = tmp_path / "slide.tif"
    arguments = [str(path), "--width-px", "900", "--height-px", "700", "--hot-index-percent", "80", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    truth = json.loads((tmp_path / "slide.tif.truth.json").read_text())
    assert printed["counted"] == truth["counted"] == truth["kind"].count("tumour")
    assert printed["index_percent"] > 20
    with openslide.OpenSlide(path) as slide:
        assert slide.dimensions == (900, 700)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["slide.svs"], "not written in that format"),
        (["nowhere/at/all/slide.tif"], "its folder does not exist"),
        (["slide.tif", "--index-percent", "120"], "index_percent must lie in 0 to 100"),
    ],
)
def test_bad_requests_are_refused(arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, RefusedInput)
    assert sentence in str(result.exception)
