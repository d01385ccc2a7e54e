"""Cases and knowledge for the tests of reasoning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kulchitsky.case.record import Case
from kulchitsky.knowledge.base import KnowledgeBase, load_knowledge

HERE = Path(__file__).parent


def build_case(row: dict[str, Any]) -> Case:
    """A case from the short notation of ``textbook_cases.yaml``."""
    dots = set(row.get("dots", ()))
    markers: list[dict[str, Any]] = [
        {"marker": m, "state": "present", **({"pattern": "perinuclear_dot"} if m in dots else {})}
        for m in row.get("positive", ())
    ]
    markers += [{"marker": m, "state": "present", "extent": "focal"} for m in row.get("focal", ())]
    markers += [{"marker": m, "state": "absent"} for m in row.get("negative", ())]
    presentation: dict[str, Any] = {"setting": row.get("setting"), "growth": row.get("growth")}
    if "region" in row:
        presentation["site"] = {"region": row["region"]}
    presentation["symptoms"] = [{"name": s, "state": "present"} for s in row.get("symptoms", ())]
    presentation["known_other_tumour"] = row.get("other_tumour", "")
    morphology = {
        k: row[k] for k in ("architecture", "cell_size", "nucleoli", "necrosis", "differentiation") if k in row
    }
    morphology["features"] = [{"feature": f, "state": "present"} for f in row.get("features", ())]
    return Case.model_validate(
        {
            "patient": {"age_years": row.get("age"), "sex": row.get("sex", "unknown")},
            "presentation": presentation,
            "comorbidities": [{"name": "smoking"}] if row.get("smoking") else [],
            "imaging": [
                {"modality": "ct", "findings": [{"what": what, "place": place, "state": "present"}]}
                for what, place in row.get("imaging", ())
            ],
            "morphology": morphology,
            "markers": markers,
            "ki67": [{"percent": row["ki67"]}] if "ki67" in row else [],
        }
    )


def textbook_rows() -> list[dict[str, Any]]:
    return list(yaml.safe_load((HERE / "textbook_cases.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def knowledge() -> KnowledgeBase:
    return load_knowledge()


@pytest.fixture(scope="session")
def case_of() -> Callable[[dict[str, Any]], Case]:
    return build_case
