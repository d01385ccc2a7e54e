"""Make the synthetic slides of this example again: same seeds, same pixels (on the same library versions).

python examples/thigh-mass/make_slides.py
"""

from __future__ import annotations

import json
from pathlib import Path

from kulchitsky.slide.synthetic import HotRegion, Optics, SlideSpec, Stains, write_slide

HERE = Path(__file__).parent

# sheets of small, crowded, monomorphic cells, as in a small cell neuroendocrine tumour
TUMOUR = SlideSpec(
    width_px=2400,
    height_px=1800,
    um_per_px=0.5,
    density_per_mm2=8500,
    nucleus_diameter_um=7.2,
    stroma_fraction=0.16,
    nest_um=140,
    tissue_fraction=0.85,
    optics=Optics(blur_sigma_um=0.35),
    jpeg_quality=82,
)

SLIDES = {
    "ki67": TUMOUR.with_changes(
        seed=65, index_percent=52, hot_regions=(HotRegion(x_um=700, y_um=430, radius_um=190, index_percent=66),)
    ),
    "chromogranin_a": TUMOUR.with_changes(
        seed=11, pattern="cytoplasmic_granular", index_percent=93, stains=Stains(dab_od=0.7)
    ),
    "ae1_ae3": TUMOUR.with_changes(seed=13, pattern="perinuclear_dot", index_percent=90, stains=Stains(dab_od=1.2)),
}


def main() -> None:
    """Write the slides and, beside them, what they really hold."""
    truth = {}
    for name, spec in SLIDES.items():
        made = write_slide(HERE / f"{name}.tif", spec)
        truth[name] = {
            "tumour_cells": made.counted,
            "positive": made.positive,
            "index_percent": round(made.index_percent, 2),
            "pattern": spec.pattern,
            "seed": spec.seed,
        }
    (HERE / "truth.json").write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
