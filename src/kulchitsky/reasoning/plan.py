"""The plan of a case: prognosis, tests, options, follow-up and codes, for the entities that are probable enough."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Differential, GradeVerdict, Plan, StageVerdict
from kulchitsky.knowledge.rules import Rules
from kulchitsky.reasoning.codes import codes
from kulchitsky.reasoning.follow_up import follow_up, follow_up_issues
from kulchitsky.reasoning.laboratory import laboratory_issues
from kulchitsky.reasoning.options import options
from kulchitsky.reasoning.plan_facts import candidates_of
from kulchitsky.reasoning.prognosis import prognosis
from kulchitsky.reasoning.tests_advice import advise_tests


def plan(
    case: Case,
    rules: Rules,
    *,
    differential: Differential | None,
    grade: Sequence[GradeVerdict],
    stage: StageVerdict,
    today: dt.date | None = None,
    pre_test: float | None = None,
) -> Plan:
    """Assemble the plan for every entity of the differential above the share that the rule base sets.

    Without a differential the working diagnosis is planned for; with neither the plan holds laboratory results alone.
    ``today`` dates the follow-up where the case has no date of diagnosis; ``pre_test`` (a fraction) replaces the
    sourced pre-test probabilities. What sources say, never advice: options carry strength and population.
    """
    names = {d.entity: d.name for d in differential.diagnoses} if differential is not None else {}
    candidates = candidates_of(case, rules, entities_to_plan(case, rules, differential), names, grade, stage)
    issues = laboratory_issues(case, rules)
    visits = follow_up(case, rules, candidates, today=today)
    return Plan(
        prognosis=prognosis(case, rules, candidates),
        tests=advise_tests(case, rules, candidates, issues=issues, pre_test=pre_test),
        options=options(rules, candidates),
        follow_up=visits,
        codes=codes(case, rules, candidates),
        issues=(*issues, *follow_up_issues(rules, candidates, visits)),
    )


def entities_to_plan(case: Case, rules: Rules, differential: Differential | None) -> tuple[str, ...]:
    """Entities above the share of the rule base, most probable first; then the working diagnosis, if it is named."""
    chosen: list[str] = []
    if differential is not None:
        ranked = sorted(differential.diagnoses, key=lambda d: -d.posterior)
        chosen = [d.entity for d in ranked if d.posterior >= rules.plan.follow_entities_above]
    working = case.working_diagnosis
    if working is not None and working.entity and working.entity not in chosen:
        chosen.append(working.entity)
    return tuple(chosen)
