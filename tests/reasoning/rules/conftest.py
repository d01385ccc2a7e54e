"""The rule base, and small makers of cases."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from kulchitsky.case.record import Case
from kulchitsky.knowledge.rules import Rules, load_rules


@pytest.fixture(scope="session")
def rules() -> Rules:
    return load_rules()


@pytest.fixture(scope="session")
def make_case() -> Callable[..., Case]:
    def make(**fields: Any) -> Case:
        return Case.model_validate(fields)

    return make


THIGH_MASS: dict[str, Any] = {
    "id": "thigh-mass",
    "patient": {"age_years": 77, "sex": "female"},
    "presentation": {
        "setting": "soft_tissue",
        "site": {"text": "left upper thigh", "side": "left", "region": "lower_limb", "layer": "subcutis"},
        "size": {"greatest_cm": 6, "dimensions_cm": [5, 6], "method": "clinical"},
        "duration_months": 3,
        "nodes": [{"station": "left groin", "side": "left", "state": "present", "found_by": "palpation"}],
        "symptoms": [{"name": name, "state": "absent"} for name in ("flushing", "wheeze", "diarrhoea")],
    },
    "comorbidities": [
        {"name": "hypertension"},
        {"name": "stroke"},
        {"name": "coronary disease"},
        {"name": "heart failure", "detail": "NYHA III"},
    ],
    "laboratory": [
        {"test": "CEA", "value": 0.777, "unit": "ng/dL"},
        {"test": "CA 125", "value": 10.38, "unit": "U/mL"},
        {"test": "CA 19-9", "value": 12.83, "unit": "U/mL"},
        {"test": "5-HIAA", "interpretation": "normal", "specimen": "urine_24h"},
    ],
    "imaging": [
        {
            "modality": "ct",
            "body_parts": ["chest", "abdomen", "pelvis"],
            "findings": [
                {"what": "enlarged lymph nodes", "place": "left groin", "side": "left", "state": "present"},
                {
                    "what": "enlarged lymph nodes",
                    "place": "left pelvic sidewall, near the iliac vessels",
                    "side": "left",
                    "state": "present",
                },
                {"what": "metastasis", "place": "lungs", "state": "absent"},
                {"what": "metastasis", "place": "liver", "state": "absent"},
            ],
        },
        {"modality": "xray", "findings": [{"what": "emphysema", "place": "lungs", "state": "present"}]},
    ],
    "procedures": [
        {
            "kind": "wide_excision",
            "tumour_size_cm": 6,
            "invades": ["subcutis", "muscle"],
            "structures_invaded": ["rectus femoris", "sartorius", "vastus medialis"],
        },
        {
            "kind": "node_dissection",
            "nodes_removed": 7,
            "nodes_positive": 2,
            "node_station": "left inguinal",
            "not_done": "pelvic nodes left in place",
        },
    ],
    "morphology": {
        "architecture": ["insular", "trabecular"],
        "cell_size": "small",
        "chromatin": ["salt_and_pepper"],
        "necrosis": "extensive",
        "mitoses": {"words": "rare"},
    },
    "markers": [
        {"marker": "chromogranin_a", "state": "present", "compartment": "cytoplasmic", "pattern": "granular"},
        {"marker": "cd56", "state": "present", "compartment": "membranous"},
        {"marker": "nse", "state": "present"},
        {"marker": "pan_cytokeratin", "state": "present", "pattern": "perinuclear_dot"},
    ],
    "ki67": [{"percent": 65, "bound": "at_most"}],
    "working_diagnosis": {"text": "primary soft-tissue NET", "entity": "primary_cutaneous_net"},
    "claims": [
        {"kind": "prognosis", "text": "the prognosis is good"},
        {"kind": "prognosis", "text": "survival 70 % without metastases", "percent": 70, "years": 5},
        {"kind": "prognosis", "text": "survival below 50 % with metastases", "high_percent": 50, "years": 5},
        {"kind": "test_performance", "text": "mIBG", "endpoint": "sensitivity", "percent": 60},
        {"kind": "test_performance", "text": "mIBG", "endpoint": "specificity", "percent": 60},
        {
            "kind": "test_performance",
            "text": "octreotide scan",
            "endpoint": "sensitivity",
            "low_percent": 72,
            "high_percent": 87,
        },
        {
            "kind": "diagnosis_argument",
            "text": "keratin in dots and not in globs speaks against Merkel cell carcinoma",
        },
    ],
    "treatments": [{"kind": "surgery"}, {"kind": "radiotherapy", "detail": "external beam"}],
    "follow_up": [{"months": 6, "status": "no_evidence_of_disease"}],
}
"""The case of the design: everything is tried on it."""


@pytest.fixture
def thigh_mass() -> dict[str, Any]:
    return copy.deepcopy(THIGH_MASS)
