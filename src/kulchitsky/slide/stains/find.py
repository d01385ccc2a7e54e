"""Finds and measures the cells of one block of a stained slide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide import cells as table
from kulchitsky.slide.blocks import Block, Detector, halo_px, measure_found
from kulchitsky.slide.calibration import Calibration
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.planes import Planes, stain_planes
from kulchitsky.slide.raster import Raster
from kulchitsky.slide.stains import cell_net, measures, spots
from kulchitsky.slide.stains.counterstain import without_dab
from kulchitsky.slide.stains.measures import Measures
from kulchitsky.slide.stains.spots import Spots
from kulchitsky.slide.stains.territory import territories

Channel = Literal["counterstain", "both"]
"""Where nuclei are looked for: in haematoxylin alone, or (nuclear stains) in both stains together."""
CHANNELS: Final[tuple[Channel, ...]] = ("counterstain", "both")

Index = NDArray[np.bool_] | NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class StainedCells:
    """The cell table and, row by row, what its DAB looks like and what the network makes of it, (N, 9), see
    :mod:`.cell_net`; the spots are a table of their own."""

    cells: CellTable
    measures: Measures
    opinion: NDArray[np.float32]
    spots: Spots

    def __len__(self) -> int:
        return len(self.cells)

    def take(self, index: Index) -> StainedCells:
        """The cells chosen by a mask or by positions, with all spots."""
        return StainedCells(self.cells.take(index), self.measures.take(index), self.opinion[index], self.spots)


def concatenate(parts: list[StainedCells]) -> StainedCells:
    """Several tables one below the other."""
    return StainedCells(
        table.concatenate([p.cells for p in parts]),
        measures.concatenate([p.measures for p in parts]),
        np.concatenate([np.zeros((0, cell_net.OPINIONS), np.float32), *(p.opinion for p in parts)]),
        spots.concatenate([p.spots for p in parts]),
    )


@dataclass(frozen=True, slots=True)
class SeenField:
    """An (H, W, 3) field as cells are looked for in it and measured on it.

    ``plain`` is the field without its DAB, ``dab`` the (H, W) density taken out; ``planes`` lie on the half-scale
    grid; ``logits`` are the network's, see :func:`.cell_net.opinion_planes`.
    """

    rgb: NDArray[np.uint8]
    plain: NDArray[np.uint8]
    dab: NDArray[np.float32]
    planes: Planes
    logits: NDArray[np.float32]
    calibration: Calibration
    um: float


def see_field(rgb: NDArray[np.uint8], um_per_px: float, calibration: Calibration) -> SeenField:
    """All planes of a field."""
    plain, dab = without_dab(rgb, calibration)
    logits = cell_net.opinion_planes(stain_planes(rgb, um_per_px, calibration, shrink=1))
    return SeenField(rgb, plain, dab, stain_planes(rgb, um_per_px, calibration), logits, calibration, um_per_px)


def cells_of_field(
    rgb: NDArray[np.uint8], plain: NDArray[np.uint8], planes: Planes, detector: Detector, calibration: Calibration,
    channel: Channel,
) -> CellTable:  # fmt: skip
    """Cells of a field by the nuclei found in one channel; micrometres from its corner."""
    if channel == "both":
        found = detector.find(rgb, planes, calibration)
    else:
        found = detector.find(plain, replace(planes, dab=np.zeros_like(planes.dab)), calibration)
    return measure_found(found, planes, detector.repeat_within)


def measure_cells(field: SeenField, cells: CellTable) -> StainedCells:
    """The cells with all that is measured of them."""
    land = territories(cells, field.dab.shape, field.um)
    measured, marks = measures.measure(field.dab, land, cells)
    return StainedCells(cells, measured, cell_net.opinions_of(field.logits, cells, 2 * field.um), marks)


def find_in_field(field: SeenField, detector: Detector, channel: Channel) -> StainedCells:
    """Cells of a field, measured; micrometres from its corner."""
    cells = cells_of_field(field.rgb, field.plain, field.planes, detector, field.calibration, channel)
    return measure_cells(field, cells)


def find_in_block(
    raster: Raster,
    block: Block,
    mask: NDArray[np.bool_],
    mask_um: float,
    detector: Detector,
    calibration: Calibration,
    channel: Channel,
) -> StainedCells:
    """Cells whose centre lies in the block and on the mask, in micrometres from the slide's corner."""
    um = raster.um_per_px
    halo = halo_px(um)
    width, height = block.width + 2 * halo, block.height + 2 * halo
    rgb = raster.block(block.x - halo, block.y - halo, width + width % 2, height + height % 2, wanted=mask)
    found = find_in_field(see_field(rgb, um, calibration), detector, channel)
    cells, marks = found.cells, found.spots

    def to_slide(x: Any, y: Any) -> tuple[Any, Any, NDArray[np.bool_]]:
        left, top = x / um - halo, y / um - halo
        mine = (left >= 0) & (left < block.width) & (top >= 0) & (top < block.height)
        return (left + block.x) * um, (top + block.y) * um, mine

    x_um, y_um, mine = to_slide(cells.x_um, cells.y_um)
    column = np.clip((x_um / mask_um).astype(np.int64), 0, mask.shape[1] - 1)
    row = np.clip((y_um / mask_um).astype(np.int64), 0, mask.shape[0] - 1)
    peak_x, peak_y, _ = to_slide(found.measures.peak_x_um, found.measures.peak_y_um)
    shift: dict[str, Any] = {"peak_x_um": peak_x.astype(np.float32), "peak_y_um": peak_y.astype(np.float32)}
    spot_x, spot_y, own = to_slide(marks.x_um, marks.y_um)
    moved = StainedCells(
        replace(cells, x_um=x_um, y_um=y_um),
        replace(found.measures, **shift),
        found.opinion,
        replace(marks, x_um=spot_x, y_um=spot_y).take(own),
    )
    return moved.take(mine & mask[row, column])
