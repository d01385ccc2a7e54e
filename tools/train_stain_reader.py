"""Train the models of the stain reader on synthetic slides alone: tumour cells, kind of stain, stained or not.

    python tools/train_stain_reader.py --folder FOLDER --seeds 120000:120720 --hard 100968:101432

Slides are painted in every pattern, strength, blur and scale (``stain_material.py``); their nuclei are found by the
shipped detector as on any slide, in the counterstain and in both stains, and the network of ``train_stain_net.py``
has its say. In half of the fields cells are shaken: some dropped, the others moved and resized a little, so that the
models do not rest on one detector's habits. Then four logistic models with a ridge penalty are fitted in turn: tumour
cells by their context; the class of truly stained tumour cells; the class of a slide from what its brownest tumour
cells show both ways; and for each class, which cells are stained. Writes
``src/kulchitsky/slide/models/stain-reader.json``. ``--samples`` keeps what was measured, so that the fits can be
repeated without measuring again. The seeds lie apart from those of ``benchmarks/stains.py`` (from 7000 on), from
those that the method was developed on (from 20000 on) and from those of the network (100000 to 100967).
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial import cKDTree
from stain_material import Field, fields, seeds_of

from kulchitsky.slide import synthetic
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.count import make_detector
from kulchitsky.slide.stains.context import CONTEXT_FEATURES, context_features, large_enough
from kulchitsky.slide.stains.cut import background_of
from kulchitsky.slide.stains.features import FEATURES, describe
from kulchitsky.slide.stains.find import CHANNELS, Channel, StainedCells, cells_of_field, measure_cells, see_field
from kulchitsky.slide.stains.kind import NUCLEAR_KINDS, pooled_features
from kulchitsky.slide.stains.model import CLASSES, MODEL_FILE, Logistic, StainModel, expand
from kulchitsky.slide.stains.staining import STAINING_FEATURES, staining_features
from kulchitsky.slide.synthetic.scene import TUMOUR

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]
Block = dict[str, Any]

TARGET = Path(__file__).resolve().parents[1] / "src" / "kulchitsky" / "slide" / "models" / MODEL_FILE
INTENSITY_OD = (0.0, 0.4, 0.6)
"""Lower ends of 1+, 2+, 3+: those QuPath proposes for DAB; which cells are stained is decided before."""

MATCH_UM = 2.5
RIDGE = 3e-4
SLIDE_RIDGE = 4e-3
FEWEST = 30


@dataclass(frozen=True, slots=True)
class Seen:
    """Cells of a field found in one channel, and what truth says of each: known, tumour, stained tumour."""

    found: StainedCells
    known: Mask
    tumour: Mask
    stained: Mask


@dataclass(frozen=True, slots=True)
class Sample:
    """One synthetic field: its class, and what is seen in each channel."""

    name: str
    seen: dict[Channel, Seen]


def samples(painted: Iterator[Field]) -> Iterator[Sample]:
    """What is seen in each painted field."""
    detector = make_detector("accurate")
    for field in painted:
        rng = np.random.default_rng([field.seed, 6])
        shaking = bool(rng.integers(2))
        view = see_field(field.rgb, field.um, field.calibration)
        seen = {}
        for channel in CHANNELS:
            cells = cells_of_field(field.rgb, view.plain, view.planes, detector, field.calibration, channel)
            found = measure_cells(view, shaken(cells, rng) if shaking else cells)
            seen[channel] = beside_truth(found, field.truth)
        yield Sample(field.name, seen)


def shaken(cells: CellTable, rng: np.random.Generator) -> CellTable:
    """Some cells dropped, the others moved by a third of a micrometre and resized by a few per cent."""
    cells = cells.take(rng.random(len(cells)) > rng.uniform(0, 0.12))
    size = np.exp(rng.normal(rng.normal(0, 0.06), 0.05, len(cells)))
    radii = np.clip(np.rint(cells.radii * size[:, None]), 1, 255)
    return replace(
        cells,
        x_um=cells.x_um + rng.normal(0, 0.3, len(cells)),
        y_um=cells.y_um + rng.normal(0, 0.3, len(cells)),
        area_um2=(cells.area_um2 * size**2).astype(cells.area_um2.dtype),
        radii=radii.astype(cells.radii.dtype),
    )


def beside_truth(found: StainedCells, truth: synthetic.Truth) -> Seen:
    """The nearest painted nucleus, within 2.5 µm, names each cell found."""
    gap, nearest = cKDTree(truth.points_um()).query(np.stack([found.cells.x_um, found.cells.y_um], axis=1))
    known = gap < MATCH_UM
    tumour = known & (truth.cells.kind[nearest] == TUMOUR)
    return Seen(found, known, tumour, tumour & truth.cells.positive[nearest])


def fit(kind: I64, classes: int, features: F64, field: I64, ridge: float = RIDGE) -> Block:
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
        slope = np.concatenate([error.T @ plain + 2 * ridge * w[:, :-1], error.sum(axis=0)[:, None]], axis=1)
        value = -np.sum(weight * np.log(np.maximum((p * target).sum(axis=1), 1e-12))) + ridge * np.sum(w[:, :-1] ** 2)
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


def fit_two(positive: Mask, features: F64, field: I64) -> Block:
    """A logistic model of yes or no: of two classes only the difference matters."""
    two = fit(positive.astype(np.int64), 2, features, np.unique(field, return_inverse=True)[1])
    return two | {
        "weights": [(np.asarray(two["weights"][1]) - two["weights"][0]).round(4).tolist()],
        "bias": [round(two["bias"][1] - two["bias"][0], 4)],
    }


def channel_of(name: str) -> Channel:
    """Where the nuclei of a slide of this class are looked for once its class is known."""
    return "both" if name in NUCLEAR_KINDS else "counterstain"


def train(rows: list[Sample], seeds: str) -> dict[str, Any]:
    """The model file's content."""
    names = list(CLASSES)
    tumour = fit_tumour(rows)
    judged = [counted_by(row, tumour) for row in rows]
    kinds, cells = fit_kinds(rows, judged)
    slides = fit_slides(rows, judged, model_with(tumour, kinds))
    return {
        "what": "logistic regressions over features of one cell or slide; see slide/stains/model.py",
        "trained_on": f"synthetic slides only (tools/train_stain_reader.py), seeds {seeds}",
        "cells": cells,
        "fields": len(rows),
        "features": list(FEATURES),
        "context_features": list(CONTEXT_FEATURES),
        "staining_features": list(STAINING_FEATURES),
        "classes": names,
        "intensity_od": list(INTENSITY_OD),
        "intensity_source": "QuPath's proposal for DAB (Bankhead P et al., Sci Rep 2017;7:16878): 0.4 and 0.6",
        "kinds": kinds,
        "slides": slides,
        "tumour": tumour,
        "staining": {name: fit_staining(name, rows, judged) for name in names},
    }


def fit_tumour(rows: list[Sample]) -> Block:
    """Tumour cell or not, by context, in the channel that suits the class."""
    seen = [row.seen[channel_of(row.name)] for row in rows]
    features = np.concatenate([context_features(s.found.cells)[s.known] for s in seen])
    field = np.concatenate([np.full(int(s.known.sum()), n) for n, s in enumerate(seen)])
    return fit_two(np.concatenate([s.tumour[s.known] for s in seen]), features, field)


def counted_by(row: Sample, tumour: Block) -> dict[Channel, Mask]:
    """Cells that the fitted model takes for tumour cells, as the reader will."""
    model = logistic(tumour)
    return {
        c: np.asarray((model.logits(context_features(s.found.cells))[:, 0] > 0) & large_enough(s.found.cells))
        for c, s in row.seen.items()
    }


def fit_kinds(rows: list[Sample], judged: list[dict[Channel, Mask]]) -> tuple[Block, int]:
    """The class of a truly stained tumour cell, however it was found; and on how many cells."""
    names = list(CLASSES)
    parts, kind, field = [], [], []
    for number, (row, counted) in enumerate(zip(rows, judged, strict=True)):
        for channel, seen in row.seen.items():
            if counted[channel].any() and seen.stained.any():
                background = background_of(seen.found.measures.take(counted[channel]))
                features = describe(seen.found, np.full(len(seen.found), background))[seen.stained]
                parts.append(features)
                kind.append(np.full(len(features), names.index(row.name)))
                field.append(np.full(len(features), number))
    where = np.unique(np.concatenate(field), return_inverse=True)[1]
    block = fit(np.concatenate(kind), len(names), np.concatenate(parts), where)
    return block, sum(map(len, parts))


def fit_slides(rows: list[Sample], judged: list[dict[Channel, Mask]], model: StainModel) -> Block:
    """The class of a field from what its brownest tumour cells show, found either way."""
    names = list(CLASSES)
    pools, kind = [], []
    for row, counted in zip(rows, judged, strict=True):
        parts = [pooled_features(row.seen[c].found, counted[c], model) for c in CHANNELS]
        if all(p is not None for p in parts):
            pools.append(np.concatenate([p for p in parts if p is not None]))
            kind.append(names.index(row.name))
    return fit(np.asarray(kind), len(names), np.stack(pools), np.arange(len(kind)), SLIDE_RIDGE)


def fit_staining(name: str, rows: list[Sample], judged: list[dict[Channel, Mask]]) -> Block:
    """Stained or not, for the tumour cells of one class of stain."""
    channel = channel_of(name)
    parts, stained, field = [], [], []
    for number, (row, counted) in enumerate(zip(rows, judged, strict=True)):
        seen, use = row.seen[channel], counted[channel] & row.seen[channel].tumour
        if row.name == name and use.sum() >= FEWEST:
            level = np.full(len(seen.found), background_of(seen.found.measures.take(counted[channel])))
            parts.append(staining_features(seen.found, counted[channel], name, level)[use])
            stained.append(seen.stained[use])
            field.append(np.full(int(use.sum()), number))
    return fit_two(np.concatenate(stained), np.concatenate(parts), np.concatenate(field))


def logistic(block: Block) -> Logistic:
    """A block of the file as the reader holds it."""
    return Logistic(**{part: np.asarray(block[part], np.float64) for part in ("centre", "spread", "weights", "bias")})


def model_with(tumour: Block, kinds: Block) -> StainModel:
    """As much of a model as is needed to pool the features of a field."""
    part = logistic(kinds)
    return StainModel(tuple(CLASSES), part, part, logistic(tumour), {}, INTENSITY_OD, "", {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where painted fields are kept")
    parser.add_argument("--seeds", default="120000:120720", help="first:last of the painted fields")
    parser.add_argument("--hard", default="100968:101432", help="more, of patterns that look alike")
    parser.add_argument("--samples", type=Path, help="read if there, else written")
    options = parser.parse_args()
    if options.samples and options.samples.exists():
        rows = pickle.loads(options.samples.read_bytes())
    else:
        hard = seeds_of(options.hard)
        rows = list(samples(fields(options.folder, seeds_of(options.seeds), hard=hard)))
        if options.samples:
            options.samples.write_bytes(pickle.dumps(rows))
    TARGET.write_text(
        json.dumps(train(rows, f"{options.seeds}, {options.hard} (hard ones)"), indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
