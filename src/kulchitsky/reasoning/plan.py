"""The plan of a case: prognosis, tests, options, follow-up and codes, for the entities that are probable enough."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Differential, GradeVerdict, Plan, StageVerdict
from kulchitsky.knowledge.rules import Rules


def plan(
    case: Case,
    rules: Rules,
    *,
    differential: Differential | None,
    grade: Sequence[GradeVerdict],
    stage: StageVerdict,
    today: dt.date | None = None,
) -> Plan:
    """Assemble the plan; ``today`` dates the follow-up where the case has no date of diagnosis."""
    del case, rules, differential, grade, stage, today
    return Plan()
