"""From prose to case: paste or upload, see each fact where it came from, confirm or correct, make the case."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi import Path as InPath
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ValidationError

from kulchitsky.case.errors import RefusedReport
from kulchitsky.case.issue import Issue
from kulchitsky.case.verdict import Fact, NotUnderstood
from kulchitsky.web import work
from kulchitsky.web.access import Bench, SentForm, SignedIn, workbench
from kulchitsky.web.case_facts import FactLine, confirmed_data, fact_lines
from kulchitsky.web.case_form import Errors
from kulchitsky.web.pages import add_page, render
from kulchitsky.web.reading_shelf import KeptReading
from kulchitsky.web.routes.cases import known_names, new_record, record_of
from kulchitsky.web.routes.slides import safe_file_name
from kulchitsky.web.spans import Piece, pieces_of

router = APIRouter(tags=["readings"])

ReadingId = Annotated[str, InPath(pattern=r"^[0-9a-f]{16}$")]
PROSE_SUFFIXES = frozenset({".txt", ".md", ".docx", ".pdf"})
MOST_CHARACTERS = 500_000


class ReadingPage(BaseModel):
    """A text with the facts read in it."""

    id: str
    source: str
    text: str
    case_id: str
    suggested_id: str
    facts: tuple[Fact, ...]
    not_understood: tuple[NotUnderstood, ...]
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class ReadingView:
    """What the template draws: the text in pieces, the facts as fields."""

    pieces: tuple[Piece, ...]
    lines: tuple[FactLine, ...]


def reading_page(bench: Bench, reading_id: ReadingId) -> ReadingPage:
    """Facts with their places in the text, and what was not understood."""
    return page_of(bench.readings.get(reading_id))


def page_of(kept: KeptReading) -> ReadingPage:
    """The page of a kept reading."""
    reading = kept.reading
    return ReadingPage(
        id=kept.id,
        source=kept.source,
        text=kept.text,
        case_id=kept.case_id,
        suggested_id=reading.case.id if reading.case.id not in ("", "case") else f"case-{kept.id[:6]}",
        facts=reading.facts,
        not_understood=reading.not_understood,
        issues=reading.issues,
    )


@router.post("/readings", include_in_schema=False)
def read(
    request: Request,
    session: SignedIn,
    bench: Bench,
    text: Annotated[str, Form(max_length=MOST_CHARACTERS)] = "",
    document: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Read pasted prose or an uploaded document."""
    source = "pasted text"
    if document is not None and document.filename:
        source = safe_file_name(document.filename)
        text = _text_of_upload(document, source)
    if not text.strip():
        message = "Paste a report or choose a document."
        return render(request, "new_case.html", session, status=422, message=message, text=text)
    kept = bench.readings.read(text.replace("\r\n", "\n"), source)
    return RedirectResponse(f"/readings/{kept.id}", 303)


@router.post("/readings/{reading_id}", include_in_schema=False)
def make_case(request: Request, session: SignedIn, bench: Bench, reading_id: ReadingId, form: SentForm) -> Response:
    """Make the case of the facts that were confirmed."""
    kept = bench.readings.get(reading_id)
    case_id = form.get("case_id", [""])[0].strip()
    data = confirmed_data(kept.reading, form)
    try:
        record_of(data, "case")
    except ValidationError as error:
        errors = Errors.of(error)
        places = "; ".join(f"{place}: {problem}" for place, problem in errors.by_path.items())
        context = html_context(kept, form, f"The facts do not fit together. {places}")
        return render(request, "reading.html", session, status=422, view=page_of(kept), **context)
    case = new_record({**data, "id": case_id})
    bench.cases.add(case, session.reader, note=f"read from {kept.source}, facts confirmed")
    bench.readings.assign(kept, case.id)
    return RedirectResponse(f"/cases/{case.id}", 303)


def html_context(kept: KeptReading, form: dict[str, list[str]] | None = None, message: str = "") -> dict[str, Any]:
    """What only the page needs: the text in pieces, the facts as fields with what was sent back."""
    reading = kept.reading
    view = ReadingView(
        pieces=pieces_of(kept.text, reading.facts, reading.not_understood), lines=fact_lines(reading, form)
    )
    return {"reading": view, "message": message, "known": known_names()}


def _page_context(request: Request, page: ReadingPage) -> dict[str, Any]:
    return html_context(workbench(request).readings.get(page.id))


add_page(
    router,
    "/readings/{reading_id}",
    "reading.html",
    reading_page,
    summary="A report with the facts read in it",
    context=_page_context,
)


def _text_of_upload(document: UploadFile, name: str) -> str:
    if Path(name).suffix.lower() not in PROSE_SUFFIXES:
        raise RefusedReport(
            "this is no report", source=name, remedy="upload .txt, .md, .docx or .pdf, or paste the text"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(document.file.read())
        return work.document_text(path)
