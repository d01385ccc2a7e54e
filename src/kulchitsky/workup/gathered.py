"""A case with all that came with it: where it lay, what its prose said, what its slides showed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kulchitsky.case.issue import Issue
from kulchitsky.case.measure import SlideCount, StainReading
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Reading, SlidePicture


@dataclass(frozen=True, slots=True)
class Gathered:
    """A case with the folder its slide paths start from, and the reading when it came from prose."""

    case: Case
    folder: Path
    source: Path
    sha256: str
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class SlideWork:
    """The case with what its slides showed, and the measures and pictures themselves."""

    case: Case
    counts: tuple[SlideCount, ...] = ()
    readings: tuple[StainReading, ...] = ()
    pictures: tuple[SlidePicture, ...] = ()
    issues: tuple[Issue, ...] = ()
