"""Plain pictures, photomicrographs and untiled TIFFs: decoded whole, checked, turned to 8-bit RGB."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from kulchitsky.case.errors import RefusedSlide
from kulchitsky.slide import scale

U8 = NDArray[np.uint8]

LARGEST_PICTURE_PX: Final = 400_000_000
"""Pictures are held in memory: 1.2 GB at this size. Larger scans come as tiled slides."""

_EXPORT = "export it as an 8-bit RGB picture or a tiled slide"


def load(path: Path) -> tuple[U8, tuple[float, float, str] | None]:
    """(height, width, 3) RGB pixels and the scale that the file states, if any.

    Raises :class:`RefusedSlide` for what is no picture, is damaged, is not 8-bit colour or is too large to hold.
    """
    head = path.read_bytes()[:4] if path.stat().st_size < 64 else _head(path)
    if head[:2] in (b"II", b"MM"):
        return _load_tiff(path)
    return _load_pillow(path), None


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def _load_pillow(path: Path) -> U8:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(path) as image:
                _check_size(path, image.width, image.height)
                if image.mode in ("1", "L", "LA", "I", "F") or image.mode.startswith("I;"):
                    problem = f"the picture has no colour (mode {image.mode})"
                    raise RefusedSlide(problem, source=path.name, remedy="give the colour picture of the H-DAB stain")
                if image.mode == "CMYK":
                    raise RefusedSlide("the picture is in printing colours (CMYK)", source=path.name, remedy=_EXPORT)
                return np.asarray(image.convert("RGB"))
    except UnidentifiedImageError as error:
        problem = "is not an image in a format that can be read"
        raise RefusedSlide(problem, source=path.name, remedy="give a slide, TIFF, PNG or JPEG") from error
    except RefusedSlide:
        raise
    except (
        OSError,
        SyntaxError,
        ValueError,
        Warning,
        EOFError,
        ArithmeticError,
        Image.DecompressionBombError,
    ) as error:
        problem = f"the picture is damaged or incomplete ({_reason(error)})"
        raise RefusedSlide(problem, source=path.name, remedy="export it again") from error


def _load_tiff(path: Path) -> tuple[U8, tuple[float, float, str] | None]:
    try:
        with tifffile.TiffFile(path) as tiff:
            if not tiff.pages:
                raise ValueError("no image inside")
            page: Any = tiff.pages[0]
            _check_size(path, page.imagewidth, page.imagelength)
            if page.dtype != np.uint8:
                problem = f"its pixels are {page.dtype}, not 8-bit"
                raise RefusedSlide(problem, source=path.name, remedy=_EXPORT)
            if page.samplesperpixel < 3:
                raise RefusedSlide("the picture has no colour", source=path.name, remedy=_EXPORT)
            pixels = np.asarray(page.asarray())
            if page.planarconfig == 2:
                pixels = np.moveaxis(pixels, 0, -1)
            found = scale.from_description(str(page.description or "")) or _tags(page)
    except RefusedSlide:
        raise
    except Exception as error:  # tifffile raises nearly anything on broken bytes
        problem = f"the TIFF is damaged or of an unknown kind ({_reason(error)})"
        raise RefusedSlide(problem, source=path.name, remedy=_EXPORT) from error
    if pixels.ndim != 3 or pixels.shape[2] < 3:
        raise RefusedSlide(f"its pixels have the shape {pixels.shape}", source=path.name, remedy=_EXPORT)
    return np.ascontiguousarray(pixels[..., :3]), found


def _tags(page: Any) -> tuple[float, float, str] | None:
    values: list[float | None] = []
    for name in ("XResolution", "YResolution"):
        tag = page.tags.get(name)
        value = tag.value if tag is not None else None
        values.append(value[0] / value[1] if isinstance(value, tuple) and value[1] else None)
    unit = page.tags.get("ResolutionUnit")
    return scale.from_tiff_tags(values[0], values[1], int(unit.value) if unit is not None else 2)


def _check_size(path: Path, width: int, height: int) -> None:
    if width <= 0 or height <= 0:
        raise RefusedSlide(f"the picture is {width} x {height} pixels", source=path.name, remedy="export it again")
    if width * height > LARGEST_PICTURE_PX:
        problem = f"the picture has {width * height / 1e6:.0f} megapixels in one piece, more than fits in memory"
        raise RefusedSlide(problem, source=path.name, remedy="convert it to a tiled slide (SVS, tiled TIFF)")


def _reason(error: BaseException) -> str:
    text = (str(error).splitlines() or [type(error).__name__])[0]
    return text[:160] or type(error).__name__
