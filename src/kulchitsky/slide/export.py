"""The cell table for other programs: Parquet for data frames, GeoJSON exactly as QuPath reads it."""

from __future__ import annotations

import gzip
import io
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kulchitsky.case.errors import RefusedInput
from kulchitsky.slide.cells import REASONS, CellTable

_CHUNK: Final = 4096
_NAMESPACE: Final = uuid.UUID("6d0e7f1e-7ad4-5d0b-9c3f-5a6f1d1c2b01")
_COLOURS: Final = {"Positive": [250, 62, 62], "Negative": [112, 112, 225], "Ignore*": [180, 180, 180]}


def write_cells(path: str | os.PathLike[str], cells: CellTable, um_per_px: float) -> None:
    """Write the cells as ``.parquet``, ``.geojson`` or ``.geojson.gz``, by the file's name.

    Parquet holds every column, micrometres; GeoJSON level-0 pixels. Raises :class:`RefusedInput` for another ending.
    """
    target = Path(path)
    name = target.name.lower()
    if name.endswith(".parquet"):
        write_parquet(target, cells)
    elif name.endswith((".geojson", ".geojson.gz", ".json", ".json.gz")):
        write_geojson(target, cells, um_per_px)
    else:
        raise RefusedInput(
            "cells are written as .parquet, .geojson or .geojson.gz", source=target.name, remedy="use such a name"
        )


def to_arrow(cells: CellTable) -> pa.Table:
    """The cells as an Arrow table: ``reason`` by name, ``radii_um`` as fixed lists of 16."""
    columns: dict[str, Any] = {}
    for field in fields(CellTable):
        values = getattr(cells, field.name)
        if field.name == "radii":
            flat = pa.array((values.astype(np.float32) * np.float32(0.05)).ravel())
            columns["radii_um"] = pa.FixedSizeListArray.from_arrays(flat, 16)
        elif field.name == "reason":
            columns["reason"] = pa.DictionaryArray.from_arrays(pa.array(values.astype(np.int8)), list(REASONS))
        else:
            columns[field.name] = pa.array(values)
    return pa.table(columns)


def write_parquet(path: Path, cells: CellTable) -> None:
    """Write every column; zstd-compressed. The file appears under its name only when complete."""
    part = path.with_name(f".{path.name}.part")
    pq.write_table(to_arrow(cells), part, compression="zstd")
    part.replace(path)


def write_geojson(path: Path, cells: CellTable, um_per_px: float) -> None:
    """Write detections as a FeatureCollection in level-0 pixels, streamed, gzipped when the name ends in ``.gz``."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as raw:
        if path.name.lower().endswith(".gz"):
            # no name and no time in the header: the same cells give the same bytes
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=4) as packed:
                _stream(packed, cells, um_per_px)
        else:
            _stream(raw, cells, um_per_px)
    part.replace(path)


def _stream(out: IO[bytes] | gzip.GzipFile, cells: CellTable, um_per_px: float) -> None:
    out.write(b'{"type":"FeatureCollection","features":[')
    buffer = io.StringIO()
    for number, feature in enumerate(features(cells, um_per_px)):
        buffer.write(",\n" if number else "\n")
        buffer.write(json.dumps(feature, separators=(",", ":")))
        if number % _CHUNK == _CHUNK - 1:
            out.write(buffer.getvalue().encode())
            buffer = io.StringIO()
    out.write(buffer.getvalue().encode())
    out.write(b"\n]}\n")


def features(cells: CellTable, um_per_px: float) -> Iterator[dict[str, Any]]:
    """Each cell as the feature QuPath writes for a detection, with its measurements."""
    for row in range(len(cells)):
        counted = int(cells.reason[row]) == 0
        name = ("Positive" if cells.positive[row] else "Negative") if counted else "Ignore*"
        outline = np.round(cells.outline_um(row) / um_per_px, 2)
        measurements = {
            "Nucleus: DAB OD mean": _number(cells.dab_od[row]),
            "Nucleus: Hematoxylin OD mean": _number(cells.hema_od[row]),
            "Nucleus: Area µm^2": _number(cells.area_um2[row]),
            "Nucleus: Elongation": _number(cells.elongation[row]),
            "Detection score": _number(cells.score[row]),
        }
        properties: dict[str, Any] = {
            "objectType": "detection",
            "classification": {"name": name, "color": _COLOURS[name]},
            "measurements": {k: v for k, v in measurements.items() if v is not None},
        }
        if not counted:
            properties["metadata"] = {"left out": REASONS[int(cells.reason[row])]}
        yield {
            "type": "Feature",
            "id": str(uuid.uuid5(_NAMESPACE, f"{cells.x_um[row]:.3f} {cells.y_um[row]:.3f}")),
            "geometry": {"type": "Polygon", "coordinates": [outline.tolist()]},
            "properties": properties,
        }


def _number(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
