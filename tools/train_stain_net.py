"""Trains the small network of the stain reader on painted fields alone and writes its weights as ONNX.

    python tools/train_stain_net.py --folder FOLDER --out src/kulchitsky/slide/models/stain-s.onnx

It learns, at every tumour nucleus, whether the cell is stained, and of stained ones which kind of stain it is. Fields
are painted by ``stain_material.py`` (kept in ``--folder``); crops are turned, mirrored, shifted in strength and hue.
The seeds lie apart from those of ``train_stain_reader.py``, of the development grid and of ``benchmarks/stains.py``.

Needs the ``train`` extra (torch, onnx); takes minutes on the CPU.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from detector_net import export
from fitting import fit
from numpy.typing import NDArray
from stain_material import Field, fields, seeds_of
from stain_net import StainNet, loss_of

from kulchitsky.slide.planes import stain_planes
from kulchitsky.slide.stains.cell_net import network_input
from kulchitsky.slide.stains.model import CLASSES
from kulchitsky.slide.synthetic import paint
from kulchitsky.slide.synthetic.scene import TUMOUR

F32 = NDArray[np.float32]
CROP = 192


@dataclass(frozen=True, slots=True)
class Lesson:
    """Stain planes at the working scale; weights of tumour nuclei and where they are stained at half of it."""

    hema: NDArray[np.float16]
    dab: NDArray[np.float16]
    weight: NDArray[np.float16]
    stained: NDArray[np.bool_]
    kind: int


def lesson(field: Field) -> Lesson:
    """What one field teaches: every tumour nucleus counts alike."""
    even = field.rgb[: field.rgb.shape[0] // 2 * 2, : field.rgb.shape[1] // 2 * 2]
    planes = stain_planes(even, field.um, field.calibration, shrink=1)
    rows, columns, grid_um = even.shape[0] // 2, even.shape[1] // 2, 2 * field.um
    c = field.truth.cells
    owner, _ = paint.territories(
        c.x_um, c.y_um, c.semi_a, c.semi_b, c.angle, c.wobble, c.phase,
        np.zeros(len(c), np.uint8), 1.0, grid_um, rows, columns,
    )  # fmt: skip
    inside = owner >= 0
    area = np.bincount(owner[inside], minlength=len(c))
    # the small rest of a nucleus that lies under another one is no lesson
    whole = np.pi * c.semi_a * c.semi_b / grid_um**2
    worth = np.where((c.kind == TUMOUR) & (area > 0.5 * whole), 30.0 / np.maximum(area, 1), 0.0)
    weight, stained = np.zeros((rows, columns), np.float16), np.zeros((rows, columns), np.bool_)
    weight[inside], stained[inside] = worth[owner[inside]], c.positive[owner[inside]]
    kind = list(CLASSES).index(field.name)
    return Lesson(planes.hema.astype(np.float16), planes.dab.astype(np.float16), weight, stained, kind)


def crop(given: Lesson, rng: np.random.Generator) -> tuple[F32, F32, F32, int]:
    """A turned, mirrored crop, its stains a little stronger or weaker and not quite told apart."""
    rows, columns = given.weight.shape
    half = CROP // 2
    i, j = int(rng.integers(rows - half + 1)), int(rng.integers(columns - half + 1))
    whole, part = np.s_[2 * i : 2 * i + CROP, 2 * j : 2 * j + CROP], np.s_[i : i + half, j : j + half]
    hema, dab = given.hema[whole].astype(np.float32), given.dab[whole].astype(np.float32)
    to_dab, to_hema = rng.normal(0, 0.03), rng.normal(0, 0.05)
    mixed = hema + np.float32(to_hema) * dab, dab + np.float32(to_dab) * hema
    hema = np.maximum(mixed[0] * np.float32(np.exp(rng.normal(0, 0.15))), 0)
    dab = np.maximum(mixed[1] * np.float32(np.exp(rng.normal(0, 0.12))) + np.float32(rng.normal(0, 0.01)), 0)
    planes = [
        *network_input(hema, dab),
        given.weight[part].astype(np.float32),
        given.stained[part].astype(np.float32),
    ]
    turn, mirror = int(rng.integers(4)), bool(rng.integers(2))
    planes = [np.rot90(p[:, ::-1] if mirror else p, turn) for p in planes]
    return np.stack(planes[:2]), planes[2].copy(), planes[3].copy(), given.kind


def batches(lessons: list[Lesson], size: int, seed: int) -> Iterator[tuple[torch.Tensor, ...]]:
    rng = np.random.default_rng(seed)
    while True:
        drawn = [crop(lessons[int(rng.integers(len(lessons)))], rng) for _ in range(size)]
        yield tuple(torch.from_numpy(np.stack([d[k] for d in drawn])) for k in range(4))  # type: ignore[arg-type]


def train(lessons: list[Lesson], net: StainNet, steps: int, batch: int, seed: int) -> StainNet:
    drawn = batches(lessons, batch, seed)

    def next_loss() -> torch.Tensor:
        values, weight, stained, kind = next(drawn)
        return loss_of(net(values), weight, stained, kind)

    return fit(net, next_loss, steps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where painted fields are kept")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=seeds_of, default="100000:100968", help="first:last of the painted fields")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    started = time.process_time()
    lessons = [lesson(field) for field in fields(options.folder, options.seeds)]
    print(f"{len(lessons)} fields, {time.process_time() - started:.0f} CPU s", flush=True)
    torch.manual_seed(options.seed)
    net = train(lessons, StainNet(len(CLASSES)), options.steps, options.batch, options.seed)
    parameters = export(net, options.out, "stain")
    print(f"{parameters} parameters, {options.out.stat().st_size} bytes, {time.process_time() - started:.0f} CPU s")


if __name__ == "__main__":
    main()
