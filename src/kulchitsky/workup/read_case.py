"""Read a case file and settle what only the knowledge base can: ids, aliases, laboratory units."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.issue import Issue
from kulchitsky.case.record import Case
from kulchitsky.case.yaml_file import RawCase, parse, validate
from kulchitsky.knowledge.aliases import resolve_entity, resolve_marker
from kulchitsky.knowledge.base import KnowledgeBase, load_knowledge
from kulchitsky.knowledge.rules import load_rules
from kulchitsky.reasoning.laboratory import laboratory_issues
from kulchitsky.workup.issues_of_case import issues_of_case


def read_case(path: str | os.PathLike[str]) -> Case:
    """Read a YAML or JSON case file; marker and entity names become ids, unknown ones are refused.

    Raises :class:`kulchitsky.case.errors.RefusedCase` with file, line, path and remedy.
    """
    return validate(resolve_ids(parse(path), load_knowledge()))


def check_case(path: str | os.PathLike[str]) -> tuple[Case, tuple[Issue, ...]]:
    """Read a case and list what is usable but deserves a look (units, missing slides, contradictions)."""
    case = read_case(path)
    return case, (*issues_of_case(case, folder=Path(path).parent), *laboratory_issues(case, load_rules()))


def resolve_ids(raw: RawCase, knowledge: KnowledgeBase) -> RawCase:
    """Replace the names of markers, stains and entities by ids wherever a case holds them."""
    data: dict[str, Any] = dict(raw.data)
    for key, inner in (("markers", "marker"), ("slides", "stain")):
        rows = data.get(key)
        if isinstance(rows, list):
            data[key] = [_with_id(raw, row, (key, i, inner), resolve_marker, knowledge) for i, row in enumerate(rows)]
    working = data.get("working_diagnosis")
    if isinstance(working, dict):
        data["working_diagnosis"] = _with_id(raw, working, ("working_diagnosis", "entity"), resolve_entity, knowledge)
    return replace(raw, data=data)


def _with_id(
    raw: RawCase,
    row: Any,
    path: tuple[str | int, ...],
    resolve: Callable[[str], str | None],
    knowledge: KnowledgeBase,
) -> Any:
    key = str(path[-1])
    if not isinstance(row, dict) or not isinstance(row.get(key), str):
        return row  # the shape is wrong: validation says so, with its place
    found = resolve(row[key])
    if found is None:
        what, known = ("entity", knowledge.entities) if key == "entity" else ("marker", knowledge.markers)
        near = difflib.get_close_matches(row[key].lower(), list(known), n=3, cutoff=0.5)
        remedy = f"did you mean {', '.join(near)}" if near else "`kulchitsky evidence` lists the known ids"
        raise RefusedCase(f"unknown {what} {row[key]!r}", source=raw.source, place=raw.place(path), remedy=remedy)
    return {**row, key: found}
