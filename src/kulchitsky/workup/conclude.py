"""A case whose slides have been looked at, weighed: differential, challenge, grade, stage, plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from kulchitsky._version import __version__
from kulchitsky.case.issue import Issue
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Challenge, Differential, Versions, WorkedUpCase
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.knowledge.rules import Rules
from kulchitsky.reasoning.challenge import challenge
from kulchitsky.reasoning.differential import differential
from kulchitsky.reasoning.grade import grade
from kulchitsky.reasoning.next_test import next_tests
from kulchitsky.reasoning.plan import plan
from kulchitsky.reasoning.stage import stage
from kulchitsky.workup.cited import names_used, references_cited
from kulchitsky.workup.gathered import Gathered, SlideWork
from kulchitsky.workup.issues_of_case import issues_of_case
from kulchitsky.workup.leading import leading_entities


def conclude(
    seen: SlideWork,
    gathered: Gathered,
    knowledge: KnowledgeBase,
    rules: Rules,
    *,
    working: str | None = None,
    today: dt.date | None = None,
) -> WorkedUpCase:
    """Weigh, grade, stage and plan a case whose slides have been looked at."""
    case = seen.case
    weighed = differential(case, knowledge)
    weighed = weighed.model_copy(update={"next_tests": next_tests(case, knowledge, k=3)})
    challenged = _challenge(case, knowledge, weighed, working)
    leading = _to_stage(weighed, challenged)
    graded = grade(case, rules, diagnoses=leading)
    staged = stage(case, rules, diagnoses=leading)
    planned = plan(case, rules, differential=weighed, grade=graded, stage=staged, today=today)
    reading = gathered.reading
    issues = (*(reading.issues if reading else ()), *issues_of_case(case, folder=gathered.folder), *seen.issues)
    worked = WorkedUpCase(
        case=case,
        facts=reading.facts if reading else (),
        not_understood=reading.not_understood if reading else (),
        counts=seen.counts,
        readings=seen.readings,
        pictures=seen.pictures,
        differential=weighed,
        challenge=challenged,
        grade=graded,
        stage=staged,
        plan=planned,
        issues=_once(issues),
        versions=Versions(
            software=__version__,
            knowledge_edition=knowledge.edition,
            case_sha256=gathered.sha256,
            created=dt.datetime.now(dt.UTC).replace(microsecond=0),
        ),
    )
    return worked.model_copy(
        update={"names": names_used(worked, knowledge), "references": references_cited(worked, knowledge, rules)}
    )


def _challenge(case: Case, knowledge: KnowledgeBase, weighed: Differential, working: str | None) -> Challenge | None:
    stated = case.working_diagnosis.entity if case.working_diagnosis else None
    leading = weighed.diagnoses[0].entity if weighed.diagnoses else None
    entity = working or stated or leading
    return challenge(case, knowledge, entity) if entity is not None else None


def _to_stage(weighed: Differential, challenged: Challenge | None) -> tuple[str, ...]:
    ranked = ((d.entity, d.posterior) for d in weighed.diagnoses)
    return leading_entities(ranked, challenged.diagnosis if challenged is not None else None)


def _once(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    return tuple(dict.fromkeys(issues))
