"""The cell table: one row per nucleus found on a slide, as columns; counted or left out, positive or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.pages import pages

F32 = NDArray[np.float32]

COUNTED: Final = 0
LYMPHOCYTE: Final = 1
STROMA: Final = 2
PIGMENT: Final = 3
DEBRIS: Final = 4
OUT_OF_FOCUS: Final = 5
ARTEFACT: Final = 6
OUTSIDE_REGION: Final = 7
NOT_MARKED: Final = 8
REASONS: Final = (
    "counted",
    "lymphocyte",
    "stroma",
    "pigment",
    "debris",
    "out_of_focus",
    "artefact",
    "outside_region",
    "outside_marked_tumour",
)
"""Names of ``CellTable.reason``: the tumour cells that count, or why a cell was left out."""

MORPHOLOGY: Final = (LYMPHOCYTE, STROMA, PIGMENT, DEBRIS)
"""Reasons that the tumour-cell filter gives and that switching it off takes back."""

_RADIUS_STEP_UM: Final = 0.05


@dataclass(frozen=True, slots=True)
class CellTable:
    """Columns of equal length N.

    ``x_um``, ``y_um``: centre from the slide's top-left corner. ``dab_od``, ``hema_od``: mean optical densities over
    the nucleus; ``ring_dab_od``, ``ring_hema_od`` just outside it. ``contrast``: log density above its surroundings.
    ``edge``: steepness of its border, per µm, relative to the contrast. ``score``: how sure the detector is.
    ``p_positive``, ``p_tumour``: the network's opinion, NaN for a detector that has none. ``radii``: (N, 16) distance
    to the outline in steps of 0.05 µm. ``reason``: index into :data:`REASONS`. ``positive``: above the cut.
    """

    x_um: NDArray[np.float64]
    y_um: NDArray[np.float64]
    dab_od: F32
    hema_od: F32
    ring_dab_od: F32
    ring_hema_od: F32
    area_um2: F32
    elongation: F32
    contrast: F32
    edge: F32
    score: F32
    p_positive: F32
    p_tumour: F32
    radii: NDArray[np.uint8]
    reason: NDArray[np.uint8]
    positive: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.x_um)

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Mask of the cells that count."""
        return np.asarray(self.reason == COUNTED)

    def take(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> CellTable:
        """The rows chosen by a mask or by positions."""
        return CellTable(*(getattr(self, f.name)[index] for f in fields(self)))

    def rearrange(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> CellTable:
        """The rows chosen by a mask or by positions (no more of them than there are), in the memory of this table:
        it must not be used afterwards. Column by column, so that no second table is held."""
        columns = []
        for f in fields(self):
            column = getattr(self, f.name)
            chosen = column[index]
            column[: len(chosen)] = chosen
            columns.append(column[: len(chosen)])
        return CellTable(*columns)

    def with_reason(self, reason: NDArray[np.uint8]) -> CellTable:
        """The same cells with other reasons."""
        return replace(self, reason=reason)

    def with_positive(self, positive: NDArray[np.bool_]) -> CellTable:
        """The same cells with other classes."""
        return replace(self, positive=positive)

    def outline_um(self, row: int) -> NDArray[np.float64]:
        """(17, 2) closed outline of one nucleus, x and y in micrometres."""
        radii = self.radii[row].astype(np.float64) * _RADIUS_STEP_UM
        angle = 2 * np.pi * np.arange(len(radii)) / len(radii)
        points = np.stack([self.x_um[row] + radii * np.cos(angle), self.y_um[row] + radii * np.sin(angle)], axis=1)
        return np.concatenate([points, points[:1]])


def pack_radii(radii_um: F32) -> NDArray[np.uint8]:
    """Radii in micrometres to the table's steps of 0.05 µm."""
    return np.asarray(np.clip(np.rint(radii_um / _RADIUS_STEP_UM), 1, 255), np.uint8)


def concatenate(tables: list[CellTable]) -> CellTable:
    """Several tables one below the other; an empty list gives an empty table."""
    if not tables:
        return empty()
    return CellTable(*(np.concatenate([getattr(t, f.name) for t in tables]) for f in fields(CellTable)))


_UNTOLD: Final = {"p_positive": np.nan, "p_tumour": np.nan, "reason": COUNTED, "positive": False}
"""Columns that often hold one value until the cells are judged, and that value."""


def gather(tables: Iterable[CellTable]) -> CellTable:
    """Several tables one below the other, each taken in as it comes and then let go: one table is held, not two.

    A column that holds one value all along is made at the end.
    """
    columns = {f.name: getattr(empty(), f.name) for f in fields(CellTable)}
    rows = 0
    for part in tables:
        total = rows + len(part)
        for name, column in columns.items():
            values = getattr(part, name)
            if len(column) == 0 and name in _UNTOLD and not _tells(values, _UNTOLD[name]):
                continue
            if len(column) < total:
                columns[name] = pages((int(1.3 * total) + 4096, *column.shape[1:]), column.dtype)
                columns[name][:rows] = column[:rows] if len(column) else _UNTOLD.get(name, 0)
            columns[name][rows:total] = values
        rows = total
    for name, column in columns.items():
        if len(column) < rows:
            columns[name] = np.full(rows, _UNTOLD[name], column.dtype)
    return CellTable(**{name: column[:rows] for name, column in columns.items()})


def _tells(values: NDArray[Any], usual: float) -> bool:
    return not bool((np.isnan(values) if np.isnan(usual) else values == usual).all())


def empty() -> CellTable:
    """A table without rows."""
    columns: dict[str, Any] = {f.name: np.zeros(0, np.float32) for f in fields(CellTable)}
    columns |= {"x_um": np.zeros(0, np.float64), "y_um": np.zeros(0, np.float64)}
    columns |= {"radii": np.zeros((0, 16), np.uint8), "reason": np.zeros(0, np.uint8)}
    columns |= {"positive": np.zeros(0, np.bool_)}
    return CellTable(**columns)
