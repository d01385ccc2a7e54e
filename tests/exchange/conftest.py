"""Cases and verdicts that the exchange tests share; every optional field is filled somewhere."""

from __future__ import annotations

import datetime as dt

import pytest

from kulchitsky.case.measure import HotSpot, SlideCount
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import (
    Category,
    Code,
    Diagnosis,
    Differential,
    GradeVerdict,
    Plan,
    Reason,
    StageReading,
    StageVerdict,
    Versions,
    WorkedUpCase,
)

FULL = {
    "id": "T-1",
    "diagnosed_on": "2021-03-04",
    "patient": {
        "age_years": 71.5,
        "sex": "female",
        "ecog": 1,
        "immune_suppression": {"state": "absent", "cause": "no transplant"},
    },
    "presentation": {
        "setting": "skin",
        "site": {
            "text": "left calf",
            "side": "left",
            "region": "lower_limb",
            "layer": "dermis",
            "topography": "C44.7",
        },
        "size": {"greatest_cm": 2.4, "dimensions_cm": [2.4, 1.8, 1.1], "method": "gross"},
        "duration_months": 2.5,
        "growth": "rapid",
        "consistency": "firm",
        "lesions": "single",
        "skin_over": "violaceous",
        "nodes": [{"station": "inguinal", "side": "left", "state": "absent", "found_by": "palpation"}],
        "symptoms": [{"name": "pain", "state": "absent"}],
        "known_other_tumour": "",
    },
    "comorbidities": [{"name": "hypertension", "detail": "treated"}, {"name": "diabetes", "state": "absent"}],
    "laboratory": [
        {"test": "chromogranin A", "value": 92.0, "unit": "ug/L", "comparator": "<", "specimen": "serum"},
        {"test": "5-HIAA", "interpretation": "normal", "specimen": "urine_24h"},
    ],
    "imaging": [
        {
            "modality": "fdg_pet",
            "body_parts": ["whole body"],
            "months_from_diagnosis": -0.5,
            "findings": [{"what": "uptake", "place": "left calf", "side": "left", "state": "present"}],
        }
    ],
    "procedures": [
        {
            "kind": "wide_excision",
            "site": "left calf",
            "side": "left",
            "tumour_size_cm": 2.4,
            "invades": ["subcutis"],
            "structures_invaded": ["fascia lata"],
            "margins": "negative",
            "margin_mm": 8,
            "nodes_removed": 3,
            "nodes_positive": 1,
            "node_station": "inguinal",
            "in_transit": "absent",
            "not_done": "completion dissection",
        }
    ],
    "specimens": [{"id": "A", "kind": "primary", "site": "calf", "setting": "skin"}],
    "morphology": {
        "specimen": "A",
        "architecture": ["nested", "trabecular"],
        "cell_size": "intermediate",
        "cell_shape": ["round"],
        "chromatin": ["salt_and_pepper"],
        "nucleoli": "inconspicuous",
        "necrosis": "focal",
        "mitoses": {"count": 44, "area_mm2": 2.0},
        "differentiation": "poor",
        "features": [
            {"feature": "nuclear_moulding", "state": "present"},
            {"feature": "amyloid", "state": "absent", "detail": "Congo red"},
        ],
    },
    "markers": [
        {
            "marker": "ck20",
            "state": "present",
            "extent": "diffuse",
            "intensity": "strong",
            "compartment": "cytoplasmic",
            "pattern": "perinuclear_dot",
            "percent": 90,
            "clone": "Ks20.8",
            "method": "polymer",
            "specimen": "A",
        },
        {"marker": "ttf1", "state": "absent", "percent": 0},
        {"marker": "mcpyv_lt", "state": "not_tested"},
        {"marker": "insm1", "state": "equivocal"},
    ],
    "ki67": [
        {"percent": 62.0, "counted": 1000, "positive": 620, "hotspot": True, "specimen": "A"},
        {"percent": 65, "bound": "at_most"},
        {"low_percent": 50, "high_percent": 70},
    ],
    "molecular": [{"test": "MCPyV PCR", "state": "present", "detail": "Ct 21"}],
    "slides": [{"path": "ki67.tif", "stain": "ki67", "specimen": "A", "um_per_px": 0.5}],
    "working_diagnosis": {"text": "Merkel cell carcinoma", "entity": "merkel_cell_carcinoma"},
    "claims": [{"kind": "prognosis", "text": "five-year survival is 70 %", "percent": 70, "years": 5}],
    "treatments": [
        {"kind": "surgery", "detail": "wide excision"},
        {"kind": "radiotherapy", "site": "left calf", "dose_gy": 50, "months_from_diagnosis": 1.5},
        {"kind": "immunotherapy", "detail": "avelumab"},
        {"kind": "observation"},
    ],
    "follow_up": [
        {"months": 6, "status": "no_evidence_of_disease", "detail": "CT clear"},
        {"months": 14, "status": "recurrence"},
    ],
    "notes": "second opinion asked; σ-test",
}


@pytest.fixture(scope="session")
def full_case() -> Case:
    return Case.model_validate(FULL)


@pytest.fixture(scope="session")
def bare_case() -> Case:
    return Case(id="bare")


@pytest.fixture(scope="session")
def worked(full_case: Case) -> WorkedUpCase:
    count = SlideCount(
        slide="ki67.tif",
        um_per_px=0.5,
        tissue_mm2=20.5,
        counted=5200,
        positive=3100,
        index_percent=59.6,
        interval_95=(58.3, 60.9),
        hotspots=(HotSpot(counted=500, positive=350, index_percent=70.0, area_mm2=0.2, centre_um=(10.0, 20.0)),),
    )
    differential = Differential(
        edition="test",
        diagnoses=(
            Diagnosis(
                entity="merkel_cell_carcinoma",
                name="Merkel cell carcinoma",
                prior=0.3,
                posterior=0.9,
                interval_95=(0.8, 0.97),
            ),
            Diagnosis(entity="net", name="NET", prior=0.1, posterior=0.05, interval_95=(0.01, 0.1)),
        ),
        none_of_these=0.05,
    )
    reading = StageReading(
        scheme="mcc",
        scheme_name="Merkel cell carcinoma",
        edition="8th edition",
        authority="AJCC",
        categories=(
            Category(name="T", value="T2"),
            Category(name="N", value="N1a"),
            Category(name="M", value="undetermined", prefix="c"),
        ),
        stage="undetermined",
        possible=("IIIA", "IV"),
    )
    return WorkedUpCase(
        case=full_case,
        counts=(count,),
        differential=differential,
        grade=(
            GradeVerdict(
                system="WHO digestive",
                edition="2022",
                grade="G3",
                probabilities={"G3": 0.99, "G2": 0.01},
                basis=(Reason(sentence="Ki-67 above the cut-off"),),
            ),
            GradeVerdict(system="lung", edition="2021", grade="undetermined"),
        ),
        stage=StageVerdict(readings=(reading,)),
        plan=Plan(
            codes=(
                Code(
                    system="http://terminology.hl7.org/CodeSystem/icd-o-3",
                    code="8247/3",
                    display="Merkel cell carcinoma",
                    path="working_diagnosis",
                ),
            )
        ),
        names={"ck20": "CK20", "ttf1": "TTF-1"},
        versions=Versions(
            software="0.1", knowledge_edition="test", created=dt.datetime(2024, 1, 2, 3, 4, tzinfo=dt.UTC)
        ),
    )
