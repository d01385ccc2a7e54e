"""Cuts a slide into blocks and finds the cells of each: every nucleus belongs to the block its centre lies in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide import cells as table
from kulchitsky.slide.calibration import Calibration
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.nuclei import measure_nuclei, repeated
from kulchitsky.slide.planes import SHRINK, Planes, stain_planes
from kulchitsky.slide.raster import Raster

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

BLOCK_PX: Final = 1024
HALO_UM: Final = 24.0


@dataclass(frozen=True, slots=True)
class Found:
    """What a detector sees in a block: centres in grid pixels, its certainty, and the plane to measure outlines on.

    ``p_positive`` and ``p_tumour`` are NaN for a detector without an opinion.
    """

    x: F32
    y: F32
    score: F32
    p_positive: F32
    p_tumour: F32
    density: F32


class Detector(Protocol):
    """Finds nuclei in a block. ``name``, ``version`` and ``checksum`` go into the report.

    A seed within ``repeat_within`` of a surer one's outline is the same nucleus; one whose contrast is below
    ``faintest`` of the slide's clearly visible negative nuclei is background. ``block_px`` is the size of block
    that suits it.
    """

    name: str
    version: str
    repeat_within: float
    block_px: int
    faintest: float

    @property
    def checksum(self) -> str:
        """SHA-256 over all that decides its results."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Settings by name."""

    def find(self, rgb: U8, planes: Planes, calibration: Calibration) -> Found:
        """Nuclei of a block given as RGB at the working scale and as stain planes at half of it."""


@dataclass(frozen=True, slots=True)
class Block:
    """Owned window in working pixels: left, top, width, height; ``number`` in reading order."""

    number: int
    x: int
    y: int
    width: int
    height: int


def plan_blocks(raster: Raster, mask: Mask, mask_um: float, size: int = BLOCK_PX) -> list[Block]:
    """Blocks of ``size`` pixels that touch the mask, in reading order. ``size`` must be even."""
    blocks: list[Block] = []
    step = size * raster.um_per_px / mask_um
    for row in range(-(-raster.height // size)):
        for column in range(-(-raster.width // size)):
            x, y = column * size, row * size
            cut = mask[
                int(row * step) : int(np.ceil((row + 1) * step)) + 1,
                int(column * step) : int(np.ceil((column + 1) * step)) + 1,
            ]
            if cut.any():
                width, height = min(size, raster.width - x), min(size, raster.height - y)
                blocks.append(Block(len(blocks), x, y, width, height))
    return blocks


def halo_px(um_per_px: float) -> int:
    """Margin read around a block: even, and wider than any filter reaches."""
    return int(np.ceil(HALO_UM / um_per_px / (2 * SHRINK))) * 2 * SHRINK


def count_block(
    raster: Raster, block: Block, mask: Mask, mask_um: float, detector: Detector, calibration: Calibration
) -> CellTable:
    """Cells whose centre lies in the block and on the mask."""
    halo = halo_px(raster.um_per_px)
    x0, y0 = block.x - halo, block.y - halo
    width, height = block.width + 2 * halo, block.height + 2 * halo
    rgb = raster.block(x0, y0, width + width % 2, height + height % 2, wanted=mask)
    planes = stain_planes(rgb, raster.um_per_px, calibration)
    found = detector.find(rgb, planes, calibration)
    cells = measure_found(found, planes, detector.repeat_within)
    return _owned(cells, block, halo, raster.um_per_px, mask, mask_um)


def measure_found(found: Found, planes: Planes, within: float) -> CellTable:
    """Measure what a detector found in a block; drop nuclei found twice.

    Coordinates are micrometres from the block's corner, halo included; ``within`` is explained at
    :func:`kulchitsky.slide.nuclei.repeated`.
    """
    nuclei = measure_nuclei(planes, found.density, found.x, found.y)
    um = planes.um
    x = ((found.x + 0.5) * um).astype(np.float32)
    y = ((found.y + 0.5) * um).astype(np.float32)
    keep = ~repeated(x, y, found.score, nuclei.radii_um, within=within)
    n = int(keep.sum())
    return CellTable(
        x_um=(x + nuclei.centroid_x_um).astype(np.float64)[keep],
        y_um=(y + nuclei.centroid_y_um).astype(np.float64)[keep],
        dab_od=nuclei.dab_od[keep],
        hema_od=nuclei.hema_od[keep],
        ring_dab_od=nuclei.ring_dab_od[keep],
        ring_hema_od=nuclei.ring_hema_od[keep],
        area_um2=nuclei.area_um2[keep],
        elongation=nuclei.elongation[keep],
        contrast=nuclei.contrast[keep],
        edge=nuclei.edge[keep],
        score=found.score[keep],
        p_positive=found.p_positive[keep],
        p_tumour=found.p_tumour[keep],
        radii=table.pack_radii(nuclei.radii_um[keep]),
        reason=np.zeros(n, np.uint8),
        positive=np.zeros(n, np.bool_),
    )


def _owned(cells: CellTable, block: Block, halo: int, um: float, mask: Mask, mask_um: float) -> CellTable:
    """The cells whose centre lies in the block's own window and on the mask, in slide coordinates."""
    left, top = cells.x_um / um - halo, cells.y_um / um - halo
    mine = (left >= 0) & (left < block.width) & (top >= 0) & (top < block.height)
    x_um, y_um = (left + block.x) * um, (top + block.y) * um
    column = np.clip((x_um / mask_um).astype(np.int64), 0, mask.shape[1] - 1)
    row = np.clip((y_um / mask_um).astype(np.int64), 0, mask.shape[0] - 1)
    mine &= mask[row, column]
    return replace(cells, x_um=x_um, y_um=y_um).take(mine)


def sample_fields(raster: Raster, mask: Mask, mask_um: float, fields: int = 24, side_px: int = 384) -> Iterator[U8]:
    """Fields of tissue spread evenly over the mask, always the same for the same slide."""
    inside = cv2.erode(np.pad(mask.astype(np.uint8), 1), np.ones((3, 3), np.uint8))[1:-1, 1:-1].astype(bool)
    rows, columns = np.nonzero(inside if inside.any() else mask)
    if len(rows) == 0:
        return
    side = min(side_px, raster.width, raster.height)
    for pick in np.unique(np.linspace(0, len(rows) - 1, fields).astype(int)):
        cx, cy = (columns[pick] + 0.5) * mask_um / raster.um_per_px, (rows[pick] + 0.5) * mask_um / raster.um_per_px
        x = int(np.clip(cx - side / 2, 0, raster.width - side))
        y = int(np.clip(cy - side / 2, 0, raster.height - side))
        yield raster.block(x, y, side, side)
