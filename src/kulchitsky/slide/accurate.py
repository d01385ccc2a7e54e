"""The accurate detector: a small U-Net run by onnxruntime on the CPU.

Input is the block's optical density, so that glass is 0 and stain adds up; output, on the grid of the stain planes,
is a map of nucleus centres, of nuclei, of positivity and of tumour. Weights, how they were trained and on what are
described in ``models/MODEL_CARD.md``; ``tools/train_detector.py`` makes them.
"""

from __future__ import annotations

import hashlib
import math
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
from kulchitsky.slide.buffers import Buffers
from kulchitsky.slide.calibration import Calibration
from kulchitsky.slide.nuclei import bearing_um
from kulchitsky.slide.peaks import local_maxima
from kulchitsky.slide.planes import Planes

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

MODEL_FILE: Final = "nuclei-s.onnx"
OD_OFFSET: Final = 0.15
"""Densities enter the network as log(1 + OD / 0.15): pale nuclei are not drowned by dark ones."""
STRIDE: Final = 8
"""Blocks are padded to a multiple of this: the network halves its grid three times."""

REACH_PX: Final = 49
"""An output of the network depends on no input pixel farther than this; a test works it out from the graph."""


@dataclass(frozen=True, slots=True)
class NetSettings:
    """Decisions on the network's output: threshold on the centre map (0 to 1), and spacing in micrometres.

    The threshold was chosen on annotated fields of four sets, on the flat part of the curve (0.40 to 0.46 is within
    half a point of F1), none of them trained on.
    """

    threshold: float = 0.43
    apart_um: float = 3.6


class AccurateDetector:
    """The network behind the common interface; safe to use from several threads."""

    name = "accurate"
    version = "3"
    repeat_within = 0.85
    block_px = 1536
    faintest = 0.0
    needs_colour = True

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

    def logits(self, rgb: U8, calibration: Calibration, buffers: Buffers) -> F32:
        """(4, rows / 2, columns / 2) log odds: centre, nucleus, positive, tumour; they last until the next call."""
        rows, columns = rgb.shape[:2]
        tall, wide = -(-rows // STRIDE) * STRIDE, -(-columns // STRIDE) * STRIDE
        values = network_input(rgb, calibration, buffers.array("input", (1, 3, tall, wide), np.float32))
        out = buffers.array("logits", (1, 4, tall // 2, wide // 2), np.float32)
        binding = self._session.io_binding()
        binding.bind_input("density", "cpu", 0, np.float32, values.shape, values.ctypes.data)
        binding.bind_output("logits", "cpu", 0, np.float32, out.shape, out.ctypes.data)
        self._session.run_with_iobinding(binding)
        return np.asarray(out[0, :, : rows // 2, : columns // 2])

    def halo_um(self, grid_um: float) -> float:
        """See :class:`kulchitsky.slide.blocks.Detector`."""
        network = (REACH_PX / 2 + 1) * grid_um
        return bearing_um(self.repeat_within, network + (_reach(self.settings, grid_um) + 4) * grid_um, network)

    def find(self, rgb: U8, planes: Planes, calibration: Calibration, buffers: Buffers | None = None) -> Found:
        """Nuclei of a block; see :class:`kulchitsky.slide.blocks.Detector`."""
        kept = buffers or Buffers()
        centre_odds, nucleus_odds, positive, tumour = self.logits(rgb, calibration, kept)
        shape = centre_odds.shape
        centre = _probability(centre_odds, kept.array("centre", shape, np.float32))
        nucleus = _probability(nucleus_odds, kept.array("nucleus", shape, np.float32))
        smooth: F32 = kept.array("soft centre", shape, np.float32)
        cv2.GaussianBlur(centre, (0, 0), 0.8, dst=smooth)
        x, y, score = local_maxima(smooth, _reach(self.settings, planes.um), self.settings.threshold)
        return Found(
            x=x,
            y=y,
            score=score,
            p_positive=_around(positive, nucleus, x, y),
            p_tumour=_around(tumour, nucleus, x, y),
            density=nucleus,
        )


def _reach(settings: NetSettings, grid_um: float) -> int:
    return max(1, round(settings.apart_um / grid_um / 2))


def network_input(rgb: U8, calibration: Calibration, out: F32) -> F32:
    """Fill (1, 3, rows, columns) with log densities of (H, W, 3) RGB, and with glass below and to the right of it."""
    table = np.log1p(np.clip(calibration.od_table(), 0, None) / OD_OFFSET).astype(np.float32)
    out[:, :, rgb.shape[0] :] = 0
    out[:, :, :, rgb.shape[1] :] = 0
    _look_up(np.ascontiguousarray(rgb).reshape(len(rgb), -1), table, out[0])
    return out


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _look_up(rgb: Any, table: Any, out: Any) -> None:
    for i in range(rgb.shape[0]):
        for c in range(3):
            _look_up_row(rgb[i], c, table[c], out[c, i])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _look_up_row(row: Any, channel: int, table: Any, out: Any) -> None:
    for j in range(row.shape[0] // 3):
        out[j] = table[np.uint64(row[np.uint64(3 * j + channel)])]


def _probability(log_odds: F32, out: F32) -> F32:
    """The logistic function of a plane, in ``out``."""
    cv2.exp(log_odds, dst=out)
    _share_of_odds(out)
    return out


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _share_of_odds(plane: Any) -> None:
    one = np.float32(1)
    for i in range(plane.shape[0]):
        row = plane[i]
        for j in range(row.shape[0]):
            row[j] = one - one / (one + row[j])


@numba.njit(cache=True, nogil=True)
def _around(log_odds: Any, weight: Any, xs: Any, ys: Any) -> Any:
    """Mean probability over the 5 x 5 pixels around each centre, weighted by the nucleus map."""
    out = np.empty(len(xs), np.float32)
    rows, columns = log_odds.shape
    for n in range(len(xs)):
        ci, cj = int(ys[n] + 0.5), int(xs[n] + 0.5)
        total, mass = 0.0, 1e-9
        for i in range(max(0, ci - 2), min(rows, ci + 3)):
            for j in range(max(0, cj - 2), min(columns, cj + 3)):
                total += weight[i, j] / (1 + math.exp(-log_odds[i, j]))
                mass += weight[i, j]
        out[n] = total / mass
    return out
