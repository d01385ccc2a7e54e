"""Regions that a reader drew, and which places count because of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon, contains_xy, prepare

from kulchitsky.workup.edit_log import DrawRegion


@dataclass(frozen=True, slots=True)
class DrawnRegion:
    """A region as it stands; corners in µm."""

    region: int
    role: str
    polygon: tuple[tuple[float, float], ...]

    def drawing(self) -> DrawRegion:
        """The change that draws it."""
        return DrawRegion.model_validate(asdict(self))


def counting_places(
    regions: Sequence[DrawnRegion], x: NDArray[np.floating], y: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """Which points count: those in a tumour region (any point where none is drawn) and in no exclusion."""
    tumour = [r for r in regions if r.role == "tumour"]
    inside = np.zeros(x.shape, dtype=bool) if tumour else np.ones(x.shape, dtype=bool)
    for region in tumour:
        _mark(inside, region, x, y, value=True)
    for region in regions:
        if region.role == "exclusion":
            _mark(inside, region, x, y, value=False)
    return inside


def _mark(
    inside: NDArray[np.bool_], region: DrawnRegion, x: NDArray[np.floating], y: NDArray[np.floating], *, value: bool
) -> None:
    """Set ``inside`` to ``value`` for the points of one region; only its bounding box is looked at."""
    shape = Polygon(region.polygon)
    left, top, right, bottom = shape.bounds
    near = np.flatnonzero((x >= left) & (x <= right) & (y >= top) & (y <= bottom))
    prepare(shape)
    inside[near[contains_xy(shape, x[near], y[near])]] = value
