"""Cuts a slide into blocks and finds the cells of each: every nucleus belongs to the block its centre lies in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide import cells as table
from kulchitsky.slide.buffers import Buffers
from kulchitsky.slide.calibration import REFERENCE_DAB, REFERENCE_HEMATOXYLIN, Calibration
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.nuclei import Nuclei, measure_nuclei, repeated
from kulchitsky.slide.planes import SHRINK, Planes, stain_planes
from kulchitsky.slide.raster import Raster
from kulchitsky.slide.rays import LONGEST_UM
from kulchitsky.slide.source import Window

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

BLOCK_PX: Final = 1024
HALO_UM: Final = 24.0
_ALIGNED_PX: Final = 8
"""Blocks begin at multiples of this, so that the working grids of all of them coincide."""


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

    def take(self, index: Mask) -> Found:
        """The seeds chosen by a mask, on the same plane."""
        columns = (self.x, self.y, self.score, self.p_positive, self.p_tumour)
        x, y, score, p_positive, p_tumour = (c[index] for c in columns)
        return Found(x, y, score, p_positive, p_tumour, self.density)


class Detector(Protocol):
    """Finds nuclei in a block. ``name``, ``version`` and ``checksum`` go into the report.

    A seed within ``repeat_within`` of a surer one's outline is the same nucleus; one whose contrast is below
    ``faintest`` of the slide's clearly visible negative nuclei is background. ``block_px`` is the size of block
    that suits it; ``needs_colour`` says whether it looks at the colours themselves or at the stain planes alone.
    """

    name: str
    version: str
    repeat_within: float
    block_px: int
    faintest: float
    needs_colour: bool

    @property
    def checksum(self) -> str:
        """SHA-256 over all that decides its results."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Settings by name."""

    def halo_um(self, grid_um: float) -> float:
        """How far around a window all lies that can bear on the nuclei in it, on a grid of ``grid_um``."""

    def find(self, rgb: U8, planes: Planes, calibration: Calibration, buffers: Buffers | None = None) -> Found:
        """Nuclei of a block given as RGB at the working scale and as stain planes at half of it.

        What is found may lie in ``buffers``, to be read before the next call. A detector without ``needs_colour``
        must not look at ``rgb``, which may be at another scale.
        """


@dataclass(frozen=True, slots=True)
class Block:
    """Owned window in working pixels: left, top, width, height; ``number`` in reading order."""

    number: int
    x: int
    y: int
    width: int
    height: int


def plan_blocks(raster: Raster, mask: Mask, mask_um: float, size: int = BLOCK_PX) -> list[Block]:
    """Blocks of at most ``size`` pixels (a multiple of 8) that cover the mask, in reading order.

    A block is no larger than the part of the mask in its square, so that little is read and looked at in vain.
    """
    blocks: list[Block] = []
    px = mask_um / raster.um_per_px
    for row in range(-(-raster.height // size)):
        for column in range(-(-raster.width // size)):
            x, y = column * size, row * size
            x1, y1 = min(x + size, raster.width), min(y + size, raster.height)
            left, top = int(x / px), int(y / px)
            cut = mask[top : int(np.ceil(y1 / px)) + 1, left : int(np.ceil(x1 / px)) + 1]
            rows, columns = np.flatnonzero(cut.any(axis=1)), np.flatnonzero(cut.any(axis=0))
            if len(rows) == 0:
                continue
            x0, x1 = _within(x, x1, (left + columns[0]) * px, (left + columns[-1] + 1) * px)
            y0, y1 = _within(y, y1, (top + rows[0]) * px, (top + rows[-1] + 1) * px)
            if x1 > x0 and y1 > y0:
                blocks.append(Block(len(blocks), x0, y0, x1 - x0, y1 - y0))
    return blocks


def _within(start: int, stop: int, first: float, last: float) -> tuple[int, int]:
    """What is needed of a span of pixels, from ``first`` to ``last``, a pixel more on either side, aligned."""
    low = max(start, int(first - 1) // _ALIGNED_PX * _ALIGNED_PX)
    high = min(stop, -(-int(last + 2) // _ALIGNED_PX) * _ALIGNED_PX)
    return low, high


def halo_px(um_per_px: float, halo_um: float = HALO_UM) -> int:
    """Margin of at least ``halo_um`` read around a block, in whole steps of the working grids."""
    return int(np.ceil(halo_um / um_per_px / (2 * SHRINK))) * 2 * SHRINK


@dataclass(frozen=True, slots=True)
class _View:
    """How blocks of a slide are read for a detector: their halo, and the raster to read if the planes suffice."""

    raster: Raster
    half: Raster | None
    halo: int

    def window(self, block: Block) -> Window:
        width, height = block.width + 2 * self.halo, block.height + 2 * self.halo
        window = (block.x - self.halo, block.y - self.halo, width + width % 2, height + height % 2)
        if self.half is None:
            return window
        x, y, wide, tall = (v // 2 for v in window)
        return x, y, wide, tall

    def read(self, block: Block, mask: Mask, calibration: Calibration, buffers: Buffers) -> tuple[U8, Planes]:
        x, y, width, height = self.window(block)
        out = buffers.array("rgb", (height, width, 3), np.uint8)
        source, shrink = (self.raster, SHRINK) if self.half is None else (self.half, 1)
        rgb = source.block(x, y, width, height, wanted=mask, out=out)
        return rgb, stain_planes(rgb, source.um_per_px, calibration, shrink=shrink, buffers=buffers)


def _view(raster: Raster, detector: Detector) -> _View:
    halo = halo_px(raster.um_per_px, detector.halo_um(raster.um_per_px * SHRINK))
    return _View(raster, None if detector.needs_colour else raster.halved(), halo)


def announce_blocks(raster: Raster, blocks: Sequence[Block], detector: Detector) -> None:
    """Tell the slide which blocks are to be counted, so that tiles between two of them are decoded once."""
    view = _view(raster, detector)
    (view.half or raster).expect([view.window(b) for b in blocks])


def count_block(
    raster: Raster,
    block: Block,
    mask: Mask,
    mask_um: float,
    detector: Detector,
    calibration: Calibration,
    buffers: Buffers | None = None,
) -> CellTable:
    """Cells whose seed lies in the block and whose centre lies on the mask."""
    kept = buffers or Buffers()
    view = _view(raster, detector)
    rgb, planes = view.read(block, mask, calibration, kept)
    found = detector.find(rgb, planes, calibration, kept)
    halo = view.halo // SHRINK
    size = (-(-block.width // SHRINK), -(-block.height // SHRINK))
    near = _inside(found, halo, size, detector.repeat_within * LONGEST_UM / planes.um + 1)
    found = found.take(near)
    corner = ((block.x - view.halo) // SHRINK, (block.y - view.halo) // SHRINK)
    nuclei, x_um, y_um, again = _measured(found, planes, detector.repeat_within, kept, corner)
    column = np.clip((x_um / mask_um).astype(np.int64), 0, mask.shape[1] - 1)
    row = np.clip((y_um / mask_um).astype(np.int64), 0, mask.shape[0] - 1)
    keep = ~again & _inside(found, halo, size, 0) & mask[row, column]
    return _table(found, nuclei, x_um, y_um, keep)


def _inside(found: Found, halo: int, size: tuple[int, int], margin: float) -> Mask:
    """Seeds whose pixel lies in the block's own window, or no farther than ``margin`` from it: in whole numbers, so
    that of two neighbouring blocks just one owns a seed."""
    column, row = np.floor(found.x + 0.5) - halo, np.floor(found.y + 0.5) - halo
    inside = (column >= -margin) & (column < size[0] + margin) & (row >= -margin) & (row < size[1] + margin)
    return np.asarray(inside)


def measure_found(found: Found, planes: Planes, within: float) -> CellTable:
    """Measure what a detector found in a block; drop nuclei found twice.

    Coordinates are micrometres from the block's corner, halo included; ``within`` is explained at
    :func:`kulchitsky.slide.nuclei.repeated`.
    """
    nuclei, x_um, y_um, again = _measured(found, planes, within, Buffers())
    return _table(found, nuclei, x_um, y_um, ~again)


def _measured(
    found: Found, planes: Planes, within: float, buffers: Buffers, corner: tuple[int, int] = (0, 0)
) -> tuple[Nuclei, NDArray[np.float64], NDArray[np.float64], Mask]:
    """Nuclei, their centres in micrometres from where ``corner`` (in grid pixels) is counted from, and which are the
    same as a surer one."""
    nuclei = measure_nuclei(planes, found.density, found.x, found.y, buffers)
    x, y = ((v + 0.5 + at) * planes.um for v, at in zip((_f64(found.x), _f64(found.y)), corner, strict=True))
    again = repeated(x, y, found.score, nuclei.radii_um, within=within)
    return nuclei, x + nuclei.centroid_x_um, y + nuclei.centroid_y_um, again


def _f64(values: F32) -> NDArray[np.float64]:
    return values.astype(np.float64)


def _table(
    found: Found, nuclei: Nuclei, x_um: NDArray[np.float64], y_um: NDArray[np.float64], keep: Mask
) -> CellTable:
    n = int(keep.sum())
    return CellTable(
        x_um=x_um[keep],
        y_um=y_um[keep],
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


def warm_up(detector: Detector) -> int:
    """Find and measure the nuclei of a tiny picture: all that is loaded or compiled on first use is at hand then.

    Returns how many there are: one.
    """
    rgb = np.full((128, 128, 3), 230, np.uint8)
    cv2.circle(rgb, (64, 64), 7, (90, 80, 140), -1)
    calibration = Calibration((240.0, 240.0, 240.0), (REFERENCE_HEMATOXYLIN, REFERENCE_DAB), 0.5)
    kept = Buffers()
    planes = stain_planes(rgb, 0.5, calibration, shrink=SHRINK if detector.needs_colour else 1, buffers=kept)
    return len(measure_found(detector.find(rgb, planes, calibration, kept), planes, detector.repeat_within))


def sample_fields(raster: Raster, mask: Mask, mask_um: float, fields: int = 24, side_px: int = 384) -> Iterator[U8]:
    """Fields of tissue spread evenly over the mask, always the same for the same slide."""
    inside = cv2.erode(np.pad(mask.view(np.uint8), 1), np.ones((3, 3), np.uint8))[1:-1, 1:-1].view(np.bool_)
    if not inside.any():
        inside = mask
    upto = np.cumsum(np.count_nonzero(inside, axis=1))
    if len(upto) == 0 or upto[-1] == 0:
        return
    side = min(side_px, raster.width, raster.height)
    for pick in np.unique(np.linspace(0, upto[-1] - 1, fields).astype(int)):
        row = int(np.searchsorted(upto, pick, side="right"))
        column = np.flatnonzero(inside[row])[pick - upto[row]]  # counted from the row's last
        cx, cy = (column + 0.5) * mask_um / raster.um_per_px, (row + 0.5) * mask_um / raster.um_per_px
        x = int(np.clip(cx - side / 2, 0, raster.width - side))
        y = int(np.clip(cy - side / 2, 0, raster.height - side))
        yield raster.block(x, y, side, side)
