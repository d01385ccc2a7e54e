"""Collect every id and source key that a worked-up case mentions, so that the report can name and resolve them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kulchitsky.case.verdict import Reference, WorkedUpCase
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.knowledge.rules import Rules

_ID_KEYS = frozenset({"marker", "entity", "stain", "diagnosis", "better_explained_by"})
_ID_LISTS = frozenset({"markers", "separates", "alternatives"})


def names_used(worked: WorkedUpCase, knowledge: KnowledgeBase) -> dict[str, str]:
    """Display names of every entity and marker id in the result."""
    names = {
        **{m.id: m.name for m in knowledge.markers.values()},
        **{e.id: e.name for e in knowledge.entities.values()},
    }
    used = {text for text in _ids(worked.model_dump(mode="json")) if text in names}
    return {text: names[text] for text in sorted(used)}


def references_cited(worked: WorkedUpCase, knowledge: KnowledgeBase, rules: Rules) -> tuple[Reference, ...]:
    """The references behind every source key of the result, in order of first mention."""
    known = {**rules.references, **knowledge.references}
    keys = dict.fromkeys(_sources(worked.model_dump(mode="json")))
    return tuple(known[key] for key in keys if key in known)


def _sources(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "sources" and isinstance(inner, list):
                yield from inner
            else:
                yield from _sources(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _sources(inner)


def _ids(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _ids(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _ids(inner, key)
    elif isinstance(value, str) and (key in _ID_KEYS or key in _ID_LISTS):
        yield value
