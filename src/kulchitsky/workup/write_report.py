"""The report of a worked-up case as files: HTML, JSON, PDF, a FHIR bundle, a follow-up calendar."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from kulchitsky.case.errors import RefusedInput
from kulchitsky.case.verdict import Visit, WorkedUpCase
from kulchitsky.exchange import fhir
from kulchitsky.report import html, pdf
from kulchitsky.report import json as json_report
from kulchitsky.report.files import write_whole
from kulchitsky.workup.calendar import follow_up_calendar
from kulchitsky.workup.report_pictures import report_pictures

FILE_NAMES = {
    "html": "report.html",
    "json": "report.json",
    "pdf": "report.pdf",
    "fhir": "report.fhir.json",
    "ics": "follow-up.ics",
}


def write_report(
    worked: WorkedUpCase,
    out_dir: str | Path,
    *,
    formats: Sequence[str] = tuple(FILE_NAMES),
    base: str | Path | None = None,
) -> dict[str, Path]:
    """Write the report of ``worked`` into ``out_dir`` in each of ``formats``; the files by format.

    Pictures are read from ``base`` (``out_dir`` if not given), to which ``SlidePicture.path`` is relative; one that
    is not there, or lies outside it, is left out and the report says so. Each file is written whole or not at all. No
    calendar is written where no visit has a date.

    Raises ``RefusedInput`` for a format that is unknown and where ``out_dir`` cannot be written.
    """
    out = Path(out_dir)
    for name in formats:
        _check_format(name)
    pictures = report_pictures(worked, Path(base) if base is not None else out)
    written: dict[str, Path] = {}
    try:
        for name in dict.fromkeys(formats):
            content = _content(worked, name, pictures)
            if content is not None:
                written[name] = write_whole(out / FILE_NAMES[name], content)
    except OSError as error:
        problem = f"the report cannot be written ({error.strerror or error})"
        raise RefusedInput(problem, source=str(out), remedy="name a folder that can be written") from error
    return written


def _check_format(name: str) -> None:
    if name not in FILE_NAMES:
        known = ", ".join(FILE_NAMES)
        raise RefusedInput(f"{name!r} is not a format of the report", source="report", remedy=f"choose among {known}")


def _content(worked: WorkedUpCase, name: str, pictures: dict[str, bytes]) -> bytes | None:
    if name == "html":
        return html.render(worked, pictures=pictures).encode()
    if name == "json":
        return json_report.render(worked).encode()
    if name == "pdf":
        return pdf.render(worked, pictures=pictures)
    if name == "fhir":
        return (json.dumps(fhir.bundle(worked), ensure_ascii=False, indent=2) + "\n").encode()
    return follow_up_calendar(_planned(worked), case_id=worked.case.id, created=worked.versions.created)


def _planned(worked: WorkedUpCase) -> list[Visit]:
    """The visits of the leading diagnosis: those of its rivals would double them."""
    diagnoses = worked.differential.diagnoses
    leading = diagnoses[0].entity if diagnoses else ""
    return [visit for visit in worked.plan.follow_up if visit.entity in ("", leading)]
