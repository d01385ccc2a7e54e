"""The order of the report."""

from __future__ import annotations

from collections.abc import Collection

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import WorkedUpCase
from kulchitsky.report import wording as w
from kulchitsky.report.blocks import Document
from kulchitsky.report.content import challenge, diagnosis, grade, method, plan, prognosis, recorded, slides, stage
from kulchitsky.report.desk import Desk, quiet, say


def build(worked: WorkedUpCase, supplied: Collection[str] = ()) -> Document:
    """The report of ``worked``; ``supplied`` names the pictures at hand.

    Sections are built in reading order, because sources are numbered as they are first cited.
    """
    desk = Desk(worked, supplied)
    synopsis = (
        diagnosis.ranked(desk),
        grade.first_page(desk),
        slides.first_page(desk),
        stage.first_page(desk),
        challenge.first_page(desk),
        diagnosis.next_stain(desk),
        prognosis.first_page(desk),
        plan.options_first_page(desk),
        plan.follow_up_first_page(desk),
        method.look_first(desk),
    )
    annexes = (
        recorded.annex(desk),
        recorded.facts(desk),
        slides.annex(desk),
        diagnosis.differential(desk),
        challenge.annex(desk),
        grade.annex(desk),
        stage.annex(desk),
        prognosis.annex(desk),
        prognosis.claims(desk),
        plan.tests(desk),
        plan.options(desk),
        plan.follow_up(desk),
        plan.codes(desk),
        method.issues(desk),
        method.references(desk),
        method.versions(desk),
    )
    stamp = worked.versions
    created = f", {stamp.created.date().isoformat()}" if stamp.created else ""
    return Document(
        title="Worked-up case",
        case_id="" if worked.case.id == Case().id else worked.case.id,
        subtitle=say(_who(worked), quiet(created)),
        intended_use=w.INTENDED_USE,
        versions=f"kulchitsky {stamp.software.removeprefix('kulchitsky ')}, knowledge {stamp.knowledge_edition}",
        synopsis=synopsis,
        annexes=annexes,
    )


def _who(worked: WorkedUpCase) -> str:
    patient, seen = worked.case.patient, worked.case.presentation
    age = f"{w.number(patient.age_years)} years" if patient.age_years is not None else "age not stated"
    site = seen.site.text if seen.site and seen.site.text else "site not stated"
    sex = patient.sex.value if patient.sex.value != "unknown" else "sex not stated"
    return f"{w.sentence_case(sex)}, {age}; {site}"
