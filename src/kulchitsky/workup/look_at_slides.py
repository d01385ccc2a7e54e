"""Count and read every slide of a case; one bad slide becomes an issue and never stops the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kulchitsky.case.errors import RefusedSlide
from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.measure import SlideCount, StainReading
from kulchitsky.case.record import SlideRef
from kulchitsky.case.verdict import SlidePicture
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.knowledge.stain_rules import load_stain_rules
from kulchitsky.slide.count import CountResult, count_slide
from kulchitsky.slide.stain_reading import StainResult, read_stain
from kulchitsky.workup.gathered import Gathered, SlideWork
from kulchitsky.workup.merge_readings import reading_disagreements, with_readings
from kulchitsky.workup.merge_slides import index_disagreements, with_counts
from kulchitsky.workup.read_stain import with_expectation
from kulchitsky.workup.slide_names import PROLIFERATION_STAIN
from kulchitsky.workup.slide_pictures import pictures_of_count, pictures_of_reading

Tell = Callable[[str, int, int], None]
"""Told of progress: what is being done, how many parts are done, of how many."""


def look_at_slides(
    gathered: Gathered, *, detector: str = "accurate", out: Path | None = None, tell: Tell | None = None
) -> SlideWork:
    """Count the Ki-67 slides of a case and read its other stains; pictures go to ``out/pictures`` where it is given.

    A slide that is missing or refused becomes a serious issue with the sentence that refuses it.
    """
    counts: list[SlideCount] = []
    readings: list[StainReading] = []
    pictures: list[SlidePicture] = []
    issues: list[Issue] = []
    for i, slide in enumerate(gathered.case.slides):
        path = gathered.folder / slide.path
        try:
            if slide.stain == PROLIFERATION_STAIN:
                counted = _count(slide, gathered.folder, detector, tell)
                pictures.extend(pictures_of_count(path, counted, out) if out is not None else ())
                counts.append(counted.count)
                issues.extend(counted.count.issues)
            else:
                read = _read(slide, gathered.folder, detector, tell)
                pictures.extend(pictures_of_reading(path, read, out) if out is not None else ())
                readings.append(read.reading)
                issues.extend(read.reading.issues)
        except RefusedSlide as error:
            issues.append(_refused(error, i))
    issues.extend(index_disagreements(gathered.case, counts))
    issues.extend(reading_disagreements(gathered.case, readings))
    return SlideWork(
        case=with_readings(with_counts(gathered.case, counts), readings),
        counts=tuple(counts),
        readings=tuple(readings),
        pictures=tuple(pictures),
        issues=tuple(issues),
    )


def _count(slide: SlideRef, folder: Path, detector: str, tell: Tell | None) -> CountResult:
    progress = (lambda done, total: tell(f"counting {slide.path}", done, total)) if tell is not None else None
    return count_slide(
        folder / slide.path,
        detector=detector,
        um_per_px=slide.um_per_px,
        regions=folder / slide.regions if slide.regions else None,
        progress=progress,
    )


def _read(slide: SlideRef, folder: Path, detector: str, tell: Tell | None) -> StainResult:
    """The reading, in the words of its marker."""
    progress = (lambda done, total: tell(f"reading {slide.path}", done, total)) if tell is not None else None
    result = read_stain(
        folder / slide.path,
        marker=slide.stain,
        detector=detector,
        um_per_px=slide.um_per_px,
        regions=folder / slide.regions if slide.regions else None,
        progress=progress,
    )
    marker = load_knowledge().markers.get(slide.stain)
    if marker is None:
        return result
    return replace(result, reading=with_expectation(result.reading, marker, load_stain_rules()))


def _refused(error: RefusedSlide, index: int) -> Issue:
    return Issue(
        level=Level.SERIOUS,
        code="slide.refused",
        message=f"a slide was not used: {error.problem} ({Path(error.source).name})",
        remedy=error.remedy,
        path=f"slides[{index}]",
    )
