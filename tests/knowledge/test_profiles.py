"""The profiles: every word is known, every entity is covered, inheritance works, wrong rows are refused."""

from __future__ import annotations

from typing import Any

import pytest

from kulchitsky.case import vocabulary as v
from kulchitsky.case.errors import BrokenKnowledge
from kulchitsky.knowledge import profiles as module
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.knowledge.clinical_words import load_clinical_words
from kulchitsky.knowledge.model import load_model
from kulchitsky.knowledge.ordering import load_ordering
from kulchitsky.knowledge.profiles import NONE_OF_THESE, load_profiles
from kulchitsky.knowledge.setting_words import load_setting_words

PROFILES = load_profiles()
MORPHOLOGY = {
    f"{prefix}_{value.value}"
    for prefix, words in {
        "arch": v.Architecture,
        "size": v.CellSize,
        "shape": v.CellShape,
        "chrom": v.Chromatin,
        "nucleoli": v.Nucleoli,
        "feat": v.Feature,
        "diff": v.Differentiation,
    }.items()
    for value in words
} | {"necrosis", "layer_dermis", "layer_subcutis", "layer_deep"}


def test_every_finding_is_a_marker_a_morphological_value_or_a_clinical_word() -> None:
    known = set(load_knowledge().markers) | MORPHOLOGY | set(load_clinical_words())
    for p in PROFILES.profiles:
        assert set(p.rates) <= known, (p.id, set(p.rates) - known)
        assert p.apart <= known


def test_every_clinical_word_has_a_background_rate() -> None:
    assert set(load_clinical_words()) <= set(PROFILES.background)


def test_places_and_regions_are_of_the_vocabulary() -> None:
    for p in PROFILES.profiles:
        assert set(p.places) <= {s.value for s in v.Setting}
        assert set(p.regions) <= {r.value for r in v.Region}
        assert p.places, p.id


def test_settings_told_by_words_are_of_the_vocabulary() -> None:
    known, words = {s.value for s in v.Setting}, load_setting_words()
    assert {setting for setting, _ in words.patterns} | set(words.topographies.values()) <= known


def test_every_entity_has_profiles_whose_shares_sum_to_one() -> None:
    assert PROFILES.entities == (*(e.id for e in load_knowledge().differential), NONE_OF_THESE)
    for entity in PROFILES.entities:
        mine = [p for p in PROFILES.profiles if p.entity == entity]
        assert sum(p.share for p in mine) == pytest.approx(1)
        assert all(p.base > 0 for p in mine)


def test_components_are_those_of_the_entities() -> None:
    known = {e.id: {c.id for c in e.components} for e in load_knowledge().differential}
    for p in PROFILES.profiles:
        assert not p.component or p.component in known[p.entity], p.id


def test_sources_of_profiles_resolve() -> None:
    cited = [(p.id, key) for p in PROFILES.profiles for keys in p.cites.values() for key in keys]
    assert cited
    assert [c for c in cited if c[1] not in load_knowledge().references] == []


def test_quantities_are_possible() -> None:
    for p in PROFILES.profiles:
        assert p.age is not None
        assert 0 < p.age[0] < 100
        assert p.ki67 is not None
        assert 0 < p.ki67[1] < p.ki67[0] < p.ki67[2] < 100, p.id
        assert 0 < p.male[0] < 1
        for shape in (p.mitoses, p.duration_months, p.size_cm):
            assert shape is None or (shape[0] > 0 and shape[1] > 1)


def test_a_profile_inherits_what_it_does_not_state() -> None:
    by_id = {p.id: p for p in PROFILES.profiles}
    negative, positive = by_id["mcc_virus_negative"], by_id["mcc_virus_positive"]
    assert negative.rates["mcpyv_lt"].mean < 0.05 < 0.8 < positive.rates["mcpyv_lt"].mean
    assert negative.rates["satb2"] == positive.rates["satb2"]
    assert negative.rates["cd3"].origin == "any"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"always": "ck20", "never": "ck20"}, "states 'ck20' twice"),
        ({"sometimes": "ck20"}, "unknown keys"),
        ({"parent": "nobody"}, "wrong parent 'nobody'"),
    ],
)
def test_wrong_rows_are_refused(table: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.read_toml

    def with_wrong_row(name: str) -> dict[str, Any]:
        found = real(name)
        return {**found, "wrong": {"entity": "melanoma", **table}} if name.endswith("mimics.toml") else found

    monkeypatch.setattr(module, "read_toml", with_wrong_row)
    with pytest.raises(BrokenKnowledge, match=message):
        load_profiles.__wrapped__()


def test_routine_stains_and_parameters_are_usable() -> None:
    assert set(load_ordering().routine) <= set(load_knowledge().markers)
    model = load_model()
    assert 0 < model.redundant_stains <= model.other_stains <= 1
    assert 0 < model.stain_floor < 0.1
    assert model.focal_of_negative < model.focal_of_positive
    assert model.redundant_groups <= set(load_knowledge().groups)
