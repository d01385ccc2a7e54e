"""Opens a slide or photomicrograph: pixels of any level, scale, size; one face for every format.

Tiled JPEG TIFF and SVS are read by :mod:`kulchitsky.slide.tiff`; everything else that OpenSlide knows through
OpenSlide; PNG, JPEG and untiled TIFF as pictures held in memory.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import openslide
from numpy.typing import NDArray

from kulchitsky.case.errors import RefusedSlide
from kulchitsky.case.issue import Issue, Level
from kulchitsky.slide import picture, scale
from kulchitsky.slide.tiff import IncompleteTiff, TiffLevel, TiffTiles, UnreadableTile, open_tiff

U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Window = tuple[int, int, int, int]
"""Left, top, width, height."""

_RAW_VENDORS: Final = frozenset({"aperio", "generic-tiff"})
_PICTURE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp"})
_TIFF_SUFFIXES: Final = frozenset({".tif", ".tiff", ".svs", ".btf"})
_CACHE_BYTES: Final = 192 * 2**20
_PRINTING_UM: Final = 20.0
"""Pixels larger than this come from a printing resolution, see :func:`scale.from_tiff_tags`."""
_RESCAN = "export or scan the slide again"


@dataclass(frozen=True, slots=True)
class SlideLevel:
    """One resolution: its size in its own pixels and how many level-0 pixels one of them spans."""

    width: int
    height: int
    downsample: float


@dataclass(frozen=True, slots=True)
class TileLog:
    """Tiles, as level and number: those asked for, and those of them that could not be decoded."""

    asked: frozenset[tuple[int, int]] = frozenset()
    unreadable: frozenset[tuple[int, int]] = frozenset()

    def __or__(self, other: TileLog) -> TileLog:
        return TileLog(self.asked | other.asked, self.unreadable | other.unreadable)


class Source(Protocol):
    """Where pixels come from."""

    levels: tuple[SlideLevel, ...]

    def region(self, level: int, window: Window, shrink: int, fill: int, wanted: Mask | None) -> U8:
        """RGB of a window wholly inside the level, in pixels of the level already shrunk by ``shrink``."""

    def close(self) -> None:
        """Give files back."""


class Slide:
    """An open slide. Use as a context manager; reading is safe from several threads.

    ``um_per_px`` is the width of a level-0 pixel in micrometres; ``issues`` what was noticed on opening.
    """

    def __init__(self, path: Path, vendor: str, source: Source, found: scale.Scale) -> None:
        self.path = path
        self.name = path.name
        self.vendor = vendor
        self.scale = found
        self._source = source
        self.levels = source.levels
        self.width_px, self.height_px = self.levels[0].width, self.levels[0].height
        self.um_per_px = found.um_per_px
        self.issues: tuple[Issue, ...] = _scale_issues(self.name, found)

    def __enter__(self) -> Slide:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self._source.close()

    @property
    def shrinks(self) -> bool:
        """Whether pixels can be decoded at half, quarter and eighth scale at less cost."""
        return isinstance(self._source, _TiffSource)

    @property
    def unreadable_tiles(self) -> int:
        """Tiles that could not be decoded so far and were left white."""
        return self._source.unreadable if isinstance(self._source, _TiffSource) else 0

    def read(
        self,
        level: int,
        x: int,
        y: int,
        width: int,
        height: int,
        *,
        shrink: int = 1,
        fill: int = 255,
        wanted: Mask | None = None,
    ) -> U8:
        """(height, width, 3) RGB of a window given in pixels of ``level`` shrunk by ``shrink``.

        What lies outside the level is filled with grey ``fill``. ``wanted`` is a mask over the slide (any resolution,
        True where pixels are needed): tiles that it does not touch are not read and stay ``fill``.
        """
        this = self.levels[level]
        level_width, level_height = this.width // shrink, this.height // shrink
        x0, y0 = max(0, x), max(0, y)
        x1, y1 = min(level_width, x + width), min(level_height, y + height)
        if (x0, y0, x1, y1) == (x, y, x + width, y + height):
            return self._source.region(level, (x, y, width, height), shrink, fill, wanted)
        out = np.full((height, width, 3), fill, np.uint8)
        if x1 <= x0 or y1 <= y0:
            return out
        part = self._source.region(level, (x0, y0, x1 - x0, y1 - y0), shrink, fill, wanted)
        out[y0 - y : y1 - y, x0 - x : x1 - x] = part
        return out

    @property
    def tiles_read(self) -> int:
        """Different tiles asked for so far; 0 where the format is not read tile by tile."""
        return self._source.asked if isinstance(self._source, _TiffSource) else 0

    @property
    def tiles(self) -> TileLog:
        """Which tiles were asked for so far; empty where the format is not read tile by tile."""
        return self._source.log() if isinstance(self._source, _TiffSource) else TileLog()

    def fingerprint(self) -> str:
        """Names the content of the file, see :func:`content_checksum`."""
        return content_checksum(self.path)


def content_checksum(path: Path) -> str:
    """SHA-256 over a file's length and 256 kB samples along it: names the content, at a fixed cost."""
    digest = hashlib.sha256()
    size = path.stat().st_size
    digest.update(str(size).encode())
    with path.open("rb") as file:
        for start in np.unique(np.linspace(0, max(0, size - 262_144), 33).astype(int)):
            file.seek(int(start))
            digest.update(file.read(262_144))
    return digest.hexdigest()


def open_slide(path: str | os.PathLike[str], um_per_px: float | None = None, objective: float | None = None) -> Slide:
    """Open a slide or photomicrograph.

    The scale is what the user says (``um_per_px``, or ``objective`` as 10 µm over magnification), else what the file
    says. Raises :class:`RefusedSlide` for a file that is missing, empty, no image, damaged, not 8-bit colour, without
    a scale, or with one that no microscope gives. Does not look at the pixels.
    """
    target = Path(path)
    _check_file(target)
    if target.suffix.lower() in _PICTURE_SUFFIXES:
        return _open_picture(target, um_per_px, objective)
    try:
        return _open_whole_slide(target, um_per_px, objective)
    except openslide.OpenSlideUnsupportedFormatError:
        pass
    except openslide.OpenSlideError as error:
        problem = f"the slide is damaged or incomplete ({_first_line(error)})"
        raise RefusedSlide(problem, source=target.name, remedy=_RESCAN) from error
    tiles = _tiff_or_none(target)
    if tiles is not None:
        found = scale.from_description(tiles.description) or scale.from_tiff_tags(*tiles.resolution)
        return _build(target, "tiff", _TiffSource(tiles), found, um_per_px, objective)
    return _open_picture(target, um_per_px, objective)


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise RefusedSlide("is a folder, not a slide", source=path.name, remedy="name one slide file inside it")
    if not path.exists():
        raise RefusedSlide("there is no such file", source=str(path), remedy="check the path")
    if not os.access(path, os.R_OK):
        raise RefusedSlide("the file may not be read", source=path.name, remedy="change its permissions")
    if path.stat().st_size == 0:
        raise RefusedSlide("the file is empty", source=path.name, remedy=_RESCAN)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or ["no reason given"])[0][:160]


def _open_whole_slide(path: Path, um_per_px: float | None, objective: float | None) -> Slide:
    vendor = openslide.OpenSlide.detect_format(str(path))
    if vendor is None:
        raise openslide.OpenSlideUnsupportedFormatError("unknown format")
    slide = openslide.OpenSlide(str(path))
    try:
        found = scale.from_openslide(slide.properties)
        if found is None:
            found = scale.from_description(slide.properties.get("tiff.ImageDescription", ""))
        if vendor == "generic-tiff" and found is not None and found[0] > _PRINTING_UM:
            found = None
        tiles = _tiff_or_none(path) if vendor in _RAW_VENDORS else None
        if tiles is None or (tiles.levels[0].width, tiles.levels[0].height) != slide.dimensions:
            if tiles is not None:
                tiles.close()
            source: Source = _OpenSlideSource(path, slide)
    except BaseException:
        slide.close()
        raise
    if tiles is not None and tiles.is_open:
        slide.close()
        described = scale.from_description(tiles.description) if vendor != "aperio" else None
        found = described or found
        source = _TiffSource(tiles)
    return _build(path, vendor, source, found, um_per_px, objective)


def _tiff_or_none(path: Path) -> TiffTiles | None:
    try:
        return open_tiff(path)
    except IncompleteTiff as error:
        problem = f"the slide is damaged or incomplete ({error})"
        raise RefusedSlide(problem, source=path.name, remedy="copy it again from where it came") from error
    except Exception:  # tifffile raises nearly anything on broken bytes; the caller words the refusal
        return None


def _open_picture(path: Path, um_per_px: float | None, objective: float | None) -> Slide:
    pixels, found = picture.load(path)
    return _build(path, "picture", _PictureSource(pixels), found, um_per_px, objective)


def _build(
    path: Path,
    vendor: str,
    source: Source,
    found: tuple[float, float, str] | None,
    um_per_px: float | None,
    objective: float | None,
) -> Slide:
    try:
        first = source.levels[0]
        if first.width < 32 or first.height < 32:
            problem = f"the image is {first.width} x {first.height} pixels, too small to hold a field of cells"
            raise RefusedSlide(problem, source=path.name, remedy=_RESCAN)
        return Slide(path, vendor, source, scale.resolve_scale(path.name, found, um_per_px, objective))
    except BaseException:
        source.close()
        raise


def _scale_issues(name: str, found: scale.Scale) -> tuple[Issue, ...]:
    if found.disagrees_with is None:
        return ()
    message = (
        f"the scale given, {found.um_per_px:g} µm per pixel, is not the {found.disagrees_with:g} that the file states"
    )
    remedy = "check which is right: areas and cell sizes depend on it"
    return (Issue(level=Level.WARNING, code="slide.scale.disagrees", message=message, remedy=remedy, path=name),)


class _TiffSource:
    """Tiles through pread and libjpeg-turbo, kept a while so that neighbouring blocks do not decode them twice."""

    def __init__(self, tiles: TiffTiles) -> None:
        self._tiles = tiles
        first = tiles.levels[0]
        self.levels = tuple(SlideLevel(v.width, v.height, first.width / v.width) for v in tiles.levels)
        self.unreadable = 0
        self._bad: set[tuple[int, int]] = set()
        self._seen: set[tuple[int, int]] = set()
        self._lock = threading.Lock()
        self._cache: OrderedDict[tuple[int, int, int], U8] = OrderedDict()
        self._cached_bytes = 0

    @property
    def asked(self) -> int:
        return len(self._seen)

    def log(self) -> TileLog:
        with self._lock:
            return TileLog(frozenset(self._seen), frozenset(self._bad))

    def close(self) -> None:
        self._tiles.close()
        self._cache.clear()

    def region(self, level: int, window: Window, shrink: int, fill: int, wanted: Mask | None) -> U8:
        x, y, width, height = window
        this = self._tiles.levels[level]
        tw, th = this.tile_width // shrink, this.tile_height // shrink
        out = np.full((height, width, 3), fill, np.uint8)
        for row in range(y // th, (y + height - 1) // th + 1):
            for column in range(x // tw, (x + width - 1) // tw + 1):
                if wanted is not None and not _touches(wanted, this, column, row):
                    continue
                tile = self._tile(level, row * this.columns + column, shrink)
                if tile is None:
                    continue
                x0, y0 = max(x, column * tw), max(y, row * th)
                x1, y1 = min(x + width, (column + 1) * tw), min(y + height, (row + 1) * th)
                cut = tile[y0 - row * th : y1 - row * th, x0 - column * tw : x1 - column * tw]
                out[y0 - y : y1 - y, x0 - x : x1 - x] = cut
        return out

    def _tile(self, level: int, index: int, shrink: int) -> U8 | None:
        key = (level, index, shrink)
        with self._lock:
            self._seen.add((level, index))
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        try:
            tile = self._tiles.tile(level, index, shrink)
        except UnreadableTile:
            with self._lock:
                if (level, index) not in self._bad:
                    self._bad.add((level, index))
                    self.unreadable += 1
            return None
        if tile is not None:
            with self._lock:
                if key not in self._cache:
                    self._cache[key] = tile
                    self._cached_bytes += tile.nbytes
                while self._cached_bytes > _CACHE_BYTES and len(self._cache) > 1:
                    self._cached_bytes -= self._cache.popitem(last=False)[1].nbytes
        return tile


def _touches(wanted: Mask, level: TiffLevel, column: int, row: int) -> bool:
    """Whether a tile overlaps the mask. The mask spans the slide: tile edges are scaled to its pixels, outwards."""
    x0 = column * level.tile_width * wanted.shape[1] // level.width
    x1 = -(-(column + 1) * level.tile_width * wanted.shape[1] // level.width)
    y0 = row * level.tile_height * wanted.shape[0] // level.height
    y1 = -(-(row + 1) * level.tile_height * wanted.shape[0] // level.height)
    return bool(wanted[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)].any())


class _OpenSlideSource:
    """Everything OpenSlide knows."""

    def __init__(self, path: Path, slide: openslide.OpenSlide) -> None:
        self._name = path.name
        self._slide = slide
        sizes, steps = slide.level_dimensions, slide.level_downsamples
        self.levels = tuple(SlideLevel(w, h, d) for (w, h), d in zip(sizes, steps, strict=True))

    def close(self) -> None:
        self._slide.close()

    def region(self, level: int, window: Window, shrink: int, fill: int, wanted: Mask | None) -> U8:
        del wanted  # OpenSlide keeps its own tiles
        x, y, width, height = window
        if shrink != 1:
            raise ValueError("OpenSlide decodes at full scale only")
        step = self.levels[level].downsample
        try:
            image = self._slide.read_region((round(x * step), round(y * step)), level, (width, height))
        except openslide.OpenSlideError as error:
            place = f"near pixel ({round(x * step)}, {round(y * step)})"
            problem = f"the slide cannot be read there ({_first_line(error)})"
            raise RefusedSlide(problem, source=self._name, place=place, remedy=_RESCAN) from error
        rgba = np.asarray(image)
        rgb = rgba[..., :3].copy()
        rgb[rgba[..., 3] == 0] = fill
        return rgb


class _PictureSource:
    """A picture held in memory."""

    def __init__(self, pixels: U8) -> None:
        self._pixels = pixels
        self.levels: tuple[SlideLevel, ...] = (SlideLevel(pixels.shape[1], pixels.shape[0], 1.0),)

    def close(self) -> None:
        self._pixels = np.zeros((0, 0, 3), np.uint8)

    def region(self, level: int, window: Window, shrink: int, fill: int, wanted: Mask | None) -> U8:
        del fill, wanted  # everything is in memory
        x, y, width, height = window
        if level != 0 or shrink != 1:
            raise ValueError("a picture has one level")
        return self._pixels[y : y + height, x : x + width]
