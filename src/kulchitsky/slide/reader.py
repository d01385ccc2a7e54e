"""Opens a slide or photomicrograph: pixels of any level, scale, size; one face for every format.

Tiled JPEG TIFF and SVS are read by :mod:`kulchitsky.slide.tiff`; everything else that OpenSlide knows through
OpenSlide; PNG, JPEG and untiled TIFF as pictures held in memory.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import openslide

from kulchitsky.case.errors import RefusedSlide
from kulchitsky.case.issue import Issue, Level
from kulchitsky.slide import picture, scale
from kulchitsky.slide.source import U8, Mask, SlideLevel, Source, TileLog, Window
from kulchitsky.slide.tiff import IncompleteTiff, TiffTiles, open_tiff
from kulchitsky.slide.tiff_source import TiffSource

_RAW_VENDORS: Final = frozenset({"aperio", "generic-tiff"})
_PICTURE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp"})
_TIFF_SUFFIXES: Final = frozenset({".tif", ".tiff", ".svs", ".btf"})
_PRINTING_UM: Final = 20.0
"""Pixels larger than this come from a printing resolution, see :func:`scale.from_tiff_tags`."""
_RESCAN = "export or scan the slide again"


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
        return isinstance(self._source, TiffSource)

    @property
    def unreadable_tiles(self) -> int:
        """Tiles that could not be decoded so far and were left white."""
        return len(self.tiles.unreadable)

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
        out: U8 | None = None,
    ) -> U8:
        """(height, width, 3) RGB of a window given in pixels of ``level`` shrunk by ``shrink``; in ``out`` if given.

        What lies outside the level is filled with grey ``fill``. ``wanted`` is a mask over the slide (any resolution,
        True where pixels are needed): tiles that it does not touch are not read and stay ``fill``.
        """
        this = self.levels[level]
        level_width, level_height = this.width // shrink, this.height // shrink
        x0, y0 = max(0, x), max(0, y)
        x1, y1 = min(level_width, x + width), min(level_height, y + height)
        target = np.empty((height, width, 3), np.uint8) if out is None else out
        if (x0, y0, x1, y1) != (x, y, x + width, y + height):
            target[:] = fill
        if x1 > x0 and y1 > y0:
            part = target[y0 - y : y1 - y, x0 - x : x1 - x]
            self._source.region(level, (x0, y0, x1 - x0, y1 - y0), shrink, fill, wanted, part)
        return target

    def expect(self, level: int, windows: Sequence[Window], shrink: int = 1) -> None:
        """Announce all windows that :meth:`read` will be asked for: what they share is decoded once, then dropped.

        Windows that are read without being announced cost time, nothing else.
        """
        self._source.expect(level, windows, shrink)

    def forget(self) -> None:
        """Let go of pixels kept for later: what was announced and what was read before."""
        self._source.forget()

    @property
    def tiles_read(self) -> int:
        """Different tiles asked for so far; 0 where the format is not read tile by tile."""
        return len(self.tiles.asked)

    @property
    def tiles(self) -> TileLog:
        """Which tiles were asked for so far; empty where the format is not read tile by tile."""
        return self._source.log() if isinstance(self._source, TiffSource) else TileLog()

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
        return _build(target, "tiff", TiffSource(tiles), found, um_per_px, objective)
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
        source = TiffSource(tiles)
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


class _OpenSlideSource:
    """Everything OpenSlide knows."""

    def __init__(self, path: Path, slide: openslide.OpenSlide) -> None:
        self._name = path.name
        self._slide = slide
        sizes, steps = slide.level_dimensions, slide.level_downsamples
        self.levels = tuple(SlideLevel(w, h, d) for (w, h), d in zip(sizes, steps, strict=True))

    def close(self) -> None:
        self._slide.close()

    def expect(self, level: int, windows: Sequence[Window], shrink: int) -> None:
        """OpenSlide keeps its own tiles."""

    def forget(self) -> None:
        """OpenSlide keeps its own tiles."""

    def region(self, level: int, window: Window, shrink: int, fill: int, wanted: Mask | None, out: U8) -> None:
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
        out[:] = rgba[..., :3]
        out[rgba[..., 3] == 0] = fill


class _PictureSource:
    """A picture held in memory."""

    def __init__(self, pixels: U8) -> None:
        self._pixels = pixels
        self.levels: tuple[SlideLevel, ...] = (SlideLevel(pixels.shape[1], pixels.shape[0], 1.0),)

    def close(self) -> None:
        self._pixels = np.zeros((0, 0, 3), np.uint8)

    def expect(self, level: int, windows: Sequence[Window], shrink: int) -> None:
        """Everything is in memory."""

    def forget(self) -> None:
        """Everything is in memory."""

    def region(self, level: int, window: Window, shrink: int, fill: int, wanted: Mask | None, out: U8) -> None:
        del fill, wanted
        x, y, width, height = window
        if level != 0 or shrink != 1:
            raise ValueError("a picture has one level")
        out[:] = self._pixels[y : y + height, x : x + width]
