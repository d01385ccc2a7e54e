"""What must hold of every grade: monotone in both indices, probabilities that sum to one and sharpen."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kulchitsky.case.record import Case
from kulchitsky.knowledge.rules import load_rules
from kulchitsky.reasoning.grade import grade
from kulchitsky.reasoning.index_uncertainty import CountedRate, CountedShare

RULES = load_rules()
ORDER = {
    "pancreas": ["G1", "G2", "G3"],
    "lung": ["typical carcinoid", "atypical carcinoid", "carcinoid with elevated mitotic count"],
}


def _grade(organ: str, mitoses: float, ki67: float, differentiation: str = "well") -> str:
    case = Case.model_validate(
        {
            "presentation": {"setting": organ},
            "morphology": {
                "mitoses": {"per_2mm2": mitoses},
                "differentiation": differentiation,
                "necrosis": "absent",
            },
            "ki67": [{"percent": ki67}],
        }
    )
    return grade(case, RULES)[0].grade


@settings(max_examples=60, deadline=None)
@given(
    organ=st.sampled_from(sorted(ORDER)),
    mitoses=st.floats(0, 60),
    more=st.floats(0, 60),
    ki67=st.floats(0, 100),
)
def test_more_mitoses_never_lower_the_grade(organ: str, mitoses: float, more: float, ki67: float) -> None:
    order = ORDER[organ]
    assert order.index(_grade(organ, mitoses + more, ki67)) >= order.index(_grade(organ, mitoses, ki67))


@settings(max_examples=60, deadline=None)
@given(
    organ=st.sampled_from(sorted(ORDER)),
    mitoses=st.floats(0, 60),
    ki67=st.tuples(st.floats(0, 100), st.floats(0, 100)),
)
def test_a_higher_ki67_never_lowers_the_grade(organ: str, mitoses: float, ki67: tuple[float, float]) -> None:
    order = ORDER[organ]
    low, high = sorted(ki67)
    assert order.index(_grade(organ, mitoses, high)) >= order.index(_grade(organ, mitoses, low))


def _counted(positive: int, counted: int, mitoses: int, area: float) -> Case:
    return Case.model_validate(
        {
            "presentation": {"setting": "pancreas"},
            "morphology": {"mitoses": {"count": mitoses, "area_mm2": area}},
            "ki67": [{"counted": counted, "positive": positive}],
        }
    )


@settings(max_examples=60, deadline=None)
@given(
    counted=st.integers(1, 5000),
    share=st.floats(0, 1),
    mitoses=st.integers(0, 100),
    area=st.floats(0.5, 20),
)
def test_probabilities_sum_to_one(counted: int, share: float, mitoses: int, area: float) -> None:
    verdict = grade(_counted(round(counted * share), counted, mitoses, area), RULES)[0]
    assert sum(verdict.probabilities.values()) == pytest.approx(1)
    assert min(verdict.probabilities.values()) >= 0


@pytest.mark.parametrize("percent", [1, 8, 12, 40])
def test_probabilities_sharpen_with_more_cells(percent: int) -> None:
    """With the same index and area, the probability of the grade that the index gives does not fall."""
    tops = []
    for hundreds in (1, 4, 16, 64):
        verdict = grade(_counted(percent * hundreds, 100 * hundreds, hundreds, 3.0 * hundreds), RULES)[0]
        tops.append(
            max(
                verdict.probabilities.get("G3", 0) + verdict.probabilities.get("NEC", 0),
                *verdict.probabilities.values(),
            )
        )
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(tops))
    assert tops[-1] > 0.99


# exact: Beta and Gamma tails by scipy.stats, an implementation apart from the one used
@given(counted=st.integers(1, 3000), data=st.data(), cut=st.floats(0.1, 99.9))
def test_share_below_a_cut_is_the_beta_tail(counted: int, data: st.DataObject, cut: float) -> None:
    positive = data.draw(st.integers(0, counted))
    expected = stats.beta(positive + 0.5, counted - positive + 0.5).cdf(cut / 100)
    assert CountedShare(positive, counted).below(cut) == pytest.approx(float(expected), abs=1e-9)


@given(count=st.integers(0, 200), area=st.floats(0.2, 50), cut=st.floats(0.1, 100))
def test_rate_below_a_cut_is_the_gamma_tail(count: int, area: float, cut: float) -> None:
    expected = stats.gamma(count + 0.5, scale=2 / area).cdf(cut)
    assert CountedRate(count, area).below(cut) == pytest.approx(float(expected), abs=1e-9)


@given(counted=st.integers(1, 3000), data=st.data())
def test_interval_holds_95_percent_of_the_posterior(counted: int, data: st.DataObject) -> None:
    positive = data.draw(st.integers(0, counted))
    low, high = CountedShare(positive, counted).interval(0.95)
    posterior = stats.beta(positive + 0.5, counted - positive + 0.5)
    assert float(posterior.cdf(high / 100) - posterior.cdf(low / 100)) == pytest.approx(0.95, abs=1e-6)


def test_a_bare_percentage_has_no_probabilities() -> None:
    case = Case.model_validate({"presentation": {"setting": "pancreas"}, "ki67": [{"percent": 19}]})
    verdict = grade(case, RULES)[0]
    assert verdict.probabilities == {}
    assert "grade.interval_unknown" in {issue.code for issue in verdict.issues}
    assert any("Were the index 19 %" in reason.sentence for reason in verdict.would_change)


def test_advice_on_further_counting_is_enough_and_not_far_too_much() -> None:
    """The number of cells that the advice names makes the grade 95 % sure; nine tenths of it do not."""
    case = _counted(110, 500, 60, 10.0)
    verdict = grade(case, RULES)[0]
    assert max(verdict.probabilities.values()) < 0.95 or verdict.probabilities.get("G2", 0) > 0.05
    sentence = next(r.sentence for r in verdict.would_change if r.rule == "grading.counting.ki67_percent")
    total = int(sentence.split("(")[1].split(" in all")[0])

    def high_grade(cells: int) -> float:
        found = grade(_counted(round(0.22 * cells), cells, 60, 10.0), RULES)[0].probabilities
        return found.get("G3", 0) + found.get("NEC", 0)

    assert high_grade(round(total * 1.02)) >= 0.945
    assert high_grade(round(total * 0.85)) < 0.95


def test_a_value_on_a_cut_off_is_never_settled_by_counting() -> None:
    verdict = grade(_counted(300, 1500, 2, 10.0), RULES)[0]
    assert any("No practicable count" in reason.sentence for reason in verdict.would_change)


MakeCase = Callable[..., Case]


@pytest.mark.parametrize(
    ("markers", "name"),
    [
        ([], "undetermined"),
        ([{"marker": "rb1", "state": "absent", "pattern": "lost"}], "NEC"),
    ],
)
def test_net_g3_against_nec_needs_more_than_the_count(
    markers: list[dict[str, str]], name: str, make_case: MakeCase
) -> None:
    case = make_case(
        presentation={"setting": "pancreas"},
        morphology={"mitoses": {"per_2mm2": 30}},
        ki67=[{"percent": 65}],
        markers=markers,
    )
    verdict = grade(case, RULES)[0]
    assert verdict.grade == name
    assert verdict.differentiation["NEC"] > 0.9
    assert sum(verdict.differentiation.values()) == pytest.approx(1)


def test_kept_rb_speaks_for_net_g3(make_case: MakeCase) -> None:
    base = {
        "presentation": {"setting": "pancreas"},
        "morphology": {"mitoses": {"per_2mm2": 30}},
        "ki67": [{"percent": 35}],
    }
    without = grade(make_case(**base), RULES)[0].differentiation["NET G3"]
    kept = grade(make_case(**base, markers=[{"marker": "rb1", "state": "present", "pattern": "retained"}]), RULES)[
        0
    ].differentiation["NET G3"]
    lost = grade(make_case(**base, markers=[{"marker": "rb1", "state": "absent"}]), RULES)[0].differentiation[
        "NET G3"
    ]
    assert lost < without < kept
