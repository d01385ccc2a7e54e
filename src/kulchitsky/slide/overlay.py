"""Pictures of a count: the slide with its hot spots, and fields with every nucleus outlined."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from kulchitsky.case.measure import HotSpot
from kulchitsky.slide import cells as table
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.raster import overview
from kulchitsky.slide.reader import Slide
from kulchitsky.slide.tissue import TissueMap

U8 = NDArray[np.uint8]

POSITIVE_RGB: Final = (214, 40, 40)
NEGATIVE_RGB: Final = (30, 110, 220)
LEFT_OUT_RGB: Final = (150, 150, 150)
HOTSPOT_RGB: Final = (250, 176, 5)
EXCLUDED_RGB: Final = (120, 60, 160)

_OUTLINES_UNTIL_UM: Final = 1.0
_LARGEST_SIDE_PX: Final = 8000


def field_picture(
    slide: Slide,
    centre_um: tuple[float, float],
    size_um: float,
    *,
    side_px: int = 800,
    cells: CellTable | None = None,
    hotspots: tuple[HotSpot, ...] = (),
) -> U8:
    """(side_px, side_px, 3) RGB of a square field, with the nuclei of ``cells`` drawn on it.

    Up to 1 µm per pixel nuclei are outlined, beyond that they are dots. What lies outside the slide is white.
    """
    um = size_um / side_px
    left, top = centre_um[0] - size_um / 2, centre_um[1] - size_um / 2
    picture = _pixels(slide, left, top, size_um, side_px)
    if cells is not None:
        draw_cells(picture, cells, (left, top), um)
    _draw_hotspots(picture, hotspots, (left, top), um)
    add_scale_bar(picture, um)
    return picture


def draw_cells(picture: U8, cells: CellTable, corner_um: tuple[float, float], um_per_px: float) -> None:
    """Draw nuclei onto an RGB picture in place: positive red, negative blue, left out grey."""
    height, width = picture.shape[:2]
    x, y = (cells.x_um - corner_um[0]) / um_per_px, (cells.y_um - corner_um[1]) / um_per_px
    margin = 12 / um_per_px
    near = np.nonzero((x > -margin) & (x < width + margin) & (y > -margin) & (y < height + margin))[0]
    colours = np.where(
        (cells.reason[near] != table.COUNTED)[:, None],
        LEFT_OUT_RGB,
        np.where(cells.positive[near][:, None], POSITIVE_RGB, NEGATIVE_RGB),
    )
    if um_per_px > _OUTLINES_UNTIL_UM:
        radius = max(1, round(2.2 / um_per_px))
        for row, colour in zip(near, colours, strict=True):
            _dot(picture, x[row], y[row], radius, colour)
        return
    weight = 2 if um_per_px <= 0.3 else 1
    for row, colour in zip(near, colours, strict=True):
        outline = (cells.outline_um(int(row)) - np.asarray(corner_um)) / um_per_px
        points = np.rint(outline * 16).astype(np.int32)
        cv2.polylines(picture, [points], True, _rgb(colour), weight, cv2.LINE_AA, shift=4)


def thumbnail(slide: Slide, mapped: TissueMap, hotspots: tuple[HotSpot, ...], *, side_px: int = 1400) -> U8:
    """The whole slide, longest side at most ``side_px``: hot spots ringed, excluded places tinted."""
    um = max(slide.width_px, slide.height_px) * slide.um_per_px / side_px
    view, view_um = overview(slide, um)
    scale = view_um / um
    size = (max(1, round(view.shape[1] * scale)), max(1, round(view.shape[0] * scale)))
    picture = np.ascontiguousarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    excluded = cv2.resize((mapped.pen | mapped.fold).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    tint = np.asarray(EXCLUDED_RGB, np.float32)
    inside = np.asarray(excluded) > 0
    picture[inside] = (0.5 * picture[inside] + 0.5 * tint).astype(np.uint8)
    tissue = cv2.resize(mapped.tissue.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    outlines, _ = cv2.findContours(tissue, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(picture, outlines, -1, (90, 90, 90), 1, cv2.LINE_AA)
    _draw_hotspots(picture, hotspots, (0.0, 0.0), um)
    add_scale_bar(picture, um)
    return picture


def slide_overlay(slide: Slide, cells: CellTable, hotspots: tuple[HotSpot, ...], um_per_px: float) -> U8:
    """The whole slide at ``um_per_px`` with every cell on it; coarser where a side would pass 8,000 pixels."""
    longest = max(slide.width_px, slide.height_px) * slide.um_per_px
    um = max(um_per_px, longest / _LARGEST_SIDE_PX)
    width, height = (max(1, round(side * slide.um_per_px / um)) for side in (slide.width_px, slide.height_px))
    picture = np.full((height, width, 3), 255, np.uint8)
    step = 1000
    for y in range(0, height, step):
        for x in range(0, width, step):
            cut = picture[y : y + step, x : x + step]
            cut[:] = _pixels(slide, x * um, y * um, step * um, step)[: cut.shape[0], : cut.shape[1]]
    draw_cells(picture, cells, (0.0, 0.0), um)
    _draw_hotspots(picture, hotspots, (0.0, 0.0), um)
    add_scale_bar(picture, um)
    return picture


def write_png(path: Path, picture: U8) -> None:
    """Write an RGB picture; the file appears under its name only when complete."""
    ok, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 6])
    if not ok:
        raise RuntimeError(f"{path}: the picture could not be encoded")
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data.tobytes())
    part.replace(path)


def png_bytes(picture: U8) -> bytes:
    """An RGB picture as the bytes of a PNG."""
    ok, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not ok:
        raise RuntimeError("the picture could not be encoded")
    return data.tobytes()


def add_scale_bar(picture: U8, um_per_px: float) -> None:
    """Draw a bar of a round length, labelled, into the lower left corner, in place."""
    room = picture.shape[1] * um_per_px / 4
    exponent = 10 ** np.floor(np.log10(max(room, 1e-6)))
    length = float(max(m * exponent for m in (1, 2, 5) if m * exponent <= room))
    pixels = round(length / um_per_px)
    label = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
    y, x = picture.shape[0] - 14, 14
    for colour, weight in (((255, 255, 255), 7), ((20, 20, 20), 3)):
        cv2.line(picture, (x, y), (x + pixels, y), colour, weight, cv2.LINE_AA)
    _label(picture, label, (x, y - 9))


def _pixels(slide: Slide, left_um: float, top_um: float, size_um: float, side_px: int) -> U8:
    um = size_um / side_px
    number = 0
    for k, level in enumerate(slide.levels):
        if slide.um_per_px * level.downsample <= um * 1.05:
            number = k
    level_um = slide.um_per_px * slide.levels[number].downsample
    x0, y0 = int(np.floor(left_um / level_um)), int(np.floor(top_um / level_um))
    width = int(np.ceil(size_um / level_um)) + 2
    raw = slide.read(number, x0, y0, width, width)
    scale = um / level_um
    shift_x, shift_y = left_um / level_um - x0, top_um / level_um - y0
    if scale > 1.01:
        shrunk = max(1, round(width / scale))
        raw = np.asarray(cv2.resize(raw, (shrunk, shrunk), interpolation=cv2.INTER_AREA), np.uint8)
        ratio = shrunk / width
        scale, shift_x, shift_y = scale * ratio, shift_x * ratio, shift_y * ratio
    warp = np.asarray([[scale, 0, shift_x + 0.5 * scale - 0.5], [0, scale, shift_y + 0.5 * scale - 0.5]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    out = cv2.warpAffine(
        raw, warp, (side_px, side_px), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=(255, 255, 255)
    )
    return np.ascontiguousarray(out, dtype=np.uint8)


def _draw_hotspots(
    picture: U8, hotspots: Sequence[HotSpot], corner_um: tuple[float, float], um_per_px: float
) -> None:
    """Circles first, so that none crosses a label."""
    labels = []
    for spot in hotspots:
        if spot.radius_um is None:
            continue
        x, y = (spot.centre_um[0] - corner_um[0]) / um_per_px, (spot.centre_um[1] - corner_um[1]) / um_per_px
        if not (-1e5 < x < 1e5 and -1e5 < y < 1e5):
            continue
        radius = max(3, round(spot.radius_um / um_per_px))
        cv2.circle(picture, (round(x), round(y)), radius, (255, 255, 255), 5, cv2.LINE_AA)
        cv2.circle(picture, (round(x), round(y)), radius, HOTSPOT_RGB, 3, cv2.LINE_AA)
        wanted = spot.cells_wanted if spot.cells_wanted is not None else spot.counted
        labels.append((f"{spot.index_percent:.1f} % of {wanted:,}", (round(x), round(y - radius))))
    for text, place in labels:
        _label(picture, text, place, centred=True)


def _label(picture: U8, text: str, place: tuple[int, int], *, centred: bool = False) -> None:
    """Dark words on a white plate, at the lower left ``place`` or centred on it, kept within the picture."""
    font, scale, margin = cv2.FONT_HERSHEY_SIMPLEX, 0.5, 4
    (width, height), below = cv2.getTextSize(text, font, scale, 1)
    left, base = (place[0] - width // 2, place[1] + height // 2) if centred else place
    left = min(max(margin, left), max(margin, picture.shape[1] - width - margin))
    base = min(max(height + margin, base), max(height + margin, picture.shape[0] - below - margin))
    first = (left - margin, base - height - margin)
    cv2.rectangle(picture, first, (left + width + margin, base + below), (255, 255, 255), -1)
    cv2.putText(picture, text, (left, base), font, scale, (40, 30, 0), 1, cv2.LINE_AA)


def _dot(picture: U8, x: float, y: float, radius: int, colour: Any) -> None:
    cv2.circle(picture, (round(float(x)), round(float(y))), radius, _rgb(colour), -1, cv2.LINE_AA)


def _rgb(colour: Any) -> tuple[int, int, int]:
    return int(colour[0]), int(colour[1]), int(colour[2])
