"""Textbook presentations are ranked as a textbook would, with most of the weight on the right entity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kulchitsky.case.record import Case
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.reasoning.differential import differential

ROWS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "textbook_cases.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_textbook_case(row: dict[str, Any], knowledge: KnowledgeBase, case_of: Any) -> None:
    case: Case = case_of(row)
    result = differential(case, knowledge, draws=0)
    order = sorted(
        [*((d.posterior, d.entity) for d in result.diagnoses), (result.none_of_these, "none_of_these")], reverse=True
    )
    rank = [entity for _, entity in order].index(row["entity"]) + 1
    assert rank <= row["rank"], order[:3]
