"""The differential: properties that hold for any case, textbook cases, and the thigh-mass case."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kulchitsky.case.record import Case
from kulchitsky.knowledge.base import KnowledgeBase, load_knowledge
from kulchitsky.knowledge.ordering import load_ordering
from kulchitsky.numerics.pooling import PooledProportion
from kulchitsky.reasoning.differential import differential
from kulchitsky.reasoning.findings import findings_of
from kulchitsky.reasoning.place import settings_of
from kulchitsky.reasoning.pool import rate_table
from kulchitsky.reasoning.posterior import posterior

CaseOf = Callable[[dict[str, Any]], Case]

KNOWLEDGE = load_knowledge()
MARKERS = load_ordering().routine
SETTINGS = ["skin", "soft_tissue", "lymph_node", "liver", "lung", "mediastinum", "pancreas", "thyroid", "bone"]

stain = st.fixed_dictionaries({"marker": st.sampled_from(MARKERS), "state": st.sampled_from(["present", "absent"])})
cases = st.builds(
    lambda stains, setting, age, ki67: Case.model_validate(
        {
            "patient": {"age_years": age},
            "presentation": {"setting": setting},
            "markers": stains,
            "ki67": [] if ki67 is None else [{"percent": ki67}],
        }
    ),
    st.lists(stain, max_size=10, unique_by=lambda s: s["marker"]),
    st.sampled_from(SETTINGS),
    st.integers(1, 95),
    st.none() | st.floats(0.5, 99),
)
quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

THIGH = {
    "patient": {"age_years": 77, "sex": "female"},
    "presentation": {
        "setting": "soft_tissue",
        "site": {"region": "lower_limb", "layer": "subcutis"},
        "duration_months": 3,
        "size": {"greatest_cm": 6},
    },
    "imaging": [{"modality": "ct", "findings": [{"what": "lesion", "place": "lung", "state": "absent"}]}],
    "morphology": {
        "architecture": ["insular", "trabecular"],
        "cell_size": "small",
        "chromatin": ["salt_and_pepper"],
        "necrosis": "extensive",
        "features": [{"feature": "atypical_mitoses", "state": "present"}],
    },
    "markers": [
        {"marker": "chromogranin_a", "state": "present", "pattern": "granular"},
        {"marker": "cd56", "state": "present", "compartment": "membranous"},
        {"marker": "nse", "state": "present"},
        {"marker": "pan_cytokeratin", "state": "present", "pattern": "perinuclear_dot"},
    ],
    "ki67": [{"percent": 65, "bound": "at_most"}],
}


@pytest.fixture(scope="module")
def thigh() -> Case:
    return Case.model_validate(THIGH)


@quick
@given(cases)
def test_posteriors_and_none_of_these_sum_to_one(case: Case) -> None:
    result = differential(case, KNOWLEDGE, draws=20)
    total = sum(d.posterior for d in result.diagnoses) + result.none_of_these
    assert total == pytest.approx(1, abs=1e-9)
    assert [d.posterior for d in result.diagnoses] == sorted((d.posterior for d in result.diagnoses), reverse=True)
    for d in result.diagnoses:
        assert 0 <= d.interval_95[0] <= d.posterior <= d.interval_95[1] <= 1


@quick
@given(cases, st.randoms(use_true_random=False))
def test_order_of_findings_changes_nothing(case: Case, random: Any) -> None:
    shuffled = list(case.markers)
    random.shuffle(shuffled)
    other = case.model_copy(update={"markers": tuple(shuffled)})
    assert differential(case, KNOWLEDGE, draws=20) == differential(other, KNOWLEDGE, draws=20)


@quick
@given(cases, st.sampled_from(MARKERS))
def test_not_tested_changes_nothing(case: Case, marker: str) -> None:
    if marker in {m.marker for m in case.markers}:
        return
    more = Case.model_validate(
        {**case.model_dump(), "markers": [*case.model_dump()["markers"], {"marker": marker, "state": "not_tested"}]}
    )
    assert differential(case, KNOWLEDGE, draws=20) == differential(more, KNOWLEDGE, draws=20)


@quick
@given(cases, stain)
def test_a_finding_that_favours_a_over_b_never_lowers_a_against_b(case: Case, extra: dict[str, str]) -> None:
    if extra["marker"] in {m.marker for m in case.markers}:
        return
    more = Case.model_validate({**case.model_dump(), "markers": [*case.model_dump()["markers"], extra]})
    before, after = posterior(case, KNOWLEDGE), posterior(more, KNOWLEDGE)
    if len(after.findings) == len(before.findings):
        # a bare "p53 negative" doesn't say whether it is wild type or null
        np.testing.assert_array_equal(after.entities, before.entities)
        return
    (new,) = set(after.findings) - set(before.findings)
    likelihood = np.exp(after.terms[after.findings.index(new)])
    lowest = np.array([likelihood[after.table.entity_of == e].min() for e in range(len(after.table.entities))])
    highest = np.array([likelihood[after.table.entity_of == e].max() for e in range(len(after.table.entities))])
    # every component of a is likelier to show it than every component of b
    favours = lowest[:, None] >= highest[None, :]
    odds_before = before.entities[:, None] / before.entities[None, :]
    odds_after = after.entities[:, None] / after.entities[None, :]
    assert np.all(odds_after[favours] >= odds_before[favours] * (1 - 1e-9))


@quick
@given(cases)
def test_weights_add_up_to_the_odds(case: Case) -> None:
    """Posterior odds with a finding are odds without it times its ratio."""
    post = posterior(case, KNOWLEDGE)
    result = differential(case, KNOWLEDGE, draws=0)
    for w in result.weights:
        finding = next(f for f in post.findings if f.label == w.finding)
        without = posterior(case, KNOWLEDGE, findings=[f for f in post.findings if f != finding])
        e = post.table.entities.index(w.entity)
        odds, odds_without = (x[e] / (1 - x[e]) for x in (post.entities, without.entities))
        if (
            min(post.entities[e], without.entities[e]) > 1e-9
            and max(post.entities[e], without.entities[e]) < 1 - 1e-9
        ):
            assert w.log10_lr == pytest.approx(math.log10(odds / odds_without), abs=1e-5)


def test_wider_evidence_gives_wider_intervals(thigh: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = differential(thigh, KNOWLEDGE, draws=1500)
    table = rate_table(KNOWLEDGE)

    def wider(p: PooledProportion) -> PooledProportion:
        return PooledProportion(p.mean, max(p.cases / 4, 1.0), min(4 * p.correlation + 0.05, 0.9))

    cells = {key: dataclasses.replace(c, pooled=wider(c.pooled)) for key, c in table.cells.items()}
    changed = dataclasses.replace(table, cells=cells)
    monkeypatch.setattr("kulchitsky.reasoning.posterior.rate_table", lambda _: changed)
    wide = differential(thigh, KNOWLEDGE, draws=1500)

    def width(result: Any, entity: str) -> float:
        low, high = next(d.interval_95 for d in result.diagnoses if d.entity == entity)
        return float(high - low)

    def spread(result: Any) -> float:
        counted = [w for w in result.weights if w.kind == "counts" and w.entity == "merkel_cell_carcinoma"]
        return sum(w.interval_95[1] - w.interval_95[0] for w in counted)

    assert narrow.diagnoses[0].posterior == pytest.approx(wide.diagnoses[0].posterior)
    assert width(wide, "merkel_cell_carcinoma") > width(narrow, "merkel_cell_carcinoma")
    assert spread(wide) > 1.2 * spread(narrow)


def test_same_seed_same_result(thigh: Case) -> None:
    first, again = differential(thigh, KNOWLEDGE, draws=50, seed=3), differential(thigh, KNOWLEDGE, draws=50, seed=3)
    assert first == again
    assert first != differential(thigh, KNOWLEDGE, draws=50, seed=4)


def test_thigh_mass_is_merkel_cell_carcinoma_before_a_well_differentiated_tumour(thigh: Case) -> None:
    result = differential(thigh, KNOWLEDGE, draws=500)
    by_entity = {d.entity: d for d in result.diagnoses}
    assert result.diagnoses[0].entity == "merkel_cell_carcinoma"
    ratio = by_entity["merkel_cell_carcinoma"].posterior / by_entity["primary_cutaneous_net"].posterior
    assert ratio > 100
    dot = next(w for w in result.weights if "dot" in w.finding and w.entity == "merkel_cell_carcinoma")
    assert dot.log10_lr > 0.2
    assert dot.sources


def test_every_source_of_a_weight_resolves(thigh: Case) -> None:
    for w in differential(thigh, KNOWLEDGE, draws=0).weights:
        assert set(w.sources) <= set(KNOWLEDGE.references), w.finding
        assert w.sentence.endswith(").")
        if w.kind == "counts":
            assert w.n_tested
            assert w.studies
            assert w.sources


def test_nothing_known_is_the_prior(knowledge: KnowledgeBase) -> None:
    result = differential(Case(), knowledge, draws=0)
    assert all(d.posterior == pytest.approx(d.prior) for d in result.diagnoses)
    assert {i.code for i in result.issues} == {"differential.setting.unknown", "differential.no_stains"}


def test_focal_staining_weighs_less_than_diffuse(case_of: CaseOf, knowledge: KnowledgeBase) -> None:
    base = {"setting": "skin", "age": 70, "negative": ["s100"]}

    def ratio(row: dict[str, Any]) -> float:
        found = {d.entity: d.posterior for d in differential(case_of(row), knowledge, draws=0).diagnoses}
        return found["merkel_cell_carcinoma"] / found["primary_cutaneous_lcnec"]

    none, focal, full = ratio(base), ratio({**base, "focal": ["ck20"]}), ratio({**base, "positive": ["ck20"]})
    assert none < focal < full


def test_a_panel_called_negative_equals_its_members_called_negative(
    case_of: CaseOf, knowledge: KnowledgeBase
) -> None:
    panel = posterior(case_of({"setting": "skin", "negative": ["lymphoid_panel"]}), knowledge)
    (finding,) = [f for f in panel.findings if f.kind == "panel"]
    assert set(finding.members) == {"cd45", "cd20", "cd3"}
    apart = posterior(case_of({"setting": "skin", "negative": ["cd45", "cd20", "cd3"]}), knowledge)
    np.testing.assert_allclose(panel.entities, apart.entities, rtol=1e-9)


def test_lost_protein_is_the_event_of_a_loss_marker(case_of: CaseOf, knowledge: KnowledgeBase) -> None:
    lost = findings_of(case_of({"negative": ["rb1"]}), knowledge)[0]
    kept = findings_of(case_of({"positive": ["rb1"]}), knowledge)[0]
    assert (lost.label, lost.event) == ("RB1 lost", True)
    assert (kept.label, kept.event) == ("RB1 retained", False)


def test_a_tumour_outside_the_list_is_named(case_of: CaseOf, knowledge: KnowledgeBase) -> None:
    row = {"setting": "pancreas", "age": 28, "sex": "female", "positive": ["beta_catenin", "cd10", "vimentin", "pr"]}
    result = differential(case_of({**row, "negative": ["chromogranin_a", "trypsin"]}), knowledge, draws=0)
    (issue,) = [i for i in result.issues if i.code == "differential.outside_the_list"]
    assert "solid pseudopapillary neoplasm" in issue.message
    merkel = differential(
        case_of({"setting": "skin", "age": 80, "positive": ["ck20", "neurofilament"]}), knowledge, draws=0
    )
    assert not [i for i in merkel.issues if i.code == "differential.outside_the_list"]


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ({"text": "skin of the left cheek"}, ("skin",)),
        ({"text": "right inguinal lymph node"}, ("lymph_node",)),
        ({"text": "segment IV of the liver"}, ("liver",)),
        ({"topography": "C49.2"}, ("soft_tissue",)),
        ({"text": "somewhere"}, ()),
    ],
)
def test_setting_is_told_by_site_or_code_where_none_is_named(site: dict[str, str], expected: tuple[str, ...]) -> None:
    assert settings_of(Case.model_validate({"presentation": {"site": site}})) == expected
    named = Case.model_validate({"presentation": {"site": site, "setting": "lung"}})
    assert settings_of(named) == ("lung",)
