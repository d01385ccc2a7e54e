"""What a review says and takes, as it goes over the wire."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from kulchitsky.case.measure import HotSpot, SlideCount
from kulchitsky.workup.edit_log import Polygon
from kulchitsky.workup.recount import Recount


class Region(BaseModel):
    """A drawn region as it stands; corners in µm."""

    region: int
    role: Literal["tumour", "exclusion"]
    polygon: tuple[tuple[float, float], ...]


class GradeNow(BaseModel):
    """The grade that the present count makes, and how probable each grade is."""

    system: str
    grade: str
    probabilities: dict[str, float]


class ReviewPage(BaseModel):
    """A reader's review of a counted slide."""

    slide_id: str
    reader: str
    count: SlideCount
    recount: Recount
    grades: tuple[GradeNow, ...]
    hotspots: tuple[HotSpot, ...]
    """Where the hot spots are; their live counts stand in ``recount``."""
    regions: tuple[Region, ...]
    square_um: float
    square_columns: int
    square_rows: int
    square_cells: tuple[int, ...]
    heat_bin_um: float
    heat_levels: int
    heat_tile_bins: int
    finished: bool
    edits_of_other_counts: int


class FlipCells(BaseModel):
    """Give cells a class: 0 negative, 1 positive, 2 not counted."""

    kind: Literal["set"]
    cells: Annotated[list[int], Field(min_length=1, max_length=100_000)]
    after: Annotated[int, Field(ge=0, le=2)]


class PutCell(BaseModel):
    """A cell that the counter missed."""

    kind: Literal["add"]
    x_um: Annotated[float, Field(ge=0, le=1e6)]
    y_um: Annotated[float, Field(ge=0, le=1e6)]
    after: Annotated[int, Field(ge=0, le=1)]


class PutRegion(BaseModel):
    """A region drawn."""

    kind: Literal["draw_region"]
    role: Literal["tumour", "exclusion"]
    polygon: Polygon


class DropRegion(BaseModel):
    """A region taken away."""

    kind: Literal["remove_region"]
    region: int


class Step(BaseModel):
    """A step along the log."""

    kind: Literal["undo", "redo", "revert", "finish"]


Wanted = Annotated[FlipCells | PutCell | PutRegion | DropRegion | Step, Field(discriminator="kind")]


class Changed(BaseModel):
    """What a change did."""

    recount: Recount
    grades: tuple[GradeNow, ...]
    squares: tuple[tuple[int, int], ...] | None
    """Squares whose cells must be fetched anew; ``null`` means all of them."""
    regions: tuple[Region, ...]
    cell: int | None = None
    finished: bool = False


class ImportedRegions(BaseModel):
    """What a file of regions came to."""

    tumour: int
    exclusions: int
    passed_over: int
    """Features that are no areas: points, lines, detected cells."""
    changed: Changed


class Carried(BaseModel):
    """What became of the corrections of an earlier count: in numbers, and the state after it."""

    placed: int
    agreeing: int
    """Of ``placed``: cells that the new count already has so."""
    gone: int
    """Cells that had been taken out and that the new count does not find."""
    not_placed: int
    """Cells that had been flipped and are not found again."""
    regions: int
    changed: Changed


class CellFacts(BaseModel):
    """One cell: what it counts as, what it was counted as, and what was measured of it."""

    cell: int
    x_um: float
    y_um: float
    klass: int
    automatic: int | None
    """``null`` for a cell that the reader added."""
    signal_od: float | None
    cut_od: float | None
    area_um2: float | None


class DoubtfulCells(BaseModel):
    """Cells nearest the cut, most doubtful first."""

    cut_od: float
    within: str
    cells: tuple[CellFacts, ...]


class LogLine(BaseModel):
    """One row of the log in words."""

    seq: int
    at: dt.datetime
    reader: str
    kind: str
    words: str


class History(BaseModel):
    """The newest rows of the log, newest first."""

    lines: tuple[LogLine, ...]
