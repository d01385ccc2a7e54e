"""The complete case inside a format that cannot hold every field: packed, checked, taken out again.

Every export carries the whole record beside its own fields (an attachment, an extension, a column), so that nothing
is lost on the way back; the checksum of the surrounding content tells whether someone edited it after the export.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

from pydantic import ValidationError

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.record import Case


def case_json(case: Case) -> str:
    """Return the case as canonical JSON (sorted keys, no spaces): equal cases give equal text."""
    return json.dumps(case.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def pack(text: str) -> str:
    """Return text as base64 of its UTF-8 bytes."""
    return base64.b64encode(text.encode("utf-8")).decode("ascii")


def unpack(data: str, *, source: str, place: str) -> Case:
    """Return the case packed in ``data``; a damaged or foreign payload is refused."""
    try:
        text = base64.b64decode(data, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise RefusedCase(
            f"the complete case is damaged ({error})", source=source, place=place, remedy="export the case again"
        ) from None
    return parse_case(text, source=source, place=place)


def parse_case(text: str, *, source: str, place: str) -> Case:
    """Return the case written as JSON; the first wrong field is named."""
    try:
        return Case.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"]) or "the record"
        raise RefusedCase(
            f"{path}: {first['msg']}",
            source=source,
            place=place,
            remedy="correct that field or export the case again",
        ) from None


def checksum(content: Any) -> str:
    """Return the SHA-256 of any JSON content in canonical form."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
