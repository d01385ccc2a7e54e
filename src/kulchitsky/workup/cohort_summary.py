"""From outcomes to the whole: rows with their cases, how figures are spread, what the cohort cost."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kulchitsky.case.cohort import CohortCost, CohortRow, Histogram, SlideOutcome, SlideStatus
from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.case.issue import Issue, Level
from kulchitsky.registry.store import Registry
from kulchitsky.workup.cohort_list import CohortSlide
from kulchitsky.workup.cohort_store import CohortStore
from kulchitsky.workup.registry_find import find_stored
from kulchitsky.workup.registry_person import registry_person


@dataclass(frozen=True, slots=True)
class _Known:
    key: str
    fields: dict[str, str | float | None]


def rows_of(
    slides: Sequence[CohortSlide],
    store: CohortStore,
    *,
    registry: str | None = None,
    key_file: str | os.PathLike[str] | None = None,
) -> tuple[CohortRow, ...]:
    """Every slide of the list with its outcome and its case.

    With ``registry`` a case is shown under the registry's key, so that an own id does not reach the table; one that
    the registry does not know is an issue of the row.
    """
    known = _known_cases({s.case for s in slides if s.case}, registry, key_file) if registry is not None else {}
    outcomes = {s.slide: store.load(s.slide) or _lost(s) for s in slides}
    doubles = _doubles(outcomes)
    return tuple(_row(s, outcomes[s.slide], registry, known, doubles) for s in slides)


def _row(
    slide: CohortSlide,
    outcome: SlideOutcome,
    registry: str | None,
    known: Mapping[str, _Known],
    doubles: Mapping[str, tuple[str, ...]],
) -> CohortRow:
    issues = []
    found = known.get(slide.case)
    if registry is not None and slide.case and found is None:
        remedy = "add the case to the registry, or correct the list"
        message = "its case is not in the registry"
        issues.append(
            Issue(level=Level.WARNING, code="cohort.case.unknown", message=message, remedy=remedy, path=slide.file)
        )
    if slide.slide in doubles:
        message = f"the same picture as {', '.join(doubles[slide.slide])}"
        issues.append(Issue(level=Level.WARNING, code="cohort.slide.double", message=message, path=slide.file))
    return CohortRow(
        slide=slide.slide,
        file=slide.file,
        stain=slide.stain,
        outcome=outcome,
        case=found.key if found else slide.case,
        registry=found.fields if found else {},
        manual_percent=slide.manual_percent,
        issues=tuple(issues),
    )


def _known_cases(names: set[str], registry: str | None, key_file: str | os.PathLike[str] | None) -> dict[str, _Known]:
    known = {}
    with Registry.open(registry or None, who=registry_person("reader"), create=False) as store:
        for name in sorted(names):
            try:
                key = find_stored(store, name, key_file=key_file).key
            except RefusedRegistry:
                continue
            row = next(iter(store.rows_by_id(store.row_ids([key])).values()))
            fields: dict[str, str | float | None] = {
                "collection": row.collection,
                "diagnosis": row.diagnosis,
                "age_years": row.age_years,
                "sex": row.sex,
                "ki67_percent": row.ki67_percent,
                "follow_up_months": row.follow_up_months,
                "outcome": row.outcome,
            }
            known[name] = _Known(key, fields)
    return known


def _doubles(outcomes: Mapping[str, SlideOutcome]) -> dict[str, tuple[str, ...]]:
    """Slides whose content is that of others, with the others' names."""
    same: dict[str, list[str]] = defaultdict(list)
    for name, outcome in outcomes.items():
        measure = outcome.count or outcome.reading
        checksum = measure.method.get("slide_checksum") if measure is not None else None
        if checksum:
            same[str(checksum)].append(name)
    return {
        name: tuple(other for other in names if other != name)
        for names in same.values()
        if len(names) > 1
        for name in names
    }


def _lost(slide: CohortSlide) -> SlideOutcome:
    return SlideOutcome(slide=slide.slide, key="", status=SlideStatus.FAILED, reason="its outcome was not kept")


def histograms(rows: Sequence[CohortRow]) -> tuple[Histogram, ...]:
    """How the index, the hottest window, the width of the interval and the cells counted are spread."""
    counts = [row.outcome.count for row in rows if row.outcome.count is not None]
    index = [c.index_percent for c in counts if c.index_percent is not None]
    hottest = [c.hotspots[0].index_percent for c in counts if c.hotspots and c.hotspots[0].index_percent is not None]
    cells = [float(c.counted) for c in counts]
    tissue = [c.tissue_mm2 for c in counts]
    found = [
        _percent_histogram("Index of the whole slide", index),
        _percent_histogram("Index of the hottest window", hottest),
        _log_histogram("Tumour cells counted", "cells", cells),
        _log_histogram("Tissue", "mm²", tissue),
    ]
    return tuple(h for h in found if h is not None)


def _percent_histogram(title: str, values: Sequence[float]) -> Histogram | None:
    if not values:
        return None
    step = 5.0 if max(values) > 40 else 2.0
    top = step * max(5, int(np.floor(max(values) / step)) + 1)
    edges = np.arange(0, top + step / 2, step)
    return _histogram(title, "%", values, edges)


def _log_histogram(title: str, unit: str, values: Sequence[float]) -> Histogram | None:
    positive = [v for v in values if v > 0]
    if not positive:
        return None
    low = np.floor(4 * np.log10(min(positive))) / 4
    high = np.floor(4 * np.log10(max(positive))) / 4 + 0.25
    edges = 10 ** np.arange(low, max(high, low + 1) + 0.01, 0.25)
    return _histogram(title, unit, positive, edges)


def _histogram(title: str, unit: str, values: Sequence[float], edges: np.ndarray) -> Histogram:
    counts, _ = np.histogram(values, bins=edges)
    return Histogram(
        title=title, unit=unit, edges=tuple(float(e) for e in edges), counts=tuple(int(n) for n in counts)
    )


def cost_of(rows: Sequence[CohortRow]) -> CohortCost:
    """Worker time of the slides with a measure, per gigapixel of the file as scanned and per slide."""
    done = [row.outcome for row in rows if row.outcome.done]
    gigapixels = sum((o.width_px or 0) * (o.height_px or 0) for o in done) / 1e9
    cpu = sum(o.cpu_seconds for o in done)
    tissue = sum(m.tissue_mm2 for o in done if (m := o.count or o.reading) is not None)
    return CohortCost(
        slides=len(done),
        gigapixels=gigapixels,
        tissue_mm2=tissue,
        worker_seconds=sum(o.worker_seconds for o in done),
        cpu_seconds=cpu,
        cpu_seconds_per_gigapixel=cpu / gigapixels if gigapixels else None,
        cpu_seconds_per_slide=cpu / len(done) if done else None,
    )
