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


THIN_PANELS: list[tuple[str, dict[str, Any], float]] = [
    ("liver core with two stains", {"setting": "liver", "positive": ["synaptophysin", "chromogranin_a"]}, 0.6),
    ("one neuroendocrine stain and nothing else", {"positive": ["synaptophysin"]}, 0.4),
    ("keratin and nothing else", {"positive": ["pan_cytokeratin"]}, 0.4),
    ("small round cells with CD99 alone", {"positive": ["cd99"], "cell_size": "small"}, 0.6),
    (
        "small round cells with CD99 alone in the soft tissue of a young man",
        {"positive": ["cd99"], "cell_size": "small", "setting": "soft_tissue", "age": 20, "sex": "male"},
        0.9,
    ),
    ("poorly differentiated in the liver", {"setting": "liver", "positive": ["synaptophysin"], "ki67": 80}, 0.6),
]


@pytest.mark.parametrize(("row", "most"), [r[1:] for r in THIN_PANELS], ids=[r[0] for r in THIN_PANELS])
def test_thin_panel_stays_broad(row: dict[str, Any], most: float, knowledge: KnowledgeBase, case_of: Any) -> None:
    result = differential(case_of(row), knowledge, draws=0)
    assert max(result.none_of_these, *(d.posterior for d in result.diagnoses)) < most
