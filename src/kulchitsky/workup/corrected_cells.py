"""Cells as a reader left them, as the GeoJSON that QuPath reads: streamed, gzipped, never whole in memory."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide import cells as table
from kulchitsky.slide.cells import CellTable as SlideCells
from kulchitsky.slide.export import features
from kulchitsky.workup.cell_layer import CellClass
from kulchitsky.workup.slide_review import NOT_THERE, SlideReview

OUTLINES_FILE = "outlines.npz"
ADDED_RADIUS_UM = 3.5
"""An added cell has no outline: it is drawn as a circle the size of a small nucleus."""
CHUNK_FEATURES = 2000


@dataclass(frozen=True, slots=True)
class Outlines:
    """What of a count only the export needs: (n, 16) radii in steps of 0.05 µm, and why cells were left out."""

    radii: NDArray[np.uint8]
    reason: NDArray[np.uint8]


def save_outlines(directory: Path, cells: SlideCells) -> None:
    """Keep the outlines of a count beside it."""
    beside = directory / f"{OUTLINES_FILE}.new"
    with beside.open("wb") as file:
        np.savez_compressed(file, radii=cells.radii, reason=cells.reason)
    os.replace(beside, directory / OUTLINES_FILE)


def load_outlines(directory: Path, size: int) -> Outlines:
    """The outlines kept beside a count of ``size`` cells; circles where there are none."""
    path = directory / OUTLINES_FILE
    if path.is_file():
        with np.load(path) as kept:
            if len(kept["reason"]) == size:
                return Outlines(kept["radii"], kept["reason"])
    return Outlines(_circles(size), np.zeros(size, np.uint8))


def corrected_features(
    review: SlideReview, outlines: Outlines, um_per_px: float, reader: str
) -> Iterator[dict[str, Any]]:
    """Every cell that is there, as a QuPath detection; ``metadata`` says what the reader changed."""
    x, y = review.positions()
    klass, n = review.classes(), len(review.table)
    automatic = np.concatenate([review.table.klass, np.full(len(klass) - n, NOT_THERE, np.uint8)])
    reason = np.concatenate([outlines.reason, np.zeros(len(klass) - n, np.uint8)])
    out = klass == CellClass.OUT
    reason = np.where(out & (reason == table.COUNTED), table.OUTSIDE_REGION, np.where(out, reason, table.COUNTED))
    radii = np.concatenate([outlines.radii, _circles(len(klass) - n)])
    rows = np.flatnonzero(klass != NOT_THERE)
    for start in range(0, len(rows), CHUNK_FEATURES):
        part = rows[start : start + CHUNK_FEATURES]
        cells = _slide_cells(x[part], y[part], klass[part], reason[part].astype(np.uint8), radii[part])
        for row, feature in zip(part, features(cells, um_per_px), strict=True):
            if klass[row] != automatic[row]:
                metadata = feature["properties"].setdefault("metadata", {})
                metadata["corrected by"] = reader
                if out[row]:
                    metadata["left out"] = "by the reader"
            yield feature


def geojson_gz(found: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """A FeatureCollection of ``found`` as gzipped pieces."""
    packer = zlib.compressobj(4, zlib.DEFLATED, 31)
    yield packer.compress(b'{"type":"FeatureCollection","features":[')
    for number, feature in enumerate(found):
        text = json.dumps(feature, separators=(",", ":"), ensure_ascii=False)
        piece = packer.compress((",\n" if number else "\n").encode() + text.encode())
        if piece:
            yield piece
    yield packer.compress(b"\n]}\n") + packer.flush()


def _circles(size: int) -> NDArray[np.uint8]:
    return np.full((size, 16), round(ADDED_RADIUS_UM / 0.05), np.uint8)


def _slide_cells(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    klass: NDArray[np.uint8],
    reason: NDArray[np.uint8],
    radii: NDArray[np.uint8],
) -> SlideCells:
    """The export's own table; measurements that a review does not keep are absent (not a number)."""
    known: dict[str, Any] = {
        "x_um": x.astype(np.float64),
        "y_um": y.astype(np.float64),
        "radii": radii,
        "reason": reason,
        "positive": klass == CellClass.POSITIVE,
    }
    unknown = np.full(len(x), np.nan, np.float32)
    return SlideCells(**{field.name: known.get(field.name, unknown) for field in fields(SlideCells)})
