"""What has been read so far: values with the place each came from, turned into a case and its facts at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.verdict import Fact, NotUnderstood
from kulchitsky.narrative.page import Page

Place = tuple[int, int]
"""Start and end in the cleaned text."""


@dataclass(slots=True)
class Notebook:
    """Collects values (plain, as a case file holds them), facts, remarks. Paths are dotted as in a case file."""

    page: Page
    case: dict[str, Any] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    not_understood: list[NotUnderstood] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    def has(self, path: str) -> bool:
        """Whether the value at a dotted path (without indices) is known."""
        node: Any = self.case
        for step in path.split("."):
            if not isinstance(node, dict) or step not in node:
                return False
            node = node[step]
        return True

    def get(self, path: str) -> Any:
        """The value at a dotted path, or ``None``."""
        node: Any = self.case
        for step in path.split("."):
            node = node.get(step) if isinstance(node, dict) else None
        return node

    def set(self, path: str, value: Any, place: Place) -> None:
        """Keep a value at a dotted path; the first stands."""
        if value is None or self.has(path):
            return
        node = self.case
        *steps, last = path.split(".")
        for step in steps:
            node = node.setdefault(step, {})
        node[last] = plain(value)
        self.fact(path, value, place)

    def add(self, path: str, record: Mapping[str, Any], places: Mapping[str, Place]) -> int:
        """Append a record to the list at a dotted path; ``places`` has the place of each key. Gives its index."""
        node = self.case
        *steps, last = path.split(".")
        for step in steps:
            node = node.setdefault(step, {})
        rows: list[Any] = node.setdefault(last, [])
        rows.append({k: plain(v) for k, v in record.items() if v is not None})
        for key, place in places.items():
            if record.get(key) is not None:
                self.fact(f"{path}[{len(rows) - 1}].{key}", record[key], place)
        return len(rows) - 1

    def add_value(self, path: str, value: Any, place: Place) -> None:
        """Append a plain value to the list at a dotted path unless it is there."""
        node = self.case
        *steps, last = path.split(".")
        for step in steps:
            node = node.setdefault(step, {})
        rows: list[Any] = node.setdefault(last, [])
        if plain(value) not in rows:
            rows.append(plain(value))
            self.fact(f"{path}[{len(rows) - 1}]", value, place)

    def fact(self, path: str, value: Any, place: Place) -> None:
        """Keep where a value was read."""
        start, end = self.page.span(*place)
        self.facts.append(
            Fact(path=path, value=plain(value), text=self.page.original[start:end], start=start, end=end)
        )

    def unread(self, place: Place, why: str) -> None:
        """Keep a stretch that looked like a fact and was not read."""
        start, end = self.page.span(*place)
        text = self.page.original[start:end]
        self.not_understood.append(NotUnderstood(text=text, start=start, end=end, why=why))

    def issue(self, level: Level, code: str, message: str, *, remedy: str = "", path: str = "") -> None:
        """Keep a remark; the same one is kept once."""
        issue = Issue(level=level, code=code, message=message, remedy=remedy, path=path)
        if issue not in self.issues:
            self.issues.append(issue)


def plain(value: Any) -> Any:
    """A value as a case file holds it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if v is not None}
    return value
