"""Decides once per slide where nuclei are looked for: in the counterstain, or in both stains together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.blocks import Detector
from kulchitsky.slide.calibration import Calibration
from kulchitsky.slide.stains.find import Channel, concatenate, find_in_field

_FIELDS: Final = 5
_STAINED_OD: Final = 0.15
_NUCLEAR_SHARE: Final = 0.45
_NUCLEAR_OF_PEAK: Final = 0.35


def choose_channel(
    fields: Sequence[NDArray[np.uint8]], um_per_px: float, detector: Detector, calibration: Calibration
) -> Channel:
    """``both`` where the DAB of the brownest cells lies in their nuclei, else ``counterstain``.

    Brown nuclei have lost most of their blue, so that they are found by both stains together; brown cytoplasm is as
    dark as the nuclei it surrounds, so that only the counterstain shows these. The brownest fields decide.
    """
    if not fields:
        return "counterstain"
    dab = [float(np.percentile(calibration.densities(f[::2, ::2])[1], 95)) for f in fields]
    order = np.argsort(dab)[::-1][:_FIELDS]
    cells = concatenate(
        [find_in_field(fields[k], um_per_px, detector, calibration, "counterstain") for k in order]
    ).measures
    ring = np.nan_to_num(cells.ring, nan=0.0)
    brown = np.maximum(cells.nucleus, ring)
    stained = np.isfinite(brown) & (brown > _STAINED_OD)
    if stained.sum() < 5:
        return "counterstain"
    top = stained & (brown >= np.percentile(brown[stained], 40))
    share = np.median(cells.nucleus[top] / np.maximum(cells.nucleus[top] + ring[top], 1e-3))
    # a spot that leans on the nucleus lends it some brown, but is itself far browner
    of_peak = np.median(cells.nucleus[top] / np.maximum(cells.peak[top], 1e-3))
    return "both" if share > _NUCLEAR_SHARE and of_peak > _NUCLEAR_OF_PEAK else "counterstain"
