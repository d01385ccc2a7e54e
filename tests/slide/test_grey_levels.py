"""Percentiles from a histogram are those of sorted values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulchitsky.slide.grey_levels import percentile


@given(st.lists(st.integers(0, 255), min_size=1, max_size=60), st.integers(0, 100))
def test_percentiles_are_those_of_numpy(levels: list[int], percent: int) -> None:
    values = np.asarray(levels, np.uint8)
    assert percentile(values, percent) == pytest.approx(float(np.percentile(values, percent)), abs=1e-9)
