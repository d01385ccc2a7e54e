"""The density by which a stain of a known kind is told from none, and graded."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.stains.cut import find_cut
from kulchitsky.slide.stains.features import net, strongest
from kulchitsky.slide.stains.find import StainedCells
from kulchitsky.slide.stains.spots import spot_of_cell

F64 = NDArray[np.float64]

SPOTS: Final = frozenset({"perinuclear_dot", "globular"})
_LEAST_OF_CUT: Final = 0.7


def signal_of(found: StainedCells, kind: str | None, background_od: F64) -> F64:
    """(N,) the density that decides whether a cell is stained, by where this stain lies.

    Of a nucleus part of the surrounding blush is taken off, as in counting; a spot counts by how far it stands above
    its surroundings.
    """
    m = found.measures
    nucleus, ring = net(m.nucleus, background_od, fill=0.0), net(m.ring, background_od, fill=0.0)
    body = net(m.body, background_od)
    body = np.where(np.isfinite(body), body, ring)
    if kind in ("nuclear", "nuclear_and_cytoplasmic"):
        return np.asarray(nucleus - 0.35 * np.minimum(ring, nucleus))
    if kind in SPOTS:
        return spot_signal(found)
    if kind == "membranous":
        # a membrane is shared with the neighbour, stained or not: what lies within it tells the two apart
        return np.asarray((net(m.rim, background_od, fill=0.0) + net(m.within, background_od, fill=0.0) + ring) / 3)
    if kind == "cytoplasmic_granular":
        return np.asarray((ring + body) / 2)
    if kind is None:
        return strongest(m, background_od)
    return body


def spot_signal(found: StainedCells) -> F64:
    """(N,) contrast of the spot that belongs to each cell, 0 where it has none.

    Spots much weaker than the usual ones are not dealt out: they are grains and noise.
    """
    contrast = found.spots.contrast
    least = _LEAST_OF_CUT * find_cut(contrast).cut_od if len(contrast) else 0.0
    owned = spot_of_cell(found.cells, found.spots, least)
    return np.where(owned >= 0, contrast[np.maximum(owned, 0)] if len(contrast) else 0.0, 0.0)


def density_of(found: StainedCells, kind: str | None, background_od: F64) -> F64:
    """(N,) the density that the intensity classes 1+ to 3+ go by: that of the compartment where the stain lies."""
    m = found.measures
    if kind in SPOTS:
        return spot_signal(found)
    if kind == "membranous":
        return net(m.rim, background_od, fill=0.0)
    if kind == "nuclear":
        return net(m.nucleus, background_od, fill=0.0)
    return signal_of(found, kind, background_od)
