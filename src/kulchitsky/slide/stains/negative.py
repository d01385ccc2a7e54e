"""Recognises a photographic negative: it holds nuclei and stains too, only none that mean anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.blocks import Detector
from kulchitsky.slide.calibration import calibrate
from kulchitsky.slide.planes import stain_planes

U8 = NDArray[np.uint8]

_DARK: Final = 0.55
_FIELDS: Final = 3
_SURER: Final = 1.2
_FEWEST: Final = 10
_SURE: Final = 0.56
"""Score of a nucleus seen with well-set borders, by the network; a negative shows many half-sure ones."""


def looks_inverted(fields: Sequence[U8], um_per_px: float, detector: Detector) -> bool:
    """Whether (H, W, 3) RGB fields show more nuclei once they are inverted.

    Only asked of pictures whose typical pixel is dark and whose bright pixels are the rare ones: in bright-field
    tissue it is the other way round, save where nearly everything is strongly stained.
    """
    if not fields:
        return False
    grey = np.concatenate([f[::4, ::4].reshape(-1, 3).mean(axis=1) for f in fields])
    middle, top = float(np.median(grey)), float(np.percentile(grey, 99))
    if middle > _DARK * top or grey.mean() < middle:
        return False
    # fields of middling brightness hold tissue
    order = np.argsort([float(f.mean()) for f in fields])
    picked = [fields[k] for k in order[len(order) // 2 :][:_FIELDS]]
    seen = sum(_nuclei(f, um_per_px, detector) for f in picked)
    turned = sum(_nuclei(np.asarray(255 - f, np.uint8), um_per_px, detector) for f in picked)
    return turned > max(_FEWEST, _SURER * seen)


def _nuclei(rgb: U8, um_per_px: float, detector: Detector) -> int:
    """How many nuclei the detector is sure of."""
    calibration = calibrate([rgb], np.percentile(rgb.reshape(-1, 3), 99, axis=0))
    found = detector.find(rgb, stain_planes(rgb, um_per_px, calibration), calibration)
    return int(np.sum(found.score > _SURE))
