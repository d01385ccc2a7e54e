"""The positivity cut on groups of known make-up, the curve of index against cut, and who is left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulchitsky.slide import cells as table
from kulchitsky.slide import classify, tumour
from kulchitsky.slide.cells import CellTable


def groups(
    seed: int, n: int, share: float, strength: float, background: float = 0.05
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < share
    signal = np.where(positive, strength * np.exp(rng.normal(0, 0.3, n)), np.abs(rng.normal(background, 0.02, n)))
    return signal, positive


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000),
    share=st.floats(0.02, 0.85),
    strength=st.floats(0.5, 2.0),
    background=st.floats(0.0, 0.08),
)
def test_cut_separates_two_groups(seed: int, share: float, strength: float, background: float) -> None:
    signal, positive = groups(seed, 2000, share, strength, background)
    cut = classify.find_cut(signal)
    assert 0.10 <= cut.cut_od <= 0.55
    assert np.mean((signal > cut.cut_od) == positive) > 0.97


@pytest.mark.parametrize(("strength", "tint"), [(0.35, 0.04), (0.7, 0.08), (1.4, 0.15)])
def test_what_counts_as_brown_depends_on_how_brown_the_positives_are(strength: float, tint: float) -> None:
    rng = np.random.default_rng(5)
    clear = np.abs(rng.normal(0.02, 0.012, 700))
    tinted = tint * np.exp(rng.normal(0, 0.15, 150))  # negative nuclei under brown cytoplasm and blush
    brown = strength * np.exp(rng.normal(0, 0.25, 400))
    cut = classify.find_cut(np.concatenate([clear, tinted, brown])).cut_od
    assert np.mean(tinted > cut) < 0.02
    assert np.mean(brown > cut) > 0.97


@pytest.mark.parametrize("background", [0.02, 0.05, 0.1])
def test_slide_without_positive_cells_gets_none(background: float) -> None:
    signal, _ = groups(3, 5000, 0.0, 1.0, background)
    cut = classify.find_cut(signal)
    assert cut.how == "background"
    assert np.mean(signal > cut.cut_od) < 0.005


def test_few_cells_get_the_default() -> None:
    cut = classify.find_cut(np.full(10, 0.5))
    assert (cut.how, cut.cut_od) == ("default", 0.25)


def test_cut_curve_falls_and_matches_counting() -> None:
    signal, _ = groups(4, 1000, 0.3, 0.8)
    cuts = np.linspace(0.05, 1, 20)
    curve = classify.cut_curve(signal, cuts)
    assert (np.diff(curve) <= 0).all()
    assert curve == pytest.approx([100 * np.mean(signal > c) for c in cuts])
    assert np.isnan(classify.cut_curve(np.zeros(0), cuts)).all()


def cells_of(kind: list[str]) -> CellTable:
    """Tumour nuclei, and one of each other kind as it measures."""
    shapes = {
        "tumour": (45.0, 1.2, 0.5, 0.05),
        "lymphocyte": (22.0, 1.05, 0.8, 0.05),
        "brown_small": (22.0, 1.05, 0.8, 0.9),
        "spindle": (30.0, 3.0, 0.5, 0.05),
        "crumb": (6.0, 1.0, 0.6, 0.05),
        "speck": (15.0, 1.0, 0.5, 0.05),  # a nucleus on a slide of small ones, none beside these
    }
    n = len(kind)
    area, elongation, hema, dab = (np.asarray([shapes[k][i] for k in kind], np.float32) for i in range(4))
    one, nan = np.ones(n, np.float32), np.full(n, np.nan, np.float32)
    return CellTable(
        x_um=np.arange(n) * 10.0,
        y_um=np.zeros(n),
        dab_od=dab,
        hema_od=hema,
        ring_dab_od=0 * one,
        ring_hema_od=0 * one,
        area_um2=area,
        elongation=elongation,
        contrast=one,
        edge=one,
        score=one,
        p_positive=nan,
        p_tumour=nan,
        radii=np.full((n, 16), 80, np.uint8),
        reason=np.zeros(n, np.uint8),
        positive=dab > 0.3,
    )


def test_morphology_filter_names_its_reasons() -> None:
    kinds = ["tumour"] * 20 + ["lymphocyte", "brown_small", "spindle", "crumb", "speck"]
    reasons = [table.REASONS[r] for r in tumour.leave_out(cells_of(kinds))]
    assert reasons[:20] == ["counted"] * 20
    assert reasons[20:] == ["lymphocyte", "counted", "stroma", "debris", "debris"]
    assert tumour.leave_out(cells_of(["speck"] * 20)).tolist() == [table.COUNTED] * 20


def test_the_network_decides_where_it_has_an_opinion() -> None:
    cells = cells_of(["tumour"] * 10 + ["lymphocyte", "spindle"])
    p = np.ones(12, np.float32)
    p[0] = 0.0
    judged = CellTable(**{f: (p if f == "p_tumour" else getattr(cells, f)) for f in CellTable.__dataclass_fields__})
    reasons = [table.REASONS[r] for r in tumour.leave_out(judged)]
    assert reasons == ["lymphocyte"] + ["counted"] * 11


def test_faint_background_is_told_from_pale_nuclei() -> None:
    cells = cells_of(["tumour"] * 100)
    contrast = np.ones(100, np.float32)
    contrast[:5] = 0.1
    contrast[5:10] = 0.6
    with_contrast = CellTable(
        **{f: (contrast if f == "contrast" else getattr(cells, f)) for f in CellTable.__dataclass_fields__}
    )
    keep = tumour.visible(with_contrast, 0.38)
    assert not keep[:5].any()
    assert keep[5:].all()
    assert tumour.visible(table.empty(), 0.38).shape == (0,)
