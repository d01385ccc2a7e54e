"""Hot spots of a cell table as records: plain, freed of their own selection, and beside what chance would show."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.case.measure import HotSpot
from kulchitsky.numerics import intervals, windows

F64 = NDArray[np.float64]

PERMUTATIONS: Final = 99
_SEED: Final = 20260


def hotspot_by_cells(x_um: F64, y_um: F64, positive: NDArray[np.bool_], cells: int) -> HotSpot | None:
    """The hottest disc of ``cells`` nearest tumour cells; ``None`` where the slide holds fewer.

    The search is exact over a lattice an eighth of the disc's radius apart.
    """
    found = windows.richest_by_count(x_um, y_um, positive, cells)
    if found is None:
        return None
    freed = windows.cross_fit_by_count(x_um, y_um, positive, cells, seed=_SEED)
    return _record(found, freed, cells, cells_wanted=cells)


def hotspot_by_area(x_um: F64, y_um: F64, positive: NDArray[np.bool_], area_mm2: float) -> HotSpot | None:
    """The hottest disc of a fixed area, among those at least half as populated as the median cell's surroundings."""
    radius = float(np.sqrt(area_mm2 * 1e6 / np.pi))
    if len(x_um) == 0:
        return None
    fewest = max(50, int(0.5 * _usual_count(x_um, y_um, radius)))
    found = windows.richest_by_radius(x_um, y_um, positive, radius, fewest)
    if found is None:
        return None
    freed = windows.cross_fit_by_radius(x_um, y_um, positive, radius, fewest, seed=_SEED)
    return _record(found, freed, fewest, area_wanted_mm2=area_mm2)


def _usual_count(x_um: F64, y_um: F64, radius: float) -> float:
    side = radius * np.sqrt(np.pi)
    column, row = ((x_um - x_um.min()) / side).astype(np.int64), ((y_um - y_um.min()) / side).astype(np.int64)
    key = row * (int(column.max()) + 1) + column
    return float(np.median(np.bincount(key)[key]))


def _record(
    found: tuple[windows.Window, windows.PointRaster, windows.Lattice, F64],
    freed: tuple[float, float] | None,
    wanted: int,
    *,
    cells_wanted: int | None = None,
    area_wanted_mm2: float | None = None,
) -> HotSpot:
    best, raster, lattice, radius = found
    low, high = intervals.wilson(best.marked, best.count)
    null, seen = windows.null_shares(raster, lattice, radius, wanted, permutations=PERMUTATIONS, seed=_SEED)
    return HotSpot(
        counted=best.count,
        positive=best.marked,
        index_percent=100 * best.share,
        interval_95=(100 * float(low), 100 * float(high)),
        area_mm2=float(np.pi * best.radius**2 / 1e6),
        centre_um=(best.x, best.y),
        radius_um=best.radius,
        cells_wanted=cells_wanted,
        area_wanted_mm2=area_wanted_mm2,
        shrunk_index_percent=None if freed is None else 100 * freed[0],
        shrunk_interval_95=None if freed is None else _interval(*freed),
        null_index_percent=100 * float(np.median(null)),
        null_interval_95=(100 * float(np.percentile(null, 2.5)), 100 * float(np.percentile(null, 97.5))),
        p_value=float((1 + np.sum(null >= seen)) / (1 + len(null))),
    )


def _interval(value: float, error: float) -> tuple[float, float]:
    return 100 * max(0.0, value - 1.96 * error), 100 * min(1.0, value + 1.96 * error)
