"""The exact truth of a synthetic slide: every nucleus, its class, its outline, and the counts they give."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.synthetic.scene import KINDS, PIGMENT, TUMOUR, Cells
from kulchitsky.slide.synthetic.spec import SlideSpec


@dataclass(frozen=True, slots=True)
class Truth:
    """What was painted. ``cells`` holds nuclei only; ``particles`` pigment and debris, which no count should hold."""

    spec: SlideSpec
    cells: Cells
    particles: Cells

    @property
    def tumour(self) -> NDArray[np.bool_]:
        """Mask over ``cells``: tumour nuclei."""
        return np.asarray(self.cells.kind == TUMOUR)

    @property
    def counted(self) -> int:
        """Tumour nuclei on the slide."""
        return int(self.tumour.sum())

    @property
    def positive(self) -> int:
        """Positive tumour nuclei on the slide."""
        return int((self.tumour & self.cells.positive).sum())

    @property
    def index_percent(self) -> float:
        """Labelling index of the tumour; a slide without tumour cells has none (ValueError)."""
        if self.counted == 0:
            raise ValueError("the slide shows no tumour cell: it has no labelling index")
        return 100 * self.positive / self.counted

    def points_um(self) -> NDArray[np.float64]:
        """(N, 2) centres of all nuclei, x then y, from the slide's top-left corner."""
        return np.stack([self.cells.x_um, self.cells.y_um], axis=1)

    def write_json(self, path: Path) -> None:
        """Positions, kinds and classes as one JSON file, for laboratories that check an installation."""
        cells = self.cells
        payload = {
            "um_per_px": self.spec.um_per_px,
            "counted": self.counted,
            "positive": self.positive,
            "x_um": np.round(cells.x_um, 3).tolist(),
            "y_um": np.round(cells.y_um, 3).tolist(),
            "kind": [KINDS[k] for k in cells.kind],
            "positive_cell": cells.positive.astype(int).tolist(),
        }
        path.write_text(json.dumps(payload), encoding="utf-8")


def truth_of(spec: SlideSpec, cells: Cells) -> Truth:
    """Split painted rows into nuclei and particles."""
    nuclei = cells.kind < PIGMENT
    return Truth(spec=spec, cells=cells.take(nuclei), particles=cells.take(~nuclei))
