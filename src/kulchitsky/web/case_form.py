"""The form of a case, made from the record itself: a field of the record is a field of the form.

Two directions: :func:`form_of` turns a case (as plain data) into fields to draw, :func:`values_of` turns what a
browser sent back into plain data for validation. Field names are paths (``markers[3].state``).
"""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from kulchitsky.case.record import Case
from kulchitsky.web.case_paths import PathStep, join_path, look_up, split_path
from kulchitsky.web.labels import words

Steps = tuple[PathStep, ...]
Sent = Mapping[str, Sequence[str]]
"""What a browser sent: every value of every name."""

UNITS = {
    "years": "years",
    "months": "months",
    "cm": "cm",
    "mm": "mm",
    "mm2": "mm²",
    "percent": "%",
    "gy": "Gy",
    "um_per_px": "µm per pixel",
}
HIDDEN = frozenset({"schema_version"})
LONG_TEXT = frozenset({"notes", "detail", "text", "known_other_tumour", "not_done"})
KNOWN_IDS = {"marker": "markers", "stain": "markers", "entity": "entities"}
"""Fields whose values are ids of the knowledge base, and the list of suggestions they get."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One input. ``kind``: text, long, number, date, flag, choice, several, lines, numbers."""

    name: str
    label: str
    kind: str
    value: Any
    unit: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    suggestions: str = ""
    required: bool = False
    error: str = ""
    default: str = ""

    @property
    def told(self) -> bool:
        """Whether it holds something of its own, or something wrong."""
        return bool(self.error) or str(self.value or "") not in ("", self.default)


@dataclass(frozen=True, slots=True)
class FormGroup:
    """A record inside the case, or one row of a list (``removable``)."""

    name: str
    label: str
    parts: tuple[FormField | FormGroup | FormList, ...]
    removable: bool = False
    error: str = ""

    @property
    def told(self) -> bool:
        """Whether anything inside says more than a blank form would, or is wrong."""
        return bool(self.error) or any(part.told for part in self.parts)


@dataclass(frozen=True, slots=True)
class FormList:
    """A list of records; ``add`` is the path under which a further row is asked for."""

    name: str
    label: str
    rows: tuple[FormGroup, ...]
    error: str = ""

    @property
    def told(self) -> bool:
        """Whether there is a row, or something is wrong."""
        return bool(self.error or self.rows)


@dataclass(slots=True)
class Errors:
    """Problems by path; each is taken by the field that shows it, the rest stays for the top of the form."""

    by_path: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, error: ValidationError) -> Errors:
        """Problems of a validation, in words."""
        found: dict[str, str] = {}
        for detail in error.errors():
            found.setdefault(join_path(tuple(detail["loc"])), detail["msg"].removeprefix("Value error, "))
        return cls(found)

    def take(self, path: str) -> str:
        """The problem of one place; it is not shown a second time."""
        return self.by_path.pop(path, "")


def form_of(data: Mapping[str, Any], errors: Errors | None = None, add: str = "") -> FormGroup:
    """The form of a case given as plain data; ``add`` names a list that gets one empty row more."""
    return _group(Case, data, (), "Case", errors or Errors(), add)


def _group(
    model: type[BaseModel],
    data: Any,
    at: Steps,
    label: str,
    errors: Errors,
    add: str,
    row: bool = False,
) -> FormGroup:
    values = data if isinstance(data, Mapping) else {}
    parts = tuple(
        _part(name, info, values.get(name), (*at, name), errors, add)
        for name, info in model.model_fields.items()
        if name not in HIDDEN and not (at == () and name == "id")
    )
    return FormGroup(join_path(at), label, parts, row, errors.take(join_path(at)))


def _part(
    name: str, info: FieldInfo, value: Any, at: Steps, errors: Errors, add: str
) -> FormField | FormGroup | FormList:
    kind = _plain_type(info.annotation)
    path = join_path(at)
    if _is_record(kind):
        return _group(kind, value, at, label_of(name), errors, add)
    item = _item_type(kind)
    if item is not None and _is_record(item):
        rows = list(value or ())
        if add == path:
            rows.append({})
        groups = tuple(
            _group(item, row, (*at, i), f"{label_of(name)} {i + 1}", errors, add, row=True)
            for i, row in enumerate(rows)
        )
        return FormList(path, label_of(name), groups, errors.take(path))
    return _field(name, info, kind, item, value, path, errors)


def _field(name: str, info: FieldInfo, kind: Any, item: Any, value: Any, path: str, errors: Errors) -> FormField:
    shape, choices = _shape(name, kind, item)
    if shape == "lines":
        value = "\n".join(str(v) for v in value or ())
    elif shape == "numbers":
        value = ", ".join(f"{v:g}" if isinstance(v, float | int) else str(v) for v in value or ())
    elif shape == "several":
        value = tuple(str(v) for v in value or ())
        # chosen ones first, in the order of the record: a form that is saved untouched changes nothing
        chosen = dict.fromkeys(value)
        choices = (*((v, words(v)) for v in chosen), *(c for c in choices if c[0] not in chosen))
    elif shape == "choice" and value is None and not info.is_required() and info.default is not None:
        value = str(info.default)
    elif shape == "number" and isinstance(value, float):
        value = f"{value:.12g}"
    error = errors.take(path)
    for i in range(40):
        error = error or errors.take(f"{path}[{i}]")
    return FormField(
        name=path,
        label=label_of(name),
        kind=shape,
        value="" if value is None else value,
        unit=unit_of(name),
        choices=choices,
        suggestions=KNOWN_IDS.get(name, ""),
        required=info.is_required(),
        error=error,
        default="" if info.is_required() or info.default is None else str(info.default),
    )


def _shape(name: str, kind: Any, item: Any) -> tuple[str, tuple[tuple[str, str], ...]]:
    if item is not None:
        if isinstance(item, type) and issubclass(item, StrEnum):
            return "several", _choices(tuple(item))
        return ("numbers", ()) if item is float else ("lines", ())
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return "choice", _choices(tuple(kind))
    if get_origin(kind) is Literal:
        return "choice", _choices(get_args(kind))
    if kind is bool:
        return "flag", (("", "not stated"), ("true", "yes"), ("false", "no"))
    if kind is dt.date:
        return "date", ()
    if kind in (float, int):
        return "number", ()
    return ("long", ()) if name in LONG_TEXT else ("text", ())


def _choices(values: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((str(value), words(value)) for value in values)


def values_of(form: Sent) -> dict[str, Any]:
    """Plain data of a case from what a browser sent: blanks are left out, rows without any entry too."""
    values = _values(Case, form, ())
    return values if values is not None else {}


def _values(model: type[BaseModel], form: Sent, at: Steps) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    telling = False
    for name, info in model.model_fields.items():
        kind = _plain_type(info.annotation)
        item = _item_type(kind)
        here = (*at, name)
        value: Any
        if _is_record(kind):
            value = _values(kind, form, here)
        elif item is not None and _is_record(item):
            rows = [_values(item, form, (*here, i)) for i in range(_rows(form, here))]
            value = [row for row in rows if row is not None] or None
        else:
            value = _value(name, kind, item, form.get(join_path(here), ()))
        if value is not None:
            found[name] = value
            # a choice left at its default says nothing: the row is still empty
            telling = telling or str(value) != str(info.default)
    return found if telling else None


def _value(name: str, kind: Any, item: Any, sent: Sequence[str]) -> Any:
    texts = [text.strip() for text in sent if text.strip()]
    if not texts:
        return None
    if item is None:
        return texts[0]
    shape, _ = _shape(name, kind, item)
    if shape == "several":
        return texts
    pieces = texts[0].replace(";", ",").split(",") if shape == "numbers" else texts[0].splitlines()
    return [piece.strip() for piece in pieces if piece.strip()] or None


def field_value(steps: Steps, sent: Sequence[str]) -> Any:
    """The plain value of one field, named by its path, from what a browser sent; ``None`` if blank."""
    info = _field_at(steps)
    if info is None:
        return None
    kind = _plain_type(info.annotation)
    return _value(str(steps[-1]), kind, _item_type(kind), sent)


def is_required(steps: Steps) -> bool:
    """Whether a record cannot be without the field at a path."""
    info = _field_at(steps)
    return info is not None and info.is_required()


def _field_at(steps: Steps) -> FieldInfo | None:
    model: Any = Case
    info: FieldInfo | None = None
    for step in steps:
        if isinstance(step, int):
            continue
        info = model.model_fields.get(step) if _is_record(model) else None
        if info is None:
            return None
        kind = _plain_type(info.annotation)
        model = _item_type(kind) or kind
    return info


def _rows(form: Sent, at: Steps) -> int:
    prefix = join_path(at) + "["
    numbers = [name[len(prefix) :].partition("]")[0] for name in form if name.startswith(prefix)]
    return max((int(n) + 1 for n in numbers if n.isdecimal() and len(n) <= 3), default=0)


def shown_value(data: Mapping[str, Any], path: str) -> Any:
    """The value at a path, for showing; ``None`` for a path that is none."""
    try:
        return look_up(data, split_path(path))
    except ValueError:
        return None


def label_of(name: str) -> str:
    """``greatest_cm`` → ``Greatest``; the unit is shown after the input."""
    special = {"ki67": "Ki-67", "per_2mm2": "Per 2 mm²", "ecog": "ECOG", "um_per_px": "Scale"}
    if name in special:
        return special[name]
    stem = name.removesuffix(f"_{unit_key(name)}") if unit_key(name) else name
    return words(stem).capitalize()


def unit_of(name: str) -> str:
    """The unit that a field's name ends with, in print."""
    key = unit_key(name)
    return UNITS[key] if key else ""


def unit_key(name: str) -> str:
    """The ending of a field's name that is a unit, or nothing."""
    if name == "per_2mm2":
        return ""
    return next((key for key in UNITS if name == key or name.endswith(f"_{key}")), "")


def _plain_type(annotation: Any) -> Any:
    """The type behind ``Annotated`` and ``| None``."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        inner = [a for a in get_args(annotation) if a is not type(None)]
        return _plain_type(inner[0]) if len(inner) == 1 else annotation
    if hasattr(annotation, "__metadata__"):
        return _plain_type(annotation.__origin__)
    return annotation


def _item_type(kind: Any) -> Any:
    return _plain_type(get_args(kind)[0]) if get_origin(kind) is tuple else None


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
