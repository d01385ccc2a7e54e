"""What is prepared beforehand is there when it is asked for; what cannot be prepared harms nobody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kulchitsky.workup.viewer_tiles import SlideView

HEAVY = ("torch", "spacy", "numba", "pyarrow", "scipy.stats", "pandas", "matplotlib", "onnxruntime")


def test_the_coarse_tiles_are_drawn_while_the_viewer_loads(
    counted: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, slide_id = counted
    assert client.http.get(f"/slides/{slide_id}").status_code == 200
    client.bench.ahead.wait()
    monkeypatch.setattr(SlideView, "tile", lambda *_: pytest.fail("the tile was not ready"))
    geometry = client.bench.slides.view(slide_id).geometry
    levels = [level for level in range(geometry.max_level + 1) if geometry.grid(level) == (1, 1)]
    for level in levels[-2:]:
        assert client.http.get(f"/slides/{slide_id}/tiles/{level}/0/0").status_code == 200


def test_the_count_is_loaded_while_the_viewer_loads(
    counted: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, slide_id = counted
    client.http.get(f"/slides/{slide_id}")
    client.bench.ahead.wait()
    monkeypatch.setattr("kulchitsky.web.review_shelf.load_count", lambda *_: pytest.fail("the count was not ready"))
    assert client.http.get(f"/slides/{slide_id}/review.json").status_code == 200


def test_a_slide_that_cannot_be_prepared_harms_nobody(
    client: Any, slide_file: tuple[Path, Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "gone.tif"
    path.write_bytes(slide_file[0].read_bytes())
    slide = client.bench.slides.add(path)
    path.unlink()
    client.bench.ahead.slide(slide)
    client.bench.ahead.wait()
    client.bench.ahead.close()
    client.bench.ahead.slide(slide)  # after closing: nothing is begun, nothing is raised
    assert "Traceback" not in capfd.readouterr().err


def test_the_server_starts_without_what_only_some_pages_need() -> None:
    code = f"import sys, kulchitsky.web.server; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"
