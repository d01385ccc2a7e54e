"""Read places and structures out of the free text of a case, with the word lists of the rule base."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from kulchitsky.knowledge.rules import PlaceWords, Rules


@dataclass(frozen=True, slots=True)
class Places:
    """Word lists compiled once per rule base: classes named in a text, by kind."""

    patterns: tuple[tuple[str, str, re.Pattern[str]], ...]

    def classes(self, kind: str, *texts: str) -> frozenset[str]:
        """Classes of ``kind`` whose words stand at a word start in any of ``texts``."""
        joined = " ; ".join(texts).lower()
        if not joined.strip(" ;"):
            return frozenset()
        return frozenset(
            name for row_kind, name, pattern in self.patterns if row_kind == kind and pattern.search(joined)
        )

    def says(self, name: str, *texts: str) -> bool:
        """Whether the word class ``name`` occurs."""
        return name in self.classes("word", *texts)


@lru_cache(maxsize=4)
def _compile(rows: tuple[PlaceWords, ...]) -> Places:
    return Places(
        tuple(
            (row.kind, row.class_, re.compile(r"\b(?:" + "|".join(re.escape(word) for word in row.words) + ")"))
            for row in rows
        )
    )


def places_of(rules: Rules) -> Places:
    """The compiled word lists of ``rules``."""
    return _compile(rules.places)
