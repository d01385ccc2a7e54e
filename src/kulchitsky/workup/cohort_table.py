"""The results of a cohort as one table, a row a slide: CSV for people, Parquet for programs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from kulchitsky.case.cohort import CohortRow
from kulchitsky.case.measure import HotSpot, SlideCount, StainReading
from kulchitsky.report.files import write_whole

_TEXT, _NUMBER, _WHOLE = pa.string(), pa.float64(), pa.int64()
_FIXED: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("slide", _TEXT),
    ("file", _TEXT),
    ("case", _TEXT),
    ("stain", _TEXT),
    ("status", _TEXT),
    ("reason", _TEXT),
    ("flags", _TEXT),
    ("um_per_px", _NUMBER),
    ("width_px", _WHOLE),
    ("height_px", _WHOLE),
    ("tissue_mm2", _NUMBER),
    ("counted", _WHOLE),
    ("positive", _WHOLE),
    ("index_percent", _NUMBER),
    ("index_low_95", _NUMBER),
    ("index_high_95", _NUMBER),
    ("index_with_left_out_percent", _NUMBER),
    ("left_out", _WHOLE),
    ("manual_percent", _NUMBER),
    ("h_score", _NUMBER),
    ("extent", _TEXT),
    ("intensity", _TEXT),
    ("compartment", _TEXT),
    ("pattern", _TEXT),
    ("cut_od", _NUMBER),
    ("worker_seconds", _NUMBER),
    ("cpu_seconds", _NUMBER),
    ("detector", _TEXT),
    ("software", _TEXT),
    ("slide_checksum", _TEXT),
    ("cells", _TEXT),
)
_HOT: Final = (
    ("counted", _WHOLE),
    ("positive", _WHOLE),
    ("index_percent", _NUMBER),
    ("low_95", _NUMBER),
    ("high_95", _NUMBER),
    ("shrunk_percent", _NUMBER),
    ("by_chance_percent", _NUMBER),
    ("x_um", _NUMBER),
    ("y_um", _NUMBER),
)
_REGISTRY: Final = (
    ("collection", _TEXT),
    ("diagnosis", _TEXT),
    ("age_years", _NUMBER),
    ("sex", _TEXT),
    ("ki67_percent", _NUMBER),
    ("follow_up_months", _NUMBER),
    ("outcome", _TEXT),
)


def write_tables(folder: Path, rows: Sequence[CohortRow], hotspot_cells: Sequence[int]) -> tuple[Path, Path]:
    """Write ``results.csv`` and ``results.parquet``; columns of a hot spot begin ``hot500_``, of the registry so."""
    table = to_table(rows, hotspot_cells)
    text = io.BytesIO()
    pa_csv.write_csv(table, text, pa_csv.WriteOptions(quoting_style="needed"))
    packed = io.BytesIO()
    pq.write_table(table, packed, compression="zstd")
    return (
        write_whole(folder / "results.csv", text.getvalue()),
        write_whole(folder / "results.parquet", packed.getvalue()),
    )


def to_table(rows: Sequence[CohortRow], hotspot_cells: Sequence[int]) -> pa.Table:
    """One row a slide, in the order of the list; what a slide lacks is null."""
    schema = list(_FIXED)
    for size in hotspot_cells:
        schema += [(f"hot{size}_{name}", kind) for name, kind in _HOT]
    if any(row.registry for row in rows):
        schema += [(f"registry_{name}", kind) for name, kind in _REGISTRY]
    records = [_record(row, hotspot_cells) for row in rows]
    columns = {name: pa.array([record.get(name) for record in records], kind) for name, kind in schema}
    return pa.table(columns)


def _record(row: CohortRow, hotspot_cells: Sequence[int]) -> dict[str, Any]:
    outcome = row.outcome
    measure = outcome.count or outcome.reading
    record: dict[str, Any] = {
        "slide": row.slide,
        "file": row.file,
        "case": row.case or None,
        "stain": row.stain,
        "status": outcome.status.value,
        "reason": outcome.reason or None,
        "flags": " ".join(flags_of(row)) or None,
        "width_px": outcome.width_px,
        "height_px": outcome.height_px,
        "manual_percent": row.manual_percent,
        "worker_seconds": round(outcome.worker_seconds, 3) if outcome.done else None,
        "cpu_seconds": round(outcome.cpu_seconds, 3) if outcome.done else None,
        "cells": outcome.cells or None,
    }
    if measure is not None:
        low, high = measure.interval_95 or (None, None)
        record |= {
            "um_per_px": measure.um_per_px,
            "tissue_mm2": measure.tissue_mm2,
            "counted": measure.counted,
            "positive": measure.positive,
            "index_percent": measure.index_percent,
            "index_low_95": low,
            "index_high_95": high,
            **{name: measure.method.get(name) for name in ("detector", "software", "slide_checksum", "cut_od")},
        }
    if outcome.count is not None:
        record |= _of_count(outcome.count, hotspot_cells)
    if outcome.reading is not None:
        record |= _of_reading(outcome.reading)
    return record | {f"registry_{name}": value for name, value in row.registry.items()}


def flags_of(row: CohortRow) -> list[str]:
    """Codes of what was noticed about a slide, each once."""
    measure = row.outcome.count or row.outcome.reading
    issues = (*row.issues, *(measure.issues if measure is not None else ()))
    return list(dict.fromkeys(issue.code for issue in issues))


def _of_count(count: SlideCount, hotspot_cells: Sequence[int]) -> dict[str, Any]:
    record: dict[str, Any] = {
        "index_with_left_out_percent": count.index_with_left_out_percent,
        "left_out": sum(reason.cells for reason in count.left_out),
    }
    by_size = {spot.cells_wanted: spot for spot in count.hotspots}
    for size in hotspot_cells:
        if size in by_size:
            record |= {f"hot{size}_{name}": value for name, value in _of_hotspot(by_size[size]).items()}
    return record


def _of_hotspot(spot: HotSpot) -> dict[str, Any]:
    low, high = spot.interval_95 or (None, None)
    return {
        "counted": spot.counted,
        "positive": spot.positive,
        "index_percent": spot.index_percent,
        "low_95": low,
        "high_95": high,
        "shrunk_percent": spot.shrunk_index_percent,
        "by_chance_percent": spot.null_index_percent,
        "x_um": spot.centre_um[0],
        "y_um": spot.centre_um[1],
    }


def _of_reading(reading: StainReading) -> dict[str, Any]:
    named = {name: getattr(reading, name) for name in ("extent", "intensity", "compartment", "pattern")}
    return {"h_score": reading.h_score} | {name: value.value if value else None for name, value in named.items()}
