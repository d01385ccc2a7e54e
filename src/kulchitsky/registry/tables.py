"""The tables of a registry.

``revision`` is the truth: one row for every change, only ever added (triggers refuse update and delete).
``study_case`` is an index of the latest revision, rewritten in the same transaction; it could be rebuilt from the
revisions alone. ``term`` numbers the findings that feature rows are packed with. ``verdict`` keeps what a work-up
concluded about one revision, as data, with the versions that made it.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    BigInteger,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for plain INTEGER


class UtcDateTime(TypeDecorator[dt.datetime]):
    """A moment in UTC: aware in Python, on SQLite stored naive because it keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Turn any aware moment into UTC; a naive one is a defect of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a registry stores aware moments only")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(
        self,
        value: dt.datetime | None,
        dialect: Dialect,  # noqa: ARG002 - the interface's own signature
    ) -> dt.datetime | None:
        """Give the moment back as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Base(DeclarativeBase):
    """Root of the mapped classes."""


class StudyCase(Base):
    """The latest state of one case: where it stands, what a list shows, its packed findings."""

    __tablename__ = "study_case"

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    collection: Mapped[str] = mapped_column(String(80), index=True)
    status: Mapped[str] = mapped_column(String(16))
    revision: Mapped[int] = mapped_column(Integer)
    signed_revision: Mapped[int | None] = mapped_column(Integer)
    added_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    age_years: Mapped[float | None] = mapped_column(Float)
    sex: Mapped[str | None] = mapped_column(String(16))
    setting: Mapped[str | None] = mapped_column(String(40))
    diagnosis: Mapped[str | None] = mapped_column(String(64), index=True)
    size_cm: Mapped[float | None] = mapped_column(Float)
    ki67_percent: Mapped[float | None] = mapped_column(Float)
    follow_up_months: Mapped[float | None] = mapped_column(Float)
    outcome: Mapped[str | None] = mapped_column(String(40))
    layout: Mapped[int | None] = mapped_column(Integer)
    features: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (Index("ix_study_case_layout", "layout"),)


class Revision(Base):
    """One change of one case: who, when, what, from which value to which, and the whole case after it."""

    __tablename__ = "revision"

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(_Key, ForeignKey("study_case.id"))
    number: Mapped[int] = mapped_column(Integer)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    who: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text)
    changes: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))

    __table_args__ = (UniqueConstraint("case_id", "number", name="uq_revision_case_number"),)


class Term(Base):
    """A number for a finding or a vocabulary value, given once and never reused."""

    __tablename__ = "term"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(160))

    __table_args__ = (UniqueConstraint("kind", "name", name="uq_term_kind_name"),)


class Verdict(Base):
    """What one work-up concluded about one revision of a case, as its JSON, with the versions that made it."""

    __tablename__ = "verdict"

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(_Key, ForeignKey("study_case.id"), index=True)
    revision: Mapped[int] = mapped_column(Integer)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    who: Mapped[str] = mapped_column(String(120))
    software: Mapped[str] = mapped_column(String(40))
    edition: Mapped[str] = mapped_column(String(40))
    leading: Mapped[str | None] = mapped_column(String(64))
    grade: Mapped[str | None] = mapped_column(String(40))
    stage: Mapped[str | None] = mapped_column(String(40))
    body: Mapped[str] = mapped_column(Text)
