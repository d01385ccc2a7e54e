"""The fast detector's own filters against textbook ones, and their indifference to where a block begins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from kulchitsky.slide.blob_rows import BlobPlanes, fill_score, gaussian, square
from kulchitsky.slide.blobs import BlobSettings, blob_filter, find_blobs, reach_px
from kulchitsky.slide.buffers import Buffers
from kulchitsky.slide.calibration import REFERENCE_DAB, REFERENCE_HEMATOXYLIN, Calibration
from kulchitsky.slide.nuclei import measure_nuclei
from kulchitsky.slide.peaks import local_maxima
from kulchitsky.slide.planes import Planes, log_row, stain_planes

CALIBRATION = Calibration(
    glass=(243.0, 241.0, 238.0), stains=(REFERENCE_HEMATOXYLIN, REFERENCE_DAB), typical_hema_od=0.5
)


def spots(seed: int, rows: int, columns: int) -> Planes:
    """Density planes with round blobs of two stains."""
    rng = np.random.default_rng(seed)
    planes = []
    for strength in (0.5, 0.3):
        points = np.zeros((rows, columns), np.float32)
        number = rows * columns // 120
        points[rng.integers(0, rows, number), rng.integers(0, columns, number)] = rng.uniform(0.3, 1, number)
        planes.append((60 * strength * ndimage.gaussian_filter(points, 2.3) + 0.02).astype(np.float32))
    return Planes(planes[0], planes[1], 1.0)


def test_logarithm_is_exact_enough() -> None:
    x = np.exp(np.random.default_rng(0).uniform(-12, 12, 4096)).astype(np.float32)
    out = np.empty_like(x)
    log_row(x, np.empty(len(x), np.int32), out)
    assert np.allclose(out, np.log(x.astype(np.float64)), rtol=3e-7, atol=3e-7)


@pytest.mark.parametrize("shrink", [1, 2])
def test_planes_are_the_calibrated_densities(shrink: int) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    planes = stain_planes(rgb, 0.5, CALIBRATION, shrink=shrink)
    light = rgb.reshape(40 // shrink, shrink, 60 // shrink, shrink, 3).mean(axis=(1, 3))
    od = np.log10(np.asarray(CALIBRATION.glass) / np.maximum(light, 1))
    expected = np.clip(od @ CALIBRATION.unmixing.T, 0, None)
    assert planes.um == 0.5 * shrink
    assert np.allclose(planes.hema, expected[..., 0], atol=3e-6)
    assert np.allclose(planes.dab, expected[..., 1], atol=3e-6)


@pytest.mark.parametrize(("rows", "columns"), [(90, 110), (91, 113)])
def test_score_is_what_its_parts_say(rows: int, columns: int) -> None:
    """Against SciPy: log density less its surroundings over their deviation, and votes counted in plain Python."""
    stains, s = spots(2, rows, columns), BlobSettings()
    f = blob_filter(s, 1.0)
    density, signs, score = (np.empty((rows, columns), np.float32) for _ in range(3))
    votes = np.empty((rows + 2 * f.margin, columns + 2 * f.margin), np.float32)
    sums = np.empty((2, -(-rows // 2), -(-columns // 2)), np.float32)
    fill_score(stains.hema, stains.dab, f, BlobPlanes(density, signs, score, votes, sums))
    y = np.log1p((stains.hema.astype(np.float64) + s.dab_weight * stains.dab) / s.log_offset)
    assert np.allclose(density, y, atol=1e-5)

    def blurred(plane: np.ndarray, weights: np.ndarray) -> np.ndarray:
        kernel = np.concatenate([weights[:0:-1], weights])
        return np.asarray(
            ndimage.correlate1d(ndimage.correlate1d(plane, kernel, 0, mode="nearest"), kernel, 1, mode="nearest")
        )

    soft = blurred(y, f.soft)
    even = np.pad(y, ((0, rows % 2), (0, columns % 2)), mode="edge")
    mean, squares = (
        blurred(v.reshape(len(even) // 2, 2, -1, 2).sum(axis=(1, 3)), f.around) for v in (even, even * even)
    )
    deviation = np.sqrt(np.maximum(0, squares - mean**2)) + 0.06
    mean, deviation = (v.repeat(2, axis=0).repeat(2, axis=1)[:rows, :columns] for v in (mean, deviation))
    inner = np.s_[f.margin : -f.margin, f.margin : -f.margin]
    for_it = plain_votes(soft.astype(np.float32).astype(np.float64), f.near, f.far, f.floor, f.margin)[inner]
    difference = np.abs(score - blurred((soft - mean) / deviation + s.vote_weight * for_it, f.spread))
    # a vote may fall one pixel aside where its place lies just between two
    assert np.median(difference) < 1e-4
    assert np.percentile(difference, 98) < 0.03


def plain_votes(smooth: np.ndarray, near: float, far: float, floor: float, margin: int) -> np.ndarray:
    rows, columns = smooth.shape
    gy, gx = (ndimage.correlate1d(ndimage.correlate1d(smooth, [-1, 0, 1], a), [3, 10, 3], 1 - a) / 32 for a in (0, 1))
    votes = np.zeros((rows + 2 * margin, columns + 2 * margin))
    steps = max(2, int(far - near + 0.5) + 1)
    for i in range(2, rows - 1, 2):
        for j in range(2, columns - 1, 2):
            steep = np.hypot(gx[i, j], gy[i, j])
            if steep < floor:
                continue
            for r in np.linspace(near, far, steps):
                p = int(np.floor(i + gy[i, j] / steep * r + 0.5)) + margin
                q = int(np.floor(j + gx[i, j] / steep * r + 0.5)) + margin
                votes[p, q] += 4 * steep / (steep + 0.06) / steps
    return votes


def test_gaussian_sums_to_one() -> None:
    for sigma in (0.3, 1.05, 1.9, 4.0):
        weights = gaussian(sigma)
        assert weights[0] + 2 * weights[1:].sum() == pytest.approx(1, abs=1e-6)
        assert len(weights) - 1 >= int(2.4 * sigma)


def test_square_has_the_width_asked_for() -> None:
    for width in (2.0, 7.1, 8.0, 9.2, 12.0):
        weights = square(width)
        assert 2 * (weights[0] + 2 * weights[1:].sum()) == pytest.approx(1, abs=1e-6)
        assert np.allclose(weights[:-1], 1 / width)
        assert 0 <= weights[-1] <= weights[0]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), down=st.integers(0, 40), across=st.integers(0, 40))
def test_seeds_and_measures_do_not_depend_on_where_a_block_begins(seed: int, down: int, across: int) -> None:
    """To the last bit; blocks begin at even rows and columns of the grid."""
    down, across = down + down % 2, across + across % 2
    whole = spots(seed, 180, 200)
    part = Planes(
        whole.hema[down : down + 130, across : across + 140].copy(),
        whole.dab[down : down + 130, across : across + 140].copy(),
        1.0,
    )
    s, kept = BlobSettings(), Buffers()
    rows = []
    for planes, x0, y0 in ((whole, across, down), (part, 0, 0)):
        seeds, density = find_blobs(planes, s, kept)
        nuclei = measure_nuclei(planes, density, seeds.x, seeds.y, kept)
        x, y = seeds.x - x0, seeds.y - y0
        far = reach_px(s, 1.0) + 11
        inside = (x >= far) & (x < 140 - far) & (y >= far) & (y < 130 - far)
        table = np.column_stack([x, y, seeds.score, nuclei.radii_um, nuclei.dab_od, nuclei.contrast, nuclei.edge])
        rows.append(table[inside])
    assert np.array_equal(rows[0], rows[1])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), reach=st.integers(1, 4), levels=st.integers(3, 400))
def test_maxima_are_those_of_a_dilation(seed: int, reach: int, levels: int) -> None:
    """Against SciPy's maximum filter; few grey levels make plateaus, of which the first pixel counts."""
    plane = np.random.default_rng(seed).integers(0, levels, (40, 50)).astype(np.float32)
    x, y, _ = local_maxima(plane, reach, 0.5 * levels)
    found = {(int(np.floor(b + 0.5)), int(np.floor(a + 0.5))) for a, b in zip(x, y, strict=True)}
    assert len(found) == len(x)
    highest = ndimage.maximum_filter(plane, footprint=disc(reach), mode="constant", cval=-1)
    candidates = (plane >= highest) & (plane >= 0.5 * levels)
    candidates[[0, -1]] = candidates[:, [0, -1]] = False
    assert all(candidates[p] for p in found)
    for i, j in np.argwhere(candidates):
        box = plane[max(0, i - reach) : i + 1, max(0, j - reach) : j + reach + 1] == plane[i, j]
        box[-1, min(j, reach) :] = False
        assert ((i, j) in found) == (not box.any())


def disc(reach: int) -> np.ndarray:
    """OpenCV's ellipse of that size."""
    rows = []
    for dy in range(-reach, reach + 1):
        half = round(reach * np.sqrt((reach * reach - dy * dy) / (reach * reach)))
        rows.append([abs(dx) <= half for dx in range(-reach, reach + 1)])
    return np.asarray(rows)
