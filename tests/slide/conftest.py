"""Small slides made once per session: a pyramid, an Aperio-like SVS, a picture."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from kulchitsky.slide import synthetic
from kulchitsky.slide.synthetic.render import Renderer

SPEC = synthetic.SlideSpec(
    seed=11,
    width_px=2300,
    height_px=1700,
    um_per_px=0.5,
    index_percent=15,
    tissue_fraction=0.6,
    hot_regions=(synthetic.HotRegion(620, 430, 130, 70),),
)


@pytest.fixture(scope="session")
def slide_spec() -> synthetic.SlideSpec:
    return SPEC


@pytest.fixture(scope="session")
def slide_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, synthetic.Truth]:
    path = tmp_path_factory.mktemp("slide") / "ki67.tif"
    return path, synthetic.write_slide(path, SPEC)


def aperio_tiles(rgb: NDArray[np.uint8], size: int, *, as_rgb: bool) -> tuple[bytes, list[bytes]]:
    """Abbreviated JPEG tiles and their common tables, as Aperio scanners write them."""
    tables, tiles = b"", []
    for y in range(0, rgb.shape[0], size):
        for x in range(0, rgb.shape[1], size):
            cut = rgb[y : y + size, x : x + size]
            cut = np.pad(cut, ((0, size - cut.shape[0]), (0, size - cut.shape[1]), (0, 0)), mode="edge")
            out = "RGB" if as_rgb else "YCBCR"
            data = imagecodecs.jpeg8_encode(
                np.ascontiguousarray(cut), level=85, colorspace="RGB", outcolorspace=out, subsampling="444"
            )
            tables, body = _split(bytes(data))
            tiles.append(body)
    return tables, tiles


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Tables (DQT, DHT) of a JPEG apart from the rest; application markers are dropped."""
    tables, rest, at = b"", b"", 2
    while data[at + 1] != 0xDA:
        length = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at : at + length]
        if data[at + 1] in (0xDB, 0xC4):
            tables += segment
        elif not 0xE0 <= data[at + 1] <= 0xEF:
            rest += segment
        at += length
    return b"\xff\xd8" + tables + b"\xff\xd9", b"\xff\xd8" + rest + data[at:]


@pytest.fixture(scope="session", params=["rgb", "ycbcr"])
def svs_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = SPEC.with_changes(width_px=900, height_px=700, um_per_px=0.25, tissue_fraction=1.0, hot_regions=())
    rgb = Renderer(spec).window(0, 0, 900, 700)
    tables, tiles = aperio_tiles(rgb, 240, as_rgb=request.param == "rgb")
    path = tmp_path_factory.mktemp("svs") / f"aperio-{request.param}.svs"
    tifffile.imwrite(
        path,
        iter(tiles),
        shape=(700, 900, 3),
        dtype=np.uint8,
        tile=(240, 240),
        photometric="ycbcr",
        subsampling=(1, 1),
        compression="jpeg",
        jpegtables=tables,
        description="Aperio Image Library v12.0.0\r\n900x700 (240x240) JPEG/RGB Q=85|AppMag = 40|MPP = 0.2500",
        metadata=None,
    )
    if request.param == "rgb":
        with tifffile.TiffFile(path, mode="r+") as tiff:  # tifffile itself always writes YCbCr
            tiff.pages.first.tags["PhotometricInterpretation"].overwrite(2)
    return path


@pytest.fixture(scope="session")
def picture_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, synthetic.Truth]:
    path = tmp_path_factory.mktemp("picture") / "field.png"
    spec = SPEC.with_changes(width_px=900, height_px=800, tissue_fraction=1.0, hot_regions=(), index_percent=30)
    return path, synthetic.write_slide(path, spec)
