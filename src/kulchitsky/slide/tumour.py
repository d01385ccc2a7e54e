"""Tumour cells, not all cells: which nuclei are left out, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide import cells as table
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.classify import nuclear_signal

Mask = NDArray[np.bool_]

FOCUS_TILE_UM: Final = 128.0
_SURELY_NEGATIVE_OD: Final = 0.25


@dataclass(frozen=True, slots=True)
class FilterSettings:
    """Limits of the morphology filter. Areas in µm², relative ones against the slide's own tumour nuclei."""

    smallest_um2: float = 12.0
    smallest_relative_area: float = 0.4
    fewest_for_relative_area: int = 20
    lymphocyte_relative_area: float = 0.58
    lymphocyte_relative_hema: float = 1.16
    lymphocyte_elongation: float = 1.5
    stroma_elongation: float = 2.3
    p_tumour: float = 0.1
    focus_ratio: float = 0.62


def leave_out(cells: CellTable, settings: FilterSettings | None = None) -> NDArray[np.uint8]:
    """(N,) reasons by morphology: lymphocytes (small, round, dark), stroma (spindle), debris, pigment.

    Where the detector has its own opinion of tumour or not, that decides; the rules then only name the reason.
    Positive nuclei are never called lymphocytes by their darkness alone.
    """
    s = settings or FilterSettings()
    reason = np.zeros(len(cells), np.uint8)
    if len(cells) == 0:
        return reason
    typical_area = float(np.median(cells.area_um2))
    typical_hema = float(np.median(cells.hema_od))
    small = cells.area_um2 < s.lymphocyte_relative_area * typical_area
    dark = (cells.hema_od > s.lymphocyte_relative_hema * typical_hema) & ~_stained(cells)
    round_ = cells.elongation < s.lymphocyte_elongation
    spindle = cells.elongation > s.stroma_elongation
    judged = np.isfinite(cells.p_tumour)
    other = judged & (cells.p_tumour < s.p_tumour)
    reason[np.where(judged, other & (cells.elongation > 1.7), spindle)] = table.STROMA
    reason[np.where(judged, other & (cells.elongation <= 1.7), small & dark & round_)] = table.LYMPHOCYTE
    reason[cells.area_um2 < s.smallest_um2] = table.DEBRIS
    counted = cells.area_um2[reason == table.COUNTED]
    if len(counted) >= s.fewest_for_relative_area:
        reason[cells.area_um2 < s.smallest_relative_area * float(np.median(counted))] = table.DEBRIS
    return reason


def _stained(cells: CellTable) -> Mask:
    return np.asarray(nuclear_signal(cells) >= _SURELY_NEGATIVE_OD)


def visible(cells: CellTable, faintest: float) -> Mask:
    """(N,) cells that stand out: contrast at least ``faintest`` times that of the slide's clear negative nuclei.

    The measure is taken on nuclei without DAB, so that a slide of black positive nuclei keeps its pale negative ones.
    """
    if len(cells) == 0:
        return np.zeros(0, np.bool_)
    negative = ~_stained(cells)
    these = cells.contrast[negative] if negative.sum() >= 20 else cells.contrast
    return np.asarray(cells.contrast >= faintest * float(np.percentile(these, 80)))


def out_of_focus(cells: CellTable, settings: FilterSettings | None = None) -> Mask:
    """(N,) cells in fields (128 µm squares) whose nuclei have markedly softer borders than the slide's."""
    s = settings or FilterSettings()
    if len(cells) < 200:
        return np.zeros(len(cells), np.bool_)
    usual = float(np.median(cells.edge))
    column = (cells.x_um / FOCUS_TILE_UM).astype(np.int64)
    row = (cells.y_um / FOCUS_TILE_UM).astype(np.int64)
    field = row * (column.max() + 1) + column
    counts = np.bincount(field)
    # edges are positive: their bits, as a whole number, are in the same order
    ordered = np.sort(field << 32 | cells.edge.view(np.int32))
    middle = np.minimum(np.cumsum(counts) - counts + counts // 2, len(field) - 1)
    medians = (ordered[middle] & 0xFFFFFFFF).astype(np.uint32).view(np.float32)
    soft = (medians < s.focus_ratio * usual) & (counts >= 8)
    return np.asarray(soft[field])
