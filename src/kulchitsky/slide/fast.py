"""The fast detector behind the common interface."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.blobs import BlobSettings, find_blobs
from kulchitsky.slide.blocks import Found
from kulchitsky.slide.calibration import Calibration
from kulchitsky.slide.planes import Planes


class FastDetector:
    """Gradient voting and normalised blobs (:mod:`kulchitsky.slide.blobs`); no weights, no network."""

    name = "fast"
    version = "1"
    repeat_within = 0.83
    block_px = 1024
    faintest = 0.38

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

    def find(self, rgb: NDArray[np.uint8], planes: Planes, calibration: Calibration) -> Found:  # noqa: ARG002
        """Nuclei of a block; see :class:`kulchitsky.slide.blocks.Detector`."""
        seeds, density = find_blobs(planes, self.settings)
        none = np.full(len(seeds), np.nan, np.float32)
        return Found(x=seeds.x, y=seeds.y, score=seeds.score, p_positive=none, p_tumour=none, density=density)
