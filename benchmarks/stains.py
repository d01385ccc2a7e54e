"""Stain reading on synthetic slides of known truth: compartment, pattern, extent; over strengths, blurs and scales.

    python benchmarks/stains.py [--fields-per-cell 1]

Fields are painted with seeds from 7000 on. Training saw seeds from 100000 on; settings were chosen on a grid of its
own, of seeds from 20000 on (``--development`` reads that one; its figures are no measure of anything). Extent error
is read share minus true share of stained tumour cells, tumour-cell filter included. A compartment that the reading
leaves open (*either … or*) counts as wrong in the accuracy, and apart from it in the accuracy of those named.

Where the sets of real pictures are there, those of nuclear stains (Ki-67, oestrogen or progesterone receptor) are
read too: the compartment should be nuclear.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from kulchitsky.case.measure import StainReading
from kulchitsky.slide import synthetic
from kulchitsky.slide.stain_reading import read_stain
from kulchitsky.slide.stains.model import CLASSES
from kulchitsky.slide.synthetic.variety import random_stain_spec
from provenance import SHARED, write_result

STRENGTHS = (0.45, 0.8, 1.2, 1.8)
BLURS_UM = (0.25, 0.5, 0.8)
SIDE_UM = 260.0
REAL_NUCLEAR = ("endonuke_preview", "bcdata", "shidc", "deepliif", "openslide_os2", "kinet_pnet")
FIRST_SEED = 7000
DEVELOPMENT_SEED = 20000


def cases(per_cell: int, first_seed: int = FIRST_SEED) -> list[dict[str, Any]]:
    """One record a field: pattern, strength, blur, scale, seed."""
    rows = []
    seed = first_seed
    for name in CLASSES:
        for strength in STRENGTHS:
            for blur in BLURS_UM:
                for _ in range(per_cell):
                    um = float(np.random.default_rng([seed, 5]).uniform(0.25, 0.6))
                    rows.append({"pattern": name, "strength": strength, "blur": blur, "um": um, "seed": seed})
                    seed += 1
    return rows


def read(row: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Paint one field, read it, and set the reading beside the truth."""
    side = int(SIDE_UM / row["um"])
    spec = random_stain_spec(row["seed"], row["pattern"], width_px=side, height_px=side, um_per_px=row["um"])
    spec = spec.with_changes(
        stains=replace(spec.stains, dab_od=row["strength"]), optics=replace(spec.optics, blur_sigma_um=row["blur"])
    )
    path = folder / "field.png"
    truth = synthetic.write_slide(path, spec)
    reading = read_stain(path, marker="benchmark", um_per_px=row["um"], threads=1).reading
    compartment, pattern = CLASSES[row["pattern"]]
    return row | {
        "true_percent": truth.index_percent,
        "read_percent": reading.index_percent,
        "true_compartment": compartment.value,
        "read_compartment": _word(reading),
        "may_be": [c.value for c in reading.compartment_either],
        "true_form": pattern.value,
        "read_form": reading.pattern.value if reading.pattern else "none",
        "compartment_confidence": reading.compartment_confidence,
        "pattern_confidence": reading.pattern_confidence,
        "cells": reading.counted,
        "true_cells": truth.counted,
    }


def _word(reading: StainReading) -> str:
    if reading.compartment is not None:
        return reading.compartment.value
    return "left open" if reading.compartment_either else "none"


def read_real() -> list[dict[str, Any]]:
    """The compartment read on real pictures of nuclear stains; empty where the sets are absent."""
    rows = []
    for name in REAL_NUCLEAR:
        for path in sorted((SHARED / "data" / "images" / name).rglob("tile.png")):
            about = json.loads((path.parent / "meta.json").read_text(encoding="utf-8"))
            if "DAB" not in about["stain"]:
                continue
            reading = read_stain(path, marker="benchmark", um_per_px=about["mpp"], threads=1).reading
            row = {"set": name, "picture": path.parent.name, "read_compartment": _word(reading)}
            rows.append(row | {"may_be": [c.value for c in reading.compartment_either], "cells": reading.counted})
    return rows


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Accuracies and extent errors of a set of read fields."""
    same = [r["read_compartment"] == r["true_compartment"] for r in rows]
    named = [ok for r, ok in zip(rows, same, strict=True) if r["read_compartment"] not in ("none", "left open")]
    within = [r["true_compartment"] in (r["read_compartment"], *r["may_be"]) for r in rows]
    form = [r["read_form"] == r["true_form"] for r in rows]
    spots = [r for r in rows if r["true_form"] in ("perinuclear_dot", "diffuse")]
    apart = [(r["read_form"] == "perinuclear_dot") == (r["true_form"] == "perinuclear_dot") for r in spots]
    error = np.asarray([(r["read_percent"] or 0.0) - r["true_percent"] for r in rows])
    return {
        "fields": len(rows),
        "compartment_accuracy": float(np.mean(same)),
        "compartment_named": len(named) / len(rows),
        "compartment_accuracy_of_named": float(np.mean(named)) if named else None,
        "compartment_among_those_said": float(np.mean(within)),
        "pattern_accuracy": float(np.mean(form)),
        "dot_against_diffuse_accuracy": float(np.mean(apart)) if apart else None,
        "extent_error_mean_absolute": float(np.mean(np.abs(error))),
        "extent_error_median_absolute": float(np.median(np.abs(error))),
        "extent_error_90th": float(np.percentile(np.abs(error), 90)),
        "extent_bias": float(np.mean(error)),
        "within_3_points": float(np.mean(np.abs(error) <= 3)),
    }


def confusion(rows: list[dict[str, Any]], key: str) -> dict[str, dict[str, int]]:
    """True against read, counted."""
    table: dict[str, dict[str, int]] = {}
    for row in rows:
        line = table.setdefault(row[f"true_{key}"], {})
        line[row[f"read_{key}"]] = line.get(row[f"read_{key}"], 0) + 1
    return table


def show(title: str, table: dict[str, dict[str, int]]) -> None:
    columns = sorted({name for line in table.values() for name in line} | set(table))
    print(f"\n{title} (rows: truth)")
    print(" " * 28 + "".join(f"{name[:13]:>14}" for name in columns))
    for name, line in table.items():
        print(f"{name:28}" + "".join(f"{line.get(c, 0):14d}" for c in columns))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields-per-cell", type=int, default=1)
    parser.add_argument("--development", action="store_true", help="the grid that settings were chosen on; not kept")
    options = parser.parse_args()
    first = DEVELOPMENT_SEED if options.development else FIRST_SEED
    with tempfile.TemporaryDirectory() as folder:
        rows = [read(row, Path(folder)) for row in cases(options.fields_per_cell, first)]
    told = [r for r in rows if r["pattern"] != "cytoplasmic_and_membranous"]
    plain = [r for r in told if r["pattern"] != "nuclear_and_cytoplasmic"]
    figures: dict[str, Any] = {
        "nuclear_cytoplasmic_membranous": summary(plain),
        "without_mixed_membrane": summary(told),
        "all": summary(rows),
        "by_pattern": {name: summary([r for r in rows if r["pattern"] == name]) for name in CLASSES},
        "by_strength": {str(s): summary([r for r in told if r["strength"] == s]) for s in STRENGTHS},
        "by_blur_um": {str(b): summary([r for r in told if r["blur"] == b]) for b in BLURS_UM},
        "compartments": confusion(rows, "compartment"),
        "patterns": confusion(rows, "form"),
        "fields": rows,
    }
    if not options.development:
        figures["real_nuclear"] = read_real()
    show("Compartment", figures["compartments"])
    show("Pattern", figures["patterns"])
    for group in ("by_pattern", "by_strength", "by_blur_um"):
        heads = f"{'fields':>8}{'compartm.':>10}{'pattern':>9}{'|extent|':>9}{'median':>8}{'90th':>7}{'bias':>7}"
        print(f"\n{group:28}{heads}")
        for name, s in figures[group].items():
            print(
                f"{name:28}{s['fields']:8d}{s['compartment_accuracy']:10.2f}{s['pattern_accuracy']:9.2f}"
                f"{s['extent_error_mean_absolute']:9.1f}{s['extent_error_median_absolute']:8.1f}"
                f"{s['extent_error_90th']:7.1f}{s['extent_bias']:+7.1f}"
            )
    for name in ("nuclear_cytoplasmic_membranous", "without_mixed_membrane", "all"):
        print(f"\n{name}: " + ", ".join(f"{k} {v:.3g}" for k, v in figures[name].items() if v is not None))
    if figures.get("real_nuclear"):
        words = [r["read_compartment"] for r in figures["real_nuclear"]]
        counted = ", ".join(f"{words.count(w)} {w}" for w in sorted(set(words), key=words.count, reverse=True))
        print(f"\nreal nuclear stains, {len(words)} pictures: {counted}")
    if not options.development:
        print(write_result("stains", figures))


if __name__ == "__main__":
    main()
