"""Nothing that was recorded is left out of the report."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from enum import Enum
from typing import Any

import pytest

from kulchitsky.case.base import Record
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import WorkedUpCase
from kulchitsky.report import wording as w
from kulchitsky.report.html import render

FULL = {
    "patient": {"ecog": 2, "immune_suppression": {"state": "present", "cause": "chronic lymphocytic leukaemia"}},
    "presentation": {
        "lesions": "multiple",
        "known_other_tumour": "breast carcinoma in 1998",
        "site": {"text": "shin", "side": "right", "region": "lower_limb", "layer": "dermis", "topography": "C44.7"},
        "size": {"greatest_cm": 3.3, "dimensions_cm": [3.3, 2.1, 1.7], "method": "gross"},
    },
    "laboratory": [
        {"test": "chromogranin A", "value": 431.5, "comparator": ">", "unit": "ug/L", "specimen": "plasma"}
    ],
    "imaging": [
        {
            "modality": "sstr_pet",
            "body_parts": ["whole body"],
            "months_from_diagnosis": 1.5,
            "findings": [{"what": "uptake", "place": "pancreas", "state": "equivocal"}],
        }
    ],
    "procedures": [
        {
            "kind": "wide_excision",
            "site": "calf",
            "margins": "close",
            "margin_mm": 0.9,
            "in_transit": "absent",
            "nodes_removed": 14,
            "node_station": "popliteal",
        }
    ],
    "specimens": [{"id": "B7", "kind": "recurrence", "site": "knee", "setting": "skin", "after_treatment": True}],
    "morphology": {
        "nucleoli": "inconspicuous",
        "cell_shape": ["spindle"],
        "differentiation": "poor",
        "mitoses": {"count": 37, "area_mm2": 10.2, "per_2mm2": 7.3},
        "features": [{"feature": "nuclear_moulding", "state": "equivocal", "detail": "at one edge"}],
    },
    "markers": [
        {
            "marker": "synaptophysin",
            "state": "present",
            "extent": "patchy",
            "intensity": "weak",
            "percent": 17.5,
            "clone": "DAK-SYNAP",
            "method": "polymer",
            "specimen": "B7",
        }
    ],
    "ki67": [
        {"low_percent": 31, "high_percent": 43, "method": "MIB-1", "specimen": "B7", "hotspot": True},
        {"percent": 36.4, "counted": 1511, "positive": 550},
    ],
    "molecular": [{"test": "EWSR1 rearrangement", "state": "absent", "detail": "break-apart FISH"}],
    "treatments": [
        {"kind": "prrt", "detail": "four cycles", "site": "liver", "dose_gy": 45.5, "months_from_diagnosis": 9}
    ],
    "follow_up": [{"months": 19, "status": "progression", "detail": "bone"}],
    "working_diagnosis": {"text": "small cell carcinoma", "entity": "nec_small_cell_lung"},
    "notes": "Second opinion asked for.",
}

NOT_PRINTED = {
    "schema_version",
    "origin",
    "comparator",
    "bound",
    "hotspot",
    "after_treatment",
    "diagnosed_on",
    "entity",
}


def leaves(thing: Any, name: str = "") -> list[str]:
    """Every filled value of a record as it should be printed."""
    if isinstance(thing, Record):
        filled = [n for n in thing.model_fields_set if n not in NOT_PRINTED]
        return [leaf for n in filled for leaf in leaves(getattr(thing, n), n)]
    if isinstance(thing, tuple):
        return [leaf for item in thing for leaf in leaves(item, name)]
    if isinstance(thing, Enum):
        return [w.words(str(thing.value))]
    if isinstance(thing, str):
        return [w.words(thing)]
    return [] if thing is None else [w.number(thing)]


@pytest.mark.parametrize("which", ["full", "thigh"])
def test_every_recorded_value_is_printed(which: str, worked: WorkedUpCase) -> None:
    case = (
        Case.model_validate(FULL) if which == "full" else worked.case.model_copy(update={"claims": (), "slides": ()})
    )
    page = render(worked.model_copy(update={"case": case, "counts": (), "readings": (), "pictures": ()}))
    tree = ET.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    annex = next(e for e in tree.iter("section") if e.get("id") == "recorded")
    said = "".join(annex.itertext()).lower()
    marker_names = {w.words(m.marker): worked.names.get(m.marker, w.words(m.marker)) for m in case.markers}
    wanted = [marker_names.get(leaf, leaf) for leaf in leaves(case) if leaf != case.id]
    assert len(wanted) > 60
    assert [leaf for leaf in wanted if leaf.lower() not in said] == []
