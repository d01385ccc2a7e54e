"""Count and read every slide of a case; one bad slide becomes an issue and never stops the others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kulchitsky.case.errors import RefusedSlide
from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.measure import SlideCount, StainReading
from kulchitsky.case.record import Case, SlideRef
from kulchitsky.case.verdict import SlidePicture
from kulchitsky.workup.count_slide import count_slide
from kulchitsky.workup.gather import Gathered
from kulchitsky.workup.merge_slides import index_disagreements, with_counts

PROLIFERATION_STAIN = "ki67"


@dataclass(frozen=True, slots=True)
class SlideWork:
    """The case with what its slides showed, and the measures and pictures themselves."""

    case: Case
    counts: tuple[SlideCount, ...] = ()
    readings: tuple[StainReading, ...] = ()
    pictures: tuple[SlidePicture, ...] = ()
    issues: tuple[Issue, ...] = ()


def look_at_slides(
    gathered: Gathered, *, detector: str = "accurate", out: Path | None = None, progress: bool = False
) -> SlideWork:
    """Count the Ki-67 slides and read the others; pictures go to ``out/pictures`` where ``out`` is given."""
    counts: list[SlideCount] = []
    pictures: list[SlidePicture] = []
    issues: list[Issue] = []
    for i, slide in enumerate(gathered.case.slides):
        if slide.stain != PROLIFERATION_STAIN:
            continue
        try:
            count, seen = _count(slide, gathered.folder, detector, out, progress)
        except RefusedSlide as error:
            issues.append(_refused(error, i))
            continue
        counts.append(count)
        pictures.extend(seen)
        issues.extend(count.issues)
    issues.extend(index_disagreements(gathered.case, counts))
    return SlideWork(
        case=with_counts(gathered.case, counts),
        counts=tuple(counts),
        pictures=tuple(pictures),
        issues=tuple(issues),
    )
