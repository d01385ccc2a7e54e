"""Codes of outside terminologies, each a row of ``codes.csv`` with the place it was read in."""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib import resources

from kulchitsky.case.errors import BrokenKnowledge

OWN_SYSTEM = "urn:kulchitsky"
"""Code systems of our own ids (entities, markers, features) are ``urn:kulchitsky:<kind>``."""


@lru_cache(maxsize=1)
def _rows() -> dict[str, dict[str, str]]:
    text = resources.files("kulchitsky.exchange").joinpath("codes.csv").read_text(encoding="utf-8")
    rows = {row["key"]: row for row in csv.DictReader(text.splitlines())}
    for key, row in rows.items():
        if not all(row.get(name) for name in ("system", "code", "display", "source")):
            raise BrokenKnowledge(f"exchange/codes.csv, row {key}: system, code, display and source are all needed")
    return rows


def coding(key: str) -> dict[str, str]:
    """Return the FHIR Coding (system, code, display) of one row of ``codes.csv``.

    An unknown key raises :class:`BrokenKnowledge`: a defect of the caller, never of the user.
    """
    try:
        row = _rows()[key]
    except KeyError:
        raise BrokenKnowledge(f"exchange/codes.csv has no row '{key}'") from None
    return {"system": row["system"], "code": row["code"], "display": row["display"]}


def has_code(key: str) -> bool:
    """Whether ``codes.csv`` has a row of that key."""
    return key in _rows()


def own_coding(kind: str, code: str, display: str = "") -> dict[str, str]:
    """Return a Coding in our own system for an id of the knowledge base or a vocabulary value."""
    made = {"system": f"{OWN_SYSTEM}:{kind}", "code": code}
    if display:
        made["display"] = display
    return made
