"""What work-ups concluded about a stored case: kept as data beside the revision it was made from."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.engine import Connection, Engine

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import WorkedUpCase
from kulchitsky.registry.packing import LAYOUT, pack
from kulchitsky.registry.records import body_of
from kulchitsky.registry.tables import Revision, StudyCase, Verdict
from kulchitsky.registry.terms import Terms

UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """One work-up of one revision: who ran it when, with which software and knowledge, and what it concluded."""

    revision: int
    at: dt.datetime
    who: str
    software: str
    edition: str
    leading: str | None
    grade: str | None
    stage: str | None
    body: str


def attach(engine: Engine, worked: WorkedUpCase, *, who: str, source: str) -> int:
    """Keep a work-up beside the current revision of its case (by ``worked.case.id``); returns that revision.

    ``engine`` takes the write lock when a transaction begins. Refused where the case in the work-up is not the one
    stored: a verdict on other findings would be misread later.
    """
    case = worked.case
    with engine.begin() as connection:
        head = connection.execute(
            sa.select(StudyCase.id, StudyCase.revision, Revision.body)
            .join(Revision, sa.and_(Revision.case_id == StudyCase.id, Revision.number == StudyCase.revision))
            .where(StudyCase.key == case.id)
        ).one_or_none()
        if head is None:
            raise RefusedRegistry(f"no case {case.id}", source=source, remedy="add the case first")
        if head.body != body_of(case):
            raise RefusedRegistry(
                f"the work-up is of another state of the case than revision {head.revision}",
                source=source,
                place=case.id,
                remedy="store that state first, or work up the stored one",
            )
        concluded = conclusion(worked)
        connection.execute(
            sa.insert(Verdict).values(
                case_id=head.id,
                revision=head.revision,
                at=dt.datetime.now(dt.UTC),
                who=who,
                software=worked.versions.software[:40],
                edition=worked.versions.knowledge_edition[:40],
                leading=concluded.get("concluded_diagnosis"),
                grade=concluded.get("concluded_grade"),
                stage=concluded.get("concluded_stage"),
                body=worked.model_dump_json(exclude_none=True),
            )
        )
        _pack(connection, int(head.id), case, concluded)
        return int(head.revision)


def verdicts(engine: Engine, key: str) -> list[StoredVerdict]:
    """Return every work-up kept of a case, oldest first."""
    columns = [getattr(Verdict, name) for name in StoredVerdict.__dataclass_fields__]
    statement = sa.select(*columns).join(StudyCase, StudyCase.id == Verdict.case_id).where(StudyCase.key == key)
    with engine.connect() as connection:
        return [StoredVerdict(*row) for row in connection.execute(statement.order_by(Verdict.id)).all()]


def latest_work_up(engine: Engine, case: Case) -> WorkedUpCase | None:
    """Return the latest work-up of exactly this record, or ``None``; one that this version cannot read is refused."""
    statement = (
        sa.select(Verdict.body)
        .join(StudyCase, StudyCase.id == Verdict.case_id)
        .join(Revision, sa.and_(Revision.case_id == Verdict.case_id, Revision.number == Verdict.revision))
        .where(StudyCase.key == case.id, Revision.body == body_of(case))
        .order_by(Verdict.id.desc())
        .limit(1)
    )
    with engine.connect() as connection:
        body = connection.scalar(statement)
    if body is None:
        return None
    try:
        return WorkedUpCase.model_validate_json(body)
    except ValidationError as error:
        path = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise RefusedRegistry(
            f"the stored work-up does not fit this version ({path})",
            source=str(engine.url.database),
            place=case.id,
            remedy="work the case up again",
        ) from None


def latest_conclusion(connection: Connection, case_id: int, body: str) -> dict[str, str]:
    """Return what the latest work-up of exactly this record (``body``) concluded; nothing where there is none."""
    row = connection.execute(
        sa.select(Verdict.leading, Verdict.grade, Verdict.stage)
        .join(Revision, sa.and_(Revision.case_id == Verdict.case_id, Revision.number == Verdict.revision))
        .where(Verdict.case_id == case_id, Revision.body == body)
        .order_by(Verdict.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return {}
    named = {"concluded_diagnosis": row.leading, "concluded_grade": row.grade, "concluded_stage": row.stage}
    return {name: value for name, value in named.items() if value}


def conclusion(worked: WorkedUpCase) -> dict[str, str]:
    """Return leading entity, grade and stage in one word each; the first that is determined, else *undetermined*."""
    found = {}
    if worked.differential.diagnoses:
        found["concluded_diagnosis"] = worked.differential.diagnoses[0].entity[:64]
    for name, values in (
        ("concluded_grade", [verdict.grade for verdict in worked.grade]),
        ("concluded_stage", [reading.stage for reading in worked.stage.readings]),
    ):
        if values:
            found[name] = next((value for value in values if value != UNDETERMINED), UNDETERMINED)[:40]
    return found


def _pack(connection: Connection, case_id: int, case: Case, concluded: dict[str, str]) -> None:
    terms = Terms(connection)
    features = pack(case, terms.number, concluded)
    terms.flush()
    connection.execute(sa.update(StudyCase).where(StudyCase.id == case_id).values(layout=LAYOUT, features=features))
