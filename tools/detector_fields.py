"""Real fields without annotation as training scenes: what earlier networks agree on becomes the label.

A field folder holds ``tile.png`` and ``meta.json`` with its ``mpp`` (µm per pixel). Teachers look at every field in
eight orientations; centres they are sure of and that stand out become nuclei, faint ones become background, and
around those in between nothing is learned. The student sees the fields in stains and optics of all kinds, so that it
takes over what is there, not how it looks. Used by ``train_detector.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import torch
from detector_material import CROP, HEAT_SIGMA_UM, Scene, blank_labels, heat
from numpy.typing import NDArray
from torch import Tensor

from kulchitsky.slide import blocks, count
from kulchitsky.slide.accurate import network_input
from kulchitsky.slide.calibration import Calibration
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.peaks import local_maxima
from kulchitsky.slide.planes import stain_planes
from kulchitsky.slide.reader import open_slide

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

SCALES = (0.88, 1.0, 1.13)
"""Every field is learned a little smaller and larger, too."""

SURE, DOUBTFUL, LOWEST = 0.47, 0.33, 0.25
"""Height of the smoothed centre map: a nucleus, no nucleus if faint as well, not looked at."""

STANDS_OUT, FAINT = 0.3, 0.12
"""Density above the surroundings, relative to the field's clear nuclei."""

LARGE_FIELD_PX = 500
LARGE_FIELD_WEIGHT = 6


class Teachers:
    """Networks of before, asked for their mean opinion."""

    def __init__(self, paths: list[Path]) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._sessions = []
        for path in paths:
            model = onnx.load(str(path))
            for end in (model.graph.input[0], model.graph.output[0]):  # made for one picture at a time
                end.type.tensor_type.shape.dim[0].dim_param = "batch"
            session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
            self._sessions.append(session)

    def __call__(self, values: F32) -> Tensor:
        """(N, 3, R / 2, C / 2) probabilities of centre, nucleus and positive for (N, 3, R, C) input."""
        logits = np.mean([s.run(None, {"density": values})[0][:, :3] for s in self._sessions], axis=0)
        return torch.sigmoid(torch.from_numpy(logits))


def field_scenes(folders: list[Path], teachers: list[Path]) -> list[Scene]:
    """Scenes of all fields at all scales; large fields come several times, as they hold more."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    sessions = [onnxruntime.InferenceSession(str(t), options, providers=["CPUExecutionProvider"]) for t in teachers]
    scenes: list[Scene] = []
    for folder in folders:
        mpp = float(json.loads((folder / "meta.json").read_text())["mpp"])
        for scale in SCALES:
            scene = field_scene(folder / "tile.png", mpp * scale, sessions)
            scenes += [scene] * (LARGE_FIELD_WEIGHT if scene.hema.shape[0] > LARGE_FIELD_PX else 1)
    return scenes


def field_scene(path: Path, um_per_px: float, sessions: list[onnxruntime.InferenceSession]) -> Scene:
    with open_slide(path, um_per_px, None) as slide:
        view = count.survey(slide)
        grid = view.raster
        halo = blocks.halo_px(grid.um_per_px)
        size = [(n + 2 * halo) // 8 * 8 for n in (grid.width, grid.height)]
        rgb = grid.block(-halo, -halo, size[0], size[1], wanted=view.map.countable)
        um = 2 * grid.um_per_px
    maps = np.mean([in_all_orientations(s, rgb, view.calibration) for s in sessions], axis=0).astype(np.float32)
    half = halo // 2
    rows, columns = min(grid.height // 2, maps.shape[1] - half), min(grid.width // 2, maps.shape[2] - half)
    cells = candidates(maps, rgb, um / 2, view.calibration)
    x, y = cells.x_um / um - 0.5 - half, cells.y_um / um - 0.5 - half
    sure, faint = verdicts(cells)
    labels = blank_labels(rows, columns)
    labels[0] = heat(x[sure], y[sure], rows, columns, HEAT_SIGMA_UM / um)
    labels[1:3] = maps[1:3, half : half + rows, half : half + columns]
    yy, xx = np.mgrid[:rows, :columns]
    for cx, cy in zip(x[~sure & ~faint], y[~sure & ~faint], strict=True):
        labels[5][(xx - cx) ** 2 + (yy - cy) ** 2 < (4.5 / um) ** 2] = 0
    for cx, cy in zip(x[faint], y[faint], strict=True):
        labels[1][(xx - cx) ** 2 + (yy - cy) ** 2 < (3.5 / um) ** 2] *= 0.2
    inner = rgb[halo : halo + 2 * rows, halo : halo + 2 * columns]
    hema, dab = view.calibration.densities(inner)
    return large_enough(Scene(hema.astype(np.float16), dab.astype(np.float16), labels))


def in_all_orientations(session: onnxruntime.InferenceSession, rgb: U8, calibration: Calibration) -> F32:
    """(4, rows / 2, columns / 2) mean of the network's maps over the eight orientations of the square."""
    total = np.zeros((4, rgb.shape[0] // 2, rgb.shape[1] // 2), np.float32)
    for turns in range(4):
        for flip in (False, True):
            turned = np.rot90(rgb, turns)
            turned = np.ascontiguousarray(turned[:, ::-1] if flip else turned)
            values = np.empty((1, 3, *turned.shape[:2]), np.float32)
            network_input(turned, calibration, values)
            logits = session.run(None, {"density": values})[0][0]
            seen = 1 / (1 + np.exp(-logits))
            total += np.rot90(seen[:, :, ::-1] if flip else seen, -turns, (1, 2))
    return total / 8


def candidates(maps: F32, rgb: U8, um_per_px: float, calibration: Calibration) -> CellTable:
    planes = stain_planes(rgb, um_per_px, calibration)
    centre, nucleus = maps[0], np.ascontiguousarray(maps[1])
    x, y, score = local_maxima(np.asarray(cv2.GaussianBlur(centre, (0, 0), 0.8)), 2, LOWEST)
    none = np.full(len(x), np.nan, np.float32)
    found = blocks.Found(x=x, y=y, score=score, p_positive=none, p_tumour=none, density=nucleus)
    return blocks.measure_found(found, planes, 0.6)


def verdicts(cells: CellTable) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which candidates are nuclei for sure, and which are background."""
    above = (cells.hema_od - cells.ring_hema_od) + 0.5 * (cells.dab_od - cells.ring_dab_od)
    clear = cells.score > 0.5
    relative = above / np.percentile(above[clear], 60)
    sure = (cells.score > SURE) & (relative > STANDS_OUT)
    faint = (relative < FAINT) | ((cells.score < DOUBTFUL) & (relative < STANDS_OUT))
    return sure, faint & ~sure


def large_enough(scene: Scene) -> Scene:
    """Mirrored at the right and bottom, so that a crop fits in."""
    rows, columns = scene.labels.shape[1:]
    more = [max(0, CROP // 2 + 4 - n) for n in (rows, columns)]
    fine = ((0, 2 * more[0]), (0, 2 * more[1]))
    return Scene(
        np.pad(scene.hema, fine, mode="symmetric"),
        np.pad(scene.dab, fine, mode="symmetric"),
        np.pad(scene.labels, ((0, 0), (0, more[0]), (0, more[1])), mode="symmetric"),
    )
