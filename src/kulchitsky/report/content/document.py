"""The order of the report."""

from __future__ import annotations

from collections.abc import Callable, Collection

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import WorkedUpCase
from kulchitsky.report import wording as w
from kulchitsky.report.blocks import Document, Section
from kulchitsky.report.content import challenge, diagnosis, grade, method, plan, prognosis, recorded, slides, stage
from kulchitsky.report.desk import Desk, quiet, say

SYNOPSIS: tuple[Callable[[Desk], Section], ...] = (
    diagnosis.ranked,
    grade.first_page,
    slides.first_page,
    stage.first_page,
    challenge.first_page,
    diagnosis.next_stain,
    prognosis.first_page,
    plan.options_first_page,
    plan.follow_up_first_page,
    method.look_first,
)
"""The first page, in reading order."""

ANNEXES: tuple[Callable[[Desk], Section], ...] = (
    recorded.annex,
    recorded.facts,
    slides.annex,
    diagnosis.differential,
    challenge.annex,
    grade.annex,
    stage.annex,
    prognosis.annex,
    prognosis.claims,
    plan.tests,
    plan.options,
    plan.follow_up,
    plan.codes,
    method.issues,
    method.references,
    method.versions,
)
"""The annexes, A to P; nothing after the references cites."""


def build(worked: WorkedUpCase, supplied: Collection[str] = ()) -> Document:
    """The report of ``worked``; ``supplied`` names the pictures at hand.

    Sections are built in reading order, because sources are numbered as they are first cited.
    """
    desk = Desk(worked, supplied)
    stamp = worked.versions
    created = f", {stamp.created.date().isoformat()}" if stamp.created else ""
    return Document(
        title="Worked-up case",
        case_id="" if worked.case.id == Case().id else worked.case.id,
        subtitle=say(_who(worked), quiet(created)),
        intended_use=w.INTENDED_USE,
        versions=f"kulchitsky {stamp.software.removeprefix('kulchitsky ')}, knowledge {stamp.knowledge_edition}",
        synopsis=tuple(section(desk) for section in SYNOPSIS),
        annexes=tuple(section(desk) for section in ANNEXES),
    )


def _who(worked: WorkedUpCase) -> str:
    patient, seen = worked.case.patient, worked.case.presentation
    age = f"{w.number(patient.age_years)} years" if patient.age_years is not None else "age not stated"
    site = seen.site.text if seen.site and seen.site.text else "site not stated"
    sex = patient.sex.value if patient.sex.value != "unknown" else "sex not stated"
    return f"{w.sentence_case(sex)}, {age}; {site}"
