"""Count and read every slide of a case; one bad slide becomes an issue and never stops the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kulchitsky.case.errors import RefusedSlide
from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.measure import SlideCount, StainReading
from kulchitsky.case.record import Case, SlideRef
from kulchitsky.case.verdict import SlidePicture
from kulchitsky.slide.count import CountResult, count_slide
from kulchitsky.workup.gather import Gathered
from kulchitsky.workup.merge_slides import index_disagreements, with_counts
from kulchitsky.workup.slide_pictures import pictures_of_count

PROLIFERATION_STAIN = "ki67"

Tell = Callable[[str, int, int], None]
"""Told of progress: what is being done, how many parts are done, of how many."""


@dataclass(frozen=True, slots=True)
class SlideWork:
    """The case with what its slides showed, and the measures and pictures themselves."""

    case: Case
    counts: tuple[SlideCount, ...] = ()
    readings: tuple[StainReading, ...] = ()
    pictures: tuple[SlidePicture, ...] = ()
    issues: tuple[Issue, ...] = ()


def look_at_slides(
    gathered: Gathered, *, detector: str = "accurate", out: Path | None = None, tell: Tell | None = None
) -> SlideWork:
    """Count the Ki-67 slides of a case; pictures go to ``out/pictures`` where ``out`` is given.

    A slide that is missing or refused becomes a serious issue with the sentence that refuses it.
    """
    counts: list[SlideCount] = []
    pictures: list[SlidePicture] = []
    issues: list[Issue] = []
    for i, slide in enumerate(gathered.case.slides):
        if slide.stain != PROLIFERATION_STAIN:
            continue
        try:
            result = _count(slide, gathered.folder, detector, tell)
            if out is not None:
                pictures.extend(pictures_of_count(gathered.folder / slide.path, result, out))
        except RefusedSlide as error:
            issues.append(_refused(error, i))
            continue
        counts.append(result.count)
        issues.extend(result.count.issues)
    issues.extend(index_disagreements(gathered.case, counts))
    return SlideWork(
        case=with_counts(gathered.case, counts),
        counts=tuple(counts),
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


def _refused(error: RefusedSlide, index: int) -> Issue:
    return Issue(
        level=Level.SERIOUS,
        code="slide.refused",
        message=f"a slide was not used: {error.problem} ({Path(error.source).name})",
        remedy=error.remedy,
        path=f"slides[{index}]",
    )
