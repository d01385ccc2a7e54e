"""Survival against printed output of R's survival package, and against its own definition.

``lung`` and ``rossi`` are the data sets of R's survival and carData packages as lifelines ships them. The R output
is what R prints for the call in each test (``status == 2`` of R's ``lung`` is 1 here).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.datasets import load_lung, load_rossi
from PIL import Image

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.case.fields import survival_of
from kulchitsky.case.record import Case
from kulchitsky.registry.cox import cox, fit_cox
from kulchitsky.registry.packing import PackedCases
from kulchitsky.registry.selection import parse_condition, select
from kulchitsky.registry.store import Registry
from kulchitsky.registry.survival import kaplan_meier, log_rank, survival
from kulchitsky.registry.survival_figure import draw_survival, month_ticks

Make = Callable[..., Case]


@pytest.fixture(scope="module")
def lung() -> pd.DataFrame:
    return load_lung()


def test_medians_as_r_prints_them(lung: pd.DataFrame) -> None:
    """R: survfit(Surv(time, status) ~ sex, data = lung) (default interval, conf.type = "log")

            n events median 0.95LCL 0.95UCL
    sex=1 138    112    270     212     310
    sex=2  90     53    426     348     550
    """
    printed = {1: (138, 112, 270, 212, 310), 2: (90, 53, 426, 348, 550)}
    for sex, expected in printed.items():
        rows = lung[lung.sex == sex]
        curve = kaplan_meier(rows.time, rows.status, interval="log")
        assert (curve.cases, curve.events, curve.median_months, *curve.median_interval) == expected


def test_log_rank_as_r_prints_it(lung: pd.DataFrame) -> None:
    """R: survdiff(Surv(time, status) ~ sex, data = lung): Chisq= 10.3 on 1 degrees of freedom, p= 0.001."""
    test = log_rank(lung.time, lung.status, lung.sex)
    assert round(test.statistic, 1) == 10.3
    assert (test.degrees, round(test.p_value, 3)) == (1, 0.001)


def test_cox_as_r_prints_it(lung: pd.DataFrame) -> None:
    """R: coxph(Surv(time, status) ~ age + sex, lung): coef 0.017045, -0.513219; se 0.009223, 0.167458;
    concordance 0.603; likelihood ratio test 14.12 on 2 df. cox.zph (survival >= 3.0): age 0.209 (p 0.65),
    sex 2.608 (p 0.11), GLOBAL 2.771 on 2 df (p 0.25).
    """
    columns = {name: lung[name].to_numpy(dtype=float) for name in ("age", "sex")}
    model = fit_cox(lung.time.to_numpy(float), lung.status.to_numpy(float), columns)
    age, sex = model.coefficients
    assert (round(age.coefficient, 5), round(sex.coefficient, 4)) == (0.01705, -0.5132)
    assert (round(age.standard_error, 6), round(sex.standard_error, 6)) == (0.009223, 0.167458)
    assert round(model.likelihood_ratio, 2) == 14.12
    assert round(model.concordance, 3) == 0.603
    assert [round(s.statistic or 0, 3) for s in model.slopes] == [0.209, 2.608, 2.771]
    assert [round(s.p_value or 0, 2) for s in model.slopes] == [0.65, 0.11, 0.25]
    assert model.slopes[-1].degrees == 2
    assert model.issues == ()


def test_cox_with_missing_values_as_r_prints_it(lung: pd.DataFrame) -> None:
    """R: coxph(Surv(time, status) ~ age + sex + wt.loss, data = lung): 0.02009 (0.00966), -0.52103 (0.17435),
    0.00076 (0.00619); likelihood ratio test=14.7 on 3 df, p=0.00212; n= 214, number of events= 152.
    """
    rows = lung.dropna(subset=["wt.loss"])
    columns = {name: rows[name].to_numpy(dtype=float) for name in ("age", "sex", "wt.loss")}
    model = fit_cox(rows.time.to_numpy(float), rows.status.to_numpy(float), columns)
    assert [round(c.coefficient, 5) for c in model.coefficients] == [0.02009, -0.52103, 0.00076]
    assert [round(c.standard_error, 5) for c in model.coefficients] == [0.00966, 0.17435, 0.00619]
    assert (model.cases, model.events) == (214, 152)
    assert (round(model.likelihood_ratio, 1), round(model.likelihood_ratio_p, 5)) == (14.7, 0.00212)


def test_cox_of_fox_companion() -> None:
    """R: coxph(Surv(week, arrest) ~ fin + age + race + wexp + mar + paro + prio, data = Rossi): coefficients
    -0.3794, -0.0574, 0.3139, -0.1498, -0.4337, -0.0849, 0.0915 (Fox & Weisberg, An R Companion, appendix on Cox
    regression); summary: fin exp(coef) 0.68426, se 0.19138, 95 % 0.4702 to 0.9957, p 0.04742.
    """
    rossi = load_rossi()
    names = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
    columns = {name: rossi[name].to_numpy(dtype=float) for name in names}
    model = fit_cox(rossi.week.to_numpy(float), rossi.arrest.to_numpy(float), columns)
    printed = [-0.3794, -0.0574, 0.3139, -0.1498, -0.4337, -0.0849, 0.0915]
    assert [round(c.coefficient, 4) for c in model.coefficients] == printed
    fin = model.coefficients[0]
    assert round(fin.hazard_ratio, 5) == 0.68426
    assert [round(end, 4) for end in fin.interval_95] == [0.4702, 0.9957]
    # age is the covariate whose hazards Fox finds out of proportion
    assert {i.code for i in model.issues} == {"cox.not_proportional"}
    assert any("for age" in i.message for i in model.issues)


TIMES = st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(rows=TIMES)
def test_curve_and_interval_agree_with_lifelines(rows: list[tuple[int, bool]]) -> None:
    t, e = np.array([r[0] for r in rows], dtype=float), np.array([r[1] for r in rows], dtype=float)
    curve = kaplan_meier(t, e)
    fitter = KaplanMeierFitter().fit(t, e)
    assert np.allclose(curve.survival, fitter.survival_function_.iloc[:, 0])
    between = (curve.survival > 0) & (curve.survival < 1)
    assert np.allclose(curve.low[between], fitter.confidence_interval_.iloc[:, 0][between])
    assert np.allclose(curve.high[between], fitter.confidence_interval_.iloc[:, 1][between])
    assert np.isnan(curve.low[curve.survival == 0]).all()
    assert curve.risk([0.0]) == [len(rows)]
    assert (np.diff(curve.survival) <= 0).all()


def test_numbers_at_risk_count_those_still_followed() -> None:
    curve = kaplan_meier([2, 4, 4, 9], [1, 0, 1, 0])
    assert curve.risk([0, 2, 3, 4, 5, 9, 10]) == [4, 4, 3, 3, 1, 1, 0]
    assert curve.at(3) is not None
    assert curve.at(3)[0] == 0.75  # type: ignore[index]
    assert curve.at(9.5) is None


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory, make_case: Make) -> PackedCases:
    rng = np.random.default_rng(7)
    cases = []
    with Registry.open(tmp_path_factory.mktemp("survival") / "r.db", who="t") as registry:
        for i in range(120):
            high = bool(rng.random() < 0.5)
            months = float(rng.exponential(12 if high else 40)) + 0.1
            dead = rng.random() < 0.8
            cases.append(
                make_case(
                    f"c{i}",
                    sex="female" if i % 3 else "male",
                    age=float(rng.integers(40, 90)),
                    ki67=70 if high else 5,
                    markers={"ck20": "present" if high else "absent"} if i % 10 else {"ck20": "not_tested"},
                    follow_up=((months, "dead_of_disease" if dead else "alive"),),
                )
            )
        registry.add_many([*cases, make_case("unfollowed", ki67=3)])
        return registry.packed()


def test_survival_by_any_field(packed: PackedCases) -> None:
    by_index = survival(packed, by="ki67_percent", cuts=[20, 55])
    assert [c.group for c in by_index.curves] == ["< 20", "≥ 55"]
    assert by_index.without_follow_up == 1
    assert by_index.test is not None
    assert by_index.test.p_value < 0.001
    by_stain = survival(packed, by="marker.ck20")
    assert [c.group for c in by_stain.curves] == ["absent", "present"]
    assert by_stain.without_group == 12
    alone = survival(packed, mask=select(packed, [parse_condition("sex=male")]))
    assert (len(alone.curves), alone.curves[0].cases, alone.test) == (1, 40, None)


def test_cox_by_fields_of_the_registry(packed: PackedCases) -> None:
    model = cox(packed, ["marker.ck20", "age_years", "sex"], endpoint="disease_specific")
    assert [c.covariate for c in model.coefficients] == [
        "marker.ck20=present (vs absent)",
        "age_years",
        "sex=male (vs female)",
    ]
    assert model.coefficients[0].interval_95[0] > 1.5
    assert model.left_out == 13
    frame = {"x": packed.numbers("ki67_percent")[:120].astype(float)}
    by_hand = fit_cox(
        packed.numbers("overall_months")[:120].astype(float),
        packed.numbers("overall_event")[:120].astype(float),
        frame,
    )
    assert cox(packed, ["ki67_percent"]).coefficients[0].coefficient == by_hand.coefficients[0].coefficient


def test_few_events_and_separation_are_said(packed: PackedCases) -> None:
    months = np.arange(1.0, 21.0)
    events = (np.arange(20) < 10).astype(float)
    model = fit_cox(months, events, {"early": events, "noise": np.tile([0.0, 1.0], 10)})
    codes = {issue.code for issue in model.issues}
    assert {"cox.few_events", "cox.convergence"} <= codes


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10**6), cases=st.integers(2, 25), kinds=st.lists(st.integers(0, 3), min_size=1, max_size=3)
)
def test_any_data_give_a_model_or_one_sentence(seed: int, cases: int, kinds: list[int]) -> None:
    """Separation, repeated columns, single events, odd scales: a result with issues or a refusal, never a crash."""
    rng = np.random.default_rng(seed)
    months = np.round(rng.exponential(10, cases), 1) + 0.1
    events = (rng.random(cases) < 0.5).astype(float)
    made: dict[str, np.ndarray] = {}
    for i, kind in enumerate(kinds):
        first = made.get("x0", rng.normal(size=cases))
        made[f"x{i}"] = (events, (rng.random(cases) < 0.3).astype(float), rng.normal(0, 1000, cases), first)[
            kind
        ].copy()
    try:
        model = fit_cox(months, events, made)
    except RefusedRegistry:
        return
    assert len(model.coefficients) == len(made)
    for slope in model.slopes:
        assert (slope.p_value is None) == (slope.statistic is None)
        assert slope.p_value is None or 0 <= slope.p_value <= 1


def test_slope_of_a_single_event_cannot_be_said() -> None:
    model = fit_cox(np.array([3.0, 5, 7, 9]), np.array([0.0, 1, 0, 0]), {"x": np.array([1.0, 3, 2, 4])})
    assert {slope.p_value for slope in model.slopes} == {None}


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda p: survival(p, endpoint="happiness"), "no endpoint happiness; choose overall"),
        (lambda p: survival(p, by="ki67_percent"), "is a number and makes no groups by itself"),
        (lambda p: survival(p, by="sex", cuts=[1]), "sex has words and cannot be cut"),
        (lambda p: survival(p, by="shoe_size"), "no field shoe_size"),
        (lambda p: survival(p, by="age_years", cuts=[50, 55, 60, 62, 64, 66, 68, 70, 80]), "into 10 groups"),
        (lambda p: survival(p, mask=np.zeros(len(p), dtype=bool)), "no case has overall follow-up"),
        (lambda p: cox(p, []), "a Cox model needs a field"),
        (lambda p: cox(p, ["size_cm"]), "no event of overall survival among 0 complete cases"),
        (lambda p: cox(p, ["marker.ck20"], mask=p.state("marker.ck20") == 1), "has one value in all"),
    ],
)
def test_what_cannot_be_said_is_refused(
    packed: PackedCases, act: Callable[[PackedCases], object], sentence: str
) -> None:
    with pytest.raises(RefusedRegistry, match=sentence):
        act(packed)


@pytest.mark.parametrize(
    ("visits", "endpoint", "expected"),
    [
        ((), "overall", None),
        (((6, "alive"), (3, "dead_of_disease")), "overall", (3, True)),
        (((6, "no_evidence_of_disease"),), "overall", (6, False)),
        (((6, "dead_of_other_cause"),), "overall", (6, True)),
        (((6, "dead_of_other_cause"),), "disease_specific", (6, False)),
        (((6, "dead"),), "disease_specific", None),
        (((4, "recurrence"), (9, "dead_of_disease")), "disease_free", (4, True)),
        (((4, "recurrence"), (9, "dead_of_disease")), "overall", (9, True)),
        (((4, "lost_to_follow_up"),), "overall", (4, False)),
    ],
)
def test_outcome_of_one_case(
    make_case: Make, visits: tuple[tuple[float, str], ...], endpoint: str, expected: tuple[float, bool] | None
) -> None:
    assert survival_of(make_case("a", follow_up=visits), endpoint) == expected


def test_unknown_endpoint_is_a_defect(make_case: Make) -> None:
    with pytest.raises(ValueError, match="unknown endpoint 'x'"):
        survival_of(make_case("a", follow_up=((3, "alive"),)), "x")


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_figure_is_written_whole(packed: PackedCases, tmp_path: Path, suffix: str) -> None:
    result = survival(packed, by="ki67_percent", cuts=[20])
    out = draw_survival(result, tmp_path / "deep" / f"curve{suffix}")
    content = out.read_bytes()
    assert len(content) > 5000
    assert [p.name for p in out.parent.iterdir()] == [out.name]
    if suffix == ".svg":
        assert b"</svg>" in content
    if suffix == ".png":
        image = np.asarray(Image.open(out).convert("RGB")).reshape(-1, 3)
        for colour in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)):
            assert (image == colour).all(axis=1).sum() > 200


def test_figure_of_another_kind_is_refused(packed: PackedCases, tmp_path: Path) -> None:
    with pytest.raises(RefusedRegistry, match=r"\.docx is no figure format"):
        draw_survival(survival(packed), tmp_path / "a.docx")


@given(last=st.floats(0.1, 2000))
def test_ticks_are_few_and_inside(last: float) -> None:
    ticks = month_ticks(last)
    assert ticks[0] == 0
    assert len(ticks) <= 9
    assert ticks[-1] <= last + 1e-6
