"""Plan a case: prognosis, tests, options, follow-up and codes."""

from __future__ import annotations

import datetime as dt
import os

from kulchitsky.case.record import Case, WorkingDiagnosis
from kulchitsky.case.verdict import Plan
from kulchitsky.knowledge.rules import load_rules
from kulchitsky.reasoning.grade import grade
from kulchitsky.reasoning.plan import plan as plan_case
from kulchitsky.reasoning.stage import stage
from kulchitsky.workup.candidates import candidates
from kulchitsky.workup.gather import gather


def plan(
    case: Case | str | os.PathLike[str],
    *,
    diagnosis: str | None = None,
    today: dt.date | None = None,
    pre_test: float | None = None,
) -> Plan:
    """The plan of a case, a case file, a report or a folder.

    ``diagnosis`` plans for that entity alone; else for the leading entities of the differential and the working
    diagnosis. ``today`` dates the follow-up where the case has no date of diagnosis; ``pre_test`` (a fraction)
    replaces the sourced pre-test probabilities. Raises :class:`kulchitsky.case.errors.RefusedInput` where the input
    cannot be read or the diagnosis is unknown.
    """
    record = case if isinstance(case, Case) else gather(case).case
    rules = load_rules()
    chosen = candidates(record, diagnosis=diagnosis)
    if diagnosis is not None:
        record = record.model_copy(update={"working_diagnosis": WorkingDiagnosis(entity=chosen.entities[0])})
    graded = grade(record, rules, diagnoses=chosen.entities)
    staged = stage(record, rules, diagnoses=chosen.entities)
    return plan_case(
        record, rules, differential=chosen.weighed, grade=graded, stage=staged, today=today, pre_test=pre_test
    )
