"""The report of a case: preview and downloads."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel

from kulchitsky.case.verdict import WorkedUpCase
from kulchitsky.web import work
from kulchitsky.web.access import Bench
from kulchitsky.web.pages import add_page
from kulchitsky.web.routes.cases import CaseId
from kulchitsky.web.security import REPORT_POLICY

router = APIRouter(tags=["reports"])

ReportFormat = Literal["html", "pdf", "json", "fhir", "ics"]
MEDIA_TYPES: dict[str, str] = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "json": "application/json",
    "fhir": "application/fhir+json",
    "ics": "text/calendar; charset=utf-8",
}
TITLES = {"html": "HTML", "pdf": "PDF", "json": "JSON", "fhir": "FHIR bundle", "ics": "Follow-up calendar"}


class Download(BaseModel):
    """One file of the report."""

    format: ReportFormat
    title: str
    path: str


class ReportPage(BaseModel):
    """The worked-up case and where its report can be had."""

    id: str
    tab: str = "report"
    status: str
    revision: int
    downloads: tuple[Download, ...]
    worked: WorkedUpCase


def report_page(bench: Bench, case_id: CaseId) -> ReportPage:
    """Everything the report is made of, and its files."""
    kept, worked = bench.desk.worked(case_id)
    downloads = tuple(
        Download.model_validate({"format": name, "title": TITLES[name], "path": f"/cases/{case_id}/report/{name}"})
        for name in TITLES
    )
    return ReportPage(id=case_id, status=kept.status, revision=kept.revision, downloads=downloads, worked=worked)


add_page(router, "/cases/{case_id}/report", "report.html", report_page, summary="The report and its files")


@router.get(
    "/cases/{case_id}/report/{format}",
    summary="One file of the report",
    response_class=Response,
    responses={200: {"content": {kind.partition(";")[0]: {} for kind in MEDIA_TYPES.values()}}},
)
def report_file(bench: Bench, case_id: CaseId, format: ReportFormat, download: bool = False) -> Response:
    """``download`` asks the browser to save it under the case's name."""
    _, worked = bench.desk.worked(case_id)
    content = work.report_bytes(worked, format, pictures_in=bench.reviews.counts_dir)
    if content is None:
        raise HTTPException(404, "This case has nothing of that kind: no follow-up schedule applies.")
    headers = {"Content-Security-Policy": REPORT_POLICY}
    if download or format not in ("html", "pdf"):
        headers["Content-Disposition"] = f'attachment; filename="{case_id}-{work.FILE_NAMES[format]}"'
    return Response(content, media_type=MEDIA_TYPES[format], headers=headers)
