"""What was measured of each cell of a count, kept beside it: looked up in the file, never whole in memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MEASURES_FILE = "measures.npy"


@dataclass(frozen=True, slots=True)
class CellMeasures:
    """(n, 2) float32 in the order of the cells: nuclear signal (DAB optical density that the cut is applied to), and
    area in µm²; mapped from the file."""

    rows: NDArray[np.float32]

    @property
    def signal_od(self) -> NDArray[np.float32]:
        """The signal of every cell."""
        return self.rows[:, 0]

    @property
    def area_um2(self) -> NDArray[np.float32]:
        """The area of every nucleus."""
        return self.rows[:, 1]


def save_measures(directory: Path, signal_od: NDArray[np.floating], area_um2: NDArray[np.floating]) -> None:
    """Keep the measures of a count in ``directory``."""
    beside = directory / f"{MEASURES_FILE}.new"
    with beside.open("wb") as file:
        np.save(file, np.column_stack([signal_od, area_um2]).astype(np.float32))
    os.replace(beside, directory / MEASURES_FILE)


def load_measures(directory: Path, size: int) -> CellMeasures | None:
    """The measures of a count of ``size`` cells; ``None`` where none were kept (or those of another count)."""
    path = directory / MEASURES_FILE
    if not path.is_file():
        return None
    rows = np.load(path, mmap_mode="r")
    return CellMeasures(rows) if rows.shape == (size, 2) else None
