"""Read places and structures out of the free text of a case, with the word lists of the rule base."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from kulchitsky.knowledge.rules import PlaceWords, Rules

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Places:
    """Word lists compiled once per rule base: classes named in a text, by kind."""

    patterns: dict[str, tuple[tuple[str, re.Pattern[str]], ...]]
    seen: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    """What was found in a text before: one case asks for the same few texts many times."""

    def classes(self, kind: str, *texts: str) -> frozenset[str]:
        """Classes of ``kind`` whose words stand at a word start in any of ``texts``."""
        joined = " ; ".join(texts).lower()
        key = (kind, joined)
        if key not in self.seen:
            if len(self.seen) >= _REMEMBERED:
                self.seen.clear()
            self.seen[key] = self._find(kind, joined)
        return self.seen[key]

    def _find(self, kind: str, joined: str) -> frozenset[str]:
        if not joined.strip(" ;"):
            return frozenset()
        return frozenset(name for name, pattern in self.patterns.get(kind, ()) if pattern.search(joined))

    def says(self, name: str, *texts: str) -> bool:
        """Whether the word class ``name`` occurs."""
        return name in self.classes("word", *texts)


@lru_cache(maxsize=4)
def _compile(rows: tuple[PlaceWords, ...]) -> Places:
    patterns: dict[str, tuple[tuple[str, re.Pattern[str]], ...]] = {}
    for row in rows:
        pattern = re.compile(r"\b(?:" + "|".join(re.escape(word) for word in row.words) + ")")
        patterns[row.kind] = (*patterns.get(row.kind, ()), (row.class_, pattern))
    return Places(patterns)


def places_of(rules: Rules) -> Places:
    """The compiled word lists of ``rules``, built once."""
    return _compile(rules.places)
