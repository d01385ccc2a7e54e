"""A REDCap project: data dictionary and data, and the data back.

Fields are those of the flat view; sets become checkboxes, vocabularies and states radio buttons with their words as
codes. ``case_json`` (a hidden notes field) carries the complete case; see :mod:`kulchitsky.exchange.flat_row` for
what happens when a record was edited in REDCap.

Source: REDCap data dictionary, columns as REDCap exports them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from kulchitsky.case import vocabulary as v
from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.fields import NUMERIC, SETS
from kulchitsky.case.record import Case
from kulchitsky.exchange.flat_row import (
    COMPLETE,
    ID,
    SEPARATOR,
    WRITTEN_ONLY_BY_HAND,
    Resolve,
    Row,
    case_of_row,
    columns_of,
    row_of,
)
from kulchitsky.exchange.table import csv_text
from kulchitsky.exchange.whole_file import read_text, write_folder

DICTIONARY, DATA = "data_dictionary.csv", "data.csv"
_COLUMNS = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
    "Text Validation Min", "Text Validation Max", "Identifier?", "Branching Logic (Show field only if...)",
    "Required Field?", "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?",
    "Field Annotation",
)  # fmt: skip
_STATE = [state.value for state in v.State]
_WORDS: dict[str, list[str]] = {
    "sex": [m.value for m in v.Sex],
    "setting": [m.value for m in v.Setting],
    "side": [m.value for m in v.Side],
    "region": [m.value for m in v.Region],
    "layer": [m.value for m in v.Layer],
    "growth": [m.value for m in v.Growth],
    "consistency": ["hard", "firm", "soft", "cystic"],
    "lesions": [m.value for m in v.Lesions],
    "skin_over": ["normal", "red", "ulcerated", "adherent", "violaceous"],
    "cell_size": [m.value for m in v.CellSize],
    "nucleoli": [m.value for m in v.Nucleoli],
    "necrosis": [m.value for m in v.NecrosisExtent],
    "differentiation": [m.value for m in v.Differentiation],
    "margins": [m.value for m in v.MarginStatus],
    "status": [m.value for m in v.DiseaseStatus],
    "architecture": [m.value for m in v.Architecture],
    "cell_shape": [m.value for m in v.CellShape],
    "chromatin": [m.value for m in v.Chromatin],
    "treatment": [m.value for m in v.TreatmentKind],
}
_PREFIX = {"marker": "mk", "feature": "ft", "molecular": "mol", "pattern": "pat"}
_LONGEST = 100  # REDCap's limit for a variable name


def write_project(cases: Iterable[Case], folder: Path) -> int:
    """Write ``data_dictionary.csv`` and ``data.csv`` into a new folder; returns how many cases."""
    rows = [row_of(case) for case in cases]
    names = columns_of(rows)
    if COMPLETE not in names:
        names.append(COMPLETE)
    dictionary = [_definition(name) for name in names]
    columns = [column for name in names for column in _data_columns(name)]
    data = [_data_row(row, names) for row in rows]
    write_folder(folder, {DICTIONARY: csv_text(dictionary, _COLUMNS), DATA: csv_text(data, columns)})
    return len(rows)


def read_project(path: Path, *, marker: Resolve | None = None, entity: Resolve | None = None) -> list[Case]:
    """Read cases from a REDCap data export (raw codes): the CSV, or the folder that holds ``data.csv``."""
    file = path / DATA if path.is_dir() else path
    reader = csv.DictReader(io.StringIO(read_text(file).removeprefix("\ufeff"), newline=""))
    columns = list(reader.fieldnames or [])
    if "record_id" not in columns:
        raise RefusedCase("there is no column 'record_id'", source=str(file), remedy="export raw data from REDCap")
    fields = {column: _field_of(column, str(file)) for column in columns if not column.endswith("_complete")}
    earlier = csv.field_size_limit(16 * 1024 * 1024)
    try:
        return [
            case_of_row(
                _flat(record, fields), source=str(file), place=f"line {reader.line_num}", marker=marker, entity=entity
            )
            for record in reader
        ]
    finally:
        csv.field_size_limit(earlier)


def variable(name: str) -> str:
    """Return the REDCap variable of a flat field: ``marker.ck20`` is ``mk_ck20``, ``id`` is ``record_id``."""
    if name == ID:
        return "record_id"
    head, _, tail = name.partition(".")
    made = f"{_PREFIX[head]}_{tail}" if tail else name
    if len(made) > _LONGEST or not re.fullmatch(r"[a-z][a-z0-9_]*", made):
        raise RefusedCase(f"'{name}' makes no REDCap variable", source="REDCap export", remedy="shorten that name")
    return made


def _field_of(column: str, source: str) -> tuple[str, str]:
    """Return (flat field, member) of a data column; member is empty unless it is a checkbox."""
    base, _, member = column.partition("___")
    if base == "record_id":
        return ID, ""
    for name, short in _PREFIX.items():
        if base.startswith(f"{short}_"):
            return f"{name}.{base[len(short) + 1 :]}", member
    if base in (*NUMERIC, *_WORDS, *WRITTEN_ONLY_BY_HAND, "topography", "diagnosis", COMPLETE,
                "immune_suppression", "primary_found"):  # fmt: skip
        return base, member
    raise RefusedCase(f"column '{column}' is unknown", source=source, place="header", remedy="leave it out")


def _flat(record: dict[str, str], fields: dict[str, tuple[str, str]]) -> Row:
    row: Row = {}
    for column, (name, member) in fields.items():
        value = record.get(column) or ""
        if not member:
            row[name] = value
        elif value == "1":
            row[name] = SEPARATOR.join(sorted([*filter(None, row.get(name, "").split(SEPARATOR)), member]))
    return row


def _is_set(name: str) -> bool:
    return name in SETS or name.startswith("pattern.")


def _members(name: str) -> list[str]:
    return [p.value for p in v.Pattern] if name.startswith("pattern.") else _WORDS[name]


def _data_columns(name: str) -> list[str]:
    made = variable(name)
    return [f"{made}___{member}" for member in _members(name)] if _is_set(name) else [made]


def _data_row(row: Row, names: Sequence[str]) -> Row:
    made: Row = {}
    for name in names:
        if _is_set(name):
            have = set(row.get(name, "").split(SEPARATOR))
            made |= {f"{variable(name)}___{m}": str(int(m in have)) for m in _members(name)}
        elif name in row:
            made[variable(name)] = row[name]
    return made


def _definition(name: str) -> Row:
    label = {ID: "Case (pseudonym)", COMPLETE: "Complete case (do not edit)"}.get(
        name, name.replace(".", ": ").replace("_", " ")
    )
    made: Row = {
        "Variable / Field Name": variable(name),
        "Form Name": "neuroendocrine_neoplasm",
        "Field Type": "text",
        "Field Label": label,
    }
    if name == COMPLETE:
        made |= {"Field Type": "notes", "Field Annotation": "@HIDDEN @READONLY"}
    elif name in NUMERIC:
        made["Text Validation Type OR Show Slider Number"] = "number"
    elif _is_set(name):
        made |= {"Field Type": "checkbox", "Choices, Calculations, OR Slider Labels": _choices(_members(name))}
    elif name in _WORDS:
        made |= {"Field Type": "radio", "Choices, Calculations, OR Slider Labels": _choices(_WORDS[name])}
    elif name.split(".", 1)[0] in (*_PREFIX, "immune_suppression", "primary_found"):
        made |= {"Field Type": "radio", "Choices, Calculations, OR Slider Labels": _choices(_STATE)}
    return made


def _choices(words: Sequence[str]) -> str:
    return " | ".join(f"{word}, {word.replace('_', ' ')}" for word in words)
