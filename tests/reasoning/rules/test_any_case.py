"""Any case that the record accepts is graded, staged and planned without failing, every statement with its source."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kulchitsky.case import vocabulary as v
from kulchitsky.case.record import Case
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.knowledge.rules import load_rules
from kulchitsky.reasoning.facts import facts_of
from kulchitsky.reasoning.grade import grade
from kulchitsky.reasoning.plan import plan
from kulchitsky.reasoning.stage import stage
from kulchitsky.reasoning.stage_facts import stage_facts

RULES = load_rules()
ENTITIES = sorted(load_knowledge().entities)
WORDS = [
    "left groin",
    "iliac node",
    "liver",
    "lung",
    "mesenteric mass 3 cm",
    "bone",
    "axilla",
    "hilum",
    "brain",
    "",
    "skin",
]
STATES = [state.value for state in v.State]


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


FINDINGS = st.fixed_dictionaries(
    {
        "what": st.sampled_from(["metastasis", "enlarged nodes", "lesion", "uptake", "solitary metastasis", "cyst"]),
        "place": st.sampled_from(WORDS),
        "state": st.sampled_from(STATES),
    },
    optional={"side": st.sampled_from(["left", "right"])},
)
IMAGING = st.fixed_dictionaries(
    {"modality": st.sampled_from([m.value for m in v.Modality]), "findings": st.lists(FINDINGS, max_size=3)}
)
NODES = st.integers(0, 20).flatmap(lambda n: st.tuples(st.just(n), _maybe(st.integers(0, n))))


@st.composite
def procedures(draw: st.DrawFn) -> dict[str, Any]:
    removed, positive = draw(NODES)
    return {
        "kind": draw(st.sampled_from([k.value for k in v.ProcedureKind])),
        "tumour_size_cm": draw(_maybe(st.floats(0.1, 20))),
        "invades": draw(st.lists(st.sampled_from([layer.value for layer in v.Layer]), max_size=3, unique=True)),
        "structures_invaded": draw(
            st.lists(st.sampled_from(["spleen", "chest wall", "duodenum", "fascia"]), max_size=2)
        ),
        "node_station": draw(st.sampled_from(WORDS)),
        **({"nodes_removed": removed, "nodes_positive": positive} if draw(st.booleans()) else {}),
    }


@st.composite
def cases(draw: st.DrawFn) -> Case:
    mitoses = draw(
        _maybe(
            st.one_of(
                st.fixed_dictionaries({"count": st.integers(0, 300), "area_mm2": st.floats(0.5, 50)}),
                st.fixed_dictionaries({"per_2mm2": st.floats(0, 200)}),
                st.just({"words": "rare"}),
            )
        )
    )
    ki67 = draw(
        st.lists(
            st.one_of(
                st.fixed_dictionaries(
                    {
                        "percent": st.floats(0, 100),
                        "bound": st.sampled_from(["exact", "at_most", "at_least", "about"]),
                    }
                ),
                st.just({"low_percent": 10, "high_percent": 40}),
                st.integers(1, 3000).flatmap(
                    lambda n: st.fixed_dictionaries({"counted": st.just(n), "positive": st.integers(0, n)})
                ),
            ),
            max_size=2,
        )
    )
    return Case.model_validate(
        {
            "patient": {"age_years": draw(_maybe(st.integers(0, 110))), "ecog": draw(_maybe(st.integers(0, 5)))},
            "presentation": {
                "setting": draw(_maybe(st.sampled_from([s.value for s in v.Setting]))),
                "site": {
                    "region": draw(_maybe(st.sampled_from([r.value for r in v.Region]))),
                    "side": draw(_maybe(st.sampled_from(["left", "right"]))),
                    "topography": draw(
                        _maybe(st.sampled_from(["C44.7", "C25.9", "C17.0", "C80.9", "C34.1", "C77.4"]))
                    ),
                },
                "primary_found": draw(_maybe(st.sampled_from(STATES))),
                "nodes": draw(
                    st.lists(
                        st.fixed_dictionaries({"station": st.sampled_from(WORDS), "state": st.sampled_from(STATES)}),
                        max_size=2,
                    )
                ),
            },
            "comorbidities": [
                {"name": n} for n in draw(st.lists(st.sampled_from(["heart failure", "COPD"]), max_size=2))
            ],
            "laboratory": draw(
                st.lists(
                    st.fixed_dictionaries(
                        {
                            "test": st.sampled_from(["CEA", "CgA", "NSE", "5-HIAA", "unheard of"]),
                            "value": st.floats(0, 1e6),
                            "unit": st.sampled_from(["ng/dL", "ng/mL", "U/L", "mg/24h", "nonsense"]),
                        }
                    ),
                    max_size=2,
                )
            ),
            "imaging": draw(st.lists(IMAGING, max_size=2)),
            "procedures": draw(st.lists(procedures(), max_size=2)),
            "morphology": {
                "mitoses": mitoses,
                "necrosis": draw(_maybe(st.sampled_from([n.value for n in v.NecrosisExtent]))),
                "differentiation": draw(_maybe(st.sampled_from([d.value for d in v.Differentiation]))),
                "cell_size": draw(_maybe(st.sampled_from([c.value for c in v.CellSize]))),
            },
            "ki67": ki67,
            "markers": [
                {"marker": m, "state": draw(st.sampled_from(STATES))}
                for m in draw(
                    st.lists(st.sampled_from(["p53", "rb1", "sstr2", "atrx_daxx_loss"]), max_size=3, unique=True)
                )
            ],
            "working_diagnosis": {"entity": draw(_maybe(st.sampled_from(ENTITIES)))},
            "claims": [{"kind": "prognosis", "text": "survival 50 % with metastases", "percent": 50}],
            "follow_up": [{"months": draw(st.integers(0, 120)), "status": "alive"}] if draw(st.booleans()) else [],
        }
    )


@settings(max_examples=150, deadline=None)
@given(case=cases())
def test_any_case_is_worked_up_and_every_statement_has_a_source(case: Case) -> None:
    graded = grade(case, RULES)
    staged = stage(case, RULES)
    planned = plan(case, RULES, differential=None, grade=graded, stage=staged, today=dt.date(2026, 1, 31))
    for verdict in graded:
        assert verdict.grade
        assert not verdict.probabilities or abs(sum(verdict.probabilities.values()) - 1) < 1e-9
        assert all(reason.sources for reason in (*verdict.basis, *verdict.would_change))
    for reading in staged.readings:
        assert reading.stage
        assert all(reason.sources for reason in reading.reasons)
    cited = {
        key
        for row in (*planned.prognosis.figures, *planned.tests, *planned.options, *planned.follow_up)
        for key in row.sources
    }
    assert cited <= set(RULES.references)
    for option in planned.options:
        assert option.sources
        assert option.sentence.strip()


@settings(max_examples=100, deadline=None)
@given(case=cases())
def test_every_fact_is_declared_with_its_kind_and_values(case: Case) -> None:
    kinds = {"Span": "number", "State": "state", "str": "choice", "frozenset": "set"}
    for name, fact in {**facts_of(case, RULES), **stage_facts(case, RULES, None)}.items():
        declared = RULES.facts[name]
        assert kinds[type(fact.value).__name__] == declared.kind, name
        if declared.kind == "choice" and declared.values:
            assert fact.value in declared.values, name
