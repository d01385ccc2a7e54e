"""The accurate detector: a small U-Net run by onnxruntime on the CPU.

Input is the block's optical density, so that glass is 0 and stain adds up; output, on the grid of the stain planes,
is a map of nucleus centres, of nuclei, of positivity and of tumour. Weights, how they were trained and on what are
described in ``models/MODEL_CARD.md``; ``tools/train_detector.py`` makes them.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib import resources
from typing import Any, Final

import cv2
import numba
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from kulchitsky.slide.blocks import Found
from kulchitsky.slide.calibration import Calibration
from kulchitsky.slide.peaks import local_maxima
from kulchitsky.slide.planes import Planes

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

MODEL_FILE: Final = "nuclei-s.onnx"
OD_OFFSET: Final = 0.15
"""Densities enter the network as log(1 + OD / 0.15): pale nuclei are not drowned by dark ones."""
STRIDE: Final = 8
"""Blocks are padded to a multiple of this: the network halves its grid three times."""


@dataclass(frozen=True, slots=True)
class NetSettings:
    """Decisions on the network's output: threshold on the centre map (0 to 1), and spacing in micrometres."""

    threshold: float = 0.53
    apart_um: float = 3.6


class AccurateDetector:
    """The network behind the common interface; safe to use from several threads."""

    name = "accurate"
    version = "1"
    repeat_within = 0.6
    block_px = 1536
    faintest = 0.0

    def __init__(self, settings: NetSettings | None = None) -> None:
        self.settings = settings or NetSettings()
        self._weights = resources.files("kulchitsky.slide.models").joinpath(MODEL_FILE).read_bytes()

    @property
    def parameters(self) -> dict[str, Any]:
        """Settings by name."""
        return asdict(self.settings)

    @property
    def checksum(self) -> str:
        """SHA-256 over weights and settings."""
        return hashlib.sha256(self._weights + repr(self.settings).encode()).hexdigest()

    @cached_property
    def _session(self) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # blocks are of one size: the arena is filled by the first and spares the others' page faults
        options.enable_cpu_mem_arena = True
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(self._weights, options, providers=["CPUExecutionProvider"])

    def maps(self, rgb: U8, calibration: Calibration) -> F32:
        """(4, rows / 2, columns / 2) probabilities: centre, nucleus, positive, tumour."""
        rows, columns = rgb.shape[:2]
        tall, wide = -(-rows // STRIDE) * STRIDE, -(-columns // STRIDE) * STRIDE
        values = network_input(rgb, calibration, tall, wide)
        logits = self._session.run(None, {"density": values})[0][0]
        return np.asarray(_sigmoid(logits[:, : rows // 2, : columns // 2]))

    def find(self, rgb: U8, planes: Planes, calibration: Calibration) -> Found:
        """Nuclei of a block; see :class:`kulchitsky.slide.blocks.Detector`."""
        centre, nucleus, positive, tumour = self.maps(rgb, calibration)
        reach = max(1, round(self.settings.apart_um / planes.um / 2))
        smooth = np.asarray(cv2.GaussianBlur(centre, (0, 0), 0.8))
        x, y, score = local_maxima(smooth, reach, self.settings.threshold)
        return Found(
            x=x,
            y=y,
            score=score,
            p_positive=_around(positive, nucleus, x, y),
            p_tumour=_around(tumour, nucleus, x, y),
            density=np.ascontiguousarray(nucleus),
        )


def network_input(rgb: U8, calibration: Calibration, rows: int, columns: int) -> F32:
    """(1, 3, rows, columns) log densities of (H, W, 3) RGB, padded with glass at the bottom and right."""
    table = np.log1p(np.clip(calibration.od_table(), 0, None) / OD_OFFSET).astype(np.float32)
    values = np.zeros((1, 3, rows, columns), np.float32)
    _look_up(rgb, table, values[0])
    return values


@numba.njit(cache=True, nogil=True)
def _look_up(rgb: Any, table: Any, out: Any) -> None:
    for i in range(rgb.shape[0]):
        for j in range(rgb.shape[1]):
            out[0, i, j] = table[0, rgb[i, j, 0]]
            out[1, i, j] = table[1, rgb[i, j, 1]]
            out[2, i, j] = table[2, rgb[i, j, 2]]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _sigmoid(logits: Any) -> Any:
    out = np.empty(logits.shape, np.float32)
    for c in range(logits.shape[0]):
        for i in range(logits.shape[1]):
            for j in range(logits.shape[2]):
                out[c, i, j] = np.float32(1) / (np.float32(1) + np.exp(-logits[c, i, j]))
    return out


@numba.njit(cache=True, nogil=True)
def _around(plane: Any, weight: Any, xs: Any, ys: Any) -> Any:
    """Mean of ``plane`` over the 5 x 5 pixels around each centre, weighted by the nucleus map."""
    out = np.empty(len(xs), np.float32)
    rows, columns = plane.shape
    for n in range(len(xs)):
        ci, cj = int(ys[n] + 0.5), int(xs[n] + 0.5)
        total, mass = 0.0, 1e-9
        for i in range(max(0, ci - 2), min(rows, ci + 3)):
            for j in range(max(0, cj - 2), min(columns, cj + 3)):
                total += weight[i, j] * plane[i, j]
                mass += weight[i, j]
        out[n] = total / mass
    return out
