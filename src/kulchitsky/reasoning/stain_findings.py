"""Stain results of a case as findings: the event that the marker's rates count, and dots beside it."""

from __future__ import annotations

from collections.abc import Iterator

from kulchitsky.case import vocabulary as v
from kulchitsky.case.record import Case, MarkerResult
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.knowledge.model import load_model
from kulchitsky.knowledge.schema import Counts, Marker
from kulchitsky.reasoning.finding import Finding
from kulchitsky.reasoning.place import foreign_specimens
from kulchitsky.reasoning.pool import KERATIN_GROUPS, dot_finding


def stain_findings(case: Case, knowledge: KnowledgeBase) -> Iterator[Finding]:
    """One finding a stain that was done and read (specimens of the tumour together), and one a perinuclear dot."""
    by_marker: dict[str, list[MarkerResult]] = {}
    others = foreign_specimens(case)
    for result in case.markers:
        if result.specimen in others:
            continue
        if result.state in (v.State.PRESENT, v.State.ABSENT) and result.marker in knowledge.markers:
            by_marker.setdefault(result.marker, []).append(result)
    for marker_id, results in by_marker.items():
        marker = knowledge.markers[marker_id]
        if marker_id == "ki67":
            continue
        event = _event(results, marker)
        if event is None:
            continue
        happened, focal = event
        label = _stain_label(marker.name, marker.counts, happened, focal)
        if marker.composite and marker.members:
            yield Finding(marker_id, "panel", marker_id, marker.group, label, event=happened, members=marker.members)
        else:
            yield Finding(marker_id, "stain", marker_id, marker.group, label, event=happened, focal=focal)
        pattern = {r.pattern for r in results if r.state is v.State.PRESENT}
        if v.Pattern.PERINUCLEAR_DOT in pattern and happened:
            yield Finding(
                f"{marker_id}_dot",
                "dot",
                dot_finding("keratin" if marker.group in KERATIN_GROUPS else marker_id),
                f"{marker.group}_pattern",
                f"{marker.name}: perinuclear dot",
            )


def _event(results: list[MarkerResult], marker: Marker) -> tuple[bool, bool] | None:
    """Whether the event of the marker's rates happened, and only focally; ``None`` when the results don't say."""
    counts = marker.counts
    if counts is Counts.LOSS:
        lost = {_lost(r) for r in results}
        return (lost.pop(), False) if len(lost) == 1 else None
    if counts is Counts.ABERRANT:
        aberrant = {_aberrant(r) for r in results} - {None}
        only = aberrant.pop() if len(aberrant) == 1 else None
        return None if only is None else (only, False)
    nuclear = marker.positive_when.startswith("nuclear staining")
    positive = [r for r in results if _stains_tumour(r) and not (nuclear and r.compartment in _NOT_NUCLEAR)]
    if not positive:
        return False, False
    focal = len(positive) < len(results) or all(_is_focal(r) for r in positive)
    return True, focal


_NOT_NUCLEAR = (v.Compartment.CYTOPLASMIC, v.Compartment.MEMBRANOUS, v.Compartment.CYTOPLASMIC_AND_MEMBRANOUS)
"""Where a stain that means something in the nucleus means nothing."""


def _stains_tumour(result: MarkerResult) -> bool:
    return result.state is v.State.PRESENT and result.pattern is not v.Pattern.LOST


def _is_focal(result: MarkerResult) -> bool:
    few = result.percent is not None and result.percent <= load_model().focal_percent
    faint = result.intensity is v.Intensity.WEAK and result.extent is None
    return result.extent is v.Extent.FOCAL or few or faint


def _lost(result: MarkerResult) -> bool:
    return result.state is v.State.ABSENT or result.pattern is v.Pattern.LOST


def _aberrant(result: MarkerResult) -> bool | None:
    if result.pattern in (v.Pattern.OVEREXPRESSED, v.Pattern.NULL):
        return True
    if result.pattern is v.Pattern.WILD_TYPE:
        return False
    # a bare "negative" may be a wild type with few cells or a null pattern: it doesn't say
    return None if result.state is v.State.ABSENT else not _is_focal(result)


def _stain_label(name: str, counts: Counts, happened: bool, focal: bool) -> str:
    if counts is Counts.LOSS:
        return f"{name} {'lost' if happened else 'retained'}"
    if counts is Counts.ABERRANT:
        return f"{name} {'abnormal' if happened else 'wild-type'}"
    return f"{name} {('focally positive' if focal else 'positive') if happened else 'negative'}"
