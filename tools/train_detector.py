"""Trains the network of the accurate detector and writes its weights as ONNX.

    python tools/train_detector.py --out src/kulchitsky/slide/models/nuclei-s.onnx [--nuclei FOLDER] [--steps 3000]

Training material: synthetic H-DAB slides of every kind (``kulchitsky.slide.synthetic.variety``) and, where FOLDER is
given, haematoxylin-stained nuclei with instance masks (``*/tile.png`` with ``*/labels.npy``; the shipped weights used
the 72 purple images of BBBC038, CC0), on which DAB is painted. Nothing else: no annotated Ki-67 image has been seen.
Needs the ``train`` extra (torch, onnx). Runs on the CPU in minutes; the seed fixes everything but the order of
floating-point sums.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnx
import simplejpeg
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from kulchitsky.slide.accurate import OD_OFFSET
from kulchitsky.slide.synthetic import paint
from kulchitsky.slide.synthetic.render import Renderer
from kulchitsky.slide.synthetic.scene import PIGMENT, TUMOUR
from kulchitsky.slide.synthetic.variety import random_optics, random_spec, random_stains

F32 = NDArray[np.float32]
WIDTHS = (16, 16, 32)
CROP = 192
HEAT_SIGMA_UM = 1.25


@dataclass(frozen=True)
class Scene:
    """Stain planes at the working scale and labels at half of it: heat, nucleus, positive, tumour, tumour known."""

    hema: F32
    dab: F32
    labels: F32


# --- material -------------------------------------------------------------------------------------------------------


def synthetic_scene(seed: int) -> Scene:
    rng = np.random.default_rng([seed, 5])
    um = float(rng.uniform(0.42, 0.58))
    spec = random_spec(seed, um_per_px=um)
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
    labels = np.zeros((5, rows, columns), np.float32)
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
    return Scene(hema.astype(np.float16), dab.astype(np.float16), labels)


def add_clutter(hema: F32, dab: F32, nuclear_od: float, um: float, rng: np.random.Generator) -> None:
    """What is no nucleus but looks a little like one: cytoplasm, fibres, smears, in place."""
    for plane, often, strongest in ((hema, 0.75, 0.5 * nuclear_od), (dab, 0.3, 0.25)):
        if rng.random() > often:
            continue
        field = streaks(plane.shape, um, rng)
        cut = float(rng.uniform(-0.5, 1.0))
        plane += np.float32(rng.uniform(0.05, 1.0) * strongest) * np.clip(field - cut, 0, 1.5) / 1.5


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
    density *= float(np.exp(rng.uniform(np.log(0.2), np.log(0.9))))
    count = int(masks.max()) + 1
    positive = rng.random(count) < rng.choice([0.0, rng.uniform(0.05, 0.8)], p=[0.15, 0.85])
    positive[0] = False
    strength = np.where(positive, np.exp(rng.normal(0, 0.4, count)) * rng.uniform(0.6, 1.8), 0).astype(np.float32)
    soft = cv2.GaussianBlur(strength[masks], (0, 0), 1.0)
    relative = density / max(1e-3, float(np.median(density[inside])))
    dab = soft * np.clip(relative, 0.3, 1.6) + density * float(rng.uniform(0, 0.15))
    hema = density * (1 - 0.6 * np.clip(soft, 0, 1))
    small = masks[::2, ::2]
    rows, columns = small.shape
    labels = np.zeros((5, rows, columns), np.float32)
    y, x = centres(masks)
    labels[0] = heat(x / 2 - 0.25, y / 2 - 0.25, rows, columns, HEAT_SIGMA_UM)
    labels[1] = small > 0
    labels[2] = positive[small]
    return Scene(hema.astype(np.float16), dab.astype(np.float16), labels)


def relabel(masks: NDArray[np.int32]) -> tuple[int, NDArray[np.int32]]:
    """Connected pieces of each instance: mirrored copies become instances of their own."""
    edges = np.zeros_like(masks, bool)
    edges[:-1] |= masks[:-1] != masks[1:]
    edges[:, :-1] |= masks[:, :-1] != masks[:, 1:]
    count, pieces = cv2.connectedComponents(((masks > 0) & ~edges).astype(np.uint8), connectivity=4)
    grown = cv2.dilate(pieces.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
    return count, np.where(masks > 0, np.where(pieces > 0, pieces, grown), 0)


def centres(masks: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    flat = masks.ravel()
    area = np.bincount(flat)
    rows, columns = np.divmod(np.arange(flat.size), masks.shape[1])
    keep = np.arange(len(area)) > 0
    keep &= area >= 12
    safe = np.maximum(area, 1)
    return (np.bincount(flat, rows) / safe)[keep], (np.bincount(flat, columns) / safe)[keep]


# --- augmentation ---------------------------------------------------------------------------------------------------


def picture(hema: F32, dab: F32, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A crop as some scanner would show it in some stain, and the glass colour a calibration would find."""
    stains, optics = random_stains(rng), random_optics(rng)
    h = np.asarray(stains.hematoxylin) / np.linalg.norm(stains.hematoxylin)
    d = np.asarray(stains.dab) / np.linalg.norm(stains.dab)
    density = (hema * np.exp(rng.normal(0, 0.25)))[..., None] * h + (dab * np.exp(rng.normal(0, 0.25)))[..., None] * d
    glass = np.asarray(stains.glass, np.float64)
    light = (glass * np.power(10.0, -density)).astype(np.float32)
    light = cv2.GaussianBlur(light, (0, 0), float(max(0.25, optics.blur_sigma_um / 0.5)))
    if optics.sharpen_amount:
        soft = cv2.GaussianBlur(light, (0, 0), float(optics.sharpen_sigma_um / 0.5))
        light = light + optics.sharpen_amount * (light - soft)
    light = np.clip(light, 0, 255) / 255
    if rng.random() < 0.5:
        light = light ** rng.uniform(0.7, 1.5)
        steep = rng.uniform(0, 0.7)
        light = (1 - steep) * light + steep * light * light * (3 - 2 * light)
    rgb = light * 255 + rng.normal(0, optics.noise_grey, light.shape)
    rgb = np.clip(rgb, 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        sampling = "420" if rng.random() < 0.7 else "444"
        data = simplejpeg.encode_jpeg(rgb, quality=int(rng.integers(40, 95)), colorsubsampling=sampling)
        rgb = simplejpeg.decode_jpeg(data)
    seen = np.percentile(rgb.reshape(-1, 3), 99.0, axis=0)
    if rng.random() < 0.5:
        clear = light_of_glass(glass)
        seen = np.maximum(seen, clear)
    return rgb, np.clip(seen * (1 + rng.normal(0, 0.012, 3)), 100, 255)


def light_of_glass(glass: NDArray[np.float64]) -> NDArray[np.float64]:
    return glass


def sample(scenes: list[Scene], rng: np.random.Generator) -> tuple[F32, F32]:
    scene = scenes[int(rng.integers(len(scenes)))]
    rows, columns = scene.hema.shape
    i = int(rng.integers(0, (rows - CROP) // 2 + 1)) * 2
    j = int(rng.integers(0, (columns - CROP) // 2 + 1)) * 2
    hema = scene.hema[i : i + CROP, j : j + CROP].astype(np.float32)
    dab = scene.dab[i : i + CROP, j : j + CROP].astype(np.float32)
    labels = scene.labels[:, i // 2 : (i + CROP) // 2, j // 2 : (j + CROP) // 2]
    rgb, glass = picture(hema, dab, rng)
    od = np.log10(glass.astype(np.float32) / np.maximum(rgb.astype(np.float32), 1))
    values = np.log1p(np.clip(od, 0, None) / OD_OFFSET).transpose(2, 0, 1)
    turns, flip = int(rng.integers(4)), bool(rng.integers(2))
    values, labels = np.rot90(values, turns, (1, 2)), np.rot90(labels, turns, (1, 2))
    if flip:
        values, labels = values[:, :, ::-1], labels[:, :, ::-1]
    return np.ascontiguousarray(values, np.float32), np.ascontiguousarray(labels, np.float32)


# --- network --------------------------------------------------------------------------------------------------------


def block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Net(nn.Module):
    """Three grids (1, 2, 4 µm), sums instead of concatenations.

    An output depends on 45 pixels around it at most, so that blocks with a halo agree with the whole slide. The
    widths are multiples of 8, which the CPU's vector units work off without waste.
    """

    def __init__(self, widths: tuple[int, int, int] = WIDTHS) -> None:
        super().__init__()
        a, b, c = widths
        self.e1 = nn.Sequential(block(3, a, 2), block(a, a))
        self.e2 = nn.Sequential(block(a, b, 2), block(b, b))
        self.e3 = nn.Sequential(block(b, c, 2), block(c, c), block(c, c), block(c, c))
        self.u2, self.u1 = nn.Conv2d(c, b, 1), nn.Conv2d(b, a, 1)
        self.d2, self.d1 = block(b, b), block(a, a)
        self.head = nn.Conv2d(a, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        e1 = self.e1(x)
        e2 = self.e2(e1)
        y = self.e3(e2)
        for up, skip, down in ((self.u2, e2, self.d2), (self.u1, e1, self.d1)):
            y = down(nn.functional.interpolate(up(y), scale_factor=2.0, mode="nearest") + skip)
        return self.head(y)


def loss_of(logits: Tensor, labels: Tensor) -> Tensor:
    bce = nn.functional.binary_cross_entropy_with_logits
    heat_map, nucleus, positive, tumour, known = labels.unbind(1)
    centre = bce(logits[:, 0], heat_map, weight=1 + 6 * heat_map)
    inside = bce(logits[:, 1], nucleus)
    mass = nucleus.sum() + 1
    stain = (bce(logits[:, 2], positive, reduction="none") * nucleus).sum() / mass
    kind = (bce(logits[:, 3], tumour, reduction="none") * known).sum() / (known.sum() + 1)
    return 2.0 * centre + 0.5 * inside + 0.5 * stain + 0.3 * kind


def train(scenes: list[Scene], real: list[Scene], steps: int, batch: int, seed: int, real_share: float) -> Net:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Net()
    optimiser = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=6e-3, total_steps=steps, pct_start=0.15)
    started, shown = time.time(), 0.0
    for step in range(steps):
        drawn = [sample(real if real and rng.random() < real_share else scenes, rng) for _ in range(batch)]
        values = torch.from_numpy(np.stack([v for v, _ in drawn]))
        labels = torch.from_numpy(np.stack([v for _, v in drawn]))
        loss = loss_of(net(values), labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        schedule.step()
        shown += float(loss.detach())
        if step % 100 == 99:
            print(f"step {step + 1:5d}  loss {shown / 100:.4f}  {time.time() - started:.0f} s", flush=True)
            shown = 0.0
    return net.eval()


# --- export ---------------------------------------------------------------------------------------------------------


def export(net: Net, path: Path) -> int:
    """Write the network as plain ONNX: convolutions with batch norms folded in, Relu, Resize, Add."""
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    parameters = 0

    def constant(name: str, value: NDArray[np.float32] | NDArray[np.int64]) -> str:
        weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def conv(source: str, name: str, layer: nn.Conv2d, norm: nn.BatchNorm2d | None) -> str:
        nonlocal parameters
        w = layer.weight.detach().numpy().astype(np.float64)
        b = np.zeros(len(w)) if layer.bias is None else layer.bias.detach().numpy().astype(np.float64)
        if norm is not None:
            gain = norm.weight.detach().numpy() / np.sqrt(norm.running_var.numpy() + norm.eps)
            w, b = w * gain[:, None, None, None], (b - norm.running_mean.numpy()) * gain + norm.bias.detach().numpy()
        parameters += w.size + b.size
        names = [constant(f"{name}.w", w.astype(np.float32)), constant(f"{name}.b", b.astype(np.float32))]
        size, stride = layer.kernel_size[0], layer.stride[0]
        shape = {"kernel_shape": [size, size], "strides": [stride, stride], "pads": [size // 2] * 4}
        nodes.append(helper.make_node("Conv", [source, *names], [name], **shape))
        if norm is None:
            return name
        nodes.append(helper.make_node("Relu", [name], [f"{name}.relu"]))
        return f"{name}.relu"

    def stack(source: str, name: str, layers: nn.Sequential) -> str:
        units = [layers] if isinstance(layers[0], nn.Conv2d) else list(layers)
        for number, unit in enumerate(units):
            source = conv(source, f"{name}.{number}", unit[0], unit[1])
        return source

    constant("scales", np.asarray([1, 1, 2, 2], np.float32))
    e1 = stack("density", "e1", net.e1)
    e2 = stack(e1, "e2", net.e2)
    y = stack(e2, "e3", net.e3)
    for number, skip in ((2, e2), (1, e1)):
        y = conv(y, f"u{number}", getattr(net, f"u{number}"), None)
        nodes.append(
            helper.make_node(
                "Resize", [y, "", "scales"], [f"r{number}"], mode="nearest", nearest_mode="floor",
                coordinate_transformation_mode="asymmetric",
            )
        )  # fmt: skip
        nodes.append(helper.make_node("Add", [f"r{number}", skip], [f"s{number}"]))
        y = stack(f"s{number}", f"d{number}", getattr(net, f"d{number}"))
    out = conv(y, "logits", net.head, None)
    graph = helper.make_graph(
        nodes,
        "nuclei",
        [helper.make_tensor_value_info("density", TensorProto.FLOAT, [1, 3, "rows", "columns"])],
        [helper.make_tensor_value_info(out, TensorProto.FLOAT, [1, 4, "half_rows", "half_columns"])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="kulchitsky")
    model.ir_version = 9
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return parameters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--nuclei", type=Path, help="folder of */tile.png with */labels.npy")
    parser.add_argument("--scenes", type=int, default=360)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--real-share", type=float, default=0.35)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    started = time.process_time()
    scenes = [synthetic_scene(1000 * options.seed + k) for k in range(options.scenes)]
    folders = sorted(p.parent for p in options.nuclei.glob("*/labels.npy")) if options.nuclei else []
    painted = [painted_scene(f, 10 * k + r) for r in range(3) for k, f in enumerate(folders)]
    real = [s for s in painted if s is not None]
    print(f"{len(scenes)} synthetic and {len(real)} painted scenes, {time.process_time() - started:.0f} CPU s")
    net = train(scenes, real, options.steps, options.batch, options.seed, options.real_share)
    parameters = export(net, options.out)
    print(f"{parameters} parameters, {options.out.stat().st_size} bytes, {time.process_time() - started:.0f} CPU s")


if __name__ == "__main__":
    main()
