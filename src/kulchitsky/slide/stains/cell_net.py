"""What a small network makes of each cell: stained or not, and which kind of stain, from the picture around it.

Measured densities say how much DAB lies where; whose it is where cells crowd and blur carries it across shows in the
picture as a whole. The network looks at the two stains (not at colours), 22 µm around, and gives for every place the
log odds that the cell there is stained, and those of each kind of stain. The reader weighs them with what was
measured. Weights and how they were trained: ``models/MODEL_CARD.md``; ``tools/train_stain_net.py`` makes them.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, Final

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.planes import Planes

F32 = NDArray[np.float32]

NET_FILE: Final = "stain-s.onnx"
OD_OFFSET: Final = 0.15
"""Densities enter the network as log(1 + OD / 0.15)."""
STRIDE: Final = 8
"""Fields are padded to a multiple of this: the network halves its grid three times."""
OPINIONS: Final = 9
"""Outputs: stained, then one for each class of stain, in the order of the model's classes."""
REACH_PX: Final = 46
"""An output depends on no input pixel farther than this."""
_LARGEST: Final = 8.0


def network_input(hema: F32, dab: F32) -> tuple[F32, F32]:
    """Haematoxylin and DAB densities as the network takes them."""
    return tuple(np.log1p(np.maximum(p, 0) / np.float32(OD_OFFSET)).astype(np.float32) for p in (hema, dab))  # type: ignore[return-value]


def opinion_planes(planes: Planes) -> F32:
    """(9, rows / 2, columns / 2) logits of a field given as stain planes at the working scale."""
    rows, columns = planes.hema.shape
    tall, wide = -(-rows // STRIDE) * STRIDE, -(-columns // STRIDE) * STRIDE
    values = np.zeros((1, 2, tall, wide), np.float32)
    values[0, 0, :rows, :columns], values[0, 1, :rows, :columns] = network_input(planes.hema, planes.dab)
    return np.asarray(_session().run(None, {"density": values})[0][0], np.float32)


def opinions_of(logits: F32, cells: CellTable, grid_um: float) -> F32:
    """(N, 9) opinions at the middle of each cell (mean of about 3 µm); the kinds as log shares less their mean."""
    if len(cells) == 0:
        return np.zeros((0, OPINIONS), np.float32)
    rows = np.clip((cells.y_um / grid_um).astype(np.int64), 0, logits.shape[1] - 1)
    columns = np.clip((cells.x_um / grid_um).astype(np.int64), 0, logits.shape[2] - 1)
    soft = np.stack([np.asarray(cv2.blur(plane, (3, 3)))[rows, columns] for plane in logits], axis=1)
    out = np.empty_like(soft)
    out[:, 0] = np.clip(soft[:, 0], -_LARGEST, _LARGEST)
    kinds = soft[:, 1:] - soft[:, 1:].max(axis=1, keepdims=True)
    kinds = np.maximum(kinds, -_LARGEST)
    out[:, 1:] = kinds - kinds.mean(axis=1, keepdims=True)
    return out


@cache
def weights() -> bytes:
    """The shipped file."""
    return resources.files("kulchitsky.slide.models").joinpath(NET_FILE).read_bytes()


@cache
def _session() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(weights(), options, providers=["CPUExecutionProvider"])
