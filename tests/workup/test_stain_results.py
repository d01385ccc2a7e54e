"""Readings put beside the report: confirmed once, differences said, markers of another kind left to a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kulchitsky.case.errors import RefusedInput
from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.measure import Share, StainReading
from kulchitsky.case.record import Case, MarkerResult, SlideRef, Specimen
from kulchitsky.case.vocabulary import Compartment, Extent, IndexSource, Intensity, Pattern, State
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.knowledge.stain_rules import load_stain_rules
from kulchitsky.reasoning.differential import differential
from kulchitsky.slide import synthetic
from kulchitsky.workup.gathered import Gathered
from kulchitsky.workup.look_at_slides import look_at_slides
from kulchitsky.workup.merge_readings import reading_disagreements, result_of, with_readings
from kulchitsky.workup.read_stain import expected_of, read_stain, with_expectation

RULES = load_stain_rules()


def reading(marker: str = "chromogranin_a", percent: float = 90.0, **changes: Any) -> StainReading:
    base: dict[str, Any] = {
        "slide": "a.tif",
        "marker": marker,
        "um_per_px": 0.5,
        "tissue_mm2": 1.0,
        "counted": 1000,
        "positive": round(10 * percent),
        "index_percent": percent,
        "interval_95": (max(0.0, percent - 2), min(100.0, percent + 2)),
        "extent": RULES.extent_of(percent),
        "intensity": Intensity.STRONG,
        "compartment": Compartment.CYTOPLASMIC,
        "compartment_confidence": 0.95,
        "pattern": Pattern.GRANULAR,
        "pattern_confidence": 0.9,
        "intensity_classes": tuple(
            Share(name=n, fraction=f) for n, f in (("0", 0.1), ("1+", 0.1), ("2+", 0.2), ("3+", 0.6))
        ),
    }
    return StainReading(**(base | changes))


def case(**marker: Any) -> Case:
    told = MarkerResult(marker="chromogranin_a", state=State.PRESENT, specimen="primary", **marker)
    slides = (SlideRef(path="a.tif", stain="chromogranin_a", specimen="primary"),)
    specimens = (Specimen(id="primary"),)
    return Case(schema_version=1, id="c", specimens=specimens, markers=(told,), slides=slides)


def test_reading_becomes_a_result_with_its_origin() -> None:
    merged = with_readings(case(), [reading()])
    added = merged.markers[-1]
    assert added.origin is IndexSource.SLIDE
    assert (added.state, added.extent, added.percent) == (State.PRESENT, Extent.DIFFUSE, 90.0)
    assert (added.compartment, added.pattern, added.specimen) == (
        Compartment.CYTOPLASMIC,
        Pattern.GRANULAR,
        "primary",
    )


def test_a_confirming_slide_is_not_weighed_twice() -> None:
    knowledge = load_knowledge()
    alone = differential(case(), knowledge)
    both = differential(with_readings(case(), [reading()]), knowledge)
    assert {d.entity: d.posterior for d in both.diagnoses} == pytest.approx(
        {d.entity: d.posterior for d in alone.diagnoses}
    )


def test_agreement_is_no_issue() -> None:
    told = case(extent=Extent.DIFFUSE, compartment=Compartment.CYTOPLASMIC, pattern=Pattern.GRANULAR)
    assert reading_disagreements(told, [reading()]) == []


@pytest.mark.parametrize(
    ("told", "changes", "code"),
    [
        ({}, {"percent": 0.2, "pattern": None, "compartment": None, "positive": 2}, "state"),
        ({"compartment": Compartment.NUCLEAR}, {}, "compartment"),
        ({"pattern": Pattern.PERINUCLEAR_DOT}, {}, "pattern"),
        ({"extent": Extent.FOCAL}, {}, "extent"),
        ({"percent": 40.0}, {}, "percent"),
    ],
)
def test_each_difference_is_said(told: dict[str, Any], changes: dict[str, Any], code: str) -> None:
    issues = reading_disagreements(case(**told), [reading(**changes)])
    assert [i.code for i in issues] == [f"marker.report_against_slide.{code}"]
    assert issues[0].path == "markers[0]"


def test_granular_and_diffuse_are_no_contradiction() -> None:
    assert reading_disagreements(case(pattern=Pattern.DIFFUSE), [reading()]) == []


def test_loss_and_aberrant_markers_are_left_to_a_person() -> None:
    for marker in ("p53", "rb1"):
        result = result_of(reading(marker), "", RULES)
        assert result is not None
        assert result.state is State.EQUIVOCAL
        assert result.percent == 90.0


def test_few_cells_and_unexpected_places_make_no_finding() -> None:
    assert result_of(reading(counted=20, positive=18), "", RULES) is None
    odd = Issue(level=Level.SERIOUS, code="stain.compartment.unexpected", message="nuclear")
    result = result_of(reading(issues=(odd,)), "", RULES)
    assert result is not None
    assert result.state is State.EQUIVOCAL


def test_nuclear_chromogranin_is_suspect() -> None:
    marker = load_knowledge().markers["chromogranin_a"]
    seen = with_expectation(reading(compartment=Compartment.NUCLEAR, pattern=Pattern.DIFFUSE), marker, RULES)
    found = [i for i in seen.issues if i.code == "stain.compartment.unexpected"]
    assert found[0].level is Level.SERIOUS
    assert "suspect an artefact" in found[0].message
    assert seen.expected == expected_of(marker)
    assert "cytoplasmic" in seen.expected


def test_unsure_compartment_is_suspect_only_where_none_of_them_fits() -> None:
    marker = load_knowledge().markers["chromogranin_a"]
    near = reading(
        compartment=None, compartment_either=(Compartment.CYTOPLASMIC_AND_MEMBRANOUS, Compartment.MEMBRANOUS)
    )
    assert "stain.compartment.unexpected" not in {i.code for i in with_expectation(near, marker, RULES).issues}
    far = near.model_copy(update={"compartment_either": (Compartment.NUCLEAR, Compartment.MEMBRANOUS)})
    found = [i for i in with_expectation(far, marker, RULES).issues if i.code == "stain.compartment.unexpected"]
    assert "nuclear or membranous" in found[0].message


def test_doubtful_tumour_makes_no_negative() -> None:
    doubt = Issue(level=Level.SERIOUS, code="stain.tumour.doubtful", message="lymphocytes")
    result = result_of(reading(percent=0.0, positive=0, issues=(doubt,)), "", RULES)
    assert result is not None
    assert result.state is State.EQUIVOCAL


def test_nuclear_chromogranin_of_a_case_is_left_to_a_person(tmp_path: Path) -> None:
    """From pixels to the case: the slide contradicts its report, and does not count as a finding."""
    spec = synthetic.SlideSpec(seed=9, width_px=520, height_px=520, um_per_px=0.5, index_percent=70)
    synthetic.write_slide(tmp_path / "a.tif", spec)
    told = case(extent=Extent.DIFFUSE, compartment=Compartment.CYTOPLASMIC)
    work = look_at_slides(Gathered(told, tmp_path, tmp_path / "case.yaml", "", None))
    assert "stain.compartment.unexpected" in {i.code for i in work.issues}
    added = work.case.markers[-1]
    assert (added.origin, added.state) == (IndexSource.SLIDE, State.EQUIVOCAL)
    assert work.readings[0].compartment is Compartment.NUCLEAR


@pytest.mark.parametrize(
    ("percent", "intensity", "score"), [(0, 0, 0), (0.5, 1, 2), (5, 2, 4), (20, 3, 6), (50, 2, 6), (90, 3, 8)]
)
def test_allred_follows_its_table(percent: float, intensity: int, score: int) -> None:
    assert RULES.allred_of(percent, intensity) == score


def test_allred_only_where_it_is_usual() -> None:
    markers = load_knowledge().markers
    nuclear = reading("er", compartment=Compartment.NUCLEAR, pattern=Pattern.DIFFUSE)
    assert with_expectation(nuclear, markers["er"], RULES).allred == 8
    assert with_expectation(reading(), markers["chromogranin_a"], RULES).allred is None


def test_unknown_marker_and_bad_output_are_refused_before_reading(tmp_path: Path) -> None:
    with pytest.raises(RefusedInput, match="is not a known marker"):
        read_stain(tmp_path / "none.tif", marker="no such stain")
    with pytest.raises(RefusedInput, match="written as PNG"):
        read_stain(tmp_path / "none.tif", marker="CD56", gallery_to=tmp_path / "a.jpg")


def test_read_stain_writes_its_pictures(tmp_path: Path) -> None:
    spec = synthetic.SlideSpec(seed=8, width_px=500, height_px=420, um_per_px=0.5, pattern="perinuclear_dot")
    synthetic.write_slide(tmp_path / "ck20.png", spec.with_changes(index_percent=85))
    found = read_stain(
        tmp_path / "ck20.png",
        marker="CK 20",
        um_per_px=0.5,
        gallery_to=tmp_path / "g.png",
        overlay_to=tmp_path / "o.png",
    )
    assert found.marker == "ck20"
    assert found.pattern is Pattern.PERINUCLEAR_DOT
    assert found.extent is Extent.DIFFUSE
    assert (tmp_path / "g.png").stat().st_size > 2000
    assert (tmp_path / "o.png").stat().st_size > 2000
