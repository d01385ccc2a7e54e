"""Tiles of a TIFF read without OpenSlide: file offsets once, then pread and libjpeg-turbo.

Reading is most of the cost of a count. OpenSlide decodes a tiled JPEG TIFF at a fifth of libjpeg-turbo's speed; this
path gives the same pixels, lets two threads decode at once, and can decode at half scale when a level is finer than
needed.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import simplejpeg
import tifffile
from numpy.typing import NDArray

U8 = NDArray[np.uint8]

_JPEG: Final = 7
# an Adobe marker tells libjpeg what the TIFF says of the colours (Aperio stores RGB), whatever it would guess
_ADOBE: Final = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"
_LARGEST_TILE_PX: Final = 8192


# without a handler of its own the library writes each oddity of a file to standard error
logging.getLogger("tifffile").addHandler(logging.NullHandler())


class IncompleteTiff(Exception):
    """The file ends before its tiles do: it was cut while being copied or written."""


class UnreadableTile(Exception):
    """One tile could not be decoded; the caller decides how many are too many."""


@dataclass(frozen=True, slots=True)
class TiffLevel:
    """One level: size and tile size in its own pixels, where each tile's bytes lie, and how to decode them."""

    width: int
    height: int
    tile_width: int
    tile_height: int
    offsets: NDArray[np.int64]
    byte_counts: NDArray[np.int64]
    tables: bytes
    is_jpeg: bool
    is_rgb_jpeg: bool
    decode_other: Callable[[bytes, int], U8] | None

    @property
    def columns(self) -> int:
        """Tiles across."""
        return -(-self.width // self.tile_width)

    @property
    def rows(self) -> int:
        """Tiles down."""
        return -(-self.height // self.tile_height)


class TiffTiles:
    """A tiled 8-bit RGB TIFF, opened for reading tiles from several threads."""

    def __init__(self, path: Path, levels: tuple[TiffLevel, ...], description: str, resolution: Any) -> None:
        self.levels = levels
        self.description = description
        self.resolution: tuple[float | None, float | None, int] = resolution
        self._descriptor = os.open(path, os.O_RDONLY)

    @property
    def is_open(self) -> bool:
        """Whether tiles can still be read."""
        return self._descriptor >= 0

    def close(self) -> None:
        """Give the file back; reading afterwards is an error."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def tile(self, level: int, index: int, shrink: int = 1, out: U8 | None = None) -> U8 | None:
        """Pixels of one tile, (rows, columns, 3), at 1 : ``shrink`` (1, 2, 4 or 8); ``None`` where the tile is empty.

        A JPEG tile is decoded into ``out`` where that is given: an array of just its shape, rows without gaps.
        Raises :class:`UnreadableTile` for bytes that do not decode to the stated size.
        """
        this = self.levels[level]
        count = int(this.byte_counts[index])
        if count <= 0:
            return None
        data = os.pread(self._descriptor, count, int(this.offsets[index]))
        if len(data) != count:
            raise UnreadableTile(f"tile {index} of level {level} ends after {len(data)} of {count} bytes")
        try:
            if this.is_jpeg:
                pixels = _decode_jpeg(this, data, shrink, out)
            else:
                pixels = _decode_other(this, data, index, shrink)
        except (ValueError, RuntimeError, OSError, TypeError) as error:
            raise UnreadableTile(f"tile {index} of level {level}: {error}") from error
        if pixels.shape != (this.tile_height // shrink, this.tile_width // shrink, 3):
            raise UnreadableTile(f"tile {index} of level {level} decodes to {pixels.shape}")
        return pixels


def _decode_jpeg(level: TiffLevel, data: bytes, shrink: int, out: U8 | None) -> U8:
    if data[:2] != b"\xff\xd8":
        raise ValueError("no JPEG start marker")
    transform = b"\x00" if level.is_rgb_jpeg else b"\x01"
    stream = b"".join((b"\xff\xd8", _ADOBE, transform, level.tables, memoryview(data)[2:]))
    height, width, _, _ = simplejpeg.decode_jpeg_header(stream)
    if (height, width) != (level.tile_height, level.tile_width):
        raise ValueError(f"a JPEG of {width} x {height} px in a tile of {level.tile_width} x {level.tile_height} px")
    pixels = np.asarray(
        simplejpeg.decode_jpeg(
            stream,
            colorspace="RGB",
            min_height=level.tile_height // shrink,
            min_width=level.tile_width // shrink,
            min_factor=shrink,
            buffer=out,
        )
    )
    return pixels if out is None or pixels.shape != out.shape else out


def _decode_other(level: TiffLevel, data: bytes, index: int, shrink: int) -> U8:
    assert level.decode_other is not None
    pixels = level.decode_other(data, index)
    if pixels.dtype != np.uint8 or pixels.ndim != 3:
        raise ValueError(f"pixels of type {pixels.dtype}")
    full = np.full((level.tile_height, level.tile_width, 3), 255, np.uint8)
    full[: pixels.shape[0], : pixels.shape[1]] = pixels[..., :3]
    if shrink == 1:
        return full
    h, w = level.tile_height // shrink, level.tile_width // shrink
    blocks = full[: h * shrink, : w * shrink].reshape(h, shrink, w, shrink, 3)
    return np.asarray((blocks.mean(axis=(1, 3)) + 0.5).astype(np.uint8))


def open_tiff(path: Path) -> TiffTiles | None:
    """Open a tiled 8-bit RGB TIFF for tile reading; ``None`` when the file is no such TIFF.

    Raises :class:`IncompleteTiff` for a file that was cut; errors of :mod:`tifffile` on broken files are let through
    for the caller to word.
    """
    with tifffile.TiffFile(path) as tiff:
        series = tiff.pages[0]
        pages = _pyramid_pages(tiff)
        levels = [_level(page) for page in pages]
        if not levels or levels[0] is None:
            return None
        usable = tuple(level for level in levels if level is not None)
        end = path.stat().st_size
        if any(((v.byte_counts > 0) & (v.offsets + v.byte_counts > end)).any() for v in usable):
            raise IncompleteTiff(f"it ends at byte {end:,}, before its last tile")
        description = str(getattr(series, "description", "") or "")
        resolution = _resolution(series)
    return TiffTiles(path, usable, description, resolution)


def _pyramid_pages(tiff: tifffile.TiffFile) -> list[Any]:
    """Full-resolution page first, then every page or sub-image of the same shape at a lower resolution."""
    first: Any = tiff.pages[0]
    found = [first]
    candidates: list[Any] = list(tiff.pages[1:])
    if getattr(first, "pages", None) is not None:
        candidates = list(first.pages) + candidates
    ratio = first.imagewidth / max(1, first.imagelength)
    for page in candidates:
        smaller = page.imagewidth < found[-1].imagewidth
        if not smaller or not getattr(page, "is_tiled", False) or page.imagelength == 0:
            continue
        step = first.imagewidth / page.imagewidth
        tolerance = 0.02 * ratio + 2 * step / max(1, first.imagelength)
        if abs(page.imagewidth / page.imagelength - ratio) <= tolerance + 0.02:
            found.append(page)
    return found


def _level(page: Any) -> TiffLevel | None:
    if not page.is_tiled or page.dtype != np.uint8 or page.samplesperpixel not in (3, 4) or page.planarconfig != 1:
        return None
    if not 0 < page.tilewidth <= _LARGEST_TILE_PX or not 0 < page.tilelength <= _LARGEST_TILE_PX:
        return None
    columns, rows = -(-page.imagewidth // page.tilewidth), -(-page.imagelength // page.tilelength)
    if len(page.dataoffsets) != columns * rows or len(page.databytecounts) != columns * rows:
        return None
    is_jpeg = page.compression == _JPEG and page.samplesperpixel == 3
    tables = page.jpegtables or b""
    return TiffLevel(
        width=page.imagewidth,
        height=page.imagelength,
        tile_width=page.tilewidth,
        tile_height=page.tilelength,
        offsets=np.asarray(page.dataoffsets, np.int64),
        byte_counts=np.asarray(page.databytecounts, np.int64),
        tables=tables[2:-2] if tables.startswith(b"\xff\xd8") else b"",
        is_jpeg=is_jpeg,
        is_rgb_jpeg=is_jpeg and page.photometric == 2,
        decode_other=None if is_jpeg else _other_decoder(page),
    )


def _other_decoder(page: Any) -> Callable[[bytes, int], U8]:
    decode = page.decode

    def decoded(data: bytes, index: int) -> U8:
        segment = decode(data, index)[0]
        if segment is None:
            raise ValueError("an empty tile")
        return np.asarray(segment).reshape(segment.shape[-3:])

    return decoded


def _resolution(page: Any) -> tuple[float | None, float | None, int]:
    values: list[float | None] = []
    for name in ("XResolution", "YResolution"):
        tag = page.tags.get(name)
        value = tag.value if tag is not None else None
        values.append(value[0] / value[1] if isinstance(value, tuple) and len(value) == 2 and value[1] else None)
    unit = page.tags.get("ResolutionUnit")
    return values[0], values[1], int(unit.value) if unit is not None else 2
