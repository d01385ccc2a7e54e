"""Facts of a case that grading and planning rest on: everything but the places that staging weighs.

Every fact is declared in the rule base; what is not recorded is left out, so that conditions on it stay unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kulchitsky.case.record import Case, Ki67, MarkerResult, Specimen
from kulchitsky.case.vocabulary import Extent, Feature, IndexSource, Intensity, Modality, Pattern, SpecimenKind, State
from kulchitsky.knowledge.rules import Rules
from kulchitsky.reasoning.evaluate import Fact, Span
from kulchitsky.reasoning.places import places_of
from kulchitsky.reasoning.route import organ_of, site_group_of

FactTable = dict[str, Fact]


def facts_of(case: Case, rules: Rules, *, entities: Sequence[str] = ()) -> FactTable:
    """All facts that do not depend on an authority's node list; ``entities`` are the candidate diagnoses."""
    table: FactTable = {}
    table |= _patient_facts(case, rules)
    table |= _site_facts(case, rules, entities)
    table |= _count_facts(case)
    table |= _morphology_facts(case)
    table |= _marker_facts(case)
    table |= _care_facts(case, rules)
    return table


def number(value: float, path: str, remark: str = "") -> Fact:
    """A fact that is an exact number."""
    return Fact(Span(value, value), path, remark)


def _patient_facts(case: Case, rules: Rules) -> FactTable:
    table: FactTable = {}
    patient = case.patient
    if patient.age_years is not None:
        table["age_years"] = number(patient.age_years, "patient.age_years")
    if patient.sex.value != "unknown":
        table["sex"] = Fact(patient.sex.value, "patient.sex")
    if patient.ecog is not None:
        table["ecog"] = number(patient.ecog, "patient.ecog")
    if patient.immune_suppression is not None:
        table["immune_suppression"] = Fact(patient.immune_suppression.state, "patient.immune_suppression")
    places = places_of(rules)
    for index, item in enumerate(case.comorbidities):
        for name in places.classes("comorbidity", item.name, item.detail):
            if name not in table or item.state is State.PRESENT:
                table[name] = Fact(item.state, f"comorbidities[{index}]")
    syndrome = [s for s in case.presentation.symptoms if places.classes("symptom", s.name)]
    if syndrome:
        states = {s.state for s in syndrome}
        table["functioning"] = Fact(
            State.PRESENT if State.PRESENT in states else syndrome[0].state, "presentation.symptoms"
        )
    return table


def _site_facts(case: Case, rules: Rules, entities: Sequence[str]) -> FactTable:
    table: FactTable = {}
    working = case.working_diagnosis
    named = tuple(entities) or ((working.entity,) if working and working.entity else ())
    if named:
        table["entities"] = Fact(frozenset(named), "working_diagnosis.entity" if not entities else "")
    presentation = case.presentation
    if presentation.setting is not None:
        table["setting"] = Fact(presentation.setting.value, "presentation.setting")
    if presentation.site is not None and presentation.site.region is not None:
        table["region"] = Fact(presentation.site.region.value, "presentation.site.region")
    group = site_group_of(case, rules)
    organ = organ_of(case, rules, named)
    if organ:
        table["organ"] = Fact(organ, "presentation.site" if group else "presentation.setting")
    return table


def _count_facts(case: Case) -> FactTable:
    table: FactTable = {}
    mitoses = case.morphology.mitoses
    if mitoses is not None:
        if mitoses.count is not None and mitoses.area_mm2 is not None:
            table["mitoses_per_2mm2"] = number(mitoses.count / mitoses.area_mm2 * 2, "morphology.mitoses.count")
            table["mitoses_area_mm2"] = number(mitoses.area_mm2, "morphology.mitoses.area_mm2")
        elif mitoses.per_2mm2 is not None:
            table["mitoses_per_2mm2"] = number(mitoses.per_2mm2, "morphology.mitoses.per_2mm2")
        if mitoses.words:
            table["mitoses_words"] = Fact(mitoses.words, "morphology.mitoses.words")
    chosen = chosen_ki67(case)
    if chosen is not None:
        table |= _ki67_facts(case, *chosen)
    return table


def chosen_ki67(case: Case) -> tuple[int, Ki67] | None:
    """The Ki-67 entry that grades: of the primary before treatment where there is one, counted, and the highest.

    Follows the registry's rules (highest grade of the primary, specimen before treatment, not from a metastasis).
    """
    if not case.ki67:
        return None
    specimens = {s.id: s for s in case.specimens}

    def rank(item: tuple[int, Ki67]) -> tuple[bool, bool, bool, float]:
        entry = item[1]
        specimen = specimens.get(entry.specimen)
        return (
            not _is_secondary(specimen),
            not (specimen is not None and specimen.after_treatment),
            entry.counted is not None,
            index_span(entry).high,
        )

    return max(enumerate(case.ki67), key=rank)


def _is_secondary(specimen: Specimen | None) -> bool:
    return specimen is not None and specimen.kind in (SpecimenKind.LYMPH_NODE, SpecimenKind.METASTASIS)


def index_span(entry: Ki67) -> Span:
    """What a Ki-67 entry says of the hot spot, in percent.

    "Up to 65 %" names the hottest field, so it is read as 65 %; a range over fields is read by its upper end only
    when the entry says so by ``bound: at_most``. A bare range stays a range, "at least" is open upwards.
    """
    if entry.counted is not None and entry.positive is not None:
        share = 100 * entry.positive / entry.counted
        return Span(share, share)
    if entry.bound == "at_most":
        top = entry.percent if entry.percent is not None else entry.high_percent
        if top is not None:
            return Span(top, top)
    if entry.bound == "at_least":
        bottom = entry.percent if entry.percent is not None else entry.low_percent
        return Span(bottom or 0.0, 100.0)
    if entry.percent is not None:
        return Span(entry.percent, entry.percent)
    low = entry.low_percent if entry.low_percent is not None else 0.0
    return Span(low, entry.high_percent if entry.high_percent is not None else 100.0)


def _ki67_facts(case: Case, index: int, entry: Ki67) -> FactTable:
    path = f"ki67[{index}]"
    specimen = next((s for s in case.specimens if s.id == entry.specimen), None)
    bound = "range" if entry.percent is None and entry.counted is None and entry.bound == "exact" else entry.bound
    table: FactTable = {
        "ki67_percent": Fact(index_span(entry), path),
        "ki67_bound": Fact(bound, f"{path}.bound"),
    }
    if entry.counted is not None:
        table["ki67_cells"] = number(entry.counted, f"{path}.counted")
    if specimen is not None:
        table["ki67_specimen"] = Fact(specimen.kind.value, f"{path}.specimen")
        state = State.PRESENT if specimen.after_treatment else State.ABSENT
        table["ki67_after_treatment"] = Fact(state, f"{path}.specimen")
    if entry.hotspot is not None:
        table["ki67_hotspot"] = Fact(State.PRESENT if entry.hotspot else State.ABSENT, f"{path}.hotspot")
    if entry.origin is IndexSource.SLIDE:
        table["ki67_hotspot"] = table.get("ki67_hotspot", Fact(State.PRESENT, path))
    return table


def _morphology_facts(case: Case) -> FactTable:
    table: FactTable = {}
    morphology = case.morphology
    for name in ("necrosis", "differentiation", "cell_size"):
        value = getattr(morphology, name)
        if value is not None:
            table[name] = Fact(value.value, f"morphology.{name}")
    if morphology.architecture:
        table["architecture"] = Fact(frozenset(a.value for a in morphology.architecture), "morphology.architecture")
    wanted = {
        Feature.LYMPHOVASCULAR_INVASION: "lymphovascular_invasion",
        Feature.EXTRANODAL_EXTENSION: "extranodal_extension",
    }
    for index, finding in enumerate(morphology.features):
        if finding.feature in wanted:
            table[wanted[finding.feature]] = Fact(finding.state, f"morphology.features[{index}]")
    return table


def _marker_facts(case: Case) -> FactTable:
    table: FactTable = {}
    for index, marker in enumerate(case.markers):
        path = f"markers[{index}]"
        if marker.state in (State.NOT_TESTED, State.EQUIVOCAL):
            continue
        if marker.marker == "p53":
            value = _p53(marker)
            if value:
                table["p53"] = Fact(value, path)
        elif marker.marker == "rb1":
            table["rb1"] = Fact("lost" if _lost(marker) else "kept", path)
        elif marker.marker == "atrx_daxx_loss":
            table["atrx_daxx"] = Fact("lost" if _lost(marker) else "kept", path)
        elif marker.marker == "sstr2":
            table["sstr2"] = Fact(marker.state, path)
    uptake = _sstr_uptake(case)
    if uptake is not None:
        table["sstr_imaging"] = uptake
    positive = table.get("sstr_imaging") or table.get("sstr2")
    if positive is not None:
        table["sstr_positive"] = positive
    return table


def _p53(marker: MarkerResult) -> str:
    """Over-expressed or null is abnormal; plain "positive" or "negative" does not say which, so it says nothing."""
    if marker.pattern in (Pattern.OVEREXPRESSED, Pattern.NULL, Pattern.LOST):
        return "abnormal"
    if marker.state is State.PRESENT and marker.extent is Extent.DIFFUSE and marker.intensity is Intensity.STRONG:
        return "abnormal"
    return "wild_type" if marker.pattern is Pattern.WILD_TYPE else ""


def _lost(marker: MarkerResult) -> bool:
    return marker.state is State.ABSENT or marker.pattern in (Pattern.LOST, Pattern.NULL)


def _sstr_uptake(case: Case) -> Fact | None:
    states: list[tuple[State, str]] = []
    for index, scan in enumerate(case.imaging):
        if scan.modality in (Modality.SSTR_PET, Modality.OCTREOTIDE_SCAN):
            states += [(finding.state, f"imaging[{index}]") for finding in scan.findings]
    if not states:
        return None
    present = [item for item in states if item[0] is State.PRESENT]
    state, path = (present or states)[0]
    return Fact(state, path)


def _care_facts(case: Case, rules: Rules) -> FactTable:
    table: FactTable = {}
    table["modalities"] = Fact(frozenset(scan.modality.value for scan in case.imaging), "imaging")
    table["body_imaged"] = Fact(_parts_imaged(case, rules), "imaging")
    table["procedures"] = Fact(frozenset(p.kind.value for p in case.procedures), "procedures")
    table["treatments"] = Fact(frozenset(t.kind.value for t in case.treatments), "treatments")
    table["laboratory"] = Fact(frozenset(_laboratory_ids(case, rules)), "laboratory")
    doses = [(t.dose_gy, i) for i, t in enumerate(case.treatments) if t.dose_gy is not None]
    if doses:
        dose, index = max(doses)
        table["radiotherapy_gy"] = number(dose, f"treatments[{index}].dose_gy")
    stated = [(p.margins.value, i) for i, p in enumerate(case.procedures) if p.margins.value != "not_stated"]
    if stated:
        order = ("negative", "close", "positive")
        margin, index = max(stated, key=lambda item: order.index(item[0]))
        table["margins"] = Fact(margin, f"procedures[{index}].margins")
    return table


_SECTIONAL = (Modality.CT, Modality.MRI, Modality.FDG_PET, Modality.SSTR_PET)


def _parts_imaged(case: Case, rules: Rules) -> frozenset[str]:
    places = places_of(rules)
    texts = [
        text
        for scan in case.imaging
        if scan.modality in _SECTIONAL
        for text in (*scan.body_parts, *(t for f in scan.findings for t in (f.place, f.what)))
    ]
    return places.classes("part", *texts)


def _laboratory_ids(case: Case, rules: Rules) -> Iterable[str]:
    for result in case.laboratory:
        name = result.test.lower()
        for test in rules.plan.laboratory:
            if name == test.id or name in {alias.lower() for alias in (test.name, *test.aliases)}:
                yield test.id
