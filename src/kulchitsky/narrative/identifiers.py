"""Identifiers of persons: recognised, kept out of the record, and listed by kind only."""

from __future__ import annotations

import re
from functools import cache

from kulchitsky.case.issue import Level
from kulchitsky.narrative.lexicon import load_data
from kulchitsky.narrative.notebook import Notebook

_LABEL = {
    "name": "a name or initials",
    "date": "a date",
    "place": "a place of residence or an institution",
    "number": "a record or telephone number",
    "contact": "an e-mail or web address",
}


def list_identifiers(book: Notebook) -> None:
    """One note for each kind of identifier found, with how many; the identifiers themselves are not repeated."""
    for kind, pattern in _patterns():
        count = sum(1 for _ in pattern.finditer(book.page.clean))
        if count:
            book.issue(
                Level.NOTE,
                f"narrative.identifier.{kind}",
                f"{count} × {_LABEL[kind]} found in the report and left out of the record",
                remedy="remove it from the report before sharing it",
            )


def scrubbed(text: str) -> str:
    """The text with every identifier replaced by its kind."""
    for kind, pattern in _patterns():
        text = pattern.sub(f"[{kind}]", text)
    return text


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Patterns by kind (``data/identifiers.yaml``); case counts, names begin with capitals."""
    return tuple((kind, re.compile("|".join(rows))) for kind, rows in load_data("identifiers").items())
