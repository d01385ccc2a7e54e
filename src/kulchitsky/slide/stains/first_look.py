"""Before a slide is read: the hue of its haematoxylin, the kind of its stain, where nuclei are looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide import cells as table
from kulchitsky.slide.blocks import Detector
from kulchitsky.slide.calibration import Calibration
from kulchitsky.slide.planes import stain_planes
from kulchitsky.slide.stains.counterstain import without_dab
from kulchitsky.slide.stains.find import (
    CHANNELS,
    Channel,
    StainedCells,
    cells_of_field,
    concatenate,
    find_in_field,
    see_field,
)
from kulchitsky.slide.stains.hue import nuclear_densities, with_own_hematoxylin
from kulchitsky.slide.stains.kind import NUCLEAR_KINDS, certainty_of
from kulchitsky.slide.stains.model import StainModel
from kulchitsky.slide.stains.tumour_cells import leave_out

_FIELDS: Final = 6
_APART_UM: Final = 1e5

Fields = Sequence[NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What sample fields say of a slide. ``certainty`` gives the probability of each kind of stain, and is empty
    where too few cells are stained to say."""

    calibration: Calibration
    channel: Channel
    certainty: dict[str, float]


def first_look(
    fields: Fields, um_per_px: float, detector: Detector, calibration: Calibration, model: StainModel
) -> FirstLook:
    """Read the brownest of ``fields``, (H, W, 3) each, twice: nuclei found in the counterstain, and in both stains.

    Brown nuclei have lost most of their blue, so that they are found by both stains together; brown cytoplasm is as
    dark as the nuclei it surrounds, so that only the counterstain shows these. What a stain looks like either way
    tells its kind; a nuclear kind is then read in both stains, any other in the counterstain.
    """
    if not fields:
        return FirstLook(calibration, "counterstain", {})
    calibration = own_hue(fields, um_per_px, detector, calibration)
    brownest = [see_field(fields[k], um_per_px, calibration) for k in _brownest_first(fields, calibration)[:_FIELDS]]
    seen = []
    for channel in CHANNELS:
        parts = [find_in_field(f, detector, channel) for f in brownest]
        found = _far_apart(parts)
        reason = leave_out(found.cells, model)
        seen.append((found, reason == table.COUNTED))
    certainty = certainty_of(seen, model)
    nuclear = sum(certainty.get(name, 0.0) for name in NUCLEAR_KINDS)
    return FirstLook(calibration, "both" if nuclear > 0.5 else "counterstain", certainty)


def own_hue(fields: Fields, um_per_px: float, detector: Detector, calibration: Calibration) -> Calibration:
    """The calibration with this slide's own haematoxylin, from fields that range from the brownest to the palest."""
    order = _brownest_first(fields, calibration)
    picked = np.unique(np.linspace(0, len(order) - 1, _FIELDS).round().astype(int))
    nuclei = []
    for field in (fields[order[k]] for k in picked):
        plain, planes = without_dab(field, calibration)[0], stain_planes(field, um_per_px, calibration)
        cells = cells_of_field(field, plain, planes, detector, calibration, "counterstain")
        nuclei.append(nuclear_densities(field, cells, um_per_px, calibration))
    return with_own_hematoxylin(calibration, np.concatenate(nuclei))


def _far_apart(parts: list[StainedCells]) -> StainedCells:
    """Fields beside each other on one sheet, so far apart that no cell has neighbours in another field."""
    moved = []
    for number, part in enumerate(parts):
        shift = number * _APART_UM
        cells = replace(part.cells, x_um=part.cells.x_um + shift)
        spots = replace(part.spots, x_um=part.spots.x_um + shift)
        moved.append(StainedCells(cells, part.measures, part.opinion, spots))
    return concatenate(moved)


def _brownest_first(fields: Fields, calibration: Calibration) -> NDArray[np.intp]:
    dab = [float(np.percentile(calibration.densities(f[::2, ::2])[1], 95)) for f in fields]
    return np.argsort(dab)[::-1]
