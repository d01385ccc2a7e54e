"""How well nuclei are found and classed: annotated fields beside other programs, and synthetic slides with truth.

    python benchmarks/counting_accuracy.py [--images FOLDER] [--no-synthetic]

Fields are counted through the same path as a slide (``count_slide``). Scoring: one-to-one (Hungarian) matching of
centres within 3 µm, class by class; the index error is the mean over pictures with at least 50 annotated tumour cells
(crops of one photograph pooled). Annotated fields are never trained on; settings chosen on them are named in
``docs``. Prints tables and writes ``benchmarks/results/counting_accuracy-DATE.json``.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from kulchitsky.slide import synthetic
from kulchitsky.slide.count import count_slide

ROOT = Path(__file__).resolve().parent.parent
SETS = ("bcdata", "shidc", "kinet_pnet", "deepliif")
REACH_UM = 3.0
FEWEST_FOR_INDEX = 50

PEERS = {
    "QuPath 0.5.1, OD sum": ((0.558, 19.7), (0.554, 5.8), (0.845, 1.3), (0.725, 2.6)),
    "QuPath 0.5.1, haematoxylin": ((0.567, 15.2), (0.541, 5.1), (0.859, 1.3), (0.677, 2.2)),
    "scikit-image script": ((0.369, 45.7), (0.513, 6.5), (0.830, 1.0), (0.731, 3.5)),
}
"""Macro F1 and index error of other programs on the same fields (in the order of SETS), scored in the same way."""


@dataclass(frozen=True)
class Field:
    """An annotated field: picture, scale, and the annotated nuclei in micrometres."""

    group: str
    name: str
    picture: Path
    um_per_px: float
    xy_um: NDArray[np.float64]
    kind: NDArray[np.str_]


def load_fields(folder: Path) -> list[Field]:
    fields = []
    for group in SETS:
        for place in sorted(p.parent for p in (folder / group).glob("*/meta.json")):
            meta = json.loads((place / "meta.json").read_text())
            points, masks = place / "points.csv", place / "classes.csv"
            rows = list(csv.DictReader((points if points.exists() else masks).open()))
            x, y = ("x", "y") if points.exists() else ("centroid_x", "centroid_y")
            xy = np.asarray([[float(r[x]), float(r[y])] for r in rows]) * meta["mpp"]
            kind = np.asarray([r["class"] for r in rows])
            fields.append(Field(group, place.name, place / "tile.png", meta["mpp"], xy, kind))
    return fields


def matches(a: NDArray[np.float64], b: NDArray[np.float64]) -> int:
    """Pairs in the best one-to-one matching within reach."""
    if len(a) == 0 or len(b) == 0:
        return 0
    distance = cdist(a, b)
    rows, columns = linear_sum_assignment(np.where(distance <= REACH_UM, distance, 1e3))
    return int((distance[rows, columns] <= REACH_UM).sum())


def f1(matched: int, found: int, true: int) -> float:
    return 2 * matched / (found + true) if found + true else float("nan")


@dataclass
class Tally:
    """Matched, found and true numbers for positive, negative and any tumour nuclei."""

    positive: NDArray[np.int64]
    negative: NDArray[np.int64]
    any: NDArray[np.int64]

    @property
    def macro(self) -> float:
        return (f1(*self.positive) + f1(*self.negative)) / 2


def tally(
    true_xy: NDArray[np.float64], true_pos: NDArray[np.bool_], xy: NDArray[np.float64], pos: NDArray[np.bool_]
) -> Tally:
    rows = []
    for a, b in ((true_xy[true_pos], xy[pos]), (true_xy[~true_pos], xy[~pos]), (true_xy, xy)):
        rows.append(np.asarray([matches(a, b), len(b), len(a)]))
    return Tally(*rows)


def photograph(field: Field) -> str:
    return field.name.rsplit("_", 1)[0] if field.group == "shidc" else field.name


def score_set(fields: list[Field], detector: str) -> dict[str, object]:
    total = Tally(*(np.zeros(3, np.int64) for _ in range(3)))
    index: dict[str, NDArray[np.float64]] = {}
    for field in fields:
        cells = count_slide(field.picture, detector=detector, um_per_px=field.um_per_px, hotspot_cells=()).cells
        cells = cells.take(cells.counted)
        tumour = np.isin(field.kind, ["pos", "neg"])
        xy = np.stack([cells.x_um, cells.y_um], axis=1)
        one = tally(field.xy_um[tumour], field.kind[tumour] == "pos", xy, cells.positive)
        total = Tally(total.positive + one.positive, total.negative + one.negative, total.any + one.any)
        sums = index.setdefault(photograph(field), np.zeros(4))
        sums += [one.positive[2], one.any[2], one.positive[1], one.any[1]]
    errors = [100 * (s[2] / max(1, s[3]) - s[0] / s[1]) for s in index.values() if s[1] >= FEWEST_FOR_INDEX]
    return {
        "f1_positive": f1(*total.positive),
        "f1_negative": f1(*total.negative),
        "macro_f1": total.macro,
        "detection_f1": f1(*total.any),
        "precision": total.any[0] / max(1, total.any[1]),
        "recall": total.any[0] / total.any[2],
        "index_mae": float(np.mean(np.abs(errors))),
        "index_errors": [round(float(e), 2) for e in errors],
    }


def annotated(folder: Path) -> dict[str, object]:
    fields = load_fields(folder)
    results: dict[str, object] = {}
    print(f"{'':30s}{'set':12s}{'F1+':>7s}{'F1-':>7s}{'macro':>7s}{'detect':>8s}{'(P / R)':>14s}{'index MAE':>11s}")
    for detector in ("fast", "accurate"):
        rows = {group: score_set([f for f in fields if f.group == group], detector) for group in SETS}
        for group, r in rows.items():
            print(
                f"{'kulchitsky ' + detector:30s}{group:12s}{r['f1_positive']:7.3f}{r['f1_negative']:7.3f}"
                f"{r['macro_f1']:7.3f}{r['detection_f1']:8.3f}{r['precision']:8.2f}{r['recall']:6.2f}{r['index_mae']:11.1f}"
            )
        mean = [float(np.mean([r[key] for r in rows.values()])) for key in ("macro_f1", "index_mae")]
        every = [abs(e) for r in rows.values() for e in r["index_errors"]]
        pictures = float(np.mean(every))
        print(
            f"{'kulchitsky ' + detector:30s}{'MEAN':12s}{'':14s}{mean[0]:7.3f}{'':22s}{mean[1]:11.1f}"
            f"   (over {len(every)} pictures {pictures:.1f})\n"
        )
        results[detector] = {
            "sets": rows,
            "mean_macro_f1": mean[0],
            "mean_index_mae": mean[1],
            "picture_index_mae": pictures,
        }
    for peer, rows in PEERS.items():
        mean = np.mean(rows, axis=0)
        parts = "  ".join(f"{group} {value[0]:.3f}/{value[1]:.1f}" for group, value in zip(SETS, rows, strict=True))
        print(f"{peer:30s}mean {mean[0]:.3f} / {mean[1]:.1f}   {parts}")
    results["peers"] = {peer: dict(zip(SETS, rows, strict=True)) for peer, rows in PEERS.items()}
    return results


def synthetic_specs() -> dict[str, synthetic.SlideSpec]:
    base = synthetic.SlideSpec(seed=900, width_px=1200, height_px=1000, index_percent=20, density_per_mm2=5500)
    stains = synthetic.Stains
    optics = synthetic.Optics
    specs = {"plain": base}
    for strength in (0.3, 0.5, 1.0):
        specs[f"haematoxylin {strength}"] = base.with_changes(stains=stains(hematoxylin_od=strength))
    for strength in (0.5, 0.8, 1.6):
        specs[f"DAB {strength}"] = base.with_changes(stains=stains(dab_od=strength))
    for blur in (0.5, 0.7, 0.9):
        specs[f"blur {blur} µm"] = base.with_changes(optics=optics(blur_sigma_um=blur))
    for quality in (30, 50, 75, 95):
        specs[f"JPEG {quality}"] = base.with_changes(jpeg_quality=quality)
    for um in (0.2, 0.25, 0.35, 0.5, 0.6):
        size = {"width_px": int(600 / um), "height_px": int(500 / um)}
        specs[f"{um} µm per px"] = base.with_changes(um_per_px=um, **size)
    for index in (1.0, 3.0, 50.0, 80.0):
        specs[f"index {index:g} %"] = base.with_changes(index_percent=index)
    specs["crowded"] = base.with_changes(density_per_mm2=9000)
    return specs


def synthetic_truth(folder: Path) -> dict[str, object]:
    results: dict[str, object] = {}
    print(
        f"\n{'synthetic':22s}"
        + "".join(f"{d + ' macro':>16s}{'detect':>8s}{'index error':>13s}" for d in ("fast", "accurate"))
    )
    for name, spec in synthetic_specs().items():
        path = folder / "field.png"
        truth = synthetic.write_slide(path, spec)
        line = f"{name:22s}"
        for detector in ("fast", "accurate"):
            found = count_slide(path, detector=detector, um_per_px=spec.um_per_px, hotspot_cells=())
            cells = found.cells.take(found.cells.counted)
            xy = np.stack([cells.x_um, cells.y_um], axis=1)
            tumour = truth.tumour
            one = tally(truth.points_um()[tumour], truth.cells.positive[tumour], xy, cells.positive)
            error = 100 * cells.positive.mean() - truth.index_percent
            results.setdefault(detector, {})[name] = {  # type: ignore[attr-defined]
                "macro_f1": one.macro,
                "detection_f1": f1(*one.any),
                "index_error": float(error),
            }
            line += f"{one.macro:16.3f}{f1(*one.any):8.3f}{error:+13.2f}"
        print(line, flush=True)
    for detector in ("fast", "accurate"):
        rows = results[detector].values()  # type: ignore[attr-defined]
        mean = {
            key: float(np.mean([abs(r[key]) for r in rows])) for key in ("macro_f1", "detection_f1", "index_error")
        }
        figures = "  ".join(f"{key} {value:.3f}" for key, value in mean.items())
        print(f"{detector:10s} mean of all: {figures}")
        results[detector]["mean"] = mean  # type: ignore[index]
    return results


def commit() -> str:
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()


def checksum(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.csv")) + sorted(folder.rglob("tile.png")):
        if file.relative_to(folder).parts[0] in SETS:
            digest.update(file.relative_to(folder).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, default=ROOT.parent / "shared" / "data" / "images")
    parser.add_argument("--no-synthetic", action="store_true")
    options = parser.parse_args()
    result: dict[str, object] = {"date": datetime.date.today().isoformat(), "commit": commit()}
    if options.images.is_dir():
        result["images_sha256"] = checksum(options.images)
        result["annotated"] = annotated(options.images)
    else:
        print("annotated fields are not at hand: that part is left out")
    if not options.no_synthetic:
        scratch = ROOT / "benchmarks" / "results" / ".scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        result["synthetic"] = synthetic_truth(scratch)
        for file in scratch.iterdir():
            file.unlink()
        scratch.rmdir()
    target = ROOT / "benchmarks" / "results" / f"counting_accuracy-{result['date']}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\nwritten {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
