"""Scores on published cases stay above the aims; skipped where the cases aren't at hand."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.narrative.read_text import read_text
from kulchitsky.numerics.calibration import log_score
from kulchitsky.reasoning.posterior import posterior

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT.parent / "shared" / "data" / "cases" / "cases.jsonl"

pytestmark = pytest.mark.skipif(not CASES.exists(), reason="published cases (../shared/data/cases) are not here")


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, ...]:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return tuple(importlib.import_module("published_cases").load_cases())


@pytest.mark.parametrize("from_prose", [False, True], ids=["structured facts", "prose"])
def test_scores_on_published_cases(published: tuple[Any, ...], from_prose: bool, knowledge: KnowledgeBase) -> None:
    right, first, three = [], [], []
    for c in published:
        case = read_text(c.vignette_plain, source=c.id, knowledge=knowledge).case if from_prose else c.case
        post = posterior(case, knowledge)
        order = [post.table.entities[i] for i in np.argsort(-post.entities)]
        right.append(sum(p for e, p in zip(post.table.entities, post.entities, strict=True) if e in c.entities))
        first.append(order[0] in c.entities)
        three.append(bool(set(order[:3]) & set(c.entities)))
    assert np.mean(first) >= 0.85
    assert np.mean(three) >= 0.95
    assert log_score(right) <= 0.45
