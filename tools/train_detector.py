"""Trains the network of the accurate detector and writes its weights as ONNX.

    python tools/train_detector.py --out ONNX [--nuclei FOLDER] [--fields FOLDER ... --teachers ONNX ...]

Training material: synthetic H-DAB slides of every kind (``kulchitsky.slide.synthetic.variety``); haematoxylin-stained
nuclei with instance masks (``--nuclei``: ``*/tile.png`` with ``*/labels.npy``), on which DAB is painted; real fields
without annotation (``--fields``), labelled by networks trained before (``detector_fields.py``). No annotated Ki-67
image is needed or wanted. The shipped weights are those of a later round: a first one without fields makes the
teachers that label them. The teachers' mean opinion also softens the labels of synthetic and real fields
(``--taught``; Hinton G et al., arXiv 1503.02531): a small network learns more from it than from yes and no.

Needs the ``train`` extra (torch, onnx). A round takes minutes on the CPU; the seed fixes everything but the order of
floating-point sums.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from detector_fields import Teachers, field_scenes
from detector_material import Scene, painted_scene, sample, synthetic_scene
from detector_net import Net, export, loss_of
from fitting import fit
from torch import Tensor


@dataclass(frozen=True)
class Group:
    """Scenes, the share of crops drawn from them, and the weight of the teachers' opinion in their labels."""

    scenes: list[Scene]
    share: float
    taught: float = 0.0


def train(groups: list[Group], net: Net, teachers: Teachers | None, steps: int, batch: int, seed: int) -> Net:
    rng = np.random.default_rng(seed)
    upto = np.cumsum([group.share for group in groups])

    def next_loss() -> Tensor:
        picks = np.searchsorted(upto, rng.random(batch) * upto[-1])
        chosen = [groups[min(int(k), len(groups) - 1)] for k in picks]
        drawn = [sample(group.scenes, rng) for group in chosen]
        values = torch.from_numpy(np.stack([v for v, _ in drawn]))
        labels = torch.from_numpy(np.stack([v for _, v in drawn]))
        if teachers:
            labels = soften(labels, teachers(values.numpy()), torch.tensor([group.taught for group in chosen]))
        return loss_of(net(values), labels)

    return fit(net, next_loss, steps)


def soften(labels: Tensor, opinion: Tensor, weight: Tensor) -> Tensor:
    """(N, 6, R, C) labels of centre, nucleus and positive mixed with the (N, 3, R, C) opinion of the teachers, by a
    weight (N,) for each crop; where nothing else may be learned, the opinion stands alone.
    """
    weight = weight.view(-1, 1, 1, 1)
    share = torch.where(labels[:, 5:6] > 0, weight, (weight > 0).float())
    softer = (1 - share) * labels[:, :3] + share * opinion
    trust = torch.maximum(labels[:, 5:6], (weight > 0).float())
    return torch.cat([softer, labels[:, 3:5], trust], 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--nuclei", type=Path, help="folder of */tile.png with */labels.npy")
    parser.add_argument("--nuclei-share", type=float, default=0.35)
    parser.add_argument("--fields", type=Path, nargs="*", default=[], help="folders with tile.png and meta.json")
    parser.add_argument("--fields-share", type=float, default=0.15)
    parser.add_argument("--teachers", type=Path, nargs="*", default=[], help="networks that label the fields")
    parser.add_argument("--taught", type=float, default=0.4, help="weight of the teachers' opinion in the labels")
    parser.add_argument("--scenes", type=int, default=420)
    parser.add_argument("--steps", type=int, default=8000)
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
    painted = [painted_scene(f, 10 * k + r) for r in range(5) for k, f in enumerate(folders)]
    real = [s for s in painted if s is not None]
    fields = field_scenes(options.fields, options.teachers)
    made = [synthetic_scene(1000 * options.seed + k) for k in range(options.scenes)]
    teachers = Teachers(options.teachers) if options.teachers else None
    # the masks of painted nuclei know better than the teachers where touching ones part
    given = [Group(real, options.nuclei_share), Group(fields, options.fields_share, options.taught)]
    groups = [group for group in given if group.scenes]
    groups.append(Group(made, 1 - sum(group.share for group in groups), options.taught))
    numbers = f"{len(made)} synthetic, {len(real)} painted and {len(fields)} field scenes"
    print(f"{numbers}, {time.process_time() - started:.0f} CPU s", flush=True)
    torch.manual_seed(options.seed)
    net = train(groups, Net(), teachers, options.steps, options.batch, options.seed)
    parameters = export(net, options.out, "nuclei")
    print(f"{parameters} parameters, {options.out.stat().st_size} bytes, {time.process_time() - started:.0f} CPU s")


if __name__ == "__main__":
    main()
