"""What a registry hands out and writes: lines of a list, stored cases, changes; the stored form of a record."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.case.record import Case
from kulchitsky.registry.difference import FieldChange

Action = Literal["add", "import", "edit", "remove", "restore", "sign_off", "addendum"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list: where the case stands and what is asked for most."""

    key: str
    collection: str
    status: str
    revision: int
    age_years: float | None
    sex: str | None
    setting: str | None
    diagnosis: str | None
    size_cm: float | None
    ki67_percent: float | None
    follow_up_months: float | None
    outcome: str | None
    updated_at: dt.datetime


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case as it stands in the registry, with the revision that an edit must name."""

    key: str
    collection: str
    status: str
    revision: int
    signed_revision: int | None
    case: Case
    added_at: dt.datetime
    updated_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the history: who, when, what, and each field from its value to its value."""

    number: int
    at: dt.datetime
    who: str
    action: str
    note: str
    changes: tuple[FieldChange, ...]


def checked_words(text: str, what: str, source: str) -> str:
    """Return words as they can be stored; a NUL, which PostgreSQL cannot hold, is refused."""
    if "\x00" in text:
        raise RefusedRegistry(f"the {what} holds a NUL character", source=source, remedy="write it again")
    return text


def checked_collection(name: str, source: str) -> str:
    """Return the name of a collection; other than letters, digits and ``_ . : -``, or over 80, it is refused."""
    if not re.fullmatch(r"[A-Za-z0-9_.:-]{1,80}", name):
        raise RefusedRegistry(
            f"'{name[:40]}' is no name of a collection", source=source, remedy="use letters, digits and _ . : -"
        )
    return name


def body_of(case: Case) -> str:
    """Return the record as stored: canonical JSON, fields without a value left out."""
    data = case.model_dump(mode="json", exclude_none=True)
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def case_of(body: str, source: str, key: str) -> Case:
    """Return the record of a stored body; one that this version cannot read is refused, never skipped."""
    try:
        return Case.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        raise RefusedRegistry(
            f"the stored record does not fit this version ({path}: {first['msg']})",
            source=source,
            place=key,
            remedy="open the registry with the version that wrote it",
        ) from None


def digest(earlier: str, number: int, at: dt.datetime, who: str, action: str, note: str, body: str) -> str:
    """Return the SHA-256 that chains a revision to the one before it: an altered history no longer adds up."""
    moment = at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    text = "\x1f".join([earlier, str(number), moment, who, action, note, body])
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def changes_json(changes: Iterable[FieldChange]) -> str:
    """Return changes as stored."""
    listed = [{"path": c.path, "before": c.before, "after": c.after} for c in changes]
    return json.dumps(listed, separators=(",", ":"), ensure_ascii=False)


def stored(head: Any, case: Case, revision: int) -> StoredCase:
    """Put a row of ``study_case`` and a record together."""
    return StoredCase(
        head.key, head.collection, head.status, revision, head.signed_revision, case, head.added_at, head.updated_at
    )


def next_status(head: Any, action: Action, source: str) -> str:
    """Return the status after an action, or refuse the action.

    A draft can be edited, signed and removed; a signed case amended and removed; a removed one only restored.
    """
    allowed = {
        "draft": {"edit": "draft", "remove": "removed", "sign_off": "signed_off"},
        "signed_off": {"addendum": "signed_off", "remove": "removed"},
        "removed": {"restore": "draft" if head.signed_revision is None else "signed_off"},
    }[head.status]
    if action in allowed:
        return allowed[action]
    remedy = {
        "signed_off": "amend it with an addendum",
        "removed": "restore it first",
        "draft": "edit it, or sign it off first",
    }[head.status]
    raise RefusedRegistry(
        f"is {head.status.replace('_', ' ')}: {action.replace('_', ' ')} is not possible",
        source=source,
        place=head.key,
        remedy=remedy,
    )
