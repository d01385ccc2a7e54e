"""Pictures of a count show what they should where they should, at every zoom."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from kulchitsky.slide import overlay, synthetic
from kulchitsky.slide.count import CountResult, count_slide
from kulchitsky.slide.reader import open_slide

Slide = tuple[Path, synthetic.Truth]


@pytest.fixture(scope="module")
def counted(slide_file: Slide) -> CountResult:
    return count_slide(slide_file[0], detector="fast", hotspot_cells=(500,))


def near(picture: np.ndarray, colour: tuple[int, int, int], reach: int = 40) -> np.ndarray:
    return np.abs(picture.astype(int) - np.asarray(colour)).max(axis=2) < reach


@pytest.mark.parametrize("size_um", [60.0, 200.0, 900.0])
def test_field_picture_marks_cells_at_every_zoom(size_um: float, slide_file: Slide, counted: CountResult) -> None:
    with open_slide(slide_file[0]) as slide:
        plain = overlay.field_picture(slide, (600.0, 430.0), size_um, side_px=400)
        marked = overlay.field_picture(slide, (600.0, 430.0), size_um, side_px=400, cells=counted.cells)
    assert plain.shape == marked.shape == (400, 400, 3)
    changed = np.abs(plain.astype(int) - marked).max(axis=2) > 20
    assert changed.any()
    assert near(marked, overlay.POSITIVE_RGB).sum() > near(plain, overlay.POSITIVE_RGB).sum()


def test_field_shows_the_slide_where_it_says(slide_file: Slide) -> None:
    with open_slide(slide_file[0]) as slide:
        picture = overlay.field_picture(slide, (500.0, 400.0), 200.0, side_px=400)
        raw = slide.read(0, 800, 600, 400, 400)
    assert np.abs(picture[:340].astype(int) - raw[:340]).mean() < 1.5


def test_field_beyond_the_border_is_white(slide_file: Slide) -> None:
    with open_slide(slide_file[0]) as slide:
        picture = overlay.field_picture(slide, (-500.0, -500.0), 100.0, side_px=64)
    assert (picture[:30] == 255).all()


def test_thumbnail_rings_the_hot_spot(slide_file: Slide, counted: CountResult, tmp_path: Path) -> None:
    with open_slide(slide_file[0]) as slide:
        picture = overlay.thumbnail(slide, counted.tissue, counted.count.hotspots, side_px=600)
    assert max(picture.shape) <= 602
    spot = counted.count.hotspots[0]
    um = 1150 / 600
    ring = near(picture, overlay.HOTSPOT_RGB)
    rows, columns = np.nonzero(ring)
    assert np.mean(columns) * um == pytest.approx(spot.centre_um[0], abs=40)
    assert np.mean(rows) * um == pytest.approx(spot.centre_um[1], abs=40)
    overlay.write_png(tmp_path / "thumb.png", picture)
    back = cv2.cvtColor(cv2.imread(str(tmp_path / "thumb.png")), cv2.COLOR_BGR2RGB)
    assert np.array_equal(back, picture)
    assert [p.name for p in tmp_path.iterdir()] == ["thumb.png"]


def test_slide_overlay_holds_every_cell(slide_file: Slide, counted: CountResult) -> None:
    with open_slide(slide_file[0]) as slide:
        picture = overlay.slide_overlay(slide, counted.cells, (), 1.5)
    assert picture.shape == (round(1700 * 0.5 / 1.5), round(2300 * 0.5 / 1.5), 3)
    cells = counted.cells.take(counted.cells.counted & counted.cells.positive)
    inside = picture[np.rint(cells.y_um / 1.5).astype(int), np.rint(cells.x_um / 1.5).astype(int)]
    # neighbours drawn later may cover a centre
    assert near(inside[None], overlay.POSITIVE_RGB, 90).mean() > 0.9
