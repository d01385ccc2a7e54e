"""Slides damaged at random are counted or refused in one sentence; never a crash, a hang or another error."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from kulchitsky.case.errors import RefusedInput
from kulchitsky.slide import synthetic
from kulchitsky.slide.count import count_slide


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "good.tif"
    synthetic.write_slide(path, synthetic.SlideSpec(seed=8, width_px=600, height_px=520))
    return path.read_bytes()


def damage(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    match rng.randrange(4):
        case 0:
            for _ in range(rng.randint(1, 200)):
                out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
        case 1:
            del out[rng.randrange(8, len(out)) :]
        case 2:
            for _ in range(rng.randint(1, 16)):
                out[rng.randrange(600)] = rng.randrange(256)
        case _:
            start = rng.randrange(len(out))
            out[start : start + 5000] = bytes(len(out[start : start + 5000]))
    return bytes(out)


@pytest.mark.parametrize("seed", range(30))
def test_damaged_slide_is_counted_or_refused(seed: int, good: bytes, tmp_path: Path) -> None:
    path = tmp_path / "damaged.tif"
    path.write_bytes(damage(good, random.Random(seed)))
    sentence, counted = "", 0
    try:
        counted = count_slide(path, detector="fast", hotspot_cells=(), threads=1).count.counted
    except RefusedInput as refusal:
        sentence = str(refusal)
    assert counted > 0 or (sentence.endswith(".") and "\n" not in sentence)
