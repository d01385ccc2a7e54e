"""Grade a case under every grading system that applies."""

from __future__ import annotations

import os

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import GradeVerdict
from kulchitsky.knowledge.rules import load_rules
from kulchitsky.reasoning.grade import grade as grade_case
from kulchitsky.workup.candidates import candidates
from kulchitsky.workup.gather import gather


def grade(case: Case | str | os.PathLike[str], *, diagnosis: str | None = None) -> tuple[GradeVerdict, ...]:
    """Grades of a case, a case file, a report or a folder; the first is the one to report.

    ``diagnosis`` is the entity to grade as; else the leading entities of the differential and the working diagnosis.
    Raises :class:`kulchitsky.case.errors.RefusedInput` where the input cannot be read or the diagnosis is unknown.
    """
    record = case if isinstance(case, Case) else gather(case).case
    return grade_case(record, load_rules(), diagnoses=candidates(record, diagnosis=diagnosis).entities)
