"""Cases as CSV or Parquet: one row a case, read back without loss."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.fields import NUMERIC
from kulchitsky.case.record import Case
from kulchitsky.exchange.flat_row import Resolve, Row, case_of_row, check_columns, columns_of, row_of
from kulchitsky.exchange.whole_file import read_text, write_whole

_LIMIT = 16 * 1024 * 1024  # a complete case in one cell is longer than the csv module's own limit


def write_csv(cases: Iterable[Case], path: Path) -> int:
    """Write cases as CSV (UTF-8, comma, quoted where needed); returns how many. Nothing half-written stays."""
    rows = [row_of(case) for case in cases]
    write_whole(path, csv_text(rows, columns_of(rows)).encode("utf-8"))
    return len(rows)


def csv_text(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """Return rows as CSV text with a header; a field that a row lacks is an empty cell."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, fieldnames=list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def read_csv(path: Path, *, marker: Resolve | None = None, entity: Resolve | None = None) -> list[Case]:
    """Read cases from CSV: one of ours, or one written by hand with the same columns.

    Refused with file, row and remedy: unknown or repeated columns, rows with more cells than the header, values that
    fit no field, an id used twice.
    """
    cases = []
    for line, row in _rows(read_text(path), str(path)):
        cases.append(case_of_row(row, source=str(path), place=f"line {line}", marker=marker, entity=entity))
    return _unique(cases, str(path))


def write_parquet(cases: Iterable[Case], path: Path) -> int:
    """Write cases as Parquet: numbers as doubles, everything else as strings, unknown as null."""
    rows = [row_of(case) for case in cases]
    arrays, names = [], columns_of(rows)
    for name in names:
        if name in NUMERIC:
            arrays.append(pa.array([float(row[name]) if name in row else None for row in rows], pa.float64()))
        else:
            arrays.append(pa.array([row.get(name) for row in rows], pa.string()))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(dict(zip(names, arrays, strict=True))), sink, compression="zstd")
    write_whole(path, sink.getvalue().to_pybytes())
    return len(rows)


def read_parquet(path: Path, *, marker: Resolve | None = None, entity: Resolve | None = None) -> list[Case]:
    """Read cases from Parquet with the columns of :func:`write_parquet`."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise RefusedCase(
            f"not a readable Parquet file ({str(error).splitlines()[0]})", source=str(path), remedy="export it again"
        ) from None
    check_columns(list(table.column_names), source=str(path))
    cases = []
    for number, values in enumerate(table.to_pylist(), start=1):
        row = {name: None if value is None else str(value) for name, value in values.items()}
        cases.append(case_of_row(row, source=str(path), place=f"row {number}", marker=marker, entity=entity))
    return _unique(cases, str(path))


def _rows(text: str, source: str) -> Iterator[tuple[int, dict[str, str | None]]]:
    earlier = csv.field_size_limit(_LIMIT)
    try:
        reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
        header = [name.strip() for name in next(reader, [])]
        check_columns(header, source=source)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(header):
                raise RefusedCase(
                    f"{len(cells)} cells under {len(header)} columns",
                    source=source,
                    place=f"line {reader.line_num}",
                    remedy="put cells that hold a comma into quotes",
                )
            yield reader.line_num, dict(zip(header, cells, strict=False))
    except csv.Error as error:
        raise RefusedCase(f"not readable as CSV ({error})", source=source, remedy="save it as CSV, UTF-8") from None
    finally:
        csv.field_size_limit(earlier)


def _unique(cases: list[Case], source: str) -> list[Case]:
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise RefusedCase(f"the id {case.id} is used twice", source=source, remedy="give every row its own id")
        seen.add(case.id)
    return cases
