"""What must hold of every stage: a further positive node never lowers it, and the possible stages hold the stage."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulchitsky.case.record import Case
from kulchitsky.knowledge.rules import load_rules
from kulchitsky.knowledge.rules_check import matches_group
from kulchitsky.knowledge.rules_staging import Scheme
from kulchitsky.reasoning.stage import stage

RULES = load_rules()
SITES = {
    "merkel_cell_carcinoma": ("skin", "left inguinal"),
    "net_midgut": ("small_bowel", "mesenteric"),
    "net_pancreas": ("pancreas", "peripancreatic"),
    "net_lung": ("lung", "left hilar"),
    "net_rectum": ("colorectum", "mesorectal"),
    "net_duodenum_stomach": ("stomach", "perigastric"),
}
LAYERS = ["mucosa", "submucosa", "muscularis_propria", "subserosa", "serosa", "dermis", "subcutis", "muscle"]


def _case(entity: str, size: float, layers: list[str], removed: int, positive: int, felt: str | None) -> Case:
    setting, station = SITES[entity]
    nodes: list[dict[str, Any]] = [{"station": station, "state": felt}] if felt is not None else []
    return Case.model_validate(
        {
            "presentation": {
                "setting": setting, "site": {"side": "left", "region": "lower_limb"}, "nodes": nodes
            },
            "procedures": [
                {
                    "kind": "resection",
                    "tumour_size_cm": size,
                    "invades": layers,
                    "nodes_removed": removed,
                    "nodes_positive": positive,
                    "node_station": station,
                }
            ],
            "working_diagnosis": {"entity": entity},
        }
    )  # fmt: skip


def _lowest_and_highest(case: Case) -> dict[str, tuple[int, int]]:
    found = {}
    for reading in stage(case, RULES).readings:
        scheme = next((s for s in RULES.staging.schemes if s.id == reading.scheme), None)
        if scheme is None or not scheme.groups or not reading.possible:
            continue
        order = list(dict.fromkeys(row.stage for row in scheme.groups))
        ranks = [order.index(name) for name in reading.possible]
        found[f"{reading.scheme} {reading.authority}"] = (min(ranks), max(ranks))
    return found


@settings(max_examples=80, deadline=None)
@given(
    entity=st.sampled_from(sorted(SITES)),
    size=st.floats(0.2, 12),
    layers=st.lists(st.sampled_from(LAYERS), min_size=1, max_size=4, unique=True),
    removed=st.integers(1, 30),
    data=st.data(),
    felt=st.sampled_from([None, "present", "absent"]),
)
def test_a_further_positive_node_never_lowers_the_stage(
    entity: str, size: float, layers: list[str], removed: int, data: st.DataObject, felt: str | None
) -> None:
    positive = data.draw(st.integers(0, removed - 1))
    before = _lowest_and_highest(_case(entity, size, layers, removed, positive, felt))
    after = _lowest_and_highest(_case(entity, size, layers, removed, positive + 1, felt))
    for scheme in before.keys() & after.keys():
        assert after[scheme][0] >= before[scheme][0]
        assert after[scheme][1] >= before[scheme][1]


@settings(max_examples=60, deadline=None)
@given(
    entity=st.sampled_from(sorted(SITES)),
    size=st.floats(0.2, 12),
    layers=st.lists(st.sampled_from(LAYERS), max_size=3, unique=True),
    positive=st.integers(0, 5),
)
def test_the_stage_is_one_of_the_possible_and_missing_facts_are_named(
    entity: str, size: float, layers: list[str], positive: int
) -> None:
    for reading in stage(_case(entity, size, layers, 5, positive, None), RULES).readings:
        if reading.stage not in ("undetermined", "not_staged"):
            assert reading.stage in reading.possible
        if len(reading.possible) > 1:
            assert reading.missing


@pytest.mark.parametrize("scheme", RULES.staging.schemes, ids=lambda scheme: scheme.id)
def test_known_stage_groups_cover_every_m1(scheme: Scheme) -> None:
    if not scheme.groups:
        pytest.skip("no stage groups are held for this edition")
    metastatic = [row.value for row in scheme.m if row.value != "M0"]
    for t in (row.value for row in scheme.t):
        for n in (row.value for row in scheme.n):
            for m in metastatic:
                stages = {row.stage for row in scheme.groups if matches_group(row, t, n, m)}
                assert len(stages) == 1
                assert stages.pop().startswith("IV")
