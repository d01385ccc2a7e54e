"""What has been read so far: values with the place each came from, turned into a case and its facts at the end."""

from __future__ import annotations

import re
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

    def leave_out(self, path: tuple[str | int, ...], why: str) -> None:
        """Take out what stands at a path (the whole record when it stands in a list), with its facts, and say so."""
        row = next((n for n, step in enumerate(path) if isinstance(step, int)), None)
        steps = list(path if row is None else path[: row + 1])
        while len(steps) > 1 and not _holds(self.case, steps):
            steps.pop()
        dotted = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps).lstrip(".")
        dropped: Any = dict(self.case)
        if steps:
            dropped = _at(self.case, steps[:-1]).pop(steps[-1])
        else:
            self.case.clear()
        self.facts = [kept for fact in self.facts if (kept := _moved(fact, dotted)) is not None]
        self.issue(
            Level.WARNING,
            "narrative.left_out",
            f"what was read as {dotted or 'the case'} cannot be right ({why}): {str(dropped)[:120]}",
            remedy="enter it by hand",
            path=dotted,
        )


def _at(node: Any, steps: list[str | int]) -> Any:
    for step in steps:
        node = node[step]
    return node


def _holds(case: Any, steps: list[str | int]) -> bool:
    try:
        _at(case, steps)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _moved(fact: Fact, gone: str) -> Fact | None:
    """A fact after the value at ``gone`` has left: itself, with a smaller index, or ``None`` where it spoke of it."""
    if fact.path == gone or fact.path.startswith((f"{gone}.", f"{gone}[")) or not gone:
        return None
    row = re.fullmatch(r"(.*)\[(\d+)\]", gone)
    place = re.match(re.escape(row.group(1)) + r"\[(\d+)\]", fact.path) if row else None
    if row is None or place is None or int(place.group(1)) < int(row.group(2)):
        return fact
    path = f"{row.group(1)}[{int(place.group(1)) - 1}]{fact.path[place.end() :]}"
    return fact.model_copy(update={"path": path})


def plain(value: Any) -> Any:
    """A value as a case file holds it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if v is not None}
    return value
