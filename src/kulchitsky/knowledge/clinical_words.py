"""Clinical findings that profiles state, with the words by which a case's free text shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from kulchitsky.knowledge.profiles import read_toml


@dataclass(frozen=True, slots=True)
class ClinicalWord:
    """One clinical finding: where in a case it may stand, and the pattern (over lower-case text) that shows it.

    ``upper`` is the value above which a laboratory result without interpretation counts as raised (``upper_mg`` where
    its unit is milligrams); ``mirror`` names a finding whose stated absence is this one's presence; ``said_by`` are
    settings of the tissue that say the same already.
    """

    id: str
    label: str
    parts: frozenset[str]
    pattern: re.Pattern[str]
    absent: re.Pattern[str] | None
    upper: float | None
    upper_mg: float | None
    any_value: bool
    mirror: str
    said_by: frozenset[str]


@cache
def load_clinical_words() -> Mapping[str, ClinicalWord]:
    """Every clinical finding by id, in file order; the same object on every call."""
    found = {}
    for key, table in read_toml("profiles/clinical_words.toml").items():
        found[key] = ClinicalWord(
            id=key,
            label=table["label"],
            parts=frozenset(table["in"].split()),
            pattern=re.compile(table["pattern"]),
            absent=re.compile(table["absent"]) if "absent" in table else None,
            upper=table.get("upper"),
            upper_mg=table.get("upper_mg"),
            any_value=bool(table.get("any_value", False)),
            mirror=table.get("mirror", ""),
            said_by=frozenset(table.get("said_by", "").split()),
        )
    return MappingProxyType(found)
