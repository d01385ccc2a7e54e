"""The grade that a count makes while a reader corrects it: the one that the case's report would state."""

from __future__ import annotations

from collections.abc import Sequence

from kulchitsky.case.measure import SlideCount, StainReading
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import GradeVerdict
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.knowledge.profiles import NONE_OF_THESE
from kulchitsky.knowledge.rules import load_rules
from kulchitsky.reasoning.grade import grade
from kulchitsky.reasoning.posterior import posterior
from kulchitsky.workup.leading import leading_entities
from kulchitsky.workup.merge_readings import with_readings
from kulchitsky.workup.merge_slides import with_counts


def grade_of_counts(
    case: Case, counts: Sequence[SlideCount], readings: Sequence[StainReading] = ()
) -> tuple[GradeVerdict, ...]:
    """The grades of ``case`` as :func:`kulchitsky.workup.work_up.conclude` gives them, and nothing else of it.

    Which system grades depends on the entity, and which entities lead depends on the counts and readings: both are
    weighed again, without the draws that only intervals need.
    """
    seen = with_readings(with_counts(case, counts), readings)
    return grade(seen, load_rules(), diagnoses=_leading(seen))


def grade_of_one_count(count: SlideCount) -> tuple[GradeVerdict, ...]:
    """The grades of a slide that belongs to no case: no diagnosis is supposed."""
    return grade(with_counts(Case(), (count,)), load_rules()) if count.counted else ()


def load_grading() -> None:
    """Load what grading reads, so that the first grade does not wait for it."""
    load_rules()
    load_knowledge()


def _leading(case: Case) -> tuple[str, ...]:
    weighed = posterior(case, load_knowledge())
    shares = zip(weighed.table.entities, map(float, weighed.entities), strict=True)
    ranked = sorted((pair for pair in shares if pair[0] != NONE_OF_THESE), key=lambda pair: (-pair[1], pair[0]))
    stated = case.working_diagnosis.entity if case.working_diagnosis else None
    return leading_entities(ranked, stated or (ranked[0][0] if ranked else None))
