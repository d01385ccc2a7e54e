"""The follow-up schedule of a case: visits still to come, with dates where a date of diagnosis or today is known."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator, Sequence

from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Visit
from kulchitsky.knowledge.rules import Rules
from kulchitsky.knowledge.rules_plan import NoFollowUpRow, VisitRow
from kulchitsky.reasoning.evaluate import Truth
from kulchitsky.reasoning.plan_facts import Candidate


def follow_up(
    case: Case, rules: Rules, candidates: Sequence[Candidate], *, today: dt.date | None
) -> tuple[Visit, ...]:
    """Visits of the most probable candidate that has a schedule, after the last visit on record, in order.

    Months count from diagnosis. Dates need ``diagnosed_on`` in the case; failing that, ``today`` stands for the last
    visit on record (or for the diagnosis where there is none).
    """
    since = max((visit.months for visit in case.follow_up), default=0.0)
    for candidate in candidates:
        if _not_needed(rules, candidate):
            return ()
        rows = [
            row
            for row in rules.plan.visits
            if candidate.entity in row.entities and candidate.holds(row.when).truth is Truth.TRUE
        ]
        if rows:
            visits = [visit for row in rows for visit in _visits(row, candidate)]
            coming = sorted((v for v in visits if v.months > since), key=lambda v: v.months)
            start = _start(case, since, today)
            return tuple(v.model_copy(update={"date": add_months(start, v.months)}) if start else v for v in coming)
    return ()


def follow_up_issues(rules: Rules, candidates: Sequence[Candidate], visits: Sequence[Visit]) -> tuple[Issue, ...]:
    """Why there are no visits: a source says that none are needed, or the rule base holds no schedule that fits."""
    if visits or not candidates:
        return ()
    for candidate in candidates:
        ended = _not_needed(rules, candidate)
        if ended:
            return tuple(
                Issue(
                    code="follow_up.not_needed",
                    level=Level.NOTE,
                    message=f"{row.sentence} [{', '.join(row.sources)}]",
                    path="follow_up",
                )
                for row in ended
            )
    names = ", ".join(candidate.name for candidate in candidates)
    return (
        Issue(
            code="follow_up.none_sourced",
            level=Level.NOTE,
            message=f"The rule base holds no sourced follow-up schedule that applies to: {names}.",
            path="follow_up",
        ),
    )


def _not_needed(rules: Rules, candidate: Candidate) -> tuple[NoFollowUpRow, ...]:
    return tuple(
        row
        for row in rules.plan.no_follow_up
        if candidate.entity in row.entities and candidate.holds(row.when).truth is Truth.TRUE
    )


def _visits(row: VisitRow, candidate: Candidate) -> Iterator[Visit]:
    months = row.from_months
    while months <= row.to_months:
        yield Visit(months=months, what=row.what, entity=candidate.entity, sources=row.sources)
        months += row.every_months


def _start(case: Case, since: float, today: dt.date | None) -> dt.date | None:
    if case.diagnosed_on is not None:
        return case.diagnosed_on
    return add_months(today, -since) if today is not None else None


def add_months(start: dt.date, months: float) -> dt.date:
    """The same day ``months`` later; a day that the month lacks becomes its last, a part of a month is left out."""
    index = start.year * 12 + start.month - 1 + int(months // 1)
    year, month = divmod(index, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return dt.date(year, month + 1, day)
