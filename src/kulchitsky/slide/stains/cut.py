"""Stained or not: a background known from the slide itself, and a cut in the gap between it and the stained cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from kulchitsky.slide.stains.measures import Measures

F64 = NDArray[np.float64]

HIGHEST_BACKGROUND_OD: Final = 0.18
"""More than this everywhere is not taken off as background: it is reported."""

_FAINTEST_OD: Final = 0.06
_STAINED_OD: Final = 0.10
_FEWEST: Final = 5
_GAP_FROM: Final = 0.15
_GAP_TO: Final = 0.42
_OF_STRONG: Final = 0.4
_BINS: Final = 160
_SMOOTH_BINS: Final = 5.0


@dataclass(frozen=True, slots=True)
class StainCut:
    """The cut on a signal from which the background is already off; ``typical_od`` is that of the stained cells.

    ``how``: ``gap`` between the two groups, ``share`` of the typical density where no gap shows, or ``floor`` where
    hardly any cell is stained. ``typical_od`` is NaN for ``floor``.
    """

    cut_od: float
    how: str
    typical_od: float


def background_of(m: Measures) -> float:
    """What unspecific DAB the slide shows: the lower of what lies between cells and of the cells' palest parts.

    Where everything is stained there is no such place; the answer is kept below :data:`HIGHEST_BACKGROUND_OD`.
    """
    if len(m) == 0:
        return 0.0
    parts = np.stack([m.nucleus, m.ring, m.body, m.border])
    with np.errstate(all="ignore"):
        palest = np.nanmin(np.where(np.isfinite(parts), parts, np.inf), axis=0)
    candidates = [float(np.percentile(palest[np.isfinite(palest)], 15))] if np.isfinite(palest).any() else [0.0]
    outside = m.outside[np.isfinite(m.outside)]
    if len(outside) > 0.1 * len(m):
        candidates.append(float(np.percentile(outside, 25)))
    return float(np.clip(min(candidates), 0.0, HIGHEST_BACKGROUND_OD))


def find_cut(signal: F64, floor_od: float = _FAINTEST_OD) -> StainCut:
    """The cut between unstained and stained cells.

    The stained cells set the scale: cells spread over a factor of three or four around their own typical density,
    while unstained ones show what their neighbours spill. Between 15 and 42 % of the typical density the emptiest
    place of the histogram (logarithmic) is taken. Fewer than five clearly stained cells give the floor.
    """
    clear = signal[signal > max(_STAINED_OD, floor_od)]
    if len(clear) < max(_FEWEST, 0.003 * len(signal)):
        return StainCut(max(_STAINED_OD, floor_od), "floor", float("nan"))
    # the median of all clear cells would be that of a leak, where haematoxylin shows in the DAB of every nucleus
    strong = float(np.percentile(clear, 95))
    typical = float(np.median(signal[signal > max(floor_od, _OF_STRONG * strong)]))
    low, high = max(floor_od, _GAP_FROM * typical), max(1.2 * floor_od, _GAP_TO * typical)
    edges = np.linspace(np.log(low / 4), np.log(max(4 * typical, high * 2)), _BINS + 1)
    counts = np.histogram(np.log(np.clip(signal, low / 3.9, None)), bins=edges)[0].astype(np.float64)
    density = gaussian_filter1d(counts, _SMOOTH_BINS)
    centre = np.exp((edges[1:] + edges[:-1]) / 2)
    inside = np.nonzero((centre >= low) & (centre <= high))[0]
    if len(inside) == 0:
        return StainCut(low, "share", typical)
    # of equally empty places the middle one: neither group is favoured
    emptiest = density[inside].min()
    flat = inside[density[inside] <= emptiest + 1e-9 + 0.02 * density.max()]
    return StainCut(float(centre[int(np.median(flat))]), "gap", typical)
