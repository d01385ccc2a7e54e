"""Whole reports: the shipped example, and (where they are at hand) a published report and published vignettes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Reading
from kulchitsky.knowledge.aliases import resolve_marker
from kulchitsky.narrative.read_text import read_text

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "thigh-mass" / "report.txt"
SHARED = ROOT.parent / "shared" / "data"
PUBLISHED = SHARED / "case-report.txt"
VIGNETTES = SHARED / "cases" / "cases.jsonl"


def check_thigh_mass(case: Case) -> None:
    """The facts that the example and the published report share."""
    assert (case.patient.age_years, case.patient.sex) == (77, "female")
    p = case.presentation
    assert p.site is not None
    assert p.size is not None
    assert "left upper thigh" in p.site.text
    assert (p.site.side, p.site.region, p.site.layer, p.setting) == ("left", "lower_limb", "subcutis", "soft_tissue")
    assert (p.size.greatest_cm, p.size.dimensions_cm) == (6, (6, 5))
    assert (p.duration_months, p.growth, p.consistency, p.skin_over) == (3, "moderate", "hard", "normal")
    assert [(n.station, n.side, n.state) for n in p.nodes] == [("groin", "left", "present")]
    assert {"flushing", "wheeze", "diarrhoea"} <= {s.name for s in p.symptoms if s.state == "absent"}
    assert not [s for s in p.symptoms if s.state == "present"]
    assert {c.name for c in case.comorbidities} == {
        "hypertension", "ischaemic stroke", "ischaemic heart disease", "heart failure", "emphysema",
    }  # fmt: skip
    values = {(x.test, x.value, x.unit) for x in case.laboratory if x.value is not None}
    assert values == {
        ("haemoglobin", 12.45, "g/dL"), ("white blood cells", 10.21, "10*3/uL"), ("CEA", 0.777, "ng/dL"),
        ("CA 125", 10.38, "U/mL"), ("CA 19-9", 12.83, "U/mL"),
    }  # fmt: skip
    assert [str(x.interpretation) for x in case.laboratory if x.test == "5-HIAA"] == ["normal"]
    ct = [f for i in case.imaging if i.modality == "ct" and i.months_from_diagnosis is None for f in i.findings]
    assert {(f.place, f.state.value) for f in ct} == {
        ("groin", "present"), ("pelvic sidewall", "present"), ("lungs", "absent"), ("liver", "absent"),
    }  # fmt: skip
    later = [i for i in case.imaging if i.months_from_diagnosis == 6]
    assert later
    assert all(f.state == "absent" for f in later[0].findings)
    excision, dissection = case.procedures
    assert excision.tumour_size_cm == 6
    assert set(excision.structures_invaded) == {"adherent to skin", "rectus femoris", "sartorius", "vastus medialis"}
    assert (dissection.kind, dissection.nodes_removed, dissection.nodes_positive) == ("node_dissection", 7, 2)
    assert dissection.not_done
    m = case.morphology
    assert {"insular", "trabecular"} <= set(m.architecture)
    assert (m.cell_size, m.necrosis, m.chromatin) == ("small", "extensive", ("salt_and_pepper",))
    stains = {x.marker: x for x in case.markers}
    assert set(stains) == {"chromogranin_a", "cd56", "nse", "pan_cytokeratin"}
    assert all(x.state == "present" for x in stains.values())
    assert (stains["chromogranin_a"].pattern, stains["chromogranin_a"].compartment) == ("granular", "cytoplasmic")
    assert stains["cd56"].compartment == "membranous"
    assert stains["pan_cytokeratin"].pattern == "perinuclear_dot"
    assert stains["pan_cytokeratin"].clone == "AE1/AE3"
    assert {x.method for x in stains.values()} == {"LSAB"}
    assert [(k.percent, k.bound) for k in case.ki67] == [(65, "at_most")]
    assert {t.kind.value for t in case.treatments} == {"surgery", "radiotherapy"}
    assert [(f.months, str(f.status)) for f in case.follow_up] == [(6, "no_evidence_of_disease")]
    assert case.working_diagnosis is not None
    assert case.working_diagnosis.entity == "primary_cutaneous_net"
    assert case.molecular == ()


def check_spans(text: str, reading: Reading) -> None:
    assert reading.facts
    for fact in reading.facts:
        assert text[fact.start : fact.end] == fact.text
        assert fact.end > fact.start


def test_the_shipped_example() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    reading = read_text(text)
    check_thigh_mass(reading.case)
    check_spans(text, reading)
    assert reading.case.claims == ()


def test_reading_is_deterministic() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert read_text(text).model_dump_json() == read_text(text).model_dump_json()


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published report is not at hand")
def test_the_published_report() -> None:
    text = PUBLISHED.read_text(encoding="utf-8")
    reading = read_text(text)
    check_thigh_mass(reading.case)
    check_spans(text, reading)
    claims = reading.case.claims
    assert any(c.subject == "mibg_scan" and c.percent == 60 for c in claims)
    assert any((c.low_percent, c.high_percent) == (72, 87) for c in claims)
    assert any((c.percent, c.years) == (70, 5) for c in claims)
    assert any(c.high_percent == 50 and c.years == 5 for c in claims)
    assert any(c.kind == "diagnosis_argument" and "globs" in c.text for c in claims)
    assert "Craiova" not in reading.case.model_dump_json()
    assert {"narrative.identifier.name", "narrative.identifier.place"} <= {i.code for i in reading.issues}


@pytest.mark.skipif(not VIGNETTES.exists(), reason="the vignettes are not at hand")
@pytest.mark.parametrize("key", ["vignette", "vignette_plain"])
def test_stains_of_published_vignettes(key: str) -> None:
    outcomes: Counter[str] = Counter()
    for line in VIGNETTES.read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        truth = {resolve_marker(k) or k: _state(v) for k, v in row["markers"].items() if k != "Ki-67"}
        read = {(m.marker, m.state.value) for m in read_text(row[key]).case.markers if m.state != "not_tested"}
        outcomes["hit"] += len(read & set(truth.items()))
        outcomes["wrong"] += len(read - set(truth.items()))
        outcomes["missed"] += len(set(truth.items()) - read)
    assert outcomes["hit"] / (outcomes["hit"] + outcomes["wrong"]) >= 0.97
    assert outcomes["hit"] / (outcomes["hit"] + outcomes["missed"]) >= 0.95


def _state(result: str) -> str:
    low = result.lower()
    return "equivocal" if "equivocal" in low else "absent" if "negative" in low else "present"


def test_a_structured_hospital_report() -> None:
    """Headings, labelled parts, a table of stains set with blanks, a header full of identifiers (all invented)."""
    text = (Path(__file__).parent / "hospital_report.txt").read_text(encoding="utf-8")
    reading = read_text(text)
    case = reading.case
    check_spans(text, reading)
    assert (case.patient.age_years, case.patient.sex) == (75, "male")
    site, size = case.presentation.site, case.presentation.size
    assert site is not None
    assert size is not None
    assert (site.region, site.side, case.presentation.setting) == ("upper_limb", "right", "skin")
    assert (size.dimensions_cm, case.presentation.duration_months) == ((1.8, 1.6), 3)
    assert {m.marker: m.state.value for m in case.markers} == {
        "pan_cytokeratin": "present", "ck20": "present", "ck7": "absent", "ttf1": "absent",
        "synaptophysin": "present",
        "chromogranin_a": "present", "cd45": "absent", "s100": "absent", "neurofilament": "present",
        "mcpyv_lt": "present",
    }  # fmt: skip
    assert [(k.percent, k.bound) for k in case.ki67] == [(80, "about")]
    excision, sentinel = case.procedures
    assert (excision.kind, excision.margins, excision.margin_mm) == ("excision", "negative", 2)
    assert (sentinel.kind, sentinel.nodes_removed, sentinel.nodes_positive) == ("sentinel_node_biopsy", 2, 1)
    mitoses = case.morphology.mitoses
    assert mitoses is not None
    assert (mitoses.count, mitoses.area_mm2) == (32, 1)
    assert case.working_diagnosis is not None
    assert case.working_diagnosis.entity == "merkel_cell_carcinoma"
    record = case.model_dump_json()
    assert not [word for word in ("Smith", "Brown", "Roe", "00123456", "S17-04567", "1941", "2017") if word in record]
