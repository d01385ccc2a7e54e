"""Read the data files: CSV tables and YAML lists into records. The only code that opens them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from kulchitsky.case.base import Record
from kulchitsky.case.errors import BrokenKnowledge

DATA: Traversable = files("kulchitsky.knowledge") / "data"

R = TypeVar("R", bound=Record)

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(name: str) -> Any:
    """Parse a YAML data file (libyaml where it is built in: ten times faster)."""
    return yaml.load((DATA / name).read_text(encoding="utf-8"), Loader=_Loader)


def read_json(name: str) -> Any:
    """Parse a JSON data file."""
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def records_from_yaml(name: str, key: str, record: type[R]) -> tuple[R, ...]:
    """Records of the list ``key`` of a YAML file."""
    return _validated(name, read_yaml(name)[key], record)


def records_from_csv(name: str, record: type[R]) -> tuple[R, ...]:
    """Records of a CSV file with a header; empty cells take the field's default, ``;`` separates tuples."""
    return _validated(name, list(_cells(name, record)), record)


def _cells(name: str, record: type[Record]) -> Iterator[dict[str, Any]]:
    tuples = {key for key, field in record.model_fields.items() if str(field.annotation).startswith("tuple")}
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    for row in csv.DictReader(lines):
        yield {
            key: [part.strip() for part in cell.split(";")] if key in tuples else cell
            for key, cell in row.items()
            if cell != ""
        }


def _validated(name: str, rows: list[Any], record: type[R]) -> tuple[R, ...]:
    try:
        return TypeAdapter(tuple[record, ...]).validate_python(tuple(rows))  # type: ignore[valid-type]
    except ValidationError as error:
        first = error.errors()[0]
        raise BrokenKnowledge(f"{name}: row {first['loc']}: {first['msg']}") from error
