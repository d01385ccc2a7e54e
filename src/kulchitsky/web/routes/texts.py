"""The report that a case was read from: every fact of the case with the sentence it stands in."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from kulchitsky.web.access import Bench, workbench
from kulchitsky.web.case_facts import fact_lines
from kulchitsky.web.pages import add_page
from kulchitsky.web.routes.cases import CaseId
from kulchitsky.web.spans import pieces_of, sentence_around

router = APIRouter(tags=["readings"])


class FactInText(BaseModel):
    """One fact as it was read, before anybody corrected it: its place in the record, its words, their sentence."""

    path: str
    label: str
    value: str
    start: int
    end: int
    before: str
    words: str
    after: str


class CaseText(BaseModel):
    """The facts of a case that was read from prose; ``source`` is empty for a case written as a record."""

    id: str
    tab: str = "text"
    status: str
    revision: int
    source: str
    facts: tuple[FactInText, ...]


def case_text(bench: Bench, case_id: CaseId) -> CaseText:
    """Each fact with its sentence. The text itself is shown on the page only: it may name the patient."""
    kept, reading = bench.cases.get(case_id), bench.readings.of_case(case_id)
    facts = []
    if reading is not None:
        for fact, line in zip(reading.reading.facts, fact_lines(reading.reading), strict=True):
            before, words, after = sentence_around(reading.text, fact.start, fact.end)
            facts.append(
                FactInText(
                    path=fact.path,
                    label=line.label,
                    value=line.shown,
                    start=fact.start,
                    end=fact.end,
                    before=before,
                    words=words,
                    after=after,
                )
            )
    source = reading.source if reading is not None else ""
    return CaseText(id=case_id, status=kept.status, revision=kept.revision, source=source, facts=tuple(facts))


def _pieces(request: Request, page: CaseText) -> dict[str, Any]:
    reading = workbench(request).readings.of_case(page.id)
    if reading is None:
        return {"pieces": ()}
    return {"pieces": pieces_of(reading.text, reading.reading.facts, reading.reading.not_understood)}


add_page(
    router,
    "/cases/{case_id}/text",
    "text.html",
    case_text,
    summary="Facts of a case with the sentences they stand in",
    context=_pieces,
)
