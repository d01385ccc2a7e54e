"""Put what the slides showed into the case, beside what the report said; disagreement is an issue, not a choice."""

from __future__ import annotations

from collections.abc import Iterable

from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.measure import SlideCount
from kulchitsky.case.record import Case, Ki67
from kulchitsky.case.vocabulary import IndexSource


def with_counts(case: Case, counts: Iterable[SlideCount]) -> Case:
    """The case with one Ki-67 entry for each counted slide: its hottest window, else the whole tumour."""
    specimen = {s.path: s.specimen for s in case.slides}
    entries = [e for c in counts if (e := _entry(c, specimen.get(c.slide, ""))) is not None]
    return case.model_copy(update={"ki67": (*case.ki67, *entries)})


def _entry(count: SlideCount, specimen: str) -> Ki67 | None:
    hot = count.hotspots[0] if count.hotspots else None
    chosen = hot if hot is not None and hot.counted else count
    if not chosen.counted:
        return None
    return Ki67(
        percent=chosen.index_percent,
        counted=chosen.counted,
        positive=chosen.positive,
        hotspot=chosen is hot,
        method=f"counted on the slide, detector {count.method.get('detector', 'unknown')}",
        specimen=specimen,
        origin=IndexSource.SLIDE,
    )


def index_disagreements(case: Case, counts: Iterable[SlideCount]) -> list[Issue]:
    """One issue for each counted slide whose intervals do not reach the index of the report."""
    issues = []
    for reported in (k for k in case.ki67 if k.origin is IndexSource.REPORT):
        low, high = _reported_range(reported)
        if low is None or high is None:
            continue
        for count in counts:
            ranges = [c.interval_95 for c in (count, *count.hotspots) if c.interval_95 is not None]
            if ranges and (max(r[1] for r in ranges) < low or min(r[0] for r in ranges) > high):
                shown = f"{low:g}" if low == high else f"{low:g}-{high:g}"
                hottest = max((h.index_percent or 0 for h in count.hotspots), default=count.index_percent or 0)
                issues.append(
                    Issue(
                        level=Level.WARNING,
                        code="ki67.report_against_slide",
                        message=f"the report gives Ki-67 {shown} %, the slide {count.slide} shows "
                        f"{count.index_percent or 0:.1f} % over the whole and {hottest:.1f} % in its hottest window",
                        remedy="look at the overlay: wrong slide, wrong region, or a different way of counting",
                        path="ki67",
                    )
                )
    return issues


def _reported_range(entry: Ki67) -> tuple[float | None, float | None]:
    low = entry.low_percent if entry.low_percent is not None else entry.percent
    high = entry.high_percent if entry.high_percent is not None else entry.percent
    if entry.bound == "at_most":
        low = 0.0
    if entry.bound == "at_least":
        high = 100.0
    return low, high
