"""What the network of the accurate detector learns from: scenes as stain planes, synthetic or painted, and crops.

A scene holds densities, not colours: every crop drawn from it is stained, scanned and compressed anew
(:func:`picture`), so that no stain and no scanner is learned by heart. Used by ``train_detector.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from scipy import ndimage

from kulchitsky.slide.accurate import OD_OFFSET
from kulchitsky.slide.synthetic import paint
from kulchitsky.slide.synthetic.render import Renderer
from kulchitsky.slide.synthetic.scene import PIGMENT, TUMOUR
from kulchitsky.slide.synthetic.variety import random_optics, random_spec, random_stains

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

CROP = 192
HEAT_SIGMA_UM = 1.25
HARSH_SHARE = 0.12
CROWDED_SHARE = 0.6
CUT_SHARE = 0.25
"""Of crops, those that end in glass on one side, as a field does that was cut out of a slide."""
SMALLEST_PX, FAINTEST_SHARE = 32, 0.25
"""Area of a nucleus (8 µm²), and its density above the background relative to the scene's nuclei."""

_NOISE = np.random.default_rng(0).standard_normal(1 << 21).astype(np.float32)


@dataclass(frozen=True)
class Scene:
    """Stain planes at the working scale, and labels at half of it.

    Labels: heat of centres, nucleus, positive, tumour, where tumour is known, and where the rest may be learned.
    """

    hema: F32
    dab: F32
    labels: F32


def blank_labels(rows: int, columns: int) -> F32:
    labels = np.zeros((6, rows, columns), np.float32)
    labels[5] = 1
    return labels


# --- synthetic ------------------------------------------------------------------------------------------------------


def synthetic_scene(seed: int) -> Scene:
    rng = np.random.default_rng([seed, 5])
    um = float(rng.uniform(0.42, 0.58))
    spec = random_spec(seed, um_per_px=um)
    if rng.random() < 0.1:
        spec = spec.with_changes(pattern="nuclear_and_cytoplasmic")
    renderer = Renderer(spec)
    hema, dab = renderer.densities(0, 0, spec.width_px, spec.height_px)
    margin = 15.0
    cells = renderer.scene.cells(-margin, -margin, spec.width_um + margin, spec.height_um + margin)
    cells = cells.take(cells.kind < PIGMENT)
    rows, columns = spec.height_px // 2, spec.width_px // 2
    grid_um = 2 * um
    owner, _ = paint.territories(
        cells.x_um, cells.y_um, cells.semi_a, cells.semi_b, cells.angle, cells.wobble, cells.phase,
        np.zeros(len(cells), np.uint8), 1.0, grid_um, rows, columns,
    )  # fmt: skip
    labels = blank_labels(rows, columns)
    inside = owner >= 0
    area_px = np.pi * cells.semi_a * cells.semi_b / grid_um**2
    shown = np.bincount(owner[inside], minlength=len(cells)) / area_px
    edge = 8.0  # nuclei at the border are cut, not hidden
    shown[(np.minimum(cells.x_um, cells.y_um) < edge) | (cells.x_um > spec.width_um - edge)] = 1
    shown[cells.y_um > spec.height_um - edge] = 1
    seen = cells.take(shown > 0.35)
    labels[0] = heat(seen.x_um / grid_um - 0.5, seen.y_um / grid_um - 0.5, rows, columns, HEAT_SIGMA_UM / grid_um)
    labels[1] = inside
    labels[2][inside] = cells.positive[owner[inside]]
    labels[3][inside] = cells.kind[owner[inside]] == TUMOUR
    labels[4] = inside
    add_clutter(hema, dab, spec.stains.hematoxylin_od, um, rng)
    if rng.random() < 0.4:
        add_ghosts(hema, spec.stains.hematoxylin_od, um, rng)
    return Scene(hema.astype(np.float16), dab.astype(np.float16), labels)


def add_clutter(hema: F32, dab: F32, nuclear_od: float, um: float, rng: np.random.Generator) -> None:
    """What is no nucleus but looks a little like one: cytoplasm, fibres, smears, in place."""
    for plane, often, strongest in ((hema, 0.75, 0.5 * nuclear_od), (dab, 0.3, 0.25)):
        if rng.random() > often:
            continue
        field = streaks(plane.shape, um, rng)
        cut = float(rng.uniform(-0.5, 1.0))
        plane += np.float32(rng.uniform(0.05, 1.0) * strongest) * np.clip(field - cut, 0, 1.5) / 1.5


def add_ghosts(hema: F32, nuclear_od: float, um: float, rng: np.random.Generator) -> None:
    """Nuclei of another plane, pale and far out of focus, which nobody counts; in place."""
    ghosts = np.zeros_like(hema)
    rows, columns = hema.shape
    for _ in range(int(rng.uniform(100, 1200) * rows * columns * um * um / 1e6)):
        size = rng.uniform(2.2, 5.0, 2) / um
        place = (int(rng.integers(columns)), int(rng.integers(rows)))
        cv2.ellipse(ghosts, place, (round(size[0]), round(size[1])), float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
    ghosts = cv2.GaussianBlur(ghosts, (0, 0), float(rng.uniform(1.6, 3.0)) / um)
    hema += np.float32(rng.uniform(0.1, 0.4) * nuclear_od) * ghosts


def streaks(shape: tuple[int, ...], um: float, rng: np.random.Generator) -> F32:
    """Noise of unit variance, drawn out along one direction that turns slowly over the field."""
    rows, columns = shape
    long, short = float(rng.uniform(2, 25)), float(rng.uniform(0.8, 4))
    noise = rng.normal(size=(rows, columns)).astype(np.float32)
    angle = float(rng.uniform(0, np.pi))
    size = int(2 * np.ceil(2 * max(long, short) / um) + 1)
    yy, xx = np.mgrid[:size, :size].astype(np.float32) - size // 2
    u, v = xx * np.cos(angle) + yy * np.sin(angle), -xx * np.sin(angle) + yy * np.cos(angle)
    kernel = np.exp(-0.5 * ((u * um / long) ** 2 + (v * um / short) ** 2))
    field = cv2.filter2D(noise, -1, kernel / np.linalg.norm(kernel), borderType=cv2.BORDER_REFLECT)
    bend = cv2.GaussianBlur(rng.normal(size=(rows, columns, 2)).astype(np.float32), (0, 0), 25 / um)
    bend *= float(rng.uniform(0, 12)) / um / max(1e-6, float(bend.std()))
    gx, gy = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    warped = cv2.remap(field, gx + bend[..., 0], gy + bend[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return (warped / max(1e-6, float(warped.std()))).astype(np.float32)


def heat(x: NDArray[np.float64], y: NDArray[np.float64], rows: int, columns: int, sigma: float) -> F32:
    out = np.zeros((rows, columns), np.float32)
    reach = int(3 * sigma) + 2
    for cx, cy in zip(x, y, strict=True):
        i0, i1 = max(0, int(cy) - reach), min(rows, int(cy) + reach + 2)
        j0, j1 = max(0, int(cx) - reach), min(columns, int(cx) + reach + 2)
        if i0 >= i1 or j0 >= j1:
            continue
        d2 = (np.arange(i0, i1)[:, None] - cy) ** 2 + (np.arange(j0, j1)[None, :] - cx) ** 2
        out[i0:i1, j0:j1] = np.maximum(out[i0:i1, j0:j1], np.exp(-d2 / (2 * sigma**2)))
    return out


# --- painted --------------------------------------------------------------------------------------------------------


def painted_scene(folder: Path, seed: int) -> Scene | None:
    """Real haematoxylin nuclei as a density plane, some of them turned brown."""
    rng = np.random.default_rng([seed, 6])
    bgr = cv2.imread(str(folder / "tile.png"))
    masks = np.load(folder / "labels.npy").astype(np.int32)
    sizes = np.bincount(masks.ravel())[1:]
    sizes = sizes[sizes > 0]
    if len(sizes) == 0:
        return None
    diameter_px = float(np.sqrt(np.median(sizes) * 4 / np.pi))
    scale = float(rng.uniform(6.0, 10.0)) / 0.5 / diameter_px
    size = (round(bgr.shape[1] * scale), round(bgr.shape[0] * scale))
    if len(sizes) < 5 or min(size) < 110:
        return None  # too few nuclei, or hardly more than mirror images once scaled down
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    bgr = cv2.resize(bgr, size, interpolation=interpolation)
    masks = cv2.resize(masks, size, interpolation=cv2.INTER_NEAREST)
    pad = [max(0, CROP + 8 - s + 1) // 2 + 1 if s < CROP + 8 else 0 for s in masks.shape]
    bgr = np.pad(bgr, ((pad[0],) * 2, (pad[1],) * 2, (0, 0)), mode="symmetric")
    masks = np.pad(masks, ((pad[0],) * 2, (pad[1],) * 2), mode="symmetric")
    even = (masks.shape[0] // 2 * 2, masks.shape[1] // 2 * 2)
    bgr, masks = bgr[: even[0], : even[1]], masks[: even[0], : even[1]]
    _, masks = relabel(masks)
    light = np.percentile(bgr.reshape(-1, 3), 95, axis=0)
    od = np.clip(np.log10(np.maximum(light, 1) / np.maximum(bgr, 1)), 0, None)
    inside = masks > 0
    direction = od[inside].mean(axis=0)
    density = (od @ (direction / (direction @ direction))).astype(np.float32)
    if rng.random() < CROWDED_SHARE:
        crowd(density, masks, rng)
        inside = masks > 0
    clear = clear_nuclei(density, masks)
    density *= float(np.exp(rng.uniform(np.log(0.2), np.log(0.9))))
    count = int(masks.max()) + 1
    positive = rng.random(count) < rng.choice([0.0, rng.uniform(0.05, 0.8)], p=[0.15, 0.85])
    positive[~clear] = False
    strength = np.where(positive, np.exp(rng.normal(0, 0.4, count)) * rng.uniform(0.6, 1.8), 0).astype(np.float32)
    soft = cv2.GaussianBlur(strength[masks], (0, 0), 1.0)
    relative = density / max(1e-3, float(np.median(density[inside])))
    dab = soft * np.clip(relative, 0.3, 1.6) + density * float(rng.uniform(0, 0.15))
    hema = density * (1 - 0.6 * np.clip(soft, 0, 1))
    small = masks[::2, ::2]
    labels = blank_labels(*small.shape)
    y, x = centres(masks)
    labels[0] = heat(x[clear] / 2 - 0.25, y[clear] / 2 - 0.25, *small.shape, HEAT_SIGMA_UM)
    labels[1] = small > 0
    unclear = (~clear)[masks] & (masks > 0)
    labels[5] = 1 - cv2.dilate(unclear.astype(np.uint8), np.ones((5, 5), np.uint8))[::2, ::2]
    labels[2] = positive[small]
    return Scene(hema.astype(np.float16), dab.astype(np.float16), labels)


def crowd(density: F32, masks: NDArray[np.int32], rng: np.random.Generator) -> None:
    """Set copies of nuclei against and partly over others, in place: touching ones are what is most often missed."""
    area = np.bincount(masks.ravel())
    whole = np.flatnonzero(clear_nuclei(density, masks))
    if len(whole) < 5:
        return
    glass = float(np.median(density[masks == 0]))
    rows, columns = centres(masks)
    boxes = ndimage.find_objects(masks)
    cuts = {int(n): (density[boxes[n - 1]].copy(), masks[boxes[n - 1]] == n) for n in whole}
    for new in range(len(area), len(area) + int(rng.uniform(0.1, 0.6) * len(whole))):
        source, host = (int(n) for n in rng.choice(whole, 2, replace=False))
        patch, cover = turned(*cuts[source], rng)
        apart = float(rng.uniform(0.5, 1.05)) * (np.sqrt(area[host] / np.pi) + np.sqrt(cover.sum() / np.pi))
        angle = float(rng.uniform(0, 2 * np.pi))
        top = round(rows[host] + apart * np.sin(angle) - cover.shape[0] / 2)
        left = round(columns[host] + apart * np.cos(angle) - cover.shape[1] / 2)
        place = np.s_[top : top + cover.shape[0], left : left + cover.shape[1]]
        if min(top, left) < 0 or masks[place].shape != cover.shape:
            continue
        hidden = np.bincount(masks[place][cover > 0.5], minlength=len(area))
        if (hidden[1 : len(area)] > 0.5 * area[1:]).any():
            continue  # would hide another
        if rng.random() < 0.5:
            density[place] += cover * (patch - density[place])
        else:
            density[place] += cover * float(rng.uniform(0.5, 1)) * np.maximum(patch - glass, 0)
        masks[place][cover > 0.5] = new


def turned(patch: F32, inside: NDArray[np.bool_], rng: np.random.Generator) -> tuple[F32, F32]:
    """A nucleus cut out with its soft outline (0 to 1), turned, flipped, and a little smaller or larger."""
    size = float(rng.uniform(0.75, 1.2))
    turns, flip = int(rng.integers(4)), bool(rng.integers(2))
    made = []
    for plane, rim in ((patch, "edge"), (inside.astype(np.float32), "constant")):
        wide = np.rot90(np.pad(plane, 3, mode=rim), turns)
        wide = np.ascontiguousarray(wide[:, ::-1] if flip else wide)
        made.append(cv2.resize(wide, None, fx=size, fy=size, interpolation=cv2.INTER_LINEAR))
    return made[0], cv2.GaussianBlur(made[1], (0, 0), 0.7)


def relabel(masks: NDArray[np.int32]) -> tuple[int, NDArray[np.int32]]:
    """Connected pieces of each instance: mirrored copies become instances of their own."""
    edges = np.zeros_like(masks, bool)
    edges[:-1] |= masks[:-1] != masks[1:]
    edges[:, :-1] |= masks[:, :-1] != masks[:, 1:]
    count, pieces = cv2.connectedComponents(((masks > 0) & ~edges).astype(np.uint8), connectivity=4)
    grown = cv2.dilate(pieces.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
    return count, np.where(masks > 0, np.where(pieces > 0, pieces, grown), 0)


def clear_nuclei(density: F32, masks: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which labels stand for a nucleus one can see: some masks hold splinters, or what is hardly there."""
    area = np.bincount(masks.ravel())
    mean = np.bincount(masks.ravel(), density.ravel()) / np.maximum(area, 1)
    above = mean - mean[0]
    enough = area >= SMALLEST_PX
    enough[0] = False
    if not enough.any():
        return enough
    return enough & (above > FAINTEST_SHARE * float(np.median(above[enough])))


def centres(masks: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Row and column of the middle of every label, that of the background included."""
    flat = masks.ravel()
    rows, columns = np.divmod(np.arange(flat.size), masks.shape[1])
    area = np.maximum(np.bincount(flat), 1)
    return np.bincount(flat, rows) / area, np.bincount(flat, columns) / area


# --- crops ----------------------------------------------------------------------------------------------------------


def picture(hema: F32, dab: F32, rng: np.random.Generator) -> tuple[U8, NDArray[np.float64]]:
    """A crop as some scanner would show it in some stain, and the glass colour a calibration would find.

    Some are harsh: pale haematoxylin beside nearly black DAB, a steep tone curve, clipped shadows.
    """
    stains, optics = random_stains(rng), random_optics(rng)
    h = np.asarray(stains.hematoxylin) / np.linalg.norm(stains.hematoxylin)
    d = np.asarray(stains.dab) / np.linalg.norm(stains.dab)
    gain_h, gain_d = np.exp(rng.normal(0, 0.25)), np.exp(rng.normal(0, 0.25))
    harsh = rng.random() < HARSH_SHARE
    if harsh:
        gain_h = rng.uniform(0.12, 0.4) / max(0.05, float(np.percentile(hema[::4, ::4], 95)))
        gain_d = rng.uniform(0.9, 2.5) if rng.random() < 0.8 else gain_d
    both = np.stack([h * gain_h, d * gain_d]).astype(np.float32)
    glass = np.asarray(stains.glass, np.float64)
    exponent = np.stack([hema.ravel(), dab.ravel()], axis=1) @ (both * np.float32(-np.log(10)))
    light = (np.exp(exponent) * glass.astype(np.float32)).reshape(*hema.shape, 3)
    light = cv2.GaussianBlur(light, (0, 0), float(max(0.25, optics.blur_sigma_um / 0.5)))
    if optics.sharpen_amount:
        soft = cv2.GaussianBlur(light, (0, 0), float(optics.sharpen_sigma_um / 0.5))
        light = light + np.float32(optics.sharpen_amount) * (light - soft)
    if harsh or rng.random() < 0.4:
        table = tone_curve(rng, harsh)
        light = table[np.clip(light * np.float32(1024 / 255), 0, 1024).astype(np.int16)]
    start = int(rng.integers(len(_NOISE) - light.size))
    rgb = light + np.float32(optics.noise_grey) * _NOISE[start : start + light.size].reshape(light.shape)
    rgb = np.clip(rgb, 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        sampling = "420" if rng.random() < 0.7 else "444"
        data = simplejpeg.encode_jpeg(rgb, quality=int(rng.integers(40, 95)), colorsubsampling=sampling)
        rgb = simplejpeg.decode_jpeg(data)
    seen = np.percentile(rgb[::3, ::3].reshape(-1, 3), 99.0, axis=0)
    if rng.random() < 0.5 and not harsh:
        seen = np.maximum(seen, glass)
    return rgb, np.clip(seen * (1 + rng.normal(0, 0.012, 3)), 100, 255)


def tone_curve(rng: np.random.Generator, harsh: bool) -> F32:
    """(1025,) grey level 0 to 255 for light in steps of a 1024th."""
    curve = (np.arange(1025) / 1024) ** rng.uniform(0.7, 1.5)
    steep = rng.uniform(0.3, 1.0) if harsh else rng.uniform(0, 0.7)
    curve = (1 - steep) * curve + steep * curve * curve * (3 - 2 * curve)
    if harsh and rng.random() < 0.5:
        black = rng.uniform(0, 0.08)
        curve = np.clip((curve - black) / (1 - black), 0, 1)
    return (curve * 255).astype(np.float32)


def sample(scenes: list[Scene], rng: np.random.Generator) -> tuple[F32, F32]:
    """(3, CROP, CROP) input of the network and (6, CROP / 2, CROP / 2) labels, turned and flipped at random."""
    scene = scenes[int(rng.integers(len(scenes)))]
    rows, columns = scene.hema.shape
    i = int(rng.integers(0, (rows - CROP) // 2 + 1)) * 2
    j = int(rng.integers(0, (columns - CROP) // 2 + 1)) * 2
    hema = scene.hema[i : i + CROP, j : j + CROP].astype(np.float32)
    dab = scene.dab[i : i + CROP, j : j + CROP].astype(np.float32)
    labels = scene.labels[:, i // 2 : (i + CROP) // 2, j // 2 : (j + CROP) // 2]
    rgb, glass = picture(hema, dab, rng)
    grey = np.maximum(np.arange(256.0), 1)
    values = np.empty((3, CROP, CROP), np.float32)
    for c in range(3):
        table = np.log1p(np.clip(np.log10(glass[c] / grey), 0, None) / OD_OFFSET).astype(np.float32)
        values[c] = table[rgb[..., c]]
    if rng.random() < CUT_SHARE:
        cut = 2 * int(rng.integers(4, CROP // 4))
        values[:, :cut] = 0
        labels = labels.copy()
        labels[:, : cut // 2] = 0  # nothing is learned there: no nucleus, no trust
    turns, flip = int(rng.integers(4)), bool(rng.integers(2))
    values, labels = np.rot90(values, turns, (1, 2)), np.rot90(labels, turns, (1, 2))
    if flip:
        values, labels = values[:, :, ::-1], labels[:, :, ::-1]
    return np.ascontiguousarray(values, np.float32), np.ascontiguousarray(labels, np.float32)
