"""Numbers that tell compartments and patterns apart, free of how strong the stain is."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.stains.find import StainedCells
from kulchitsky.slide.stains.measures import Measures

F64 = NDArray[np.float64]

FEATURES: Final = (
    "nucleus_over_body",
    "ring_over_body",
    "border_over_body",
    "rim_over_within",
    "rim_line",
    "line",
    "blob",
    "grain",
    "low_over_top",
    "peak_over_rest",
    "peak_compactness",
    "peak_radius",
    "peak_radius_over_nucleus",
    "peak_depth",
    "wall_over_body",
    "own_wall_over_ring",
    "rim_over_ring",
    "rim_low_over_low_sector",
    "nucleus_over_ring",
    "border_over_ring",
    "body_area",
    "nucleus_over_rim",
    "top_sector_over_ring",
    "ridge",
    "seen_as_nuclear",
    "seen_as_cytoplasmic_diffuse",
    "seen_as_cytoplasmic_granular",
    "seen_as_membranous",
    "seen_as_perinuclear_dot",
    "seen_as_globular",
    "seen_as_nuclear_and_cytoplasmic",
    "seen_as_cytoplasmic_and_membranous",
)
"""Names of the columns of :func:`describe`."""

_NOISE_OD: Final = 0.03
"""Added to both sides of every ratio: what scanner noise and unmixing leave behind."""


def describe(found: StainedCells, background_od: F64) -> F64:
    """(N, 32) features of each cell, after its local ``background_od`` (N,) is taken off. No NaN."""
    m = found.measures
    nucleus, ring, body, border = (net(v, background_od) for v in (m.nucleus, m.ring, m.body, m.border))
    ring = np.where(np.isfinite(ring), ring, 0.0)
    body = np.where(np.isfinite(body), body, ring)
    border = np.where(np.isfinite(border), border, body)
    low, top = (net(v, background_od, fill=0.0) for v in (m.low_sector, m.top_sector))
    rim, within = (net(v, background_od, fill=0.0) for v in (m.rim, m.within))
    peak, around = net(m.peak, background_od, fill=0.0), net(m.peak_around, background_od, fill=0.0)
    rest = np.maximum(np.nan_to_num(nucleus), body)
    outside = np.maximum(body, border)
    nucleus_um = np.sqrt(np.maximum(found.cells.area_um2, 4.0) / np.pi)
    columns = (
        _ratio(np.nan_to_num(nucleus), body),
        _ratio(ring, body),
        _ratio(border, body),
        _ratio(rim, within),
        _share(m.rim_line, rim),
        _share(m.line, outside),
        _share(m.blob, outside),
        _share(m.grain, outside),
        _ratio(low, top),
        _ratio(peak, rest),
        _ratio(peak - around, around),
        m.peak_radius_um,
        m.peak_radius_um / nucleus_um,
        np.clip(m.peak_depth_um, -3.0, 3.0),
        *_walls(m, background_od),
        *found.opinion[:, 1:].T,
    )
    return np.nan_to_num(np.stack([np.asarray(c, np.float64) for c in columns], axis=1), nan=0.0)


def _walls(m: Measures, background_od: F64) -> tuple[F64, ...]:
    """What tells a brown wall from brown cytoplasm that ends there."""
    nucleus, ring, body, border = (net(v, background_od, fill=0.0) for v in (m.nucleus, m.ring, m.body, m.border))
    rim, rim_low = net(m.rim, background_od, fill=0.0), net(m.rim_low, background_od, fill=0.0)
    low, top = net(m.low_sector, background_od, fill=0.0), net(m.top_sector, background_od, fill=0.0)
    own, seen = (np.nan_to_num(v.astype(np.float64)) for v in (m.own_wall, m.seen_wall))
    ridge = m.ridge.astype(np.float64)
    known = np.isfinite(ridge)
    # cells without a wall to judge take the slide's usual one
    usual = float(np.median(ridge[known])) if known.any() else 0.0
    return (
        _ratio(seen / 2, body),
        _ratio(own, ring),
        _ratio(rim, ring),
        _ratio(rim_low, low),
        _ratio(nucleus, ring),
        _ratio(border, ring),
        np.asarray(np.log(m.body_um2.astype(np.float64) + 5)),
        _ratio(nucleus, rim),
        _ratio(top, ring),
        np.where(known, ridge, usual),
    )


def net(value: NDArray[np.float32], background_od: F64, *, fill: float | None = None) -> F64:
    """Densities above the background, not below 0; NaN stays unless ``fill`` is given."""
    out = np.maximum(value.astype(np.float64) - background_od, 0.0)
    return np.asarray(out if fill is None else np.where(np.isfinite(out), out, fill), np.float64)


def strongest(m: Measures, background_od: F64) -> F64:
    """(N,) the highest of the densities of nucleus, ring, cytoplasm and border, and half of the peak's."""
    parts = [net(v, background_od, fill=0.0) for v in (m.nucleus, m.ring, m.body, m.border)]
    parts.append(0.5 * net(m.peak, background_od, fill=0.0))
    return np.asarray(np.max(np.stack(parts), axis=0), np.float64)


def _ratio(above: F64, below: F64) -> F64:
    return np.asarray(np.log((np.maximum(above, 0) + _NOISE_OD) / (np.maximum(below, 0) + _NOISE_OD)))


def _share(value: NDArray[np.float32], whole: F64) -> F64:
    return np.asarray(np.nan_to_num(value.astype(np.float64), nan=0.0) / (whole + _NOISE_OD))
