"""Corrections: counts kept as changes come equal counts made anew; undo and redo lead through every state."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulchitsky.case.errors import RefusedInput
from kulchitsky.workup.cell_heat import TILE_BINS, HeatGrid
from kulchitsky.workup.cell_layer import CellTable, SquareIndex, square_order
from kulchitsky.workup.edit_log import (
    AddCell,
    DrawRegion,
    EditLog,
    Finish,
    Redo,
    RemoveRegion,
    Revert,
    SetCells,
    Undo,
)
from kulchitsky.workup.not_there import NotThere
from kulchitsky.workup.reader_agreement import agreement_of
from kulchitsky.workup.recount import EDGE_UM, cell_count, count_in_circle, nearest_cell, recount
from kulchitsky.workup.slide_review import NOT_THERE, RefusedEdit, SlideReview

CELLS = 60


def table_of(seed: int, cells: int = CELLS) -> CellTable:
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 1500, cells).astype(np.float32)
    y = rng.uniform(0, 1200, cells).astype(np.float32)
    return CellTable(x, y, rng.integers(0, 3, cells).astype(np.uint8), f"count-{seed}")


def state_of(review: SlideReview) -> tuple[Any, ...]:
    """Everything that undo must bring back (ids of cells whose addition was undone stay taken)."""
    classes = review.classes()
    return (
        review.counted,
        review.positive,
        review.changed_by_reader,
        tuple((i, int(k)) for i, k in enumerate(classes) if k != NOT_THERE),
        tuple(sorted((r.region, r.role, r.polygon) for r in review.regions)),
    )


def brute_force(review: SlideReview) -> tuple[int, int]:
    classes = review.classes()
    return int((classes < 2).sum()), int((classes == 1).sum())


def apply(review: SlideReview, step: tuple[str, int, int]) -> bool:
    """One random step; False where it does not fit the present state."""
    kind, number, other = step
    body: Any
    if kind == "set":
        cell = number % review.size
        try:
            body = SetCells(cells=(cell,), before=(review.klass_of(cell),), after=other % 3)
        except RefusedEdit:
            return False
    elif kind == "add":
        body = AddCell(cell=review.new_cell_id(), x_um=number % 1500, y_um=other % 1200, after=other % 2)
    elif kind == "draw":
        x, y, side = number % 1200, other % 900, 150 + number % 400
        square = ((x, y), (x + side, y), (x + side, y + side), (x, y + side))
        role = "tumour" if other % 2 else "exclusion"
        body = DrawRegion.model_validate({"region": review.new_region_id(), "role": role, "polygon": square})
    elif kind == "remove":
        if not review.regions:
            return False
        body = RemoveRegion(region=review.regions[number % len(review.regions)].region)
    else:
        body = {"revert": Revert(), "undo": Undo(), "redo": Redo()}[kind]
    try:
        review.check(body)
    except RefusedEdit:
        return False
    review.take(body)
    return True


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["set", "set", "set", "add", "draw", "remove", "revert", "undo", "redo"]),
        st.integers(0, 10_000),
        st.integers(0, 10_000),
    ),
    max_size=40,
)


@given(seed=st.integers(0, 50), steps=STEPS)
@settings(max_examples=120, deadline=None)
def test_running_counts_equal_a_count_made_anew(seed: int, steps: list[tuple[str, int, int]]) -> None:
    review = SlideReview(table_of(seed))
    for step in steps:
        apply(review, step)
        assert (review.counted, review.positive) == brute_force(review)
        squares = [review.square(c, r) for c in range(4) for r in range(4)]
        assert sum(int((klass < 2).sum()) for *_, klass in squares) == review.counted


@given(seed=st.integers(0, 50), steps=STEPS)
@settings(max_examples=120, deadline=None)
def test_undo_leads_back_through_every_state_and_redo_forward_again(
    seed: int, steps: list[tuple[str, int, int]]
) -> None:
    review = SlideReview(table_of(seed))
    states = [state_of(review)]
    forward = [step for step in steps if step[0] not in ("undo", "redo")]
    states += [state_of(review) for step in forward if apply(review, step)]
    for state in reversed(states[:-1]):
        assert apply(review, ("undo", 0, 0))
        assert state_of(review) == state
    assert not apply(review, ("undo", 0, 0))
    for state in states[1:]:
        assert apply(review, ("redo", 0, 0))
        assert state_of(review) == state


@given(seed=st.integers(0, 20), steps=STEPS)
@settings(max_examples=40, deadline=None)
def test_replaying_the_log_gives_the_same_state(
    seed: int, steps: list[tuple[str, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = EditLog(tmp_path_factory.mktemp("log") / "edits.db")
    table = table_of(seed)
    review = SlideReview(table)
    original = review.take

    def logged(body: Any) -> Any:
        log.append("slide", table.count_id, "Ada", body)
        return original(body)

    review.take = logged  # type: ignore[method-assign]
    for step in steps:
        apply(review, step)
    again = SlideReview(table)
    again.replay(log.entries("slide", table.count_id, "Ada"))
    assert state_of(again) == state_of(review)
    assert (again.can_undo, again.can_redo) == (review.can_undo, review.can_redo)
    log.close()


def test_reverting_counts_nothing_as_changed_and_can_be_undone() -> None:
    review = SlideReview(table_of(3))
    for i in range(20):
        apply(review, ("set", i, i + 1))
    apply(review, ("draw", 100, 101))
    apply(review, ("add", 700, 601))
    before = state_of(review)
    apply(review, ("revert", 0, 0))
    assert review.changed_by_reader == 0
    assert review.regions == ()
    assert (review.counted, review.positive) == brute_force(SlideReview(table_of(3)))
    apply(review, ("undo", 0, 0))
    assert state_of(review) == before


def test_only_cells_inside_tumour_and_outside_exclusions_count() -> None:
    x = np.asarray([10, 50, 90, 200], dtype=np.float32)
    review = SlideReview(CellTable(x, x, np.asarray([1, 1, 0, 1], dtype=np.uint8), "c"))
    draw = {"region": 1, "role": "tumour", "polygon": ((0, 0), (100, 0), (100, 100), (0, 100))}
    review.take(DrawRegion.model_validate(draw))
    assert (review.counted, review.positive) == (3, 2)
    hole = {"region": 2, "role": "exclusion", "polygon": ((40, 40), (60, 40), (60, 60), (40, 60))}
    review.take(DrawRegion.model_validate(hole))
    assert (review.counted, review.positive) == (2, 1)
    review.take(AddCell(cell=4, x_um=55, y_um=55, after=1))
    assert (review.counted, review.positive) == (2, 1)
    review.take(RemoveRegion(region=2))
    assert (review.counted, review.positive) == (4, 3)


def test_a_class_that_is_out_of_date_is_refused() -> None:
    review = SlideReview(table_of(1))
    stale = (review.klass_of(0) + 1) % 3
    with pytest.raises(RefusedEdit, match="have changed since"):
        review.check(SetCells(cells=(0,), before=(stale,), after=stale))


def test_the_log_refuses_to_forget(tmp_path: Path) -> None:
    log = EditLog(tmp_path / "edits.db")
    log.append("s", "c", "Ada", SetCells(cells=(1,), before=(0,), after=1))
    log.append("s", "c", "Ada", Finish())
    log.append("s", "other", "Ada", Revert())
    with sqlite3.connect(tmp_path / "edits.db") as raw:
        for statement in ("DELETE FROM edit", "UPDATE edit SET reader = 'Eve'"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                raw.execute(statement)
    raw.close()
    assert [e.body.kind for e in log.entries("s", "c", "Ada")] == ["set", "finish"]
    assert [e.body.kind for e in log.entries("s", "c", "Ada", last=1)] == ["finish"]
    assert log.readers("s", "c") == {"Ada": True}
    assert log.rows_of_other_counts("s", "c", "Ada") == 1
    log.close()


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "edits.db"
    path.write_bytes(b"this is not a database, whatever its name says" * 40)
    with pytest.raises(RefusedInput, match="not an edit log"):
        EditLog(path)


@given(seed=st.integers(0, 100), x=st.floats(0, 1500), y=st.floats(0, 1200), reach=st.floats(1, 700))
@settings(max_examples=80, deadline=None)
def test_circle_and_nearest_equal_brute_force(seed: int, x: float, y: float, reach: float) -> None:
    review = SlideReview(table_of(seed))
    px, py = review.positions()
    distance = np.hypot(px - x, py - y)
    inside = (px - x) ** 2 + (py - y) ** 2 <= (reach + EDGE_UM) ** 2
    klass = review.classes()
    found = count_in_circle(review, (x, y), reach)
    assert (found.counted, found.positive) == (int((inside & (klass < 2)).sum()), int((inside & (klass == 1)).sum()))
    nearest = nearest_cell(review, x, y, reach)
    if distance.min() < reach * 0.999:
        assert nearest is not None
        assert distance[nearest] <= distance.min() + 1e-3
    elif distance.min() > reach * 1.001:
        assert nearest is None


@given(seed=st.integers(0, 100), side=st.floats(20, 2000))
@settings(max_examples=60, deadline=None)
def test_squares_hold_every_cell_once(seed: int, side: float) -> None:
    table = table_of(seed)
    index = SquareIndex(table.x_um, table.y_um, side)
    ids = np.concatenate([index.cells(c, r) for r in range(index.rows) for c in range(index.columns)])
    assert sorted(ids.tolist()) == list(range(len(table)))
    assert int(index.counts().sum()) == len(table)
    assert index.cells(-1, 0).size == index.cells(index.columns, 0).size == 0
    near = index.within(100, 100, 400, 300)
    inside = (table.x_um >= 100) & (table.x_um <= 400) & (table.y_um >= 100) & (table.y_um <= 300)
    assert set(np.flatnonzero(inside).tolist()) <= set(near.tolist())


def heat_by_brute_force(review: SlideReview, heat: HeatGrid, level: int, tile: tuple[int, int]) -> Any:
    """Cells and positive cells per bin of one tile, from every cell of the review."""
    x, y = review.positions()
    klass, side = review.classes(), heat.bin_um * 2**level
    column, row = np.floor(x / side).astype(int), np.floor(y / side).astype(int)
    bins = []
    for counts in (klass < 2, klass == 1):
        grid = np.zeros((TILE_BINS, TILE_BINS), dtype=int)
        inside = counts & (column // TILE_BINS == tile[0]) & (row // TILE_BINS == tile[1])
        np.add.at(grid, (row[inside] % TILE_BINS, column[inside] % TILE_BINS), 1)
        bins.append(grid)
    return bins


@given(seed=st.integers(0, 30), steps=STEPS)
@settings(max_examples=60, deadline=None)
def test_heat_tiles_equal_brute_force_after_any_corrections(seed: int, steps: list[tuple[str, int, int]]) -> None:
    table = table_of(seed, 300)
    heat, review = HeatGrid(table), SlideReview(table)
    for step in steps:
        apply(review, step)
    assert heat.levels == 2
    for level, tile in [(0, (0, 0)), (0, (1, 0)), (0, (1, 1)), (1, (0, 0))]:
        for found, expected in zip(
            heat.tile_of(review, level, *tile), heat_by_brute_force(review, heat, level, tile), strict=True
        ):
            assert found.tolist() == expected.tolist()


def test_a_heat_level_that_does_not_exist_is_not_there() -> None:
    table = table_of(5)
    heat = HeatGrid(table)
    for level in (-1, heat.levels):
        with pytest.raises(NotThere):
            heat.tile_of(SlideReview(table), level, 0, 0)


def test_a_cell_added_beyond_all_others_is_on_the_heat_map() -> None:
    table = table_of(5)
    heat, review = HeatGrid(table), SlideReview(table)
    review.take(AddCell(cell=CELLS, x_um=5000, y_um=5000, after=1))
    step = TILE_BINS * heat.bin_um
    counted, positive = heat.tile_of(review, 0, int(5000 // step), int(5000 // step))
    assert (counted.sum(), positive.sum()) == (1, 1)


@given(seed=st.integers(0, 100), side=st.floats(20, 2000))
@settings(max_examples=40, deadline=None)
def test_cells_kept_square_by_square_are_indexed_alike(seed: int, side: float) -> None:
    table = table_of(seed)
    order = square_order(table.x_um, table.y_um, side)
    assert sorted(order.tolist()) == list(range(len(table)))
    kept = SquareIndex(table.x_um[order], table.y_um[order], side)
    mixed = SquareIndex(table.x_um, table.y_um, side)
    assert kept.nbytes <= mixed.nbytes
    assert (kept.columns, kept.rows) == (mixed.columns, mixed.rows)
    for column in range(kept.columns):
        for row in range(kept.rows):
            assert order[kept.cells(column, row)].tolist() == mixed.cells(column, row).tolist()


def test_nothing_counted_has_no_index() -> None:
    count = cell_count(0, 0)
    assert count.index_percent is None
    assert count.interval_95 is None
    empty = SlideReview(CellTable(*(np.empty(0, np.float32),) * 2, np.empty(0, np.uint8), "none"))
    assert recount(empty).total.index_percent is None


def test_agreement_counts_added_cells_as_one_where_they_coincide() -> None:
    table = table_of(9)
    one, two = SlideReview(table), SlideReview(table)
    for review, x in ((one, 300.0), (two, 301.5)):
        review.take(AddCell(cell=CELLS, x_um=x, y_um=500, after=1))
    two.take(AddCell(cell=CELLS + 1, x_um=900, y_um=900, after=0))
    flipped = int(np.flatnonzero(table.klass == 0)[0])
    one.take(SetCells(cells=(flipped,), before=(0,), after=1))
    result = agreement_of(one, two, ("Ada", "Ben"))
    assert result.cells == CELLS + 2
    assert result.differing == 2
    assert result.corrected_cells == 3
    assert sum(map(sum, result.table)) == result.cells
    assert result.kappa is not None
    assert result.kappa < 1


def test_readings_of_two_counts_are_not_compared() -> None:
    with pytest.raises(ValueError, match="only over one count"):
        agreement_of(SlideReview(table_of(1)), SlideReview(table_of(2)), ("Ada", "Ben"))
