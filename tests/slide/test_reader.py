"""Opening: same pixels as OpenSlide, scale from every place it can stand, exact sentences for what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kulchitsky.case.errors import RefusedSlide
from kulchitsky.slide import raster, scale, synthetic
from kulchitsky.slide.reader import open_slide


def test_tiles_equal_openslide_pixels(slide_file: tuple[Path, synthetic.Truth]) -> None:
    path, _ = slide_file
    with open_slide(path) as ours, openslide.OpenSlide(path) as theirs:
        assert ours.shrinks
        assert ours.um_per_px == pytest.approx(0.5)
        assert [(v.width, v.height) for v in ours.levels] == list(theirs.level_dimensions)
        for level in range(len(ours.levels)):
            width, height = theirs.level_dimensions[level]
            step = theirs.level_downsamples[level]
            w, h = min(500, width), min(400, height)
            x, y = (width - w) // 2, (height - h) // 2
            expected = np.asarray(
                theirs.read_region((round(x * step), round(y * step)), level, (w, h)).convert("RGB")
            )
            assert np.array_equal(ours.read(level, x, y, w, h), expected)


def test_aperio_tiles_equal_openslide_pixels(svs_file: Path) -> None:
    with open_slide(svs_file) as ours, openslide.OpenSlide(svs_file) as theirs:
        assert ours.vendor == "aperio"
        assert ours.shrinks
        assert ours.um_per_px == pytest.approx(0.25)
        expected = np.asarray(theirs.read_region((100, 50), 0, (700, 600)).convert("RGB"))
        assert np.array_equal(ours.read(0, 100, 50, 700, 600), expected)


def test_outside_the_slide_is_the_fill_colour(slide_file: tuple[Path, synthetic.Truth]) -> None:
    with open_slide(slide_file[0]) as slide:
        block = slide.read(0, -50, -40, 100, 80, fill=200)
        assert (block[:40] == 200).all()
        assert (block[:, :50] == 200).all()
        assert np.array_equal(block[40:, 50:], slide.read(0, 0, 0, 50, 40))


def test_unwanted_tiles_are_not_read(slide_file: tuple[Path, synthetic.Truth]) -> None:
    with open_slide(slide_file[0]) as slide:
        nothing = np.zeros((10, 10), bool)
        assert (slide.read(0, 0, 0, 600, 600, fill=7, wanted=nothing) == 7).all()
        assert slide.tiles_read == 0


def test_half_scale_decoding_is_close_to_averaging(svs_file: Path) -> None:
    with open_slide(svs_file) as slide:
        full = slide.read(0, 0, 0, 480, 480).astype(float)
        half = slide.read(0, 0, 0, 240, 240, shrink=2).astype(float)
    mean = full.reshape(240, 2, 240, 2, 3).mean(axis=(1, 3))
    assert np.abs(mean - half).mean() < 2


@settings(max_examples=25, deadline=None)
@given(x=st.integers(-30, 500), y=st.integers(-30, 300), size=st.integers(1, 160))
def test_resampled_blocks_agree_wherever_they_begin(x: int, y: int, size: int) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (640, 900, 3), dtype=np.uint8)
    path = _written(pixels)
    with open_slide(path, um_per_px=0.31) as slide:
        grid = raster.Raster(slide)
        assert grid.um_per_px == pytest.approx(0.5)
        whole = grid.block(-64, -64, grid.width + 128, grid.height + 128)
        part = grid.block(x, y, size, size)
    cut = whole[y + 64 : y + 64 + size, x + 64 : x + 64 + size]
    assert np.array_equal(part[: cut.shape[0], : cut.shape[1]], cut)


_FOLDER: list[Path] = []


@pytest.fixture(autouse=True)
def _folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    if not _FOLDER:
        _FOLDER.append(tmp_path_factory.mktemp("resampled"))


def _written(pixels: np.ndarray) -> Path:
    path = _FOLDER[0] / "noise.png"
    if not path.exists():
        Image.fromarray(pixels).save(path)
    return path


def test_resampling_keeps_the_mean(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (900, 900, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.png")
    with open_slide(tmp_path / "noise.png", um_per_px=0.2) as slide:
        grid = raster.Raster(slide)
        block = grid.block(0, 0, grid.width, grid.height)
    assert block.mean() == pytest.approx(pixels.mean(), abs=0.3)


@pytest.mark.parametrize("um", [0.2, 0.2271, 0.25, 0.31, 0.44, 0.5, 0.55, 0.6, 0.9])
def test_working_scale_is_near_half_a_micrometre(um: float, picture_file: tuple[Path, synthetic.Truth]) -> None:
    with open_slide(picture_file[0], um_per_px=um) as slide:
        grid = raster.Raster(slide)
    assert 0.43 <= grid.um_per_px <= 0.57
    assert grid.width * grid.um_per_px == pytest.approx(slide.width_px * um, rel=0.01)


OME = (
    '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
    '<Pixels ID="Pixels:0" PhysicalSizeX="{x}" PhysicalSizeXUnit="{unit}" PhysicalSizeY="{x}" '
    'PhysicalSizeYUnit="{unit}"/></Image></OME>'
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OME.format(x="0.25", unit="µm"), 0.25),
        (OME.format(x="250", unit="nm"), 0.25),
        (OME.format(x="0.00025", unit="mm"), 0.25),
        ("Aperio Image|AppMag = 20|MPP = 0.4990", 0.499),
        ("Aperio Image|AppMag = 20", None),
        ("<OME broken", None),
        (OME.format(x="wide", unit="µm"), None),
        ("", None),
    ],
)
def test_scale_from_description(text: str, expected: float | None) -> None:
    found = scale.from_description(text)
    assert (found is None) == (expected is None)
    if found is not None:
        assert found[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("x", "unit", "expected"),
    [(20_000.0, 3, 0.5), (101_600.0, 2, 0.25), (72.0, 2, None), (300.0, 2, None), (1.0, 1, None)],
)
def test_scale_from_resolution_tags(x: float, unit: int, expected: float | None) -> None:
    found = scale.from_tiff_tags(x, x, unit)
    assert (found is None) == (expected is None)
    if found is not None:
        assert found[0] == pytest.approx(expected)


def test_given_scale_wins_and_a_clash_is_an_issue(slide_file: tuple[Path, synthetic.Truth]) -> None:
    with open_slide(slide_file[0], um_per_px=0.25) as slide:
        assert slide.um_per_px == 0.25
        assert [i.code for i in slide.issues] == ["slide.scale.disagrees"]
    with open_slide(slide_file[0], objective=20) as slide:
        assert slide.um_per_px == 0.5
        assert not slide.issues


def test_ome_tiff_that_is_not_tiled_opens_as_a_picture(tmp_path: Path) -> None:
    pixels = np.full((200, 300, 3), 220, np.uint8)
    size = {f"PhysicalSize{axis}": 0.4 for axis in "XY"} | {f"PhysicalSize{axis}Unit": "µm" for axis in "XY"}
    metadata = {"axes": "YXS", **size}
    tifffile.imwrite(tmp_path / "field.ome.tif", pixels, photometric="rgb", metadata=metadata)
    with open_slide(tmp_path / "field.ome.tif") as slide:
        assert slide.um_per_px == pytest.approx(0.4)
        assert (slide.width_px, slide.height_px) == (300, 200)


def test_lossless_tiled_tiff_is_read_tile_by_tile(tmp_path: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 255, (500, 700, 3), dtype=np.uint8)
    path = tmp_path / "lossless.tif"
    scale_tags = {"resolution": (20000, 20000), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(path, pixels, tile=(128, 128), compression="zlib", photometric="rgb", **scale_tags)
    with open_slide(path) as slide:
        assert slide.um_per_px == pytest.approx(0.5)
        assert np.array_equal(slide.read(0, 60, 70, 500, 400), pixels[70:470, 60:560])


# --- refusals -------------------------------------------------------------------------------------------------------


def _bad(folder: Path, kind: str, good: Path) -> Path:
    path = folder / {"png": "a.png"}.get(kind, f"{kind}.tif")
    data = good.read_bytes()
    rng = np.random.default_rng(3)
    rgb = rng.integers(0, 255, (100, 100, 3), dtype=np.uint8)
    match kind:
        case "missing":
            return folder / "nowhere.svs"
        case "folder":
            path.mkdir()
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("these are not pixels, whatever the name says")
        case "header_only":
            path.write_bytes(data[:16])
        case "truncated":
            path.write_bytes(data[: len(data) // 2])
        case "tiny":
            path = folder / "tiny.png"
            Image.fromarray(rgb[:8, :8]).save(path)
        case "grey":
            path = folder / "grey.png"
            Image.fromarray(rgb[..., 0]).save(path)
        case "grey_tiff":
            tifffile.imwrite(path, rgb[..., 0])
        case "sixteen_bit":
            tifffile.imwrite(path, rgb.astype(np.uint16), photometric="rgb")
        case "cut_png":
            path = folder / "cut.png"
            Image.fromarray(rgb).save(path)
            path.write_bytes(path.read_bytes()[:2000])
        case "cmyk":
            path = folder / "cmyk.jpg"
            Image.fromarray(rgb).convert("CMYK").save(path)
        case "no_scale":
            path = folder / "noscale.png"
            Image.fromarray(rgb).save(path)
        case "oblong":
            tifffile.imwrite(path, rgb, photometric="rgb", resolution=(20000, 40000), resolutionunit="CENTIMETER")
        case "too_coarse":
            tifffile.imwrite(path, rgb, photometric="rgb", resolution=(2500, 2500), resolutionunit="CENTIMETER")
        case "too_fine":
            tifffile.imwrite(path, rgb, photometric="rgb", resolution=(1e6, 1e6), resolutionunit="CENTIMETER")
        case "print_resolution":
            tifffile.imwrite(path, rgb, photometric="rgb", resolution=(300, 300), resolutionunit="INCH")
        case _:
            raise AssertionError(kind)
    return path


REFUSALS = [
    ("missing", "there is no such file; check the path"),
    ("folder", "is a folder, not a slide; name one slide file inside it"),
    ("empty", "the file is empty"),
    ("text", "is not an image in a format that can be read"),
    ("header_only", "damaged or"),
    ("truncated", "damaged or"),
    ("tiny", "the image is 8 x 8 pixels, too small to hold a field of cells"),
    ("grey", r"the picture has no colour \(mode L\)"),
    ("grey_tiff", "the picture has no colour"),
    ("sixteen_bit", "its pixels are uint16, not 8-bit"),
    ("cut_png", "the picture is damaged or incomplete"),
    ("cmyk", r"the picture is in printing colours \(CMYK\)"),
    ("no_scale", "nothing in the file says how large a pixel is; give the scale with --um-per-px"),
    ("oblong", "which are not square"),
    ("too_coarse", "the file states 4 µm per pixel, too coarse to count nuclei"),
    ("too_fine", "the file states 0.01 µm per pixel, finer than light can show"),
    ("print_resolution", "nothing in the file says how large a pixel is"),
]


@pytest.mark.parametrize(("kind", "sentence"), REFUSALS, ids=[k for k, _ in REFUSALS])
def test_bad_files_are_refused_in_one_sentence(
    kind: str, sentence: str, tmp_path: Path, slide_file: tuple[Path, synthetic.Truth]
) -> None:
    with pytest.raises(RefusedSlide, match=sentence) as caught:
        open_slide(_bad(tmp_path, kind, slide_file[0]))
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("given_scale", "sentence"),
    [
        ({"um_per_px": 0.0}, "not a length"),
        ({"um_per_px": -1.0}, "not a length"),
        ({"um_per_px": float("nan")}, "not a length"),
        ({"um_per_px": 25.0}, "too coarse"),
        ({"um_per_px": 0.001}, "finer than light"),
        ({"objective": 0.5}, "does not exist"),
        ({"objective": 4.0}, "too coarse"),
    ],
)
def test_impossible_scales_are_refused(
    given_scale: dict[str, float], sentence: str, picture_file: tuple[Path, synthetic.Truth]
) -> None:
    with pytest.raises(RefusedSlide, match=sentence):
        open_slide(picture_file[0], **given_scale)
