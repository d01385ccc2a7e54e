"""Put what the stained slides showed beside what the report said: confirmed once, never counted twice."""

from __future__ import annotations

from collections.abc import Iterable

from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.measure import StainReading
from kulchitsky.case.record import Case, MarkerResult
from kulchitsky.case.vocabulary import IndexSource, Pattern, State
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.knowledge.schema import Counts
from kulchitsky.knowledge.stain_rules import StainRules, load_stain_rules

FEWEST_CELLS = 50
"""Readings of fewer tumour cells are shown, and make no marker result."""

_DOUBTS = frozenset({"stain.compartment.unexpected", "stain.everywhere", "stain.tumour.doubtful"})


def with_readings(case: Case, readings: Iterable[StainReading]) -> Case:
    """The case with one marker result of ``origin: slide`` for each reading that can bear one.

    Weighing takes all results of a marker together as one finding, so that a slide that confirms its report adds
    detail and no second weight.
    """
    specimen = {s.path: s.specimen for s in case.slides}
    rules = load_stain_rules()
    found = [
        r for reading in readings if (r := result_of(reading, specimen.get(reading.slide, ""), rules)) is not None
    ]
    return case.model_copy(update={"markers": (*case.markers, *found)})


def result_of(reading: StainReading, specimen: str, rules: StainRules) -> MarkerResult | None:
    """A reading as a marker result; ``None`` for too few cells.

    Markers whose positive result is not *cells stain* (p53, RB1) become equivocal: whether the pattern is aberrant or
    the protein lost is for a person to say. So does a stain in a place the marker is not known for, or on cells that
    may be no tumour.
    """
    percent = reading.index_percent
    if percent is None or reading.counted < FEWEST_CELLS:
        return None
    state = rules.state_of(percent)
    marker = load_knowledge().markers.get(reading.marker)
    if marker is not None and marker.counts is not Counts.STAINING:
        state = State.EQUIVOCAL
    if any(i.code in _DOUBTS for i in reading.issues):
        state = State.EQUIVOCAL
    if state is State.ABSENT and any(i.code == "stain.control.negative" for i in reading.issues):
        state = State.EQUIVOCAL
    present = state is State.PRESENT
    return MarkerResult(
        marker=reading.marker,
        state=state,
        extent=reading.extent if present else None,
        intensity=reading.intensity if present else None,
        compartment=reading.compartment if present else None,
        pattern=_sure_pattern(reading, rules) if present else None,
        percent=round(percent, 1),
        method=f"read on the slide, detector {reading.method.get('detector', 'unknown')}",
        specimen=specimen,
        origin=IndexSource.SLIDE,
    )


def _sure_pattern(reading: StainReading, rules: StainRules) -> Pattern | None:
    sure = (reading.pattern_confidence or 0.0) >= rules.disagreement.least_confidence
    return reading.pattern if sure else None


def reading_disagreements(case: Case, readings: Iterable[StainReading]) -> list[Issue]:
    """One issue for each way in which a slide differs from what the report says of the same marker and specimen."""
    rules = load_stain_rules()
    specimen = {s.path: s.specimen for s in case.slides}
    issues: list[Issue] = []
    for reading in readings:
        seen = result_of(reading, specimen.get(reading.slide, ""), rules)
        for index, told in enumerate(case.markers):
            comparable = told.origin is IndexSource.REPORT and told.marker == reading.marker
            apart = seen is not None and bool(seen.specimen and told.specimen) and seen.specimen != told.specimen
            if seen is not None and comparable and not apart:
                issues.extend(_differences(told, seen, reading, f"markers[{index}]", rules))
    return issues


def _differences(
    told: MarkerResult, seen: MarkerResult, reading: StainReading, path: str, rules: StainRules
) -> list[Issue]:
    name = reading.marker
    said: list[tuple[Level, str, str]] = []
    settled = (State.PRESENT, State.ABSENT)
    if told.state in settled and seen.state in settled and told.state is not seen.state:
        text = (
            f"the report calls {name} {told.state.value}, the slide shows {seen.percent:g} % of tumour cells stained"
        )
        said.append((Level.SERIOUS, "state", text))
    elif told.state is seen.state is State.PRESENT:
        said += _details(told, seen, rules)
    return [
        Issue(
            level=level,
            code=f"marker.report_against_slide.{what}",
            message=f"{text} ({reading.slide})",
            remedy="look at the gallery: wrong slide, wrong region, or a reading to correct",
            path=path,
        )
        for level, what, text in said
    ]


def _details(told: MarkerResult, seen: MarkerResult, rules: StainRules) -> list[tuple[Level, str, str]]:
    name = told.marker
    said = []
    if told.compartment and seen.compartment and not rules.fits(seen.compartment, told.compartment):
        words = f"{told.compartment.value}, the slide {seen.compartment.value}".replace("_", " ")
        said.append((Level.WARNING, "compartment", f"the report gives {name} as {words}"))
    if told.pattern and seen.pattern and told.pattern is not seen.pattern and _tell_patterns(told, seen):
        words = f"{told.pattern.value}, the slide as {seen.pattern.value}".replace("_", " ")
        said.append((Level.WARNING, "pattern", f"the report describes {name} as {words}"))
    if told.percent is not None and seen.percent is not None:
        if abs(told.percent - seen.percent) > rules.disagreement.percent_points:
            text = f"the report gives {told.percent:g} % for {name}, the slide {seen.percent:g} %"
            said.append((Level.WARNING, "percent", text))
    elif told.extent and seen.extent and {told.extent.value, seen.extent.value} == {"focal", "diffuse"}:
        text = f"the report calls {name} {told.extent.value}, the slide {seen.extent.value} ({seen.percent:g} %)"
        said.append((Level.WARNING, "extent", text))
    return said


def _tell_patterns(told: MarkerResult, seen: MarkerResult) -> bool:
    """Diffuse and granular shade into each other; spots differ from both, and dots from globs."""
    spots = {Pattern.PERINUCLEAR_DOT, Pattern.GLOBULAR}
    return bool({told.pattern, seen.pattern} & spots)
