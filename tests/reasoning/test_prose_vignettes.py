"""Reports in prose are read and ranked: every right entity among the first three, facts read, no over-confidence."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from kulchitsky.knowledge.base import KnowledgeBase

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("prose_vignettes")


@pytest.mark.parametrize("batches", ["VIGNETTES", "REPORTS"])
def test_reports_in_prose(batches: str, bench: Any, knowledge: KnowledgeBase) -> None:
    rows = bench.run(bench.load_vignettes(getattr(bench, batches)), knowledge)
    assert [(r.id, r.top) for r in rows if r.rank > 3] == []
    scores = bench.figures(rows)
    assert scores["top1"] >= 0.95
    assert scores["log_score"] <= 0.15
    assert scores["fact_recall"] >= 0.985
    # the leading diagnosis is not held with more confidence than it deserves
    assert scores["mean_leading"] <= scores["top1"] + 0.02
    assert scores["calibration_error"] <= 0.08
