"""Arrays in memory of their own, and tables gathered in them."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulchitsky.slide import cells as table
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.pages import pages


@pytest.mark.parametrize("touched", [False, True])
@pytest.mark.parametrize("shape", [(0, 3), (5,), (1200, 1100)])
def test_pages_hold_what_is_written(shape: tuple[int, ...], touched: bool) -> None:
    array = pages(shape, np.float32, touched=touched)
    assert array.shape == shape
    assert not array.any()
    array[:] = 2.5
    assert (array == 2.5).all()


def part(rows: int, seed: int) -> CellTable:
    rng = np.random.default_rng(seed)
    columns = {}
    for f in fields(CellTable):
        like = getattr(table.empty(), f.name)
        columns[f.name] = rng.integers(0, 2, (rows, *like.shape[1:])).astype(like.dtype)
    columns |= {"x_um": rng.random(rows)}
    if seed % 2:  # as a detector without an opinion leaves it
        columns |= {"p_tumour": np.full(rows, np.nan, np.float32), "positive": np.zeros(rows, np.bool_)}
    return CellTable(**columns)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 7, 300, 5000]), max_size=6), st.sampled_from([0, 1, 2]))
def test_gathered_tables_are_the_concatenated_ones(rows: list[int], step: int) -> None:
    parts = [part(n, 1 + k * step) for k, n in enumerate(rows)]
    whole, expected = table.gather(iter(parts)), table.concatenate(parts)
    for f in fields(CellTable):
        assert np.array_equal(getattr(whole, f.name), getattr(expected, f.name), equal_nan=f.name == "p_tumour")
        assert getattr(whole, f.name).dtype == getattr(expected, f.name).dtype


def test_rearranged_rows_are_those_taken() -> None:
    cells, order = part(500, 3), np.random.default_rng(0).permutation(500)
    for index in (order, order[:100], np.asarray(order % 3 == 0)):
        expected = cells.take(index)
        got = cells.take(np.arange(500)).rearrange(index)
        assert all(
            np.array_equal(getattr(got, f.name), getattr(expected, f.name), equal_nan=f.name == "p_tumour")
            for f in fields(CellTable)
        )
