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
_CLOSE_UM: Final = 0.2
_SPARE: Final = 1.5


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
    # dots lie at the outline: a thin one leaves them to be seen
    weight = 2 if um <= _CLOSE_UM else 1
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
    """Example cells, one row of square crops a group, each under its label; the cell's own nucleus is outlined.

    Of each group the first ``columns`` cells are shown, those at the edge of the slide last.
    """
    rows = [(label, _whole_first(slide, cells, chosen)[:columns]) for label, chosen in groups if len(chosen)]
    height = max(1, len(rows)) * (_TILE_PX + _LABEL_PX)
    picture = np.full((height, columns * _TILE_PX, 3), 255, np.uint8)
    um = _TILE_UM / _TILE_PX
    for number, (label, chosen) in enumerate(rows):
        top = number * (_TILE_PX + _LABEL_PX)
        place_px = (6, top + 17)
        cv2.putText(picture, label, place_px, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 20, 20), 1, cv2.LINE_AA)
        for place, row in enumerate(chosen):
            centre = (float(cells.x_um[row]), float(cells.y_um[row]))
            tile = _tile(slide, centre)
            corner = np.asarray(centre) - _TILE_UM / 2
            points = np.rint((cells.outline_um(int(row)) - corner) / um * 16).astype(np.int32)
            cv2.polylines(tile, [points], True, (250, 250, 250), 1, cv2.LINE_AA, shift=4)
            left = place * _TILE_PX
            picture[top + _LABEL_PX : top + _LABEL_PX + _TILE_PX - 2, left : left + _TILE_PX - 2] = tile[:-2, :-2]
    words = f"squares of {_TILE_UM:.0f} um"
    place_px = (picture.shape[1] - 150, 17)
    cv2.putText(picture, words, place_px, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (110, 110, 110), 1, cv2.LINE_AA)
    return picture


def _tile(slide: Slide, centre_um: tuple[float, float]) -> U8:
    """A square crop without a scale bar: the middle of a larger one, whose margin bears it."""
    wide = round(_TILE_PX * _SPARE)
    edge = (wide - _TILE_PX) // 2
    larger = field_picture(slide, centre_um, _TILE_UM * wide / _TILE_PX, side_px=wide)
    return np.ascontiguousarray(larger[edge : edge + _TILE_PX, edge : edge + _TILE_PX])


def _whole_first(slide: Slide, cells: CellTable, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """``rows`` in their order, cells whose crop would reach beyond the slide last."""
    x, y, half = cells.x_um[rows], cells.y_um[rows], _TILE_UM / 2
    width, height = slide.width_px * slide.um_per_px, slide.height_px * slide.um_per_px
    cut = (x < half) | (y < half) | (x > width - half) | (y > height - half)
    return np.concatenate([rows[~cut], rows[cut]])


def _legend(picture: U8) -> None:
    left, top = max(0, picture.shape[1] - 168), max(0, picture.shape[0] - 34)
    picture[top:, left:] = 255
    for number, (name, colour) in enumerate(zip(("0", "1+", "2+", "3+"), LEVEL_RGB, strict=True)):
        x, y = left + 8 + 40 * number, top + 22
        cv2.circle(picture, (x + 4, y - 5), 6, colour, 2, cv2.LINE_AA)
        cv2.putText(picture, name, (x + 14, y), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (30, 30, 30), 1, cv2.LINE_AA)
