"""The fast detector behind the common interface."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.blobs import BlobSettings, find_blobs, reach_px
from kulchitsky.slide.blocks import Found
from kulchitsky.slide.buffers import Buffers
from kulchitsky.slide.calibration import Calibration
from kulchitsky.slide.nuclei import bearing_um
from kulchitsky.slide.planes import Planes


class FastDetector:
    """Gradient voting and normalised blobs (:mod:`kulchitsky.slide.blobs`); no weights, no network."""

    name = "fast"
    version = "3"
    repeat_within = 0.83
    block_px = 2048
    faintest = 0.38
    needs_colour = False

    def __init__(self, settings: BlobSettings | None = None) -> None:
        self.settings = settings or BlobSettings()

    @property
    def parameters(self) -> dict[str, Any]:
        """Settings by name."""
        return asdict(self.settings)

    @property
    def checksum(self) -> str:
        """SHA-256 over the settings."""
        return hashlib.sha256(repr(self.settings).encode()).hexdigest()

    def halo_um(self, grid_um: float) -> float:
        """See :class:`kulchitsky.slide.blocks.Detector`."""
        return bearing_um(self.repeat_within, reach_px(self.settings, grid_um) * grid_um, 0.0) + grid_um

    def find(
        self,
        rgb: NDArray[np.uint8],  # noqa: ARG002
        planes: Planes,
        calibration: Calibration,  # noqa: ARG002
        buffers: Buffers | None = None,
    ) -> Found:
        """Nuclei of a block; see :class:`kulchitsky.slide.blocks.Detector`."""
        seeds, density = find_blobs(planes, self.settings, buffers)
        none = np.full(len(seeds), np.nan, np.float32)
        return Found(x=seeds.x, y=seeds.y, score=seeds.score, p_positive=none, p_tumour=none, density=density)
