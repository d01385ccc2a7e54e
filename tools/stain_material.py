"""Painted fields that the stain reader learns from: pixels as it reads them, and what was painted.

    python tools/stain_material.py --seeds 100000:100968 --folder FOLDER

Every pattern in turn. Half of the fields are those of ``random_stain_spec``, half those of
``random_photographed_stain_spec``; of the latter half are photographed besides: stray light, a camera's tone curve,
uneven light. A field is painted, written, opened and calibrated as any slide is. Used by ``train_stain_net.py`` and
``train_stain_reader.py``.
"""

from __future__ import annotations

import argparse
import pickle
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide import synthetic
from kulchitsky.slide.calibration import Calibration
from kulchitsky.slide.count import make_detector, survey
from kulchitsky.slide.reader import open_slide
from kulchitsky.slide.stains.first_look import own_hue
from kulchitsky.slide.stains.model import CLASSES
from kulchitsky.slide.synthetic.variety import random_photographed_stain_spec, random_stain_spec

U8 = NDArray[np.uint8]

SIDE_UM = 230.0
ALIKE = ("nuclear", "nuclear_and_cytoplasmic", "cytoplasmic_diffuse", "cytoplasmic_and_membranous")
"""Patterns of which two and two are easily taken for each other."""


@dataclass(frozen=True, slots=True)
class Field:
    """One painted field: its class, (H, W, 3) RGB at the working scale, its calibration, and the truth."""

    seed: int
    name: str
    rgb: U8
    um: float
    calibration: Calibration
    truth: synthetic.Truth


def paint(seed: int, folder: Path) -> Field:
    """Paint one field and open it as the reader would."""
    name = list(CLASSES)[seed % len(CLASSES)]
    rng = np.random.default_rng([seed, 5])
    um = float(rng.uniform(0.25, 0.6))
    side = int(SIDE_UM / um)
    varied = (seed // len(CLASSES)) % 2 == 1
    make = random_photographed_stain_spec if varied else random_stain_spec
    spec = make(seed, name, width_px=side, height_px=side, um_per_px=um)  # type: ignore[arg-type]
    rgb, truth = synthetic.render(spec)
    if varied and rng.random() < 0.5:
        rgb = photographed(rgb, spec.stains.glass, rng)
    path = folder / "field.png"
    cv2.imwrite(str(path), rgb[:, :, ::-1])
    with open_slide(path, um) as slide:
        view = survey(slide)
        seen = view.raster.block(0, 0, view.raster.width, view.raster.height)
    calibration = own_hue([seen], view.raster.um_per_px, make_detector("accurate"), view.calibration)
    return Field(seed, name, seen, view.raster.um_per_px, calibration, truth)


def photographed(rgb: U8, glass: tuple[int, int, int], rng: np.random.Generator) -> U8:
    """Stray light over everything, light that falls off to one side, a tone curve: (H, W, 3) RGB again."""
    light = rgb.astype(np.float32) / np.asarray(glass, np.float32)
    haze = float(rng.choice([0.0, rng.uniform(0.02, 0.2)]))
    light = light * (1 - haze) + haze
    rows, columns = light.shape[:2]
    fall = float(rng.uniform(0, 0.2))
    angle = float(rng.uniform(0, 2 * np.pi))
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    side = (x / columns - 0.5) * np.cos(angle) + (y / rows - 0.5) * np.sin(angle) + 0.5
    light = light * (1 - fall * side.astype(np.float32))[..., None]
    light = np.clip(light, 0, 1) ** float(rng.uniform(0.75, 1.35))
    return np.clip(np.rint(light * np.asarray(glass, np.float32)), 0, 255).astype(np.uint8)


def fields(folder: Path, seeds: range, *, hard: range = range(0)) -> Iterator[Field]:
    """Fields kept in ``folder``, painted first where they are not there yet.

    Of the seeds in ``hard`` only those of patterns that are easily taken for another are used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [*seeds, *(s for s in hard if list(CLASSES)[s % len(CLASSES)] in ALIKE)]
    with tempfile.TemporaryDirectory() as scratch:
        for seed in wanted:
            kept = folder / f"{seed}.pkl"
            if kept.exists():
                yield Field(*pickle.loads(kept.read_bytes()))
                continue
            field = paint(seed, Path(scratch))
            parts = (field.seed, field.name, field.rgb, field.um, field.calibration, field.truth)
            kept.with_suffix(".part").write_bytes(pickle.dumps(parts))
            kept.with_suffix(".part").rename(kept)
            yield field


def seeds_of(text: str) -> range:
    """``first:last`` as a range."""
    first, last = (int(part) for part in text.split(":"))
    return range(first, last)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=seeds_of, default="100000:100968", help="first:last of the painted fields")
    parser.add_argument("--hard", type=seeds_of, default="0:0", help="more, of patterns that look alike")
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    started = time.time()
    for number, _ in enumerate(fields(options.folder, options.seeds, hard=options.hard)):
        if number % 100 == 99:
            print(f"{number + 1} fields, {time.time() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
