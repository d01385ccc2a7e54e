"""Writes a synthetic slide as a tiled, pyramidal JPEG TIFF, tile by tile, or as a PNG."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import simplejpeg
import tifffile
from numpy.typing import NDArray

from kulchitsky.slide.synthetic.render import Renderer, render
from kulchitsky.slide.synthetic.spec import SlideSpec
from kulchitsky.slide.synthetic.truth import Truth, truth_of

U8 = NDArray[np.uint8]
Progress = Callable[[float], None]

TILE_PX: Final = 256
_BAND_TILES: Final = 4
_LEVEL_STEP: Final = 4


def write_slide(path: str | os.PathLike[str], spec: SlideSpec, *, progress: Progress | None = None) -> Truth:
    """Write the slide of ``spec`` to ``path`` and return its truth.

    ``.tif``/``.tiff`` gives a tiled BigTIFF pyramid (JPEG, 256 px tiles, levels 1:1, 1:4, 1:16, …) whose resolution
    tags state the scale, readable by OpenSlide and QuPath; ``.png`` and ``.jpg`` a plain picture *without* a scale.
    Memory stays bounded for TIFF: one band of tiles and a quarter-scale copy on disk. ``progress`` gets the share
    done, 0 to 1. The file appears under its name only when complete.
    """
    target = Path(path)
    if target.suffix.lower() in {".png", ".jpg", ".jpeg"}:
        return _write_picture(target, spec)
    renderer = Renderer(spec)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".synthetic-") as folder:
        part = Path(folder) / "slide.tif"
        _write_pyramid(part, renderer, Path(folder), progress)
        part.replace(target)
    return truth_of(spec, renderer.scene.cells(0, 0, spec.width_um, spec.height_um))


def _write_picture(target: Path, spec: SlideSpec) -> Truth:
    rgb, truth = render(spec)
    quality = [cv2.IMWRITE_JPEG_QUALITY, spec.jpeg_quality] if target.suffix.lower() != ".png" else []
    ok, data = cv2.imencode(target.suffix.lower(), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), quality)
    if not ok:
        raise RuntimeError(f"{target}: the picture could not be encoded")
    target.write_bytes(data.tobytes())
    return truth


def _write_pyramid(part: Path, renderer: Renderer, folder: Path, progress: Progress | None) -> None:
    spec = renderer.spec
    height, width = spec.height_px, spec.width_px
    small_shape = (-(-height // _LEVEL_STEP), -(-width // _LEVEL_STEP), 3)
    small = np.memmap(folder / "small.raw", dtype=np.uint8, mode="w+", shape=small_shape)
    with tifffile.TiffWriter(part, bigtiff=True) as tiff:
        _write_level(tiff, _top_tiles(renderer, small, progress), (height, width), spec, 1)
        level: U8 = small
        scale = _LEVEL_STEP
        while True:
            _write_level(tiff, _plane_tiles(level, spec), (level.shape[0], level.shape[1]), spec, scale)
            if max(level.shape[:2]) <= 1024:
                break
            size = (-(-level.shape[1] // _LEVEL_STEP), -(-level.shape[0] // _LEVEL_STEP))
            level = np.asarray(cv2.resize(level, size, interpolation=cv2.INTER_AREA), np.uint8)
            scale *= _LEVEL_STEP
    del small


def _write_level(
    tiff: tifffile.TiffWriter, tiles: Iterator[bytes], shape: tuple[int, int], spec: SlideSpec, scale: int
) -> None:
    per_cm = 1e4 / (spec.um_per_px * scale)
    description = "kulchitsky synthetic H-DAB slide" if scale == 1 else None
    tiff.write(
        tiles,
        shape=(*shape, 3),
        dtype=np.uint8,
        tile=(TILE_PX, TILE_PX),
        photometric="ycbcr",
        subsampling=(2, 2),
        compression="jpeg",
        resolution=(per_cm, per_cm),
        resolutionunit="CENTIMETER",
        subfiletype=0 if scale == 1 else 1,
        description=description,
        software="kulchitsky",
        metadata=None,
    )


def _encode(rgb: U8, quality: int) -> bytes:
    data = simplejpeg.encode_jpeg(
        np.ascontiguousarray(rgb), quality=quality, colorspace="RGB", colorsubsampling="420"
    )
    return bytes(data)


def _plane_tiles(plane: U8, spec: SlideSpec) -> Iterator[bytes]:
    for y in range(0, plane.shape[0], TILE_PX):
        for x in range(0, plane.shape[1], TILE_PX):
            cut = plane[y : y + TILE_PX, x : x + TILE_PX]
            pad = ((0, TILE_PX - cut.shape[0]), (0, TILE_PX - cut.shape[1]), (0, 0))
            yield _encode(np.pad(cut, pad, mode="edge"), spec.jpeg_quality)


def _top_tiles(renderer: Renderer, small: U8, progress: Progress | None) -> Iterator[bytes]:
    """Encoded tiles of level 0 in order; fills ``small`` with the quarter-scale picture on the way."""
    spec = renderer.spec
    columns, rows = -(-spec.width_px // TILE_PX), -(-spec.height_px // TILE_PX)
    cache = _TileCache(renderer)
    step = TILE_PX // _LEVEL_STEP
    for row in range(rows):
        for column in range(columns):
            data, reduced = cache.tile(column, row)
            y, x = row * step, column * step
            h, w = min(step, small.shape[0] - y), min(step, small.shape[1] - x)
            small[y : y + h, x : x + w] = reduced[:h, :w]
            yield data
        if progress is not None:
            progress((row + 1) / rows)


class _TileCache:
    """Renders tiles in square groups and, where the scene repeats, reuses tiles already encoded."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        spec = renderer.spec
        self._spec = spec
        period_px = spec.period_um / spec.um_per_px if spec.period_um else 0.0
        tiles = round(period_px / TILE_PX)
        whole = bool(tiles) and abs(tiles * TILE_PX - period_px) < 1e-6
        # the noise textures repeat every 1024 px: a period that they do not divide would show seams
        self._period = tiles if whole and tiles % (1024 // TILE_PX) == 0 and not spec.artefacts else 0
        self._known: dict[object, tuple[bytes, U8]] = {}
        self._group: dict[tuple[int, int], U8] = {}

    def tile(self, column: int, row: int) -> tuple[bytes, U8]:
        key = self._key(column, row)
        if key is not None and key in self._known:
            return self._known[key]
        alone = key is None and self._period > 0  # its neighbours come from the store, do not draw them
        size = TILE_PX
        rgb = self._renderer.window(column * size, row * size, size, size) if alone else self._pixels(column, row)
        made = (_encode(rgb, self._spec.jpeg_quality), _shrink(rgb))
        if key is not None:
            self._known[key] = made
        return made

    def _pixels(self, column: int, row: int) -> U8:
        if (column, row) not in self._group:
            if len(self._group) > 4096:
                self._group.clear()
            c0, r0 = column // _BAND_TILES * _BAND_TILES, row // _BAND_TILES * _BAND_TILES
            size = _BAND_TILES * TILE_PX
            block = self._renderer.window(c0 * TILE_PX, r0 * TILE_PX, size, size)
            for i in range(_BAND_TILES):
                for j in range(_BAND_TILES):
                    cut = block[i * TILE_PX : (i + 1) * TILE_PX, j * TILE_PX : (j + 1) * TILE_PX]
                    self._group[(c0 + j, r0 + i)] = cut
        return self._group.pop((column, row))

    def _key(self, column: int, row: int) -> object | None:
        """What makes two tiles equal: clear glass, or the same place of the period and the same hot region."""
        spec = self._spec
        size_um = TILE_PX * spec.um_per_px
        margin = 30.0
        xs = np.linspace(column * size_um - margin, (column + 1) * size_um + margin, 7)
        ys = np.linspace(row * size_um - margin, (row + 1) * size_um + margin, 7)
        gx, gy = np.meshgrid(xs, ys)
        depth = self._renderer.scene.in_tissue(gx, gy)
        noise_place = (column % 4, row % 4)
        if depth.max() < -0.02 and not spec.artefacts:
            return ("glass", noise_place)
        if not self._period or depth.min() < 0.02:
            return None
        hot = []
        for region in spec.hot_regions:
            reach = np.hypot(gx - region.x_um, gy - region.y_um)
            if reach.min() < region.radius_um + 60 and reach.max() > region.radius_um - 60:
                return None
            hot.append(bool(reach.max() < region.radius_um))
        return (column % self._period, row % self._period, tuple(hot))


def _shrink(rgb: U8) -> U8:
    side = TILE_PX // _LEVEL_STEP
    return np.asarray(cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def spec_checksum(spec: SlideSpec) -> str:
    """SHA-256 over the record: names a synthetic slide in a benchmark."""
    return hashlib.sha256(repr(spec).encode()).hexdigest()
