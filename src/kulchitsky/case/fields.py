"""The flat view of a case: one value a field, for tables, filters, cohorts and neighbours.

A view, never a replacement: it keeps what can be said in one value and leaves the rest in the record. Unknown fields
are absent from the result; *not tested* stays a value of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kulchitsky.case.record import Case, Ki67
from kulchitsky.case.vocabulary import DiseaseStatus, State

Value = float | str | tuple[str, ...]

NUMERIC = (
    "age_years",
    "ecog",
    "size_cm",
    "duration_months",
    "ki67_percent",
    "mitoses_per_2mm2",
    "nodes_removed",
    "nodes_positive",
    "dose_gy",
    "follow_up_months",
)
NOMINAL = (
    "sex",
    "setting",
    "side",
    "region",
    "layer",
    "topography",
    "growth",
    "consistency",
    "lesions",
    "skin_over",
    "cell_size",
    "nucleoli",
    "necrosis",
    "differentiation",
    "margins",
    "diagnosis",
    "status",
)
SETS = ("architecture", "cell_shape", "chromatin", "treatment")
STATES = ("marker", "feature", "molecular", "immune_suppression", "primary_found")
"""Prefixes of fields whose value is a state: ``marker.ck20``, ``feature.amyloid``, ``molecular.mcpyv_pcr``."""

DEAD = frozenset({DiseaseStatus.DEAD, DiseaseStatus.DEAD_OF_DISEASE, DiseaseStatus.DEAD_OF_OTHER_CAUSE})
RETURNED = frozenset({DiseaseStatus.RECURRENCE, DiseaseStatus.PROGRESSION})


def fields_of(case: Case) -> dict[str, Value]:
    """Return every field of the flat view that the case knows.

    Numbers are floats in the unit of their name, sets are sorted tuples, states and vocabulary values their words.
    ``ki67_percent`` is the highest figure stated, ``size_cm`` the greatest dimension from presentation, else from a
    procedure; ``status`` is the last one stated, ``follow_up_months`` the longest follow-up.
    """
    found: dict[str, Value | None] = {}
    _clinical(case, found)
    _microscopic(case, found)
    _course(case, found)
    return {name: value for name, value in found.items() if value is not None and value != ()}


def slug(text: str) -> str:
    """Return words as an id: lower-case letters, digits and single underscores."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def ki67_figure(entry: Ki67) -> float | None:
    """Return the one figure of a Ki-67 entry: percent, counted share, else the upper, else the lower bound."""
    if entry.percent is not None:
        return entry.percent
    if entry.counted is not None and entry.positive is not None:
        return 100 * entry.positive / entry.counted
    return entry.high_percent if entry.high_percent is not None else entry.low_percent


def size_cm(case: Case) -> float | None:
    """Return the greatest dimension of the tumour: as presented, else as measured at a procedure."""
    size = case.presentation.size
    if size is not None and (size.greatest_cm is not None or size.dimensions_cm):
        return size.greatest_cm if size.greatest_cm is not None else max(size.dimensions_cm)
    return _highest(p.tumour_size_cm for p in case.procedures)


def _clinical(case: Case, found: dict[str, Value | None]) -> None:
    seen = case.presentation
    site = seen.site
    found["age_years"] = case.patient.age_years
    found["ecog"] = None if case.patient.ecog is None else float(case.patient.ecog)
    found["size_cm"] = size_cm(case)
    found["duration_months"] = seen.duration_months
    found["sex"] = None if case.patient.sex.value == "unknown" else case.patient.sex.value
    found["setting"] = seen.setting.value if seen.setting else None
    found["growth"] = seen.growth.value if seen.growth else None
    found["consistency"] = seen.consistency
    found["lesions"] = seen.lesions.value if seen.lesions else None
    found["skin_over"] = seen.skin_over
    if seen.primary_found is not None:
        found["primary_found"] = seen.primary_found.value
    if site is not None:
        found["side"] = site.side.value if site.side else None
        found["region"] = site.region.value if site.region else None
        found["layer"] = site.layer.value if site.layer else None
        found["topography"] = site.topography
    if case.patient.immune_suppression is not None:
        found["immune_suppression"] = case.patient.immune_suppression.state.value
    if case.working_diagnosis is not None:
        found["diagnosis"] = case.working_diagnosis.entity


def _microscopic(case: Case, found: dict[str, Value | None]) -> None:
    seen = case.morphology
    found["cell_size"] = seen.cell_size.value if seen.cell_size else None
    found["nucleoli"] = seen.nucleoli.value if seen.nucleoli else None
    found["necrosis"] = seen.necrosis.value if seen.necrosis else None
    found["differentiation"] = seen.differentiation.value if seen.differentiation else None
    found["architecture"] = tuple(sorted({v.value for v in seen.architecture}))
    found["cell_shape"] = tuple(sorted({v.value for v in seen.cell_shape}))
    found["chromatin"] = tuple(sorted({v.value for v in seen.chromatin}))
    if seen.mitoses is not None:
        m = seen.mitoses
        found["mitoses_per_2mm2"] = m.count / m.area_mm2 * 2 if m.count is not None and m.area_mm2 else m.per_2mm2
    for item in seen.features:
        _settle(found, f"feature.{item.feature.value}", item.state)
    for stain in case.markers:
        _settle(found, f"marker.{stain.marker}", stain.state)
        if stain.pattern is not None and stain.state is not State.NOT_TESTED:
            name = f"pattern.{stain.marker}"
            earlier = found.get(name)
            found[name] = tuple(sorted({*(earlier if isinstance(earlier, tuple) else ()), stain.pattern.value}))
    for test in case.molecular:
        if slug(test.test):
            _settle(found, f"molecular.{slug(test.test)[:64]}", test.state)
    found["ki67_percent"] = _highest(ki67_figure(entry) for entry in case.ki67)


def _course(case: Case, found: dict[str, Value | None]) -> None:
    counted = [p for p in case.procedures if p.nodes_removed is not None]
    if counted:
        found["nodes_removed"] = float(sum(p.nodes_removed or 0 for p in counted))
        if any(p.nodes_positive is not None for p in counted):
            found["nodes_positive"] = float(sum(p.nodes_positive or 0 for p in counted))
    stated = [p.margins.value for p in case.procedures if p.margins.value != "not_stated"]
    found["margins"] = stated[-1] if stated else None
    found["treatment"] = tuple(sorted({t.kind.value for t in case.treatments}))
    found["dose_gy"] = _highest(t.dose_gy for t in case.treatments)
    visits = sorted(case.follow_up, key=lambda visit: visit.months)
    if visits:
        found["follow_up_months"] = visits[-1].months
        last = [visit.status.value for visit in visits if visit.status is not None]
        found["status"] = last[-1] if last else None


def _settle(found: dict[str, Value | None], name: str, state: State) -> None:
    """Two results for one finding: present and absent together are equivocal, a result outweighs *not tested*."""
    earlier = found.get(name)
    if earlier is None or earlier == State.NOT_TESTED.value:
        found[name] = state.value
    elif state is not State.NOT_TESTED and earlier != state.value:
        found[name] = State.EQUIVOCAL.value


def _highest(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known) if known else None


def survival_of(case: Case, endpoint: str) -> tuple[float, bool] | None:
    """Return (months, event) of one case for an endpoint, or ``None`` without follow-up that can say.

    ``overall``: death of any cause. ``disease_specific``: death of disease; a death of unstated cause cannot say and
    gives ``None``, other deaths are censored. ``disease_free``: first recurrence, progression or death. Without the
    event the case is censored at its last visit. A visit without a status counts as alive only where a later one
    has a status.
    """
    visits = sorted((v for v in case.follow_up if v.status is not None), key=lambda visit: visit.months)
    if not visits:
        return None
    if endpoint == "overall":
        events = DEAD
    elif endpoint == "disease_specific":
        if any(v.status is DiseaseStatus.DEAD for v in visits):
            return None
        events = frozenset({DiseaseStatus.DEAD_OF_DISEASE})
    elif endpoint == "disease_free":
        events = DEAD | RETURNED
    else:
        raise ValueError(f"unknown endpoint {endpoint!r}: use overall, disease_specific or disease_free")
    for visit in visits:
        if visit.status in events:
            return visit.months, True
    return visits[-1].months, False
