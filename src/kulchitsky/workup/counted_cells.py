"""A count kept beside the workbench: the ``SlideCount`` as JSON and its cells as a NumPy archive.

Written beside and renamed, cells first: a count that can be read is complete.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kulchitsky.case.measure import SlideCount
from kulchitsky.workup.cell_layer import CellTable

CELLS_FILE = "cells.npz"
COUNT_FILE = "count.json"
FORMER_FILE = "cells-{}.npz"


def save_count(
    directory: Path,
    count: SlideCount,
    x_um: NDArray[np.floating],
    y_um: NDArray[np.floating],
    klass: NDArray[np.integer],
    *,
    keep_former: bool = False,
) -> CellTable:
    """Keep one count; a former one in the same directory is replaced.

    ``keep_former`` keeps the cells of the former count beside it: corrections name cells by their row, and mean
    nothing without them.
    """
    directory.mkdir(parents=True, exist_ok=True)
    x, y = np.asarray(x_um, dtype=np.float32), np.asarray(y_um, dtype=np.float32)
    k = np.asarray(klass, dtype=np.uint8)
    table = CellTable(x_um=x, y_um=y, klass=k, count_id=count_id(x, y, k))
    beside = directory / f"{CELLS_FILE}.new"
    with beside.open("wb") as file:
        np.savez(file, x_um=x, y_um=y, klass=k)
    if keep_former and (directory / CELLS_FILE).exists():
        former = _load_table(directory / CELLS_FILE)
        if former.count_id != table.count_id:
            os.replace(directory / CELLS_FILE, directory / FORMER_FILE.format(former.count_id))
    os.replace(beside, directory / CELLS_FILE)
    beside = directory / f"{COUNT_FILE}.new"
    beside.write_text(count.model_dump_json(), encoding="utf-8")
    os.replace(beside, directory / COUNT_FILE)
    return table


def has_count(directory: Path) -> bool:
    """Whether ``directory`` holds a count."""
    return (directory / COUNT_FILE).exists()


def load_count(directory: Path) -> tuple[SlideCount, CellTable] | None:
    """The count kept in ``directory``; ``None`` if there is none."""
    if not has_count(directory):
        return None
    count = SlideCount.model_validate_json((directory / COUNT_FILE).read_text(encoding="utf-8"))
    return count, _load_table(directory / CELLS_FILE)


def former_cells(directory: Path, count_id: str) -> CellTable | None:
    """The cells of a former count of the same slide, where they were kept."""
    path = directory / FORMER_FILE.format(count_id)
    return _load_table(path) if path.is_file() else None


def _load_table(path: Path) -> CellTable:
    with np.load(path) as arrays:
        x, y, klass = arrays["x_um"], arrays["y_um"], arrays["klass"]
    return CellTable(x_um=x, y_um=y, klass=klass, count_id=count_id(x, y, klass))


def count_id(x_um: NDArray[np.float32], y_um: NDArray[np.float32], klass: NDArray[np.uint8]) -> str:
    """Digest of the cells: the same cells have the same id, wherever they were counted."""
    digest = hashlib.sha256()
    for array in (x_um, y_um, klass):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:24]
