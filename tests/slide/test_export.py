"""Cells for other programs: every column in Parquet, GeoJSON as QuPath writes it, streamed and repeatable."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from kulchitsky.case.errors import RefusedInput
from kulchitsky.slide import cells as table
from kulchitsky.slide import export
from kulchitsky.slide.cells import CellTable


def some_cells(n: int = 5000) -> CellTable:
    rng = np.random.default_rng(1)
    f32 = {name: rng.random(n).astype(np.float32) for name in ("dab_od", "hema_od", "ring_dab_od", "ring_hema_od")}
    f32 |= {
        name: rng.random(n).astype(np.float32) + 1 for name in ("area_um2", "elongation", "contrast", "edge", "score")
    }
    nan = np.full(n, np.nan, np.float32)
    return CellTable(
        x_um=rng.random(n) * 1000,
        y_um=rng.random(n) * 1000,
        **f32,
        p_positive=nan,
        p_tumour=nan,
        radii=table.pack_radii(np.full((n, 16), 4.0, np.float32)),
        reason=(np.arange(n) % 50 == 0).astype(np.uint8),
        positive=rng.random(n) < 0.3,
    )


def test_parquet_holds_every_column_by_name(tmp_path: Path) -> None:
    cells = some_cells(300)
    export.write_cells(tmp_path / "cells.parquet", cells, 0.25)
    back = pq.read_table(tmp_path / "cells.parquet")
    assert back.num_rows == 300
    assert np.array_equal(back["x_um"].to_numpy(), cells.x_um)
    assert np.array_equal(back["dab_od"].to_numpy(), cells.dab_od)
    assert back["reason"].to_pylist()[:2] == ["lymphocyte", "counted"]
    assert back["radii_um"].to_pylist()[0] == pytest.approx([4.0] * 16)


@pytest.mark.parametrize("name", ["cells.geojson", "cells.geojson.gz"])
def test_geojson_is_what_qupath_reads(name: str, tmp_path: Path) -> None:
    cells = some_cells()
    export.write_cells(tmp_path / name, cells, 0.25)
    data = (tmp_path / name).read_bytes()
    parsed = json.loads(gzip.decompress(data) if name.endswith(".gz") else data)
    assert parsed["type"] == "FeatureCollection"
    assert len(parsed["features"]) == len(cells)
    for row in (0, 1, 4999):
        feature = parsed["features"][row]
        assert feature["type"] == "Feature"
        assert len(feature["id"]) == 36
        assert feature["properties"]["objectType"] == "detection"
        ring = np.asarray(feature["geometry"]["coordinates"][0])
        assert feature["geometry"]["type"] == "Polygon"
        assert np.array_equal(ring[0], ring[-1])
        centre = ring[:-1].mean(axis=0) * 0.25
        assert centre == pytest.approx([cells.x_um[row], cells.y_um[row]], abs=0.02)
        name_of = feature["properties"]["classification"]["name"]
        if cells.reason[row]:
            assert name_of == "Ignore*"
        else:
            assert name_of == ("Positive" if cells.positive[row] else "Negative")
    assert len({f["id"] for f in parsed["features"]}) == len(cells)


def test_same_cells_give_the_same_bytes(tmp_path: Path) -> None:
    cells = some_cells(50)
    for name in ("a.geojson.gz", "b.geojson.gz"):
        export.write_cells(tmp_path / name, cells, 0.5)
    assert (tmp_path / "a.geojson.gz").read_bytes() == (tmp_path / "b.geojson.gz").read_bytes()


def test_no_cells_is_a_valid_file(tmp_path: Path) -> None:
    export.write_cells(tmp_path / "none.geojson", table.empty(), 0.5)
    assert json.loads((tmp_path / "none.geojson").read_text())["features"] == []
    export.write_cells(tmp_path / "none.parquet", table.empty(), 0.5)
    assert pq.read_table(tmp_path / "none.parquet").num_rows == 0


def test_other_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedInput, match=r"written as \.parquet, \.geojson or \.geojson\.gz"):
        export.write_cells(tmp_path / "cells.csv", table.empty(), 0.5)
    assert not list(tmp_path.iterdir())
