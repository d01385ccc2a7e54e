"""Words as people write them lead to one id, or to none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulchitsky.knowledge.aliases import folded, resolve_entity, resolve_marker
from kulchitsky.knowledge.base import load_knowledge

MARKERS = [
    ("CgA", "chromogranin_a"),
    ("Chromogranin-A", "chromogranin_a"),
    ("AE1/AE3", "pan_cytokeratin"),
    ("pan CK", "pan_cytokeratin"),
    ("CD117 (KIT)", "ckit_cd117"),
    ("c-kit", "ckit_cd117"),
    ("CK34βE12", "hmwck"),
    ("34betaE12", "hmwck"),
    ("MIB-1", "ki67"),
    ("estrogen receptor", "er"),
    ("CM2B4", "mcpyv_lt"),
    ("Islet-1", "islet1"),
    ("LCA", "cd45"),
    ("INI-1", "ini1_retained"),
    ("not a stain", None),
    ("", None),
]

ENTITIES = [
    ("PNET", "ewing_sarcoma"),
    ("pNET", "net_pancreas"),
    ("pnet", None),
    ("oat cell carcinoma", "nec_small_cell_lung"),
    ("Merkel cell tumor", "merkel_cell_carcinoma"),
    ("MCC", "merkel_cell_carcinoma"),
    ("pheochromocytoma", "paraganglioma"),
    ("influenza", None),
]


@pytest.mark.parametrize(("text", "expected"), MARKERS)
def test_markers(text: str, expected: str | None) -> None:
    assert resolve_marker(text) == expected


@pytest.mark.parametrize(("text", "expected"), ENTITIES)
def test_entities(text: str, expected: str | None) -> None:
    assert resolve_entity(text) == expected


def test_every_id_resolves_to_itself() -> None:
    base = load_knowledge()
    assert all(resolve_marker(m) == m for m in base.markers)
    assert all(resolve_entity(e.id) == e.id for e in base.differential)


@given(st.sampled_from(sorted(load_knowledge().markers)), st.sampled_from(["-", " ", "/", ""]))
def test_spacing_and_case_change_nothing(marker: str, mark: str) -> None:
    assert resolve_marker(marker.upper().replace("_", mark)) == marker


@given(st.text(alphabet="abCDeEoOuUrRmMtT19 -/.()αβ", max_size=40))
def test_folding_is_stable(text: str) -> None:
    assert folded(folded(text)) == folded(text)
