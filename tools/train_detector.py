"""Trains the network of the accurate detector and writes its weights as ONNX.

    python tools/train_detector.py --out ONNX [--nuclei FOLDER] [--fields FOLDER ... --teachers ONNX ...]

Training material: synthetic H-DAB slides of every kind (``kulchitsky.slide.synthetic.variety``); haematoxylin-stained
nuclei with instance masks (``--nuclei``: ``*/tile.png`` with ``*/labels.npy``), on which DAB is painted; real fields
without annotation (``--fields``), labelled by networks trained before (``detector_fields.py``). No annotated Ki-67
image is needed or wanted. The shipped weights are those of a second round: a first one without fields makes the
teachers that label them.

Needs the ``train`` extra (torch, onnx). A round takes minutes on the CPU; the seed fixes everything but the order of
floating-point sums.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from detector_fields import field_scenes
from detector_material import Scene, painted_scene, sample, synthetic_scene
from detector_net import Average, Net, export, loss_of
from torch import nn

Group = tuple[list[Scene], float]
"""Scenes, and the share of crops drawn from them."""


def train(groups: list[Group], net: Net, steps: int, batch: int, seed: int) -> Net:
    rng = np.random.default_rng(seed)
    average = Average(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=6e-3, total_steps=steps, pct_start=0.15)
    upto = np.cumsum([share for _, share in groups])
    started, shown = time.time(), 0.0
    for step in range(steps):
        picks = np.searchsorted(upto, rng.random(batch) * upto[-1])
        drawn = [sample(groups[min(int(k), len(groups) - 1)][0], rng) for k in picks]
        values = torch.from_numpy(np.stack([v for v, _ in drawn]))
        labels = torch.from_numpy(np.stack([v for _, v in drawn]))
        loss = loss_of(net(values), labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        schedule.step()
        average.take_in(net)
        shown += float(loss.detach())
        if step % 100 == 99:
            print(f"step {step + 1:5d}  loss {shown / 100:.4f}  {time.time() - started:.0f} s", flush=True)
            shown = 0.0
    net.load_state_dict(average.values)
    return net.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--nuclei", type=Path, help="folder of */tile.png with */labels.npy")
    parser.add_argument("--nuclei-share", type=float, default=0.28)
    parser.add_argument("--fields", type=Path, nargs="*", default=[], help="folders with tile.png and meta.json")
    parser.add_argument("--fields-share", type=float, default=0.2)
    parser.add_argument("--teachers", type=Path, nargs="*", default=[], help="networks that label the fields")
    parser.add_argument("--scenes", type=int, default=420)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    if options.fields and not options.teachers:
        parser.error("--fields need --teachers: networks trained before without them")
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    started = time.process_time()
    folders = sorted(p.parent for p in options.nuclei.glob("*/labels.npy")) if options.nuclei else []
    painted = [painted_scene(f, 10 * k + r) for r in range(3) for k, f in enumerate(folders)]
    real = [s for s in painted if s is not None]
    fields = field_scenes(options.fields, options.teachers)
    made = [synthetic_scene(1000 * options.seed + k) for k in range(options.scenes)]
    given = [(real, options.nuclei_share), (fields, options.fields_share)]
    groups = [(scenes, share) for scenes, share in given if scenes]
    groups.append((made, 1 - sum(share for _, share in groups)))
    numbers = f"{len(made)} synthetic, {len(real)} painted and {len(fields)} field scenes"
    print(f"{numbers}, {time.process_time() - started:.0f} CPU s", flush=True)
    torch.manual_seed(options.seed)
    net = train(groups, Net(), options.steps, options.batch, options.seed)
    parameters = export(net, options.out)
    print(f"{parameters} parameters, {options.out.stat().st_size} bytes, {time.process_time() - started:.0f} CPU s")


if __name__ == "__main__":
    main()
