"""A case without what could name the patient; what is not known to be harmless does not leave.

Every field has a row in ``deidentify.csv``: kept, dropped, or changed (ages of 90 and over become 90, specimen
numbers become S1, S2 …). A field without a row is refused: a new field leaves only after someone thought about it.
Free text is dropped. Short terms (sites, symptoms, laboratory tests) stay if they look like terms: a date, a long
number, an address sign, a title or two capitalised words side by side are refused, not cut out, so that a person
looks; ``drop_terms`` drops them all instead. This follows the Safe Harbor list as far as a case holds its items;
whether the result is anonymous where it goes remains a judgement.

Source: 45 CFR 164.514(b)(2).
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from importlib import resources
from typing import Any

from kulchitsky.case.errors import BrokenKnowledge, RefusedCase
from kulchitsky.case.record import Case

_OLDEST = 90
_PSEUDONYM = re.compile(r"^K-[A-Z2-7]{12}$")
_SUSPECT = (
    (re.compile(r"\d{6}"), "a long number"),
    (re.compile(r"\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b"), "a date"),
    (re.compile(r"@|https?:"), "an address"),
    (re.compile(r"\b(?:mr|mrs|ms|miss|dr|prof)\b\.?\s", re.IGNORECASE), "a title"),
    (re.compile(r"\b[A-Z][a-zà-ÿ]+,?\s+[A-Z][a-zà-ÿ]+\b"), "two capitalised words, like a name"),
)
_LONGEST_TERM = 80
_ACTIONS = {"keep", "drop", "term", "unit", "age", "pseudonym", "specimen"}
_UNIT = re.compile(r"^[^\W\d_]{0,8}[-%/*.^×·()\[\]µμ³²⁹⁶0-9A-Za-z ]{0,20}$")


def deidentify(case: Case, *, drop_terms: bool = False) -> Case:
    """Return the case without identifiers; refused where a field or a term is not known to be harmless."""
    specimens = {s.id: f"S{n}" for n, s in enumerate(case.specimens, start=1)}
    data = case.model_dump(mode="json", exclude_none=True)
    cleaned = _clean(data, "", case.id, specimens, drop_terms)
    return Case.model_validate(cleaned)


@lru_cache(maxsize=1)
def rules() -> dict[str, str]:
    """Return the action for each path of the record (list numbers left out)."""
    text = resources.files("kulchitsky.exchange").joinpath("deidentify.csv").read_text(encoding="utf-8")
    found = {}
    for row in csv.DictReader(text.splitlines()):
        if row["action"] not in _ACTIONS or not row["why"]:
            raise BrokenKnowledge(f"exchange/deidentify.csv, {row['path']}: needs a known action and a reason")
        found[row["path"]] = row["action"]
    return found


def _clean(value: Any, path: str, key: str, specimens: dict[str, str], drop_terms: bool) -> Any:
    """Walk the record; a dropped value comes back as ``None`` (dictionaries leave it out) or, where a record must
    have the text, as nothing written.
    """
    action = rules().get(path)
    if action is not None:
        return _apply(action, value, path, key, specimens, drop_terms)
    if isinstance(value, dict):
        items = {k: _clean(v, f"{path}.{k}" if path else k, key, specimens, drop_terms) for k, v in value.items()}
        return {k: v for k, v in items.items() if v is not None}
    if isinstance(value, list):
        return [_clean(item, path, key, specimens, drop_terms) for item in value]
    raise RefusedCase(
        f"nobody has said whether {path} may leave",
        source=key,
        place=path,
        remedy="add it to exchange/deidentify.csv",
    )


def _apply(action: str, value: Any, path: str, key: str, specimens: dict[str, str], drop_terms: bool) -> Any:
    if action == "keep":
        if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict | list) for v in value)):
            raise RefusedCase(
                f"{path} is no longer a plain value",
                source=key,
                place=path,
                remedy="give its parts rows",
            )
        return value
    if action == "age":
        return min(value, _OLDEST)
    if action == "specimen":
        return specimens.get(value, "") if value else value
    if action == "pseudonym":
        if not _PSEUDONYM.match(value):
            raise RefusedCase(
                f"the id {value} is no pseudonym", source=key, place=path, remedy="store the case under a pseudonym"
            )
        return value
    if action == "unit":
        if not _UNIT.match(value) or _suspicion(value):
            raise RefusedCase(f"'{value[:40]}' is no unit", source=key, place=path, remedy="write the unit alone")
        return value
    if action == "term":
        if isinstance(value, list):
            return [] if drop_terms else [_term(item, path, key) for item in value]
        return "" if drop_terms else _term(value, path, key)
    return None


def _term(text: str, path: str, key: str) -> str:
    what = _suspicion(text)
    if what:
        raise RefusedCase(
            f"'{text[:40]}' holds {what}", source=key, place=path, remedy="reword it, or use --drop-terms"
        )
    if len(text) > _LONGEST_TERM:
        raise RefusedCase(
            f"'{text[:40]}…' is longer than a term", source=key, place=path, remedy="shorten it, or use --drop-terms"
        )
    return text


def _suspicion(text: str) -> str:
    return next((what for pattern, what in _SUSPECT if pattern.search(text)), "")
