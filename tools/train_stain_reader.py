"""Train the model that names compartment and pattern of a stain, on synthetic slides alone.

    python tools/train_stain_reader.py --seeds 1000:1320 --samples samples.npz

Slides are painted in every pattern, strength, blur and scale, their nuclei found by the shipped detector as on any
slide, and the features of the truly stained tumour cells fitted by multinomial logistic regression with a ridge
penalty. Writes ``src/kulchitsky/slide/models/stain-reader.json``. ``--samples`` keeps the features, so that the fit
can be repeated without painting again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial import cKDTree

from kulchitsky.slide import blocks, synthetic
from kulchitsky.slide.count import make_detector, survey
from kulchitsky.slide.reader import open_slide
from kulchitsky.slide.stains.channel import choose_channel
from kulchitsky.slide.stains.context import CONTEXT_FEATURES, context_features
from kulchitsky.slide.stains.cut import background_of
from kulchitsky.slide.stains.features import FEATURES, describe
from kulchitsky.slide.stains.find import StainedCells, find_in_field
from kulchitsky.slide.stains.model import CLASSES, MODEL_FILE, expand, pooled
from kulchitsky.slide.synthetic.scene import TUMOUR
from kulchitsky.slide.synthetic.variety import random_stain_spec

F64 = NDArray[np.float64]
TARGET = Path(__file__).resolve().parents[1] / "src" / "kulchitsky" / "slide" / "models" / MODEL_FILE
INTENSITY_OD = (0.0, 0.4, 0.6)
"""Lower ends of 1+, 2+, 3+: those QuPath proposes for DAB, with the adaptive cut as the lowest."""

TOLD_APART = tuple(name for name in CLASSES if name != "cytoplasmic_and_membranous")
"""A membrane on brown cytoplasm is hardly to be seen at 0.5 µm per pixel: such fields were put to either side by the
same model (a third right), and cost membranous stains their certainty. They are read as one of the two."""

SIDE_UM = 230.0
MATCH_UM = 2.5
RIDGE = 3e-4


@dataclass(frozen=True, slots=True)
class Sample:
    """What one synthetic field gives: its class, (N, F) features of stained cells, (M, C) context, (M,) tumour."""

    kind: int
    features: F64
    context: F64
    tumour: NDArray[np.bool_]


def samples(seeds: range) -> Iterator[Sample]:
    """One synthetic field a seed."""
    detector = make_detector("accurate")
    names = list(TOLD_APART)
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            painted = list(CLASSES)[seed % len(CLASSES)]
            if painted not in names:
                continue
            um = float(np.random.default_rng([seed, 5]).uniform(0.25, 0.6))
            side = int(SIDE_UM / um)
            spec = random_stain_spec(seed, painted, width_px=side, height_px=side, um_per_px=um)  # type: ignore[arg-type]
            picture = Path(folder) / "field.png"
            truth = synthetic.write_slide(picture, spec)
            with open_slide(picture, um) as slide:
                view = survey(slide)
                fields = list(blocks.sample_fields(view.raster, view.map.countable, view.map.um_per_px, fields=1))
                channel = choose_channel(fields, view.raster.um_per_px, detector, view.calibration)
                rgb = view.raster.block(0, 0, view.raster.width, view.raster.height)
                found = find_in_field(rgb, view.raster.um_per_px, detector, view.calibration, channel)
            yield sample(names.index(painted), found, truth)


def sample(kind: int, found: StainedCells, truth: synthetic.Truth) -> Sample:
    """Features of the truly stained tumour cells, and context features of all cells that truth knows."""
    cells = truth.cells
    gap, nearest = cKDTree(truth.points_um()).query(np.stack([found.cells.x_um, found.cells.y_um], axis=1))
    known = gap < MATCH_UM
    tumour = known & (cells.kind[nearest] == TUMOUR)
    features = describe(found, np.full(len(found), background_of(found.measures)))
    return Sample(
        kind=kind,
        features=features[tumour & cells.positive[nearest]],
        context=context_features(found.cells)[known],
        tumour=tumour[known],
    )


def pack(rows: list[Sample]) -> dict[str, NDArray[Any]]:
    """Samples as flat arrays, for :func:`train` and for a file."""
    return {
        "kind": np.concatenate([np.full(len(r.features), r.kind) for r in rows]),
        "field": np.concatenate([np.full(len(r.features), n) for n, r in enumerate(rows)]),
        "features": np.concatenate([r.features for r in rows]),
        "context": np.concatenate([r.context for r in rows]),
        "context_field": np.concatenate([np.full(len(r.context), n) for n, r in enumerate(rows)]),
        "tumour": np.concatenate([r.tumour for r in rows]),
    }


def fit(kind: NDArray[np.int64], classes: int, features: F64, field: NDArray[np.int64]) -> dict[str, Any]:
    """Weights of a logistic model; fields count alike, however many cells they hold."""
    centre, spread = np.median(features, axis=0), features.std(axis=0) + 1e-6
    plain = expand(features, centre, spread)
    columns = plain.shape[1]
    target = np.eye(classes)[kind]
    weight = 1 / np.bincount(field)[field]
    weight = weight / weight.sum()

    def loss(flat: F64) -> tuple[float, F64]:
        w = flat.reshape(classes, columns + 1)
        logits = plain @ w[:, :-1].T + w[:, -1]
        logits -= logits.max(axis=1, keepdims=True)
        p = np.exp(logits)
        p /= p.sum(axis=1, keepdims=True)
        error = (p - target) * weight[:, None]
        slope = np.concatenate([error.T @ plain + 2 * RIDGE * w[:, :-1], error.sum(axis=0)[:, None]], axis=1)
        value = -np.sum(weight * np.log(np.maximum((p * target).sum(axis=1), 1e-12))) + RIDGE * np.sum(w[:, :-1] ** 2)
        return float(value), slope.ravel()

    start = np.zeros(classes * (columns + 1))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 600})
    w = found.x.reshape(classes, columns + 1)
    return {
        "centre": np.round(centre, 5).tolist(),
        "spread": np.round(spread, 5).tolist(),
        "weights": np.round(w[:, :-1], 4).tolist(),
        "bias": np.round(w[:, -1], 4).tolist(),
    }


def fit_votes(data: Mapping[str, NDArray[Any]], kinds: dict[str, Any]) -> float:
    """For how many independent witnesses the cells of a field count: what makes the fields' classes most probable."""
    model = {name: np.asarray(kinds[name]) for name in ("centre", "spread", "weights", "bias")}
    logits = expand(data["features"], model["centre"], model["spread"]) @ model["weights"].T + model["bias"]
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    cells = odds / odds.sum(axis=1, keepdims=True)
    fields = [np.nonzero(data["field"] == n)[0] for n in np.unique(data["field"])]
    fields = [rows for rows in fields if len(rows) >= 8]
    tried = np.exp(np.linspace(0, np.log(60), 60))
    surprise = [
        -np.mean([np.log(max(pooled(cells[rows], v)[data["kind"][rows[0]]], 1e-9)) for rows in fields]) for v in tried
    ]
    return round(float(tried[int(np.argmin(surprise))]), 2)


def train(data: Mapping[str, NDArray[Any]], seeds: str) -> dict[str, Any]:
    """The model file's content from packed samples."""
    kinds = fit(data["kind"].astype(np.int64), len(TOLD_APART), data["features"], data["field"])
    votes = fit_votes(data, kinds)
    two = fit(data["tumour"].astype(np.int64), 2, data["context"], data["context_field"])
    # two classes: only their difference matters
    tumour = two | {
        "weights": [(np.asarray(two["weights"][1]) - two["weights"][0]).round(4).tolist()],
        "bias": [round(two["bias"][1] - two["bias"][0], 4)],
    }
    return {
        "what": "logistic regressions over features of one cell; see slide/stains/model.py",
        "trained_on": f"synthetic slides only (tools/train_stain_reader.py), seeds {seeds}",
        "cells": len(data["kind"]),
        "fields": len(np.unique(data["context_field"])),
        "features": list(FEATURES),
        "context_features": list(CONTEXT_FEATURES),
        "classes": list(TOLD_APART),
        "intensity_od": list(INTENSITY_OD),
        "intensity_source": "QuPath's proposal for DAB (Bankhead P et al., Sci Rep 2017;7:16878): 0.4 and 0.6",
        "kinds": kinds,
        "tumour": tumour,
        "votes": votes,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1000:1320", help="first:last of the synthetic fields")
    parser.add_argument("--samples", type=Path, default=Path("stain-samples.npz"), help="read if there, else written")
    options = parser.parse_args()
    if not options.samples.exists():
        first, last = (int(part) for part in options.seeds.split(":"))
        np.savez_compressed(options.samples, **pack(list(samples(range(first, last)))))
    with np.load(options.samples) as data:
        model = train(data, options.seeds)
    TARGET.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
