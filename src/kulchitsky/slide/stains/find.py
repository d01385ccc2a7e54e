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
from kulchitsky.slide.planes import stain_planes
from kulchitsky.slide.raster import Raster
from kulchitsky.slide.stains import measures, spots
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
    """The cell table and, row by row, what its DAB looks like; the spots are a table of their own."""

    cells: CellTable
    measures: Measures
    spots: Spots

    def __len__(self) -> int:
        return len(self.cells)

    def take(self, index: Index) -> StainedCells:
        """The cells chosen by a mask or by positions, with all spots."""
        return StainedCells(self.cells.take(index), self.measures.take(index), self.spots)


def concatenate(parts: list[StainedCells]) -> StainedCells:
    """Several tables one below the other."""
    return StainedCells(
        table.concatenate([p.cells for p in parts]),
        measures.concatenate([p.measures for p in parts]),
        spots.concatenate([p.spots for p in parts]),
    )


def find_in_field(
    rgb: NDArray[np.uint8], um_per_px: float, detector: Detector, calibration: Calibration, channel: Channel
) -> StainedCells:
    """Cells of an (H, W, 3) field; micrometres from its corner."""
    plain, dab = without_dab(rgb, calibration)
    planes = stain_planes(rgb, um_per_px, calibration)
    if channel == "both":
        found = detector.find(rgb, planes, calibration)
    else:
        found = detector.find(plain, replace(planes, dab=np.zeros_like(planes.dab)), calibration)
    cells = measure_found(found, planes, detector.repeat_within)
    land = territories(cells, dab.shape, um_per_px)
    return StainedCells(cells, *measures.measure(dab, land, cells))


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
    found = find_in_field(rgb, um, detector, calibration, channel)
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
        replace(marks, x_um=spot_x, y_um=spot_y).take(own),
    )
    return moved.take(mine & mask[row, column])
