"""The facts that conditions may name: their kind, unit, the fields of a case they come from, and their values.

A fact is declared in ``data/rules/facts.yaml`` and computed by the floor ``reasoning``; the declaration names the
case fields it is read from, and these are checked against the records of :mod:`kulchitsky.case.record`.
"""

from __future__ import annotations

import types
import typing
from typing import Any, Literal

from pydantic import BaseModel, model_validator

from kulchitsky.case.base import Record
from kulchitsky.case.record import Case

FactKind = Literal["number", "state", "choice", "set"]


class FactRow(Record):
    """One declared fact. ``fields`` are dotted paths in a case; a derived fact has none and says what it rests on."""

    kind: FactKind
    meaning: str
    unit: str = ""
    fields: tuple[str, ...] = ()
    derived_from: str = ""
    values: tuple[str, ...] = ()
    """Closed list of values of a choice or a set; empty when open."""
    label: str = ""
    """Short name used in sentences; the id in words where it is empty."""
    ask: str = ""
    """How the fact is asked for when it is missing, as a noun phrase."""

    @model_validator(mode="after")
    def _comes_from_somewhere(self) -> FactRow:
        if not self.fields and not self.derived_from:
            raise ValueError("a fact names the case fields it is read from, or says what it is derived from")
        return self


def unknown_fields(row: FactRow) -> tuple[str, ...]:
    """Paths of ``row`` that do not exist in a case."""
    return tuple(path for path in row.fields if not _exists(Case, path.split(".")))


def _exists(model: Any, parts: list[str]) -> bool:
    if not parts:
        return True
    for candidate in _models(model):
        field = candidate.model_fields.get(parts[0])
        if field is not None and (len(parts) == 1 or _exists(field.annotation, parts[1:])):
            return True
    return False


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The record classes inside an annotation such as ``tuple[Imaging, ...] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, tuple, typing.Annotated):
        return [model for part in typing.get_args(annotation) for model in _models(part)]
    return []
