"""What in a usable case deserves a look: units, slides that are not there, stains that contradict each other."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.record import Case
from kulchitsky.case.vocabulary import State


def issues_of_case(case: Case, *, folder: Path | None = None) -> tuple[Issue, ...]:
    """Every remark on the record itself; ``folder`` is where slide paths start."""
    return (*_contradicting_markers(case), *_missing_slides(case, folder))


def _contradicting_markers(case: Case) -> list[Issue]:
    states: dict[tuple[str, str], set[State]] = defaultdict(set)
    for result in case.markers:
        states[result.marker, result.specimen].add(result.state)
    return [
        Issue(
            level=Level.WARNING,
            code="markers.contradiction",
            message=f"{marker} is recorded both present and absent"
            + (f" in specimen {specimen}" if specimen else "")
            + ": it is weighed as equivocal until one is removed",
            remedy="keep the result that the slide supports, or give each its specimen",
            path="markers",
        )
        for (marker, specimen), found in sorted(states.items())
        if {State.PRESENT, State.ABSENT} <= found
    ]


def _missing_slides(case: Case, folder: Path | None) -> list[Issue]:
    if folder is None:
        return []
    return [
        Issue(
            level=Level.WARNING,
            code="slides.missing",
            message=f"the slide {slide.path} is not there",
            remedy="put the file beside the case, or correct its path",
            path=f"slides[{i}].path",
        )
        for i, slide in enumerate(case.slides)
        if not (folder / slide.path).exists()
    ]
