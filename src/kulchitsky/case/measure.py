"""What a slide yields once the pixels are left behind: counts, areas, intervals, readings.

Units are in the names. Coordinates are micrometres from the slide's top-left corner (level 0).
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from kulchitsky.case.base import Record
from kulchitsky.case.issue import Issue
from kulchitsky.case.vocabulary import Compartment, Extent, Intensity, Pattern

Interval = tuple[float, float]
"""Lower and upper end, in the unit of the figure beside it."""


class CellCount(Record):
    """Cells counted and cells positive among them, with the labelling index and its 95 % interval.

    ``index_percent`` is ``None`` when nothing was counted: never 0, which would be a finding.
    """

    counted: int = Field(ge=0)
    positive: int = Field(ge=0)
    index_percent: float | None = Field(default=None, ge=0, le=100)
    interval_95: Interval | None = None


class HotSpot(CellCount):
    """The hottest window of a wanted number of cells (or of a fixed area), and what chance alone would show.

    ``null_index_percent`` is the median, ``null_interval_95`` the 95 % range, of the hottest window that the same
    cells show when positivity is dealt out at random: the selection bias that the binomial interval leaves out.
    ``shrunk_index_percent`` is the index corrected for having been chosen as the maximum.
    """

    area_mm2: float
    centre_um: tuple[float, float]
    radius_um: float | None = None
    cells_wanted: int | None = None
    area_wanted_mm2: float | None = None
    shrunk_index_percent: float | None = None
    shrunk_interval_95: Interval | None = None
    null_index_percent: float | None = None
    null_interval_95: Interval | None = None
    p_value: float | None = None


class LeftOut(Record):
    """Cells found but not counted as tumour, and why."""

    reason: str
    cells: int
    positive: int


class CutCurvePoint(Record):
    """The labelling index that another positivity cut would give."""

    cut_od: float
    index_percent: float


class SlideCount(CellCount):
    """The labelling index of one slide: the ``count --json`` contract.

    ``method`` holds detector, version, parameters, stain vectors, cut, checksum of the slide: enough to repeat the
    count. ``index_with_left_out_percent`` is what the index would be had no cell been left out.
    """

    slide: str
    stain: str = "ki67"
    um_per_px: float
    tissue_mm2: float
    hotspots: tuple[HotSpot, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    index_with_left_out_percent: float | None = None
    cut_curve: tuple[CutCurvePoint, ...] = ()
    method: dict[str, Any] = Field(default_factory=dict)
    issues: tuple[Issue, ...] = ()


class Share(Record):
    """A share of cells with its confidence: used for intensity classes, compartments and patterns."""

    name: str
    fraction: float = Field(ge=0, le=1)
    confidence: float | None = Field(default=None, ge=0, le=1)


class StainReading(CellCount):
    """One stain other than Ki-67, read from its slide: the ``stain --json`` contract.

    ``index_percent`` is the share of tumour cells stained. ``intensity_classes`` are the shares of 0, 1+, 2+, 3+;
    ``h_score`` runs from 0 to 300. ``expected`` is what the knowledge base expects of the marker, filled by the
    floor that knows it. Where two compartments are about as likely, ``compartment`` is ``None`` and
    ``compartment_either`` names them, likeliest first.
    """

    slide: str
    marker: str
    um_per_px: float
    tissue_mm2: float
    extent: Extent | None = None
    intensity: Intensity | None = None
    compartment: Compartment | None = None
    compartment_confidence: float | None = None
    compartment_either: tuple[Compartment, ...] = ()
    pattern: Pattern | None = None
    pattern_confidence: float | None = None
    intensity_classes: tuple[Share, ...] = ()
    compartments: tuple[Share, ...] = ()
    patterns: tuple[Share, ...] = ()
    h_score: float | None = Field(default=None, ge=0, le=300)
    allred: int | None = Field(default=None, ge=0, le=8)
    expected: str = ""
    method: dict[str, Any] = Field(default_factory=dict)
    issues: tuple[Issue, ...] = ()
