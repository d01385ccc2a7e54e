"""What was measured of a cell, and which cells are most open to doubt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulchitsky.workup.cell_layer import SQUARE_UM, CellTable, square_order
from kulchitsky.workup.cell_measures import CellMeasures, load_measures, save_measures
from kulchitsky.workup.corrected_cells import load_outlines
from kulchitsky.workup.count_for_review import count_for_review
from kulchitsky.workup.counted_cells import load_count, save_count
from kulchitsky.workup.doubtful_cells import doubtful_cells
from kulchitsky.workup.edit_log import AddCell, SetCells
from kulchitsky.workup.slide_review import SlideReview


@given(seed=st.integers(0, 200), most=st.integers(1, 90), radius=st.floats(10, 900))
@settings(max_examples=60, deadline=None)
def test_the_cells_nearest_the_cut_come_first(seed: int, most: int, radius: float) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 1000, (2, 80)).astype(np.float32)
    table = CellTable(x, y, rng.integers(0, 3, 80).astype(np.uint8), "c")
    rows = np.column_stack([rng.uniform(0, 1, 80), rng.uniform(20, 60, 80)]).astype(np.float32)
    review = SlideReview(table)
    review.take(SetCells(cells=(4,), before=(int(table.klass[4]),), after=1))
    review.take(AddCell(cell=80, x_um=500, y_um=500, after=1))
    found = doubtful_cells(review, CellMeasures(rows), 0.3, circle=(500, 500, radius), most=most)
    distance = np.abs(np.log(np.maximum(rows[:, 0], 1e-3) / 0.3))
    wanted = np.flatnonzero((table.klass < 2) & (np.hypot(x - 500, y - 500) <= radius))
    wanted = wanted[(wanted != 4) | (table.klass[4] == 1)]
    assert len(found) == min(most, len(wanted))
    assert set(found.tolist()) <= set(wanted.tolist())
    assert np.all(np.diff(distance[found]) >= 0)
    left = np.setdiff1d(wanted, found)
    assert not left.size or not found.size or distance[left].min() >= distance[found].max()


def test_measures_of_another_count_are_not_taken(tmp_path: Path) -> None:
    assert load_measures(tmp_path, 3) is None
    save_measures(tmp_path, np.asarray([0.1, 0.2, 0.3]), np.asarray([30.0, 40.0, 50.0]))
    kept = load_measures(tmp_path, 3)
    assert kept is not None
    assert kept.area_um2.tolist() == [30, 40, 50]
    assert kept.signal_od.tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert load_measures(tmp_path, 4) is None


def test_pages_say_what_is_known_of_a_cell_and_queue_the_doubtful(counted: tuple[Any, str]) -> None:
    client, slide_id = counted
    path, directory = f"/slides/{slide_id}", client.bench.reviews.count_dir(slide_id)
    assert client.http.get(f"{path}/doubtful.json").status_code == 404
    bare = client.http.get(f"{path}/cell/0.json").json()
    assert (bare["signal_od"], bare["area_um2"]) == (None, None)
    kept = load_count(directory)
    assert kept is not None
    count, table = kept
    signal = np.where(table.klass == 1, 0.6, 0.1) + np.linspace(0, 0.2, len(table))
    save_measures(directory, signal, np.full(len(table), 40.0))
    save_count(directory, count.model_copy(update={"method": {"cut_od": 0.25}}), table.x_um, table.y_um, table.klass)
    client.bench.reviews.forget(slide_id)
    queue = client.http.get(f"{path}/doubtful.json?most=20").json()
    assert (queue["cut_od"], queue["within"], len(queue["cells"])) == (0.25, "hot spot 1", 20)
    ratios = [abs(np.log(cell["signal_od"] / 0.25)) for cell in queue["cells"]]
    assert ratios == sorted(ratios)
    first = queue["cells"][0]
    assert np.hypot(first["x_um"] - 400, first["y_um"] - 300) <= 150
    facts = client.http.get(f"{path}/cell/{first['cell']}.json").json()
    assert facts == first
    client.send("POST", f"{path}/edits", json={"kind": "set", "cells": [first["cell"]], "after": 1 - first["klass"]})
    rest = client.http.get(f"{path}/doubtful.json?most=20").json()["cells"]
    assert first["cell"] not in [cell["cell"] for cell in rest]
    everywhere = client.http.get(f"{path}/doubtful.json?within=slide&most=20").json()
    assert everywhere["within"] == "the whole slide"
    assert client.http.get(f"{path}/cell/99999999.json").status_code == 422


def test_an_added_cell_is_drawn_wherever_on_the_slide_it_lies(counted: tuple[Any, str]) -> None:
    client, slide_id = counted
    review = client.http.get(f"/slides/{slide_id}/review.json").json()
    assert review["square_columns"] == -(-1600 * 0.5 // 512)
    assert review["square_rows"] == -(-1200 * 0.5 // 512)
    assert len(review["square_cells"]) == review["square_columns"] * review["square_rows"]


def test_counting_keeps_the_measures_of_every_cell_in_the_order_of_its_squares(
    slide_file: tuple[Path, Any], tmp_path: Path
) -> None:
    count = count_for_review(slide_file[0], tmp_path, detector="fast")
    kept = load_count(tmp_path)
    assert kept is not None
    table = kept[1]
    measures, outlines = load_measures(tmp_path, len(table)), load_outlines(tmp_path, len(table))
    assert measures is not None
    assert count.counted == int((table.klass < 2).sum()) > 500
    counted = table.klass < 2
    cut = float(count.method["cut_od"])
    # the cut in the record is rounded: cells that close to it may lie on either side
    plain = counted & (np.abs(measures.signal_od - cut) > 1e-3)
    assert np.array_equal(measures.signal_od[plain] > cut, table.klass[plain] == 1)
    assert np.array_equal(outlines.reason == 0, counted)
    order = square_order(table.x_um, table.y_um, SQUARE_UM)
    assert np.array_equal(order, np.arange(len(table)))
