"""Facts read from prose, as lines that a person keeps, corrects or drops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from kulchitsky.case.verdict import Reading
from kulchitsky.web.case_form import (
    FormField,
    FormGroup,
    FormList,
    field_value,
    form_of,
    is_required,
    label_of,
    shown_value,
)
from kulchitsky.web.case_paths import PathStep, join_path, put, split_path, without
from kulchitsky.web.labels import words

NAMES_OF_ROWS = ("marker", "test", "name", "what", "station", "feature", "modality", "kind", "stain")


@dataclass(frozen=True, slots=True)
class FactLine:
    """One fact: where it goes in words, what the text says, the input to correct it (if one value), kept or not."""

    number: int
    label: str
    text: str
    shown: str
    field: FormField | None
    kept: bool


def fact_lines(reading: Reading, form: Mapping[str, Sequence[str]] | None = None) -> tuple[FactLine, ...]:
    """A line for each fact; ``form`` is what a person already sent, to be shown again."""
    data = reading.case.model_dump(mode="json")
    fields = dict(_fields(form_of(data)))
    lines = []
    for number, fact in enumerate(reading.facts):
        found = fields.get(fact.path)
        if found is not None:
            sent = form.get(found.name) if form is not None else None
            found = replace(found, value=sent[0] if sent else found.value, label=f"Value of fact {number + 1}")
        kept = form is None or str(number) in form.get("keep", ())
        lines.append(FactLine(number, _label(fact.path, data), fact.text, _shown(fact.value), found, kept))
    return tuple(lines)


def confirmed_data(reading: Reading, form: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Plain data of the case: corrected values put in, facts that were not kept taken out."""
    data: dict[str, Any] = reading.case.model_dump(mode="json")
    kept = set(form.get("keep", ()))
    dropped: list[tuple[PathStep, ...]] = []
    held: set[tuple[PathStep, ...]] = set()
    for number, fact in enumerate(reading.facts):
        try:
            steps = split_path(fact.path)
        except ValueError:
            continue
        if str(number) not in kept:
            dropped.append(_droppable(steps))
            continue
        held.add(steps)
        if fact.path in form:
            value = field_value(steps, form[fact.path])
            if value is not None:
                put(data, steps, value)
    # two facts may rest on one place: it goes only when neither is kept
    gone: dict[str, Any] = without(data, [steps for steps in dropped if steps not in held])
    return gone


def _fields(part: FormField | FormGroup | FormList) -> list[tuple[str, FormField]]:
    if isinstance(part, FormField):
        return [(part.name, part)]
    inner = part.rows if isinstance(part, FormList) else part.parts
    return [pair for p in inner for pair in _fields(p)]


def _droppable(steps: tuple[PathStep, ...]) -> tuple[PathStep, ...]:
    """The smallest place that can be left out: a required field takes its row with it."""
    while len(steps) > 1 and not isinstance(steps[-1], int) and is_required(steps):
        steps = steps[:-1]
    return steps


def _label(path: str, data: dict[str, Any]) -> str:
    try:
        steps = split_path(path)
    except ValueError:
        return path
    parts: list[str] = []
    for i, step in enumerate(steps):
        if isinstance(step, int):
            row = shown_value(data, join_path(steps[: i + 1]))
            name = next((row[key] for key in NAMES_OF_ROWS if isinstance(row, dict) and row.get(key)), None)
            if name is not None:
                parts.append(words(name))
        else:
            parts.append(label_of(step))
    return " › ".join(parts)


def _shown(value: Any) -> str:
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, dict):
        return ", ".join(f"{words(k)} {_shown(v)}" for k, v in value.items() if v not in (None, "", [], {}))
    if isinstance(value, list | tuple):
        return ", ".join(_shown(v) for v in value)
    if isinstance(value, float):
        return f"{value:g}"
    return words(value)
