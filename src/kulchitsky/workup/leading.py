"""The diagnoses that a case is graded and staged for: the leading ones of its differential, and the working one."""

from __future__ import annotations

from collections.abc import Iterable

LEADING_POSTERIOR = 0.05
"""Entities at or above this posterior are staged: a display choice, not a medical cut-off."""
MOST_LEADING = 4


def leading_entities(ranked: Iterable[tuple[str, float]], working: str | None) -> tuple[str, ...]:
    """Entity ids of ``ranked`` (entity and posterior, most probable first) that lead, then the working diagnosis."""
    leading = [entity for entity, posterior in ranked if posterior >= LEADING_POSTERIOR][:MOST_LEADING]
    if working is not None and working not in leading:
        leading.append(working)
    return tuple(leading)
