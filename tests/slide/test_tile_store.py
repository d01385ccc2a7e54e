"""Decoded tiles are kept while needed, their memory is used again, and nothing in use is overwritten."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from kulchitsky.slide import synthetic, tiff
from kulchitsky.slide.count import count_slide
from kulchitsky.slide.raster import Raster
from kulchitsky.slide.reader import open_slide
from kulchitsky.slide.tile_store import TileStore

Slide = tuple[Path, synthetic.Truth]
SHAPE = (4, 4, 3)


def use(store: TileStore, number: int) -> tuple[bool, np.ndarray]:
    """Whether a tile was kept, and its pixels, after one use of it."""
    key = (0, number, 1)
    tile = store.get(key)
    kept = tile is not None
    if tile is None:
        tile = store.room(key, SHAPE)
        tile[:] = number
    seen = tile.copy()
    store.used(key, tile)
    return kept, seen


def test_a_tile_is_kept_until_its_last_use() -> None:
    store = TileStore()
    store.expect(0, 1, np.asarray([3, 1], np.int32))
    assert [use(store, 0)[0] for _ in range(4)] == [False, True, True, False]
    assert store.held_bytes == 0
    assert not use(store, 1)[0]
    assert store.held_bytes == 0


def test_tiles_that_nobody_announced_stay_while_there_is_room() -> None:
    store = TileStore(most_bytes=2 * 48)
    for number in (0, 1, 2):
        use(store, number)
    assert store.held_bytes == 2 * 48
    assert [use(store, number)[0] for number in (2, 1, 0)] == [True, True, False]


def test_memory_is_used_again_but_not_under_a_reader() -> None:
    store = TileStore()
    store.expect(0, 1, np.full(4, 2, np.int32))
    use(store, 0)
    held = store.get((0, 0, 1))  # one reader takes its time
    assert held is not None
    use(store, 0)  # the last announced use
    use(store, 1)
    assert (held == 0).all()
    store = TileStore()
    store.expect(0, 1, np.full(4, 2, np.int32))
    first = store.room((0, 0, 1), SHAPE)
    store.used((0, 0, 1), first)
    use(store, 0)
    assert store.room((0, 1, 1), SHAPE) is first


def test_every_tile_of_a_count_is_decoded_once(slide_file: Slide, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: Counter[tuple[int, int, int]] = Counter()
    original = tiff.TiffTiles.tile

    def counting(self: tiff.TiffTiles, level: int, index: int, shrink: int = 1, out: object = None) -> object:
        decoded[level, index, shrink] += 1
        return original(self, level, index, shrink, out)  # type: ignore[arg-type]

    monkeypatch.setattr(tiff.TiffTiles, "tile", counting)
    count_slide(slide_file[0], detector="fast", block_px=512, threads=1, hotspot_cells=())
    counted = {key: times for key, times in decoded.items() if key[0] == 0 and key[2] == 2}
    assert len(counted) > 20
    assert set(counted.values()) == {1}


def test_halved_raster_lies_upon_the_whole_one(slide_file: Slide) -> None:
    with open_slide(slide_file[0]) as slide:
        grid = Raster(slide)
        half = grid.halved()
        assert half is not None
        assert half.um_per_px == 2 * grid.um_per_px
        fine = grid.block(600, 400, 512, 512).astype(float)
        coarse = half.block(300, 200, 256, 256).astype(float)
    mean = fine.reshape(256, 2, 256, 2, 3).mean(axis=(1, 3))
    assert np.abs(mean - coarse).mean() < 2
    shifted = np.abs(mean[1:] - coarse[:-1]).mean()
    assert shifted > 2 * np.abs(mean - coarse).mean()


def test_pictures_are_not_halved(picture_file: Slide) -> None:
    with open_slide(picture_file[0], um_per_px=0.5) as slide:
        assert Raster(slide).halved() is None
