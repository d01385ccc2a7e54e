"""Work up a record that is already at hand, with counts already made: what the workbench shows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from kulchitsky.case.issue import Issue
from kulchitsky.case.measure import SlideCount, StainReading
from kulchitsky.case.record import Case, MarkerResult
from kulchitsky.case.verdict import Reading, SlidePicture, WorkedUpCase
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.knowledge.rules import load_rules
from kulchitsky.workup.conclude import conclude
from kulchitsky.workup.gathered import Gathered, SlideWork
from kulchitsky.workup.merge_readings import reading_disagreements, with_readings
from kulchitsky.workup.merge_slides import index_disagreements, with_counts


def work_up_record(
    case: Case,
    *,
    counts: Sequence[SlideCount] = (),
    readings: Sequence[StainReading] = (),
    pictures: Sequence[SlidePicture] = (),
    reading: Reading | None = None,
    diagnosis: str | None = None,
) -> WorkedUpCase:
    """Weigh, grade, stage and plan ``case`` with the counts of its slides; ``diagnosis`` is the one to challenge.

    ``reading`` is the prose that the case came from, if any: its facts and issues travel along. Slides are not looked
    for: where they are is the workbench's business.
    """
    seen = SlideWork(
        case=with_readings(with_counts(case, counts), readings),
        counts=tuple(counts),
        readings=tuple(readings),
        pictures=tuple(pictures),
        issues=(
            *index_disagreements(case, counts),
            *reading_disagreements(case, readings),
            *(issue for count in counts for issue in count.issues),
            *(issue for reading in readings for issue in reading.issues),
        ),
    )
    digest = hashlib.sha256(case.model_dump_json().encode()).hexdigest()
    gathered = Gathered(case, Path(), Path(case.id), digest, reading)
    worked = conclude(seen, gathered, load_knowledge(), load_rules(), working=diagnosis)
    return worked.model_copy(update={"issues": _without_paths(worked.issues)})


def with_markers(case: Case, results: Sequence[MarkerResult]) -> Case:
    """The case as it would be with other results of some markers: "what if CK20 were negative"."""
    asked = {result.marker for result in results}
    kept = tuple(m for m in case.markers if m.marker not in asked)
    return case.model_copy(update={"markers": (*kept, *results)})


def _without_paths(issues: Sequence[Issue]) -> tuple[Issue, ...]:
    return tuple(issue for issue in issues if issue.code != "slides.missing")
