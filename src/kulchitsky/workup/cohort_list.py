"""Which slides a cohort consists of: those of a folder, or the rows of a list."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from kulchitsky.case.errors import RefusedInput
from kulchitsky.case.issue import Issue, Level
from kulchitsky.knowledge.aliases import resolve_marker
from kulchitsky.slide.bands import SlideSource
from kulchitsky.workup.slide_names import PROLIFERATION_STAIN, SLIDE_ENDINGS, stain_of_name

COLUMNS = ("slide", "case", "stain", "um_per_px", "objective", "regions", "manual_percent")
"""Columns of a list that mean something; ``slide`` is the path, from the folder of the list."""

ENDINGS = SLIDE_ENDINGS - {".dcm"} | {".bmp", ".btf", ".vmu", ".svslide", ".czi"}
"""Files taken up from a folder. A DICOM slide is many files: name one of them in a list."""


@dataclass(frozen=True, slots=True)
class CohortSlide:
    """One slide to do: ``slide`` is its name in the output, ``file`` its path from the cohort's folder."""

    number: int
    slide: str
    file: str
    source: SlideSource
    stain: str
    case: str = ""
    manual_percent: float | None = None


@dataclass(frozen=True, slots=True)
class CohortList:
    """The slides in the order of the list, and what was noticed about the list."""

    name: str
    slides: tuple[CohortSlide, ...]
    issues: tuple[Issue, ...] = ()


def list_cohort(
    path: Path,
    *,
    stain: str | None = None,
    um_per_px: float | None = None,
    objective: float | None = None,
    leave_out: Path | None = None,
) -> CohortList:
    """Return the slides of a folder (with its subfolders) or of a CSV list.

    ``stain``, ``um_per_px`` and ``objective`` hold for slides that state none of their own; a file whose name starts
    with a marker is that stain, any other Ki-67. ``leave_out`` is a folder not to look into. Raises
    :class:`RefusedInput` for a list with a wrong cell, and where there is no slide at all.
    """
    default = _marker(stain, "--stain", "") if stain else None
    if path.is_dir():
        found, issues = _of_folder(path, leave_out)
    elif path.is_file():
        found, issues = _of_list(path)
    else:
        raise RefusedInput("there is no such file or folder", source=str(path), remedy="check the path")
    if not found:
        raise RefusedInput("there is no slide in it", source=str(path), remedy=f"slides end in {_endings()}")
    slides = [_with_defaults(slide, default, um_per_px, objective) for slide in found]
    return CohortList(path.resolve().stem, _named(slides), tuple(issues))


def _of_folder(folder: Path, leave_out: Path | None) -> tuple[list[CohortSlide], list[Issue]]:
    slides: list[CohortSlide] = []
    skip = leave_out.resolve() if leave_out is not None else None
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and (Path(where) / f).resolve() != skip)
        for name in sorted(files):
            file = Path(where) / name
            if file.suffix.lower() not in ENDINGS or name.startswith("."):
                continue
            slides.append(
                CohortSlide(
                    len(slides), "", file.relative_to(folder).as_posix(), SlideSource(str(file.resolve())), ""
                )
            )
    return slides, []


def _of_list(path: Path) -> tuple[list[CohortSlide], list[Issue]]:
    reader, comma = _rows(path)
    head = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = head
    if "slide" not in head:
        remedy = f"name the columns {', '.join(COLUMNS)}; only slide is needed"
        raise RefusedInput("has no column 'slide'", source=path.name, place="line 1", remedy=remedy)
    slides: list[CohortSlide] = []
    for row in reader:
        cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
        if any(cells.values()):
            slides.append(_of_row(cells, len(slides), path, f"line {reader.line_num}", comma))
    unused = [name for name in head if name and name not in COLUMNS]
    issues = []
    if unused:
        message = f"columns that were not used: {', '.join(unused)}"
        issues.append(Issue(level=Level.NOTE, code="cohort.list.unused", message=message, path=path.name))
    return slides, issues


def _rows(path: Path) -> tuple[csv.DictReader[str], bool]:
    """The rows of a list separated by comma, semicolon or tab, and whether numbers may have a decimal comma."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        remedy = "save it as CSV in UTF-8"
        raise RefusedInput(f"cannot be read as a list ({error})", source=path.name, remedy=remedy) from None
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count) if any(d in head for d in ",;\t") else ","
    return csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter), delimiter != ","


def _of_row(cells: dict[str, str], number: int, path: Path, place: str, comma: bool) -> CohortSlide:
    if not cells["slide"]:
        raise RefusedInput("names no slide", source=path.name, place=place, remedy="fill the column 'slide'")
    manual = _number(cells, "manual_percent", path, place, comma, 0, 100)
    source = SlideSource(
        path=str((path.parent / cells["slide"]).resolve()),
        um_per_px=_number(cells, "um_per_px", path, place, comma, 0.01, 50),
        objective=_number(cells, "objective", path, place, comma, 1, 200),
        regions=str((path.parent / cells["regions"]).resolve()) if cells["regions"] else None,
    )
    stain = _marker(cells["stain"], path.name, place) if cells["stain"] else ""
    return CohortSlide(number, "", cells["slide"], source, stain, cells["case"], manual)


def _number(
    cells: dict[str, str], name: str, path: Path, place: str, comma: bool, least: float, most: float
) -> float | None:
    text = cells[name].removesuffix("%").strip()
    if not text:
        return None
    try:
        value = float(text.replace(",", ".") if comma else text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        problem = f"{name} is {cells[name]!r}"
        remedy = f"give a number from {least:g} to {most:g}, or leave the cell empty"
        raise RefusedInput(problem, source=path.name, place=place, remedy=remedy)
    return value


def _marker(text: str, source: str, place: str) -> str:
    found = resolve_marker(text)
    if found is None:
        remedy = "write a stain as `kulchitsky evidence` lists it"
        raise RefusedInput(f"{text!r} is not a stain that is known", source=source, place=place, remedy=remedy)
    return found


def _with_defaults(
    slide: CohortSlide, stain: str | None, um_per_px: float | None, objective: float | None
) -> CohortSlide:
    source = slide.source
    if source.um_per_px is None and source.objective is None:
        source = replace(source, um_per_px=um_per_px, objective=objective)
    named = slide.stain or stain or stain_of_name(Path(slide.file).stem) or PROLIFERATION_STAIN
    return replace(slide, source=source, stain=named)


def _named(slides: list[CohortSlide]) -> tuple[CohortSlide, ...]:
    """Give each slide a name that is a folder's too: its file's, with a digest of the path where that is taken."""
    plain = [re.sub(r"[^A-Za-z0-9._-]+", "_", Path(s.file).stem).strip("._")[:80] or "slide" for s in slides]
    often = Counter(name.lower() for name in plain)
    named: list[CohortSlide] = []
    seen: set[str] = set()
    for slide, name in zip(slides, plain, strict=True):
        if often[name.lower()] > 1 or name == "slide":
            name = f"{name}-{hashlib.sha256(slide.file.encode('utf-8', 'surrogateescape')).hexdigest()[:6]}"
        if name.lower() in seen:
            remedy = "list every slide once"
            raise RefusedInput("is listed twice", source=slide.file, remedy=remedy)
        seen.add(name.lower())
        named.append(replace(slide, slide=name))
    return tuple(named)


def _endings() -> str:
    return ", ".join(sorted(ENDINGS))
