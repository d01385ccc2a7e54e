"""Registration of serial sections with a known warp: target error over tissue, rigid alone and bent.

    python benchmarks/registration.py

The second section shows the same nests with other cells and another stain, turned, shifted and bent.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from kulchitsky.slide.reader import open_slide
from kulchitsky.slide.registration import register
from kulchitsky.slide.registration_map import SectionMap, section_map
from kulchitsky.slide.synthetic import SlideSpec, render
from kulchitsky.slide.synthetic.serial import SectionWarp, serial_section
from provenance import write_result

WARPS = (
    SectionWarp(8.0, (60.0, -40.0), 20.0, 1100.0, 1),
    SectionWarp(-25.0, (-80.0, 50.0), 30.0, 1300.0, 2),
    SectionWarp(174.0, (40.0, 90.0), 20.0, 1200.0, 3),
    SectionWarp(91.0, (-30.0, -60.0), 25.0, 1200.0, 4),
)
PATTERNS = ("cytoplasmic_diffuse", "cytoplasmic_granular", "perinuclear_dot", "membranous")


def mapped(rgb: np.ndarray, um: float, folder: Path) -> SectionMap:
    path = folder / "section.png"
    cv2.imwrite(str(path), rgb[..., ::-1])
    with open_slide(path, um) as slide:
        return section_map(slide)


def one(warp: SectionWarp, pattern: str, folder: Path) -> dict[str, Any]:
    """Error in micrometres at 1,000 points of the tissue."""
    spec = SlideSpec(
        seed=40 + warp.seed, width_px=1800, height_px=1500, um_per_px=1.15, tissue_fraction=0.7, stroma_fraction=0.35
    )
    fixed = mapped(render(spec)[0], spec.um_per_px, folder)
    second = spec.with_changes(pattern=pattern, index_percent=85)
    moving = mapped(serial_section(second, warp, cell_seed=900 + warp.seed), spec.um_per_px, folder)
    laid = register(fixed, moving)
    rows, columns = np.nonzero(fixed.tissue)
    pick = np.random.default_rng(0).choice(len(rows), 1000)
    points = (np.stack([columns[pick], rows[pick]], axis=1) + 0.5) * fixed.um
    true = warp.to_section(points, (spec.width_um / 2, spec.height_um / 2))
    error = np.linalg.norm(laid.to_moving(points) - true, axis=1)
    rigid = np.linalg.norm(points @ laid.matrix[:, :2].T + laid.matrix[:, 2] - true, axis=1)
    return {
        "turn_deg": warp.turn_deg,
        "bend_um": warp.bend_um,
        "pattern": pattern,
        "median_um": float(np.median(error)),
        "p90_um": float(np.percentile(error, 90)),
        "rigid_median_um": float(np.median(rigid)),
        "residual_um": laid.residual_um,
        "correlation": laid.correlation,
        "overlap": laid.overlap,
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [one(warp, pattern, Path(folder)) for warp, pattern in zip(WARPS, PATTERNS, strict=True)]
    for r in rows:
        print("  ".join(f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in r.items()))
    median = float(np.median([r["median_um"] for r in rows]))
    print(f"median of the medians {median:.1f} µm")
    print(write_result("registration", {"sections": rows, "median_of_medians_um": median}))


if __name__ == "__main__":
    main()
