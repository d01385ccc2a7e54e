"""Slides on the shelf: opened when looked at, closed when too many are, never lost to a reader in between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg

from kulchitsky.case.errors import RefusedInput, RefusedSlide
from kulchitsky.slide.reader import open_slide
from kulchitsky.web import slide_shelf
from kulchitsky.web.slide_shelf import SlideShelf
from kulchitsky.workup.not_there import NotThere
from kulchitsky.workup.viewer_tiles import ClosedSlide, SlideView


def test_what_was_put_there_is_there_again_after_a_restart(tmp_path: Path, slide_file: tuple[Path, Any]) -> None:
    slide = SlideShelf(tmp_path).add(slide_file[0], stain="ki67", case_id="a")
    again = SlideShelf(tmp_path)
    assert again.get(slide.id) == slide
    assert again.of_case("a") == (slide,)
    assert again.add(slide_file[0]).case_id == "a"
    copy = tmp_path / "chromogranin_a-2.tif"
    copy.write_bytes(slide_file[0].read_bytes())
    assert again.add(copy).stain == "chromogranin_a"
    assert again.set_scale(slide.id, 0.4).um_per_px == 0.4
    assert SlideShelf(tmp_path).view(slide.id).geometry.um_per_px == 0.4


@pytest.mark.parametrize("content", ["", "not json", "{}", '[{"id": "x"}]', '[{"nonsense": 1}]', "[1]"])
def test_a_list_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "slides.json").write_text(content, encoding="utf-8")
    if content == "{}":
        assert list(SlideShelf(tmp_path)) == []
        return
    with pytest.raises(RefusedInput, match="not the list of slides"):
        SlideShelf(tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedSlide, match="no such slide file"):
        SlideShelf(tmp_path).add(tmp_path / "gone.tif")
    with pytest.raises(NotThere):
        SlideShelf(tmp_path).get("0" * 16)


def test_slides_come_and_go_under_readers(
    tmp_path: Path, slide_file: tuple[Path, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slide_shelf, "OPEN_SLIDES", 1)
    monkeypatch.setattr(slide_shelf, "CACHED_TILES_BYTES", 0)
    shelf = SlideShelf(tmp_path)
    copies = []
    for name in ("a.tif", "b.tif", "c.tif"):
        copy = tmp_path / name
        copy.write_bytes(slide_file[0].read_bytes())
        copies.append(shelf.add(copy).id)
    top = shelf.view(copies[0]).geometry.max_level
    wanted = [(slide_id, top, column, row) for slide_id in copies for column in range(3) for row in range(2)] * 4
    with ThreadPoolExecutor(8) as pool:
        tiles = list(pool.map(lambda place: shelf.tile(*place), wanted))
    assert len({tiles[i] for i, place in enumerate(wanted) if place[1:] == (top, 0, 0)}) == 1


def test_a_closed_slide_says_so(slide_file: tuple[Path, Any]) -> None:
    view = SlideView(slide_file[0])
    view.close()
    with pytest.raises(ClosedSlide):
        view.region(0, 0, 10, 10, 1)


@pytest.mark.parametrize("downsample", [1, 2, 4, 8, 16])
def test_tiles_show_what_the_slide_shows(slide_file: tuple[Path, Any], downsample: int) -> None:
    """Each tile against the average of level 0 over the same place."""
    view = SlideView(slide_file[0])
    level = view.geometry.max_level - int(np.log2(downsample))
    tile = simplejpeg.decode_jpeg(view.tile(level, 0, 0)).astype(float)
    height, width = tile.shape[0] // 4 * 4, tile.shape[1] // 4 * 4
    with open_slide(slide_file[0]) as slide:
        full = slide.read(0, 0, 0, width * downsample, height * downsample).astype(float)
    mean = full.reshape(height // 4, 4 * downsample, width // 4, 4 * downsample, 3).mean((1, 3))
    shown = tile[:height, :width].reshape(height // 4, 4, width // 4, 4, 3).mean((1, 3))
    difference = np.abs(mean - shown)[:-4, :-4]
    assert difference.mean() < 4
    view.close()
