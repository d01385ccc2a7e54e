"""Pictures of a reading: example cells of each pattern, and fields with every cell marked by its strength."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide import cells as table
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.overlay import LEFT_OUT_RGB, field_picture
from kulchitsky.slide.reader import Slide

U8 = NDArray[np.uint8]

LEVEL_RGB: Final = ((30, 110, 220), (250, 190, 40), (240, 120, 20), (205, 25, 35))
"""Colours of 0, 1+, 2+ and 3+."""

_TILE_UM: Final = 26.0
_TILE_PX: Final = 132
_LABEL_PX: Final = 24


def field(
    slide: Slide,
    centre_um: tuple[float, float],
    size_um: float,
    cells: CellTable,
    level: NDArray[np.uint8],
    *,
    side_px: int = 800,
) -> U8:
    """(side_px, side_px, 3) RGB of a square field; each nucleus outlined in the colour of its strength."""
    picture = field_picture(slide, centre_um, size_um, side_px=side_px)
    um = size_um / side_px
    corner = np.asarray([centre_um[0] - size_um / 2, centre_um[1] - size_um / 2])
    near = np.nonzero(
        (np.abs(cells.x_um - centre_um[0]) < size_um / 2 + 12)
        & (np.abs(cells.y_um - centre_um[1]) < size_um / 2 + 12)
    )[0]
    weight = 2 if um <= 0.4 else 1
    for row in near:
        counted = cells.reason[row] == table.COUNTED
        colour = LEVEL_RGB[level[row]] if counted else LEFT_OUT_RGB
        points = np.rint((cells.outline_um(int(row)) - corner) / um * 16).astype(np.int32)
        cv2.polylines(picture, [points], True, colour, weight, cv2.LINE_AA, shift=4)
    _legend(picture)
    return picture


def fullest_field(slide: Slide, cells: CellTable, size_um: float) -> tuple[tuple[float, float], float]:
    """Centre and side of the fullest field, at most ``size_um`` wide, that lies on the slide."""
    width, height = slide.width_px * slide.um_per_px, slide.height_px * slide.um_per_px
    side = min(size_um, width, height)
    x, y = busiest(cells, side)
    half = side / 2
    return (float(np.clip(x, half, width - half)), float(np.clip(y, half, height - half))), side


def busiest(cells: CellTable, size_um: float) -> tuple[float, float]:
    """Centre of the square of ``size_um`` with the most stained tumour cells (of tumour cells where none stains)."""
    use = cells.counted & cells.positive
    use = use if use.any() else cells.counted
    use = use if use.any() else np.ones(len(cells), np.bool_)
    if not use.any():
        return size_um / 2, size_um / 2
    x, y = cells.x_um[use], cells.y_um[use]
    step = size_um / 3
    column, row = (x / step).astype(np.int64), (y / step).astype(np.int64)
    grid = np.zeros((row.max() + 1, column.max() + 1), np.float32)
    np.add.at(grid, (row, column), 1.0)
    total = np.asarray(cv2.boxFilter(grid, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT))
    best = np.unravel_index(int(np.argmax(total)), total.shape)
    return (float(best[1]) + 0.5) * step, (float(best[0]) + 0.5) * step


def gallery(
    slide: Slide, cells: CellTable, groups: Sequence[tuple[str, NDArray[np.intp]]], *, columns: int = 8
) -> U8:
    """Example cells, one row of square crops a group, each under its label; the cell's own nucleus is outlined."""
    rows = [(label, chosen[:columns]) for label, chosen in groups if len(chosen)]
    height = max(1, len(rows)) * (_TILE_PX + _LABEL_PX)
    picture = np.full((height, columns * _TILE_PX, 3), 255, np.uint8)
    um = _TILE_UM / _TILE_PX
    for number, (label, chosen) in enumerate(rows):
        top = number * (_TILE_PX + _LABEL_PX)
        place_px = (6, top + 17)
        cv2.putText(picture, label, place_px, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 20, 20), 1, cv2.LINE_AA)
        for place, row in enumerate(chosen):
            centre = (float(cells.x_um[row]), float(cells.y_um[row]))
            tile = field_picture(slide, centre, _TILE_UM, side_px=_TILE_PX)
            corner = np.asarray(centre) - _TILE_UM / 2
            points = np.rint((cells.outline_um(int(row)) - corner) / um * 16).astype(np.int32)
            cv2.polylines(tile, [points], True, (250, 250, 250), 1, cv2.LINE_AA, shift=4)
            left = place * _TILE_PX
            picture[top + _LABEL_PX : top + _LABEL_PX + _TILE_PX - 2, left : left + _TILE_PX - 2] = tile[:-2, :-2]
    return picture


def _legend(picture: U8) -> None:
    x, y = picture.shape[1] - 150, picture.shape[0] - 14
    for name, colour in zip(("0", "1+", "2+", "3+"), LEVEL_RGB, strict=True):
        for width, shade in ((4, (255, 255, 255)), (2, colour)):
            cv2.putText(picture, name, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.55, shade, width, cv2.LINE_AA)
        x += 36
