"""What a case shows, as findings that can be weighed: one record each, in an order that doesn't depend on the case's.

What wasn't tested, and what nobody wrote, is no finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from kulchitsky.case import vocabulary as v
from kulchitsky.case.record import Case, Ki67, LabResult, MarkerResult, Morphology
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.knowledge.clinical_words import ClinicalWord, load_clinical_words
from kulchitsky.knowledge.schema import Counts
from kulchitsky.reasoning.pool import KERATIN_GROUPS, SEX_MALE, dot_finding

Kind = Literal["stain", "panel", "dot", "context", "ki67", "mitoses", "age", "sex", "duration", "size", "region"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding. ``event`` says whether the rate's event happened (a stain is positive, a protein is lost, ...).

    ``value`` is the quantity of a density (percent, years, per 2 mm2, months, cm); ``focal`` softens a positive
    stain; ``members`` are the stains that a panel stands for. ``group`` names findings that depend on one another.
    """

    id: str
    kind: Kind
    rate: str
    group: str
    label: str
    event: bool = True
    focal: bool = False
    value: float = 0.0
    text: str = ""
    members: tuple[str, ...] = ()


def findings_of(case: Case, knowledge: KnowledgeBase) -> tuple[Finding, ...]:
    """Every weighable finding of the case, sorted by id; at most one per id."""
    found: dict[str, Finding] = {}
    sources = (_stains(case, knowledge), _morphology(case.morphology), _quantities(case), _clinic(case))
    for source in sources:
        for finding in source:
            found.setdefault(finding.id, finding)
    return tuple(sorted(found.values()))


def _stains(case: Case, knowledge: KnowledgeBase) -> Iterator[Finding]:
    by_marker: dict[str, list[MarkerResult]] = {}
    for result in case.markers:
        if result.state in (v.State.PRESENT, v.State.ABSENT) and result.marker in knowledge.markers:
            by_marker.setdefault(result.marker, []).append(result)
    for marker_id, results in by_marker.items():
        marker = knowledge.markers[marker_id]
        if marker_id == "ki67":
            continue
        event = _event(results, marker.counts)
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


def _event(results: list[MarkerResult], counts: Counts) -> tuple[bool, bool] | None:
    """Whether the event of the marker's rates happened, and only focally; ``None`` when the results don't say."""
    if counts is Counts.LOSS:
        lost = {_lost(r) for r in results}
        return (lost.pop(), False) if len(lost) == 1 else None
    if counts is Counts.ABERRANT:
        aberrant = {_aberrant(r) for r in results} - {None}
        only = aberrant.pop() if len(aberrant) == 1 else None
        return None if only is None else (only, False)
    positive = [r for r in results if _stains_tumour(r)]
    if not positive:
        return False, False
    focal = len(positive) < len(results) or all(_is_focal(r) for r in positive)
    return True, focal


def _stains_tumour(result: MarkerResult) -> bool:
    return result.state is v.State.PRESENT and result.pattern is not v.Pattern.LOST


def _is_focal(result: MarkerResult) -> bool:
    few = result.percent is not None and result.percent <= 10
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


def _context(finding: str, label: str, *, event: bool = True, group: str = "") -> Finding:
    return Finding(finding, "context", finding, group or finding, label, event=event)


def _morphology(m: Morphology) -> Iterator[Finding]:
    for value in m.architecture:
        yield _context(f"arch_{value.value}", f"{_words(value)} growth", group="architecture")
    if m.cell_size:
        yield _context(f"size_{m.cell_size.value}", f"{_words(m.cell_size)} cells", group="cell_size")
    for shape in m.cell_shape:
        yield _context(f"shape_{shape.value}", f"{_words(shape)} cells", group="cell_shape")
    for chromatin in m.chromatin:
        yield _context(f"chrom_{chromatin.value}", f"{_words(chromatin)} chromatin", group="chromatin")
    if m.nucleoli:
        yield _context(f"nucleoli_{m.nucleoli.value}", f"nucleoli {_words(m.nucleoli)}", group="nucleoli")
    if m.necrosis:
        seen = m.necrosis is not v.NecrosisExtent.ABSENT
        label = f"necrosis {_words(m.necrosis)}" if m.necrosis is not v.NecrosisExtent.PRESENT else "necrosis"
        yield _context("necrosis", label, event=seen)
    if m.differentiation:
        name = "poorly" if m.differentiation is v.Differentiation.POOR else m.differentiation.value
        yield _context(f"diff_{m.differentiation.value}", f"{name} differentiated", group="differentiation")
    for f in m.features:
        if f.state in (v.State.PRESENT, v.State.ABSENT):
            there = f.state is v.State.PRESENT
            label = _words(f.feature) if there else f"no {_words(f.feature)}"
            yield _context(f"feat_{f.feature.value}", label, event=there, group=f"feat_{f.feature.value}")


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
    indices = [p for p in map(ki67_percent, case.ki67) if p is not None]
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
        yield _context(f"layer_{name}", label, group="layer")


_LAYERS = {
    v.Layer.EPIDERMIS: ("dermis", "centred in epidermis or dermis"),
    v.Layer.DERMIS: ("dermis", "centred in epidermis or dermis"),
    v.Layer.SUBCUTIS: ("subcutis", "centred in the subcutis"),
    v.Layer.FASCIA: ("deep", "centred below the subcutis"),
    v.Layer.MUSCLE: ("deep", "centred below the subcutis"),
    v.Layer.BONE: ("deep", "centred below the subcutis"),
}

# in these settings the body region says something that the setting doesn't (a liver is always in the abdomen)
_REGIONAL = frozenset({v.Setting.SKIN, v.Setting.SOFT_TISSUE, v.Setting.LYMPH_NODE, v.Setting.BONE})


def _region_counts(case: Case) -> bool:
    settings = _settings(case)
    return not settings or bool(settings & _REGIONAL)


def _settings(case: Case) -> set[v.Setting]:
    found = (case.presentation.setting, *(s.setting for s in case.specimens))
    return {s for s in found if s is not None and s is not v.Setting.OTHER}


def _statements(case: Case) -> Iterator[tuple[str, str, v.State]]:
    """The case's free-text statements: part, lower-case text, state."""
    p = case.presentation
    for s in p.symptoms:
        yield "symptom", s.name.lower(), s.state
    for c in case.comorbidities:
        yield "comorbidity", f"{c.name} {c.detail}".lower(), c.state
    if p.known_other_tumour:
        yield "other_tumour", p.known_other_tumour.lower(), v.State.PRESENT
    for image in case.imaging:
        modality = image.modality.value.replace("_", " ")
        for f in image.findings:
            yield "imaging", f"{modality} {f.place} {f.what} {f.place}".lower(), f.state
    for node in p.nodes:
        yield "node", f"{node.station} node".lower(), node.state
    for test in case.molecular:
        yield "molecular", f"{test.test} {test.detail}".lower(), test.state
    immune = case.patient.immune_suppression
    if immune:
        yield "immune", (immune.cause or "immune suppression").lower(), immune.state
    for part, value in (("lesions", p.lesions), ("growth", p.growth), ("skin_over", p.skin_over)):
        if value:
            yield part, str(value), v.State.PRESENT


def _clinic(case: Case) -> Iterator[Finding]:
    statements = list(_statements(case))
    words = load_clinical_words()
    # what a mirror finding says as present isn't said a second time as absent
    mirrored = {w.mirror for w in words.values()}
    settings = {s.value for s in _settings(case)}
    for word in words.values():
        if word.said_by & settings:
            continue
        states = {state for part, text, state in statements if part in word.parts and _shows(word, text)}
        if word.mirror:
            states |= _mirrored(word, statements)
        if "lab" in word.parts:
            states |= {state for lab in case.laboratory if (state := _lab_state(word, lab)) is not None}
        if v.State.PRESENT in states:
            yield _context(word.id, word.label, group=_clinic_group(word.id))
        elif v.State.ABSENT in states and word.id not in mirrored:
            yield _context(word.id, f"no {word.label}", event=False, group=_clinic_group(word.id))


def _clinic_group(key: str) -> str:
    return {"hist": "history", "sym": "symptoms", "img": "imaging", "lab": "laboratory", "mol": "molecular"}.get(
        key.split("_")[0], key
    )


def _shows(word: ClinicalWord, text: str) -> bool:
    return bool(word.pattern.search(text)) and not (word.absent and word.absent.search(text))


def _mirrored(word: ClinicalWord, statements: list[tuple[str, str, v.State]]) -> set[v.State]:
    """The absence of the mirrored finding, stated, is the presence of this one."""
    other = load_clinical_words()[word.mirror]
    stated = {s for part, text, s in statements if part in other.parts and other.pattern.search(text)}
    return {v.State.PRESENT} if stated == {v.State.ABSENT} else set()


def _lab_state(word: ClinicalWord, lab: LabResult) -> v.State | None:
    if not word.pattern.search(lab.test.lower()):
        return None
    if lab.interpretation is not None:
        return v.State.PRESENT if lab.interpretation is v.LabInterpretation.HIGH else v.State.ABSENT
    limit = word.upper_mg if word.upper_mg is not None and lab.unit.lower().startswith("mg") else word.upper
    if limit is not None and lab.value is not None and lab.comparator in ("=", ">", ">="):
        return v.State.PRESENT if lab.value > limit else v.State.ABSENT
    return v.State.PRESENT if word.any_value else None
