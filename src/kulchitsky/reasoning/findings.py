"""What a case shows, as findings that can be weighed: one record each, in an order that doesn't depend on the case's.

What wasn't tested, and what nobody wrote, is no finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from kulchitsky.case import vocabulary as v
from kulchitsky.case.record import Case, Ki67, Morphology
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.reasoning.clinic_findings import clinic_findings
from kulchitsky.reasoning.finding import Finding, context
from kulchitsky.reasoning.place import foreign_specimens, settings_of
from kulchitsky.reasoning.pool import SEX_MALE
from kulchitsky.reasoning.stain_findings import stain_findings


def findings_of(case: Case, knowledge: KnowledgeBase) -> tuple[Finding, ...]:
    """Every weighable finding of the case, sorted by id; at most one per id."""
    found: dict[str, Finding] = {}
    sources = (
        stain_findings(case, knowledge),
        _morphology(case.morphology),
        _quantities(case),
        clinic_findings(case),
    )
    for source in sources:
        for finding in source:
            found.setdefault(finding.id, finding)
    return tuple(sorted(found.values()))


def _morphology(m: Morphology) -> Iterator[Finding]:
    for value in m.architecture:
        yield context(f"arch_{value.value}", f"{_words(value)} growth", group="architecture")
    if m.cell_size:
        yield context(f"size_{m.cell_size.value}", f"{_words(m.cell_size)} cells", group="cell_size")
    for shape in m.cell_shape:
        yield context(f"shape_{shape.value}", f"{_words(shape)} cells", group="cell_shape")
    for chromatin in m.chromatin:
        yield context(f"chrom_{chromatin.value}", f"{_words(chromatin)} chromatin", group="chromatin")
    if m.nucleoli:
        yield context(f"nucleoli_{m.nucleoli.value}", f"nucleoli {_words(m.nucleoli)}", group="nucleoli")
    if m.necrosis:
        seen = m.necrosis is not v.NecrosisExtent.ABSENT
        label = f"necrosis {_words(m.necrosis)}" if m.necrosis is not v.NecrosisExtent.PRESENT else "necrosis"
        yield context("necrosis", label, event=seen)
    if m.differentiation:
        name = "poorly" if m.differentiation is v.Differentiation.POOR else m.differentiation.value
        yield context(f"diff_{m.differentiation.value}", f"{name} differentiated", group="differentiation")
    for f in m.features:
        if f.state in (v.State.PRESENT, v.State.ABSENT):
            there = f.state is v.State.PRESENT
            label = _words(f.feature) if there else f"no {_words(f.feature)}"
            yield context(f"feat_{f.feature.value}", label, event=there, group=f"feat_{f.feature.value}")


def _words(value: StrEnum) -> str:
    return str(value.value).replace("_", " ")


def ki67_percent(entry: Ki67) -> float | None:
    """The figure that a Ki-67 entry stands for, in percent: the index, the middle of a range, or its stated bound."""
    if entry.percent is not None:
        return entry.percent
    if entry.counted is not None and entry.positive is not None:
        return 100.0 * entry.positive / entry.counted
    ends = [end for end in (entry.low_percent, entry.high_percent) if end is not None]
    return sum(ends) / len(ends) if ends else None


def mitoses_per_2mm2(m: Morphology) -> float | None:
    """Mitoses per 2 mm2, where they were counted."""
    if m.mitoses is None:
        return None
    if m.mitoses.per_2mm2 is not None:
        return m.mitoses.per_2mm2
    if m.mitoses.count is not None and m.mitoses.area_mm2 is not None:
        return 2.0 * m.mitoses.count / m.mitoses.area_mm2
    return None


def _quantities(case: Case) -> Iterator[Finding]:
    others = foreign_specimens(case)
    own = [k for k in case.ki67 if k.specimen not in others]
    indices = [p for p in map(ki67_percent, own) if p is not None]
    if indices:
        yield Finding("ki67", "ki67", "ki67", "ki67", f"Ki-67 {max(indices):g} %", value=max(indices))
    rate = mitoses_per_2mm2(case.morphology)
    if rate is not None:
        yield Finding("mitoses", "mitoses", "mitoses", "ki67", f"{rate:.3g} mitoses per 2 mm²", value=rate)
    age = case.patient.age_years
    if age is not None:
        yield Finding("age", "age", "age", "age", f"age {age:g}", value=age)
    if case.patient.sex in (v.Sex.FEMALE, v.Sex.MALE):
        male = case.patient.sex is v.Sex.MALE
        yield Finding("sex", "sex", SEX_MALE, "sex", case.patient.sex.value, event=male)
    p = case.presentation
    if p.duration_months is not None:
        months = max(p.duration_months, 0.1)
        yield Finding("duration", "duration", "duration", "growth", f"{months:.3g} months' history", value=months)
    size = p.size.greatest_cm if p.size else None
    size = size or max((q.tumour_size_cm for q in case.procedures if q.tumour_size_cm), default=None)
    if size:
        yield Finding("size", "size", "size", "size", f"{size:g} cm", value=size)
    if p.site and p.site.region and p.site.region is not v.Region.OTHER and _region_counts(case):
        region = p.site.region.value
        yield Finding("region", "region", "region", "region", region.replace("_", " "), text=region)
    if p.site and p.site.layer in _LAYERS and _region_counts(case):
        name, label = _LAYERS[p.site.layer]
        yield context(f"layer_{name}", label, group="layer")


_LAYERS = {
    v.Layer.EPIDERMIS: ("dermis", "centred in epidermis or dermis"),
    v.Layer.DERMIS: ("dermis", "centred in epidermis or dermis"),
    v.Layer.SUBCUTIS: ("subcutis", "centred in the subcutis"),
    v.Layer.FASCIA: ("deep", "centred below the subcutis"),
    v.Layer.MUSCLE: ("deep", "centred below the subcutis"),
    v.Layer.BONE: ("deep", "centred below the subcutis"),
}

# in these settings the body region says something that the setting doesn't (a liver is always in the abdomen)
_REGIONAL = frozenset(s.value for s in (v.Setting.SKIN, v.Setting.SOFT_TISSUE, v.Setting.LYMPH_NODE, v.Setting.BONE))


def _region_counts(case: Case) -> bool:
    settings = settings_of(case)
    return not settings or bool(_REGIONAL.intersection(settings))
