"""Tables of stains with a column for each tissue: the columns that aren't the tumour's are blanked before reading.

A table is a run of lines with the same number of cells, the first a name and the others results, under a line of
titles. Titles such as *intensity* or *clone* make a column of details; titles such as *in situ*, *control* or
*normal skin* make it another tissue's. Of several tissues the one most like a tumour stays; without titles nothing is
touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kulchitsky.narrative.page import Page, pieces_of

_GAP = re.compile(r"\s*\|\s*| {3,}")
_RESULT = re.compile(
    r"^(?:[(]?(?:[+-]{1,4}|±|\+\s?/\s?-|[0-3]\s?\+?|pos|neg|positive|negative|n/?[dat]|nd|not done|lost|retained"
    r"|focal|patchy|weak|moderate|strong|diffuse|rare|wild[\s-]type|mutant|equivocal|[<>~]?\s?\d{1,3}(?:\s?-\s?\d{1,3})?\s?%)[)]?)"
    r"(?:\W|$)",
    re.IGNORECASE,
)
_DETAIL = re.compile(
    r"\b(?:intensity|extent|pattern|distribution|percent\w*|%|clone|block|slide|comment|remarks?|result|interpretation"
    r"|compartment|localis\w+|localiz\w+|score|vendor|dilution|location|staining|method|source|company)\b|%",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"\b(?:controls?|normal|background|adjacent|in[\s-]situ|stroma\w*|lymphocytes|islets?|squamous|scc|adenoma"
    r"|adenocarcinoma|urothelial|glandular|spindle|sarcoma\w*|dysplasia|benign|non-?tumou?r\w*|mucosa|epiderm\w+"
    r"|previous|earlier|prior)\b",
    re.IGNORECASE,
)
_TUMOUR = re.compile(
    r"\b(?:neuroendocrine|NEC?T?|small[\s-]cell|large[\s-]cell|round[\s-]cell|blue[\s-]cell|merkel|tumou?r|lesion\w*"
    r"|neoplas\w+|metastas\w+|carcinoma)\b",
    re.IGNORECASE,
)
MAX_CELLS = 8


@dataclass(frozen=True, slots=True)
class _Row:
    """Cells of a line with their places."""

    cells: tuple[tuple[int, int, str], ...]


def without_other_columns(page: Page) -> Page:
    """The page with the columns of other tissues blanked; the same page where there is no such table."""
    spans = [span for table in _tables(page.clean) for span in _foreign(table)]
    if not spans:
        return page
    text = list(page.clean)
    for start, end in spans:
        text[start:end] = " " * (end - start)
    clean = "".join(text)
    return replace(page, clean=clean, pieces=tuple(pieces_of(clean)))


def _rows(clean: str) -> Iterator[_Row | None]:
    at = 0
    for line in clean.split("\n"):
        cells: list[tuple[int, int, str]] = []
        first = 0
        for match in (*_GAP.finditer(line), None):
            last = match.start() if match else len(line)
            if line[first:last].strip():
                cells.append((at + first, at + last, line[first:last].strip()))
            first = match.end() if match else first
        yield _Row(tuple(cells)) if 3 <= len(cells) <= MAX_CELLS else None
        at += len(line) + 1


def _tables(clean: str) -> Iterator[list[_Row]]:
    """Runs of two rows of results or more, each with the row of titles before it."""
    table: list[_Row] = []
    for row in (*_rows(clean), None):
        if row is None:
            if len(table) > 2:
                yield table
            table = []
        elif table and _is_results(row) and len(row.cells) == len(table[0].cells):
            table.append(row)
        else:
            if len(table) > 2:
                yield table
            table = [] if _is_results(row) else [row]
    if len(table) > 2:
        yield table


def _is_results(row: _Row) -> bool:
    return all(_RESULT.match(text) for _, _, text in row.cells[1:])


def _foreign(table: list[_Row]) -> Iterator[tuple[int, int]]:
    titles = [text for _, _, text in table[0].cells]
    tissues = [n for n in range(1, len(titles)) if not _DETAIL.search(titles[n])]
    if len(tissues) < 2 and not any(_OTHER.search(titles[n]) for n in tissues):
        return
    kept = max(tissues, key=lambda n: (bool(_TUMOUR.search(titles[n])) - 2 * bool(_OTHER.search(titles[n])), -n))
    for row in table[1:]:
        for n in tissues:
            if n != kept or _OTHER.search(titles[n]):
                start, end, _ = row.cells[n]
                yield start, end
