"""A case as one row of a table, and a row as a case: the columns shared by CSV, Parquet and REDCap.

Columns are the fields of :mod:`kulchitsky.case.fields` (``age_years``, ``marker.ck20``, ``architecture`` …), ``id``
first. ``case_json`` carries the complete case: where it is filled the case is taken from it, and a cell beside it
that says something else is refused, because nobody can know which of the two is meant. Rows written by hand leave it
out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.fields import NOMINAL, NUMERIC, SETS, STATES, fields_of
from kulchitsky.case.record import Case
from kulchitsky.exchange.sealed import case_json, parse_case

Row = dict[str, str]
Resolve = Callable[[str], str | None]
"""Turns a marker's or entity's name into its id, or ``None`` where it is unknown."""

ID, COMPLETE = "id", "case_json"
WRITTEN_ONLY_BY_HAND = ("diagnosis_text", "site_text", "notes")
FIXED = (*NUMERIC, *NOMINAL, *SETS, *WRITTEN_ONLY_BY_HAND)
SEPARATOR = ";"
_PREFIXES = (*STATES, "pattern")
_WORDS = {"+": "present", "positive": "present", "pos": "present", "-": "absent", "negative": "absent",
          "neg": "absent", "nd": "not_tested", "not done": "not_tested", "not tested": "not_tested"}  # fmt: skip


def row_of(case: Case, *, complete: bool = True) -> Row:
    """Return the row of a case: what the flat view knows, and the whole record as JSON unless told otherwise."""
    row = {ID: case.id} | {name: as_text(value) for name, value in fields_of(case).items()}
    if complete:
        row[COMPLETE] = case_json(case)
    return row


def as_text(value: float | str | tuple[str, ...]) -> str:
    """Return a value of the flat view as the text of a cell; numbers keep all their digits."""
    if isinstance(value, tuple):
        return SEPARATOR.join(value)
    if isinstance(value, float | int):
        return repr(int(value)) if float(value).is_integer() else repr(float(value))
    return value


def columns_of(rows: list[Row]) -> list[str]:
    """Return the columns of a table in their order: id, fixed fields that occur, findings by name, complete case."""
    used = {name for row in rows for name in row}
    fixed = [name for name in FIXED if name in used]
    findings = sorted(used - set(fixed) - {ID, COMPLETE})
    return [ID, *fixed, *findings, *([COMPLETE] if COMPLETE in used else [])]


def check_columns(columns: list[str], *, source: str) -> None:
    """Refuse a table without ``id``, with a column twice, or with one that nobody can read."""
    if ID not in columns:
        raise RefusedCase("there is no column 'id'", source=source, place="header", remedy="add one with a unique id")
    for name in columns:
        if columns.count(name) > 1:
            raise RefusedCase(f"column '{name}' is there twice", source=source, place="header", remedy="keep one")
        prefixed = name.split(".", 1)[0] in _PREFIXES and ("." in name or name in STATES[3:])
        if name not in (ID, COMPLETE, *FIXED) and not prefixed:
            raise RefusedCase(
                f"column '{name}' is unknown",
                source=source,
                place="header",
                remedy=f"use {', '.join(FIXED[:4])} …, marker.<id>, feature.<name>, pattern.<marker> or leave it out",
            )


def case_of_row(
    row: Mapping[str, str | None],
    *,
    source: str,
    place: str,
    marker: Resolve | None = None,
    entity: Resolve | None = None,
) -> Case:
    """Return the case of a row; ``place`` names the row in messages.

    Empty cells are unknown. ``marker`` and ``entity`` turn names into ids; without them names must be ids already.
    """
    cells = {name: value.strip() for name, value in row.items() if value is not None and value.strip()}
    if not cells.get(ID):
        raise RefusedCase("the id is empty", source=source, place=place, remedy="give every row an id")
    if COMPLETE in cells:
        return _checked_complete(cells, source, place)
    try:
        return Case.model_validate(_record(cells, source, place, marker, entity))
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        raise RefusedCase(
            f"{path}: {first['msg']} ({str(first.get('input'))[:40]!r})",
            source=source,
            place=place,
            remedy="correct that cell; `kulchitsky schema` lists the values",
        ) from None


def _checked_complete(cells: Row, source: str, place: str) -> Case:
    case = parse_case(cells[COMPLETE], source=source, place=f"{place}, case_json")
    written = row_of(case, complete=False)
    for name, value in cells.items():
        if name != COMPLETE and name not in WRITTEN_ONLY_BY_HAND and not _same(value, written.get(name, "")):
            raise RefusedCase(
                f"{name} is '{value}' but case_json says '{written.get(name, 'nothing')}'",
                source=source,
                place=place,
                remedy="undo that change, or empty case_json to read the row from its columns",
            )
    return case


def _same(cell: str, written: str) -> bool:
    if cell == written:
        return True
    try:
        return float(cell) == float(written)  # spreadsheets rewrite 70 as 70.0
    except ValueError:
        return False


def _record(cells: Row, source: str, place: str, marker: Resolve | None, entity: Resolve | None) -> dict[str, Any]:
    number = {name: _number(name, cells[name], source, place) for name in NUMERIC if name in cells}
    get = cells.get
    record: dict[str, Any] = {
        "id": cells[ID],
        "patient": _known({"age_years": number.get("age_years"), "sex": get("sex"), "ecog": number.get("ecog")}),
        "presentation": _presentation(cells, number),
        "morphology": _morphology(cells, number),
        "markers": _markers(cells, source, place, marker),
        "molecular": [{"test": n[10:], "state": _state(v)} for n, v in cells.items() if n.startswith("molecular.")],
        "notes": get("notes", ""),
    }
    if "immune_suppression" in cells:
        record["patient"]["immune_suppression"] = {"state": _state(cells["immune_suppression"])}
    if "ki67_percent" in number:
        record["ki67"] = [{"percent": number["ki67_percent"]}]
    procedure = _known({n: number.get(n) for n in ("nodes_removed", "nodes_positive")} | {"margins": get("margins")})
    if procedure:
        record["procedures"] = [{"kind": "other", **procedure}]
    record["treatments"] = [
        {"kind": kind, **({"dose_gy": number["dose_gy"]} if kind == "radiotherapy" and "dose_gy" in number else {})}
        for kind in _members(cells, "treatment")
    ]
    if "follow_up_months" in number:
        record["follow_up"] = [_known({"months": number["follow_up_months"], "status": get("status")})]
    elif "status" in cells:
        raise RefusedCase(
            "status is given without follow_up_months", source=source, place=place, remedy="say after how many months"
        )
    diagnosis = _known({"entity": _entity(cells, source, place, entity), "text": get("diagnosis_text")})
    if diagnosis:
        record["working_diagnosis"] = diagnosis
    return record


def _presentation(cells: Row, number: dict[str, float]) -> dict[str, Any]:
    plain = ("setting", "growth", "consistency", "lesions", "skin_over")
    made = _known({name: cells.get(name) for name in plain} | {"duration_months": number.get("duration_months")})
    site = _known({name: cells.get(name) for name in ("side", "region", "layer", "topography")})
    site |= _known({"text": cells.get("site_text")})
    if site:
        made["site"] = site
    if "size_cm" in number:
        made["size"] = {"greatest_cm": number["size_cm"]}
    if "primary_found" in cells:
        made["primary_found"] = _state(cells["primary_found"])
    return made


def _morphology(cells: Row, number: dict[str, float]) -> dict[str, Any]:
    made = _known({name: cells.get(name) for name in ("cell_size", "nucleoli", "necrosis", "differentiation")})
    made |= {name: _members(cells, name) for name in ("architecture", "cell_shape", "chromatin")}
    made["features"] = [
        {"feature": name[8:], "state": _state(value)} for name, value in cells.items() if name.startswith("feature.")
    ]
    if "mitoses_per_2mm2" in number:
        made["mitoses"] = {"per_2mm2": number["mitoses_per_2mm2"]}
    return made


def _markers(cells: Row, source: str, place: str, resolve: Resolve | None) -> list[dict[str, Any]]:
    made = []
    patterns = {name[8:]: value.split(SEPARATOR) for name, value in cells.items() if name.startswith("pattern.")}
    for name, value in cells.items():
        if not name.startswith("marker."):
            continue
        word = name[7:]
        found = word if resolve is None else resolve(word)
        if found is None:
            raise RefusedCase(
                f"unknown marker '{word}'",
                source=source,
                place=place,
                remedy="`kulchitsky evidence` lists the markers",
            )
        pattern = patterns.pop(word, [None])
        made.append(_known({"marker": found, "state": _state(value), "pattern": pattern[0]}))
    if patterns:
        raise RefusedCase(
            f"pattern.{next(iter(patterns))} is given without marker.{next(iter(patterns))}",
            source=source,
            place=place,
            remedy="say whether the stain is present",
        )
    return made


def _entity(cells: Row, source: str, place: str, resolve: Resolve | None) -> str | None:
    word = cells.get("diagnosis")
    if word is None or resolve is None:
        return word
    found = resolve(word)
    if found is None:
        raise RefusedCase(
            f"unknown diagnosis '{word}'", source=source, place=place, remedy="put free words into diagnosis_text"
        )
    return found


def _number(name: str, text: str, source: str, place: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RefusedCase(
            f"{name} is '{text}', not a number",
            source=source,
            place=place,
            remedy="write it with a decimal point",
        ) from None


def _members(cells: Row, name: str) -> list[str]:
    return [part.strip() for part in cells.get(name, "").split(SEPARATOR) if part.strip()]


def _state(text: str) -> str:
    return _WORDS.get(text.lower(), text.lower())


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
