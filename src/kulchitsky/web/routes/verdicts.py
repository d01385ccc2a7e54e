"""What a case comes to: differential with what-if, grade, stage, prognosis and plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel

from kulchitsky.case.record import MarkerResult
from kulchitsky.case.verdict import (
    Challenge,
    Differential,
    GradeVerdict,
    Plan,
    Reference,
    StageVerdict,
    WorkedUpCase,
)
from kulchitsky.case.vocabulary import State
from kulchitsky.web.access import Bench
from kulchitsky.web.bars import Ranked, bar_end, forest, ranked
from kulchitsky.web.pages import add_page
from kulchitsky.web.routes.cases import CaseId
from kulchitsky.workup.case_shelf import KeptCase
from kulchitsky.workup.known_ids import entity_names, marker_names

router = APIRouter(tags=["verdicts"])

WHAT_IF = r"^([a-z][a-z0-9_]{0,63}:(present|absent|equivocal|not_tested))?$"
Setting = Annotated[str, Query(pattern=WHAT_IF, max_length=90)]


class VerdictPage(BaseModel):
    """What every page of a worked-up case carries."""

    id: str
    tab: str
    status: str
    revision: int
    names: dict[str, str]
    references: dict[str, Reference]


class DifferentialPage(VerdictPage):
    """The differential, as the record stands or as it would be with other results."""

    differential: Differential
    challenge: Challenge | None
    what_if: dict[str, State]
    recorded: dict[str, State]
    before: dict[str, float]
    """Posteriors as the record stands, beside those of the question asked."""


class GradePage(VerdictPage):
    """Every grading system that applies."""

    grade: tuple[GradeVerdict, ...]


class StagePage(VerdictPage):
    """Every stage reading, with the routing that chose it."""

    stage: StageVerdict


class PlanPage(VerdictPage):
    """Prognosis, tests, options, follow-up."""

    plan: Plan


def differential_page(
    bench: Bench,
    case_id: CaseId,
    what: Annotated[list[Setting], Query(alias="set", max_length=60)] = [],  # noqa: B006 - never changed
    diagnosis: Annotated[str, Query(pattern=r"^([a-z][a-z0-9_]{0,63})?$")] = "",
) -> DifferentialPage:
    """``set=ck20:absent`` asks what if that stain were negative; ``diagnosis`` is the one to challenge."""
    asked = what_if(what)
    if diagnosis and diagnosis not in entity_names():
        raise HTTPException(422, f"{diagnosis} is not an entity of the knowledge base.")
    kept, worked = bench.desk.worked(case_id, what_if=results_of(asked), diagnosis=diagnosis or None)
    before = worked if not asked else bench.desk.worked(case_id)[1]
    return DifferentialPage(
        **common(kept, worked, "differential"),
        differential=worked.differential,
        challenge=worked.challenge,
        what_if=asked,
        recorded={m.marker: m.state for m in kept.case.markers},
        before={d.entity: d.posterior for d in before.differential.diagnoses},
    )


def grade_page(bench: Bench, case_id: CaseId) -> GradePage:
    """Grades with their probabilities and reasons."""
    kept, worked = bench.desk.worked(case_id)
    return GradePage(**common(kept, worked, "grade"), grade=worked.grade)


def stage_page(bench: Bench, case_id: CaseId) -> StagePage:
    """Stages with their reasons and what is missing."""
    kept, worked = bench.desk.worked(case_id)
    return StagePage(**common(kept, worked, "stage"), stage=worked.stage)


def plan_page(bench: Bench, case_id: CaseId) -> PlanPage:
    """Prognosis, tests, options and follow-up with their sources."""
    kept, worked = bench.desk.worked(case_id)
    return PlanPage(**common(kept, worked, "plan"), plan=worked.plan)


def common(kept: KeptCase, worked: WorkedUpCase, tab: str) -> dict[str, Any]:
    """The fields of every verdict page."""
    return {
        "id": kept.case.id,
        "tab": tab,
        "status": kept.status,
        "revision": kept.revision,
        "names": {**marker_names(), **entity_names(), **worked.names},
        "references": {reference.key: reference for reference in worked.references},
    }


def what_if(settings: Iterable[str]) -> dict[str, State]:
    """Markers asked about and their supposed state. Raises 422 for a marker that nobody knows."""
    asked: dict[str, State] = {}
    known = marker_names()
    for setting in settings:
        marker, _, state = setting.partition(":")
        if not marker:
            continue
        if marker not in known:
            raise HTTPException(422, f"{marker} is not a marker of the knowledge base.")
        asked[marker] = State(state)
    return asked


def results_of(asked: dict[str, State]) -> tuple[MarkerResult, ...]:
    """The supposed results as records."""
    return tuple(MarkerResult(marker=marker, state=state) for marker, state in asked.items())


def _differential_context(_: Request, page: DifferentialPage) -> dict[str, Any]:
    shown: Sequence[Ranked] = ranked(page.differential, page.before)
    next_markers = [m for test in page.differential.next_tests for m in (*test.markers, *test.alternatives)]
    markers = list(dict.fromkeys([*page.what_if, *next_markers, *page.recorded]))
    largest = f"{10 ** bar_end(page.differential):.0f}"
    return {
        "ranked": shown,
        "largest": largest,
        "markers": markers,
        "states": tuple(State),
        "entities": entity_names(),
    }


def _plan_context(_: Request, page: PlanPage) -> dict[str, Any]:
    return {"forest": forest(page.plan.prognosis.figures)}


add_page(
    router,
    "/cases/{case_id}/differential",
    "differential.html",
    differential_page,
    summary="Differential diagnosis, with what-if",
    context=_differential_context,
)
add_page(
    router,
    "/cases/{case_id}/plan",
    "plan.html",
    plan_page,
    summary="Prognosis, tests, options, follow-up",
    context=_plan_context,
)
add_page(router, "/cases/{case_id}/grade", "grade.html", grade_page, summary="Grade")
add_page(router, "/cases/{case_id}/stage", "stage.html", stage_page, summary="Stage")
