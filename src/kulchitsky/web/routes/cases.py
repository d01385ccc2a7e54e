"""Cases: the list, the case page with its form, history, sign-off."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, ValidationError

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.issue import Issue
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Diagnosis, GradeVerdict, NextTest
from kulchitsky.web.access import Bench, SentForm, SignedIn
from kulchitsky.web.case_form import Errors, FormGroup, form_of, values_of
from kulchitsky.web.case_paths import PathStep, split_path, without
from kulchitsky.web.pages import add_page, render
from kulchitsky.web.routes.slides import SlideLine, slide_line
from kulchitsky.workup.case_shelf import CaseChange, CaseLine, KeptCase
from kulchitsky.workup.known_ids import entity_id, entity_names, marker_id, marker_names

router = APIRouter(tags=["cases"])

CaseId = Annotated[str, InPath(pattern=r"^[A-Za-z0-9_.-]{1,80}$")]
NewCaseId = Annotated[str, Form(max_length=80)]


class CaseList(BaseModel):
    """Cases of the registry, found by words."""

    words: str
    total: int
    cases: tuple[CaseLine, ...]
    names: dict[str, str]


class StageLine(BaseModel):
    """One stage reading in short."""

    scheme: str
    authority: str
    edition: str
    stage: str
    possible: tuple[str, ...]


class CasePage(BaseModel):
    """A case, what it comes to, and its slides."""

    id: str
    tab: str = "case"
    status: str
    revision: int
    updated_at: dt.datetime
    case: Case
    slides: tuple[SlideLine, ...]
    diagnoses: tuple[Diagnosis, ...]
    none_of_these: float
    grade: GradeVerdict | None
    stages: tuple[StageLine, ...]
    next_test: NextTest | None
    issues: tuple[Issue, ...]
    names: dict[str, str]
    has_text: bool


class CaseHistory(BaseModel):
    """Every change of a case, newest first."""

    id: str
    tab: str = "history"
    status: str
    revision: int
    changes: tuple[CaseChange, ...]


def case_list(bench: Bench, q: Annotated[str, Query(max_length=200)] = "") -> CaseList:
    """Cases whose id, diagnosis, site or sex hold every word of ``q``."""
    lines = bench.cases.lines(q)
    return CaseList(words=q, total=bench.cases.total(), cases=lines, names=entity_names())


def case_page(bench: Bench, case_id: CaseId) -> CasePage:
    """A case with its leading diagnoses, grade, stage, next stain and what deserves a look."""
    kept, worked = bench.desk.worked(case_id)
    return CasePage(
        id=kept.case.id,
        status=kept.status,
        revision=kept.revision,
        updated_at=kept.updated_at,
        case=kept.case,
        slides=tuple(slide_line(bench, slide) for slide in bench.slides.of_case(case_id)),
        diagnoses=worked.differential.diagnoses[:3],
        none_of_these=worked.differential.none_of_these,
        grade=worked.grade[0] if worked.grade else None,
        stages=tuple(
            StageLine(
                scheme=r.scheme_name, authority=r.authority, edition=r.edition, stage=r.stage, possible=r.possible
            )
            for r in worked.stage.readings
        ),
        next_test=worked.differential.next_tests[0] if worked.differential.next_tests else None,
        issues=worked.issues,
        names=worked.names,
        has_text=bench.readings.of_case(case_id) is not None,
    )


def case_history(bench: Bench, case_id: CaseId) -> CaseHistory:
    """Who changed what, when."""
    kept = bench.cases.get(case_id)
    changes = bench.cases.history(case_id)
    return CaseHistory(id=case_id, status=kept.status, revision=kept.revision, changes=changes)


def form_context(_: Request, page: CasePage) -> dict[str, Any]:
    """The form beside a case page that is being looked at."""
    return editing(form_of(page.case.model_dump(mode="json")), Errors(), page.revision)


def editing(form: FormGroup, errors: Errors, revision: int, message: str = "") -> dict[str, Any]:
    """What the template of the form needs."""
    return {
        "form": form,
        "problems": errors.by_path,
        "form_revision": revision,
        "form_message": message,
        "known": known_names(),
    }


def known_names() -> dict[str, dict[str, str]]:
    """Suggestions for fields that take a marker or an entity."""
    return {"markers": marker_names(), "entities": entity_names()}


@router.get("/cases/new", response_class=HTMLResponse, include_in_schema=False)
def new_case(request: Request, session: SignedIn, bench: Bench) -> HTMLResponse:
    """The page on which a case begins: prose, a document, or a blank record."""
    bench.ahead.prose()
    return render(request, "new_case.html", session, message="", text="")


add_page(router, "/cases", "cases.html", case_list, summary="Cases of the registry")
add_page(router, "/cases/{case_id}/history", "history.html", case_history, summary="Who changed what in a case")
add_page(
    router, "/cases/{case_id}", "case.html", case_page, summary="A case and what it comes to", context=form_context
)


@router.post("/cases", include_in_schema=False)
def create_blank(session: SignedIn, bench: Bench, case_id: NewCaseId) -> RedirectResponse:
    """Begin a blank case."""
    case = new_record({"id": case_id.strip()})
    bench.cases.add(case, session.reader)
    return RedirectResponse(f"/cases/{case.id}", 303)


@router.post("/cases/{case_id}", include_in_schema=False)
def save(request: Request, session: SignedIn, bench: Bench, case_id: CaseId, form: SentForm) -> Response:
    """Save the form, or draw it again with one row more or less, or with what is wrong beside the fields."""
    stated = form.get("revision", [""])[0]
    revision = int(stated) if stated.isdecimal() else 0
    kept = bench.cases.get(case_id)
    data = values_of(form)
    add, remove = form.get("_add", [""])[0], form.get("_remove", [""])[0]
    if remove:
        data = without(data, [_steps(remove)])
    errors, message = Errors(), ""
    if not add and not remove:
        try:
            case = record_of(data, case_id)
            if case != kept.case:
                bench.cases.edit(case, session.reader, revision=revision)
            return RedirectResponse(f"/cases/{case_id}?saved=1", 303)
        except ValidationError as error:
            errors = Errors.of(error)
            message = f"Not saved: {len(errors.by_path)} place{'s' if len(errors.by_path) > 1 else ''} to look at."
    context = editing(form_of(data, errors, add), errors, revision, message)
    status = 422 if message else 200
    return render(request, "case.html", session, status=status, view=case_page(bench, case_id), **context)


@router.post("/cases/{case_id}/sign-off", include_in_schema=False)
def sign_off(
    session: SignedIn, bench: Bench, case_id: CaseId, revision: Annotated[int, Form(ge=1)]
) -> RedirectResponse:
    """Sign a case: it can only be amended from now on."""
    bench.cases.sign_off(case_id, session.reader, revision=revision)
    return RedirectResponse(f"/cases/{case_id}/history", 303)


@router.put("/cases/{case_id}.json", summary="Put a whole new state of a case")
def put_case(
    session: SignedIn, bench: Bench, case_id: CaseId, case: Case, revision: Annotated[int, Query(ge=1)]
) -> KeptCase:
    """``revision`` is the one the change was made from; an outdated one is refused."""
    kept = bench.cases.get(case_id)
    same = record_of(case.model_dump(mode="json"), case_id)
    return kept if same == kept.case else bench.cases.edit(same, session.reader, revision=revision)


def record_of(data: dict[str, Any], case_id: str) -> Case:
    """The case of plain data; names of markers and entities become ids. Raises ``ValidationError``."""
    resolved = {**data, "id": case_id}
    for name, key in (("markers", "marker"), ("slides", "stain")):
        if isinstance(resolved.get(name), list):
            resolved[name] = [_with_id(row, key, marker_id) for row in resolved[name]]
    if isinstance(resolved.get("working_diagnosis"), dict):
        resolved["working_diagnosis"] = _with_id(resolved["working_diagnosis"], "entity", entity_id)
    return Case.model_validate(resolved)


def new_record(data: dict[str, Any]) -> Case:
    """A new case; its id must be usable in an address."""
    try:
        case = record_of(data, str(data.get("id", "")))
    except ValidationError as error:
        first = error.errors()[0]
        raise RefusedCase(
            "an id takes 1–80 letters, digits, dots, dashes and underscores"
            if first["loc"] == ("id",)
            else str(first["msg"]),
            source="new case",
            place=".".join(map(str, first["loc"])),
            remedy="correct it and send it again",
        ) from error
    if case.id.lower() in {"new"} or case.id.lower().endswith(".json") or set(case.id) <= {"."}:
        raise RefusedCase(
            "that id has a meaning in addresses", source="new case", place="id", remedy="choose another"
        )
    return case


def _with_id(row: Any, key: str, resolve: Any) -> Any:
    if not isinstance(row, dict) or not isinstance(row.get(key), str):
        return row
    return {**row, key: resolve(row[key]) or row[key].strip().lower().replace(" ", "_")}


def _steps(path: str) -> tuple[PathStep, ...]:
    try:
        return split_path(path)
    except ValueError as error:
        raise RefusedCase("there is no such row", source="form", place=path[:60], remedy="reload the page") from error
