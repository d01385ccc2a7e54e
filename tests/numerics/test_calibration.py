"""Scores of forecasts against figures worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kulchitsky.numerics.calibration import expected_calibration_error, log_score, reliability


def test_log_score_by_hand() -> None:
    assert log_score([0.5, 0.25]) == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert log_score([0.0]) == pytest.approx(-math.log(1e-12))
    with pytest.raises(ValueError, match="at least one forecast"):
        log_score([])


def test_reliability_bins_by_hand() -> None:
    bins = reliability([0.1, 0.15, 0.9, 1.0], [0, 1, 1, 1], bins=10)
    assert [(b.n, round(b.mean_forecast, 3), b.observed) for b in bins] == [(2, 0.125, 0.5), (2, 0.95, 1.0)]
    # bins keep their edges: 1.0 falls into the last one, not beyond it
    assert (bins[-1].low, bins[-1].high) == pytest.approx((0.9, 1.0))


def test_calibration_error_by_hand() -> None:
    assert expected_calibration_error([0.1, 0.15, 0.9, 1.0], [0, 1, 1, 1]) == pytest.approx(
        (2 * 0.375 + 2 * 0.05) / 4
    )


def test_calibrated_forecasts_have_little_error() -> None:
    rng = np.random.default_rng(1)
    p = rng.uniform(size=20_000)
    y = (rng.uniform(size=p.size) < p).astype(float)
    assert expected_calibration_error(p, y) < 0.015
    assert expected_calibration_error(np.clip(p * 1.5, 0, 1), y) > 0.1


def test_shapes_must_match() -> None:
    with pytest.raises(ValueError, match="3 forecasts do not match 2 outcomes"):
        reliability([0.1, 0.2, 0.3], [0, 1])
