"""Facts that staging rests on: extent of the primary, nodes by an authority's list of regional nodes, metastases.

Imaging and words count as they are written: a metastasis called one is present; a lesion or an enlarged distant
node is *equivocal* (suspected) until the microscope shows it. What is not mentioned as metastasis is taken as none,
as the clinical M0 of TNM does, and the reading says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kulchitsky.case.record import Case, ImagingFinding, Procedure
from kulchitsky.case.vocabulary import Layer, Modality, ProcedureKind, Setting, Side, SpecimenKind, State
from kulchitsky.knowledge.rules import Rules
from kulchitsky.knowledge.rules_staging import NodeList
from kulchitsky.reasoning.evaluate import Fact, Span
from kulchitsky.reasoning.facts import FactTable, number
from kulchitsky.reasoning.places import Places, places_of

_WALL = (
    (Layer.MUCOSA, "mucosa"),
    (Layer.SUBMUCOSA, "submucosa"),
    (Layer.MUSCULARIS_PROPRIA, "muscularis_propria"),
    (Layer.SUBSEROSA, "subserosa"),
    (Layer.SEROSA, "serosa"),
)
_DEEP = {Layer.FASCIA, Layer.MUSCLE, Layer.BONE}
_MEDIASTINAL = frozenset({"mediastinal", "subcarinal"})
_MANY = 99.0
_NOT_OUTSIDE = frozenset({"peripancreatic_fat", "pancreas_structure"})
_REMOVING = {ProcedureKind.EXCISION, ProcedureKind.WIDE_EXCISION, ProcedureKind.RESECTION}
_DISTANT = {"liver": "distant_liver", "lung": "distant_lung", "skin": "distant_skin", "pleura": "distant_pleura"}
_BODY_IMAGING = {Modality.CT, Modality.MRI, Modality.FDG_PET, Modality.SSTR_PET, Modality.OCTREOTIDE_SCAN}


@dataclass(frozen=True, slots=True)
class _Sighting:
    """A place where tumour was seen or looked for: class of place, state (equivocal: suspected), and where
    recorded.
    """

    kind: str
    place: str
    state: State
    path: str
    proven: bool = False
    solitary: bool = False
    several: bool = False
    clinical: bool = True
    """Seen or felt before the operation."""


def at_diagnosis(case: Case, rules: Rules) -> Case:
    """``case`` without the scans made after the staging window: they belong to follow-up."""
    window = rules.staging.window.months
    scans = tuple(scan for scan in case.imaging if (scan.months_from_diagnosis or 0) <= window)
    return case if len(scans) == len(case.imaging) else case.model_copy(update={"imaging": scans})


def stage_facts(case: Case, rules: Rules, nodes: NodeList | None) -> FactTable:
    """Facts of extent for ``case`` with nodes sorted by ``nodes`` (``None``: every node counts as regional)."""
    places = places_of(rules)
    table = _primary_facts(case, places)
    sightings = _sightings(case, places)
    table |= _node_facts(case, places, nodes, sightings)
    table |= _distant_facts(nodes, sightings)
    imaged = any(scan.modality in _BODY_IMAGING for scan in case.imaging)
    table["imaged"] = Fact(State.PRESENT if imaged else State.ABSENT, "imaging")
    return table


def suspected_node_classes(case: Case, rules: Rules) -> frozenset[str]:
    """Node classes with a positive or suspected finding anywhere in the record."""
    places = places_of(rules)
    found = {s.place for s in _sightings(case, places) if s.kind == "node" and s.state is not State.ABSENT}
    for procedure in case.procedures:
        if (procedure.nodes_positive or 0) > 0:
            found |= places.classes("node", procedure.node_station, procedure.site)
    return frozenset(found)


def _primary_facts(case: Case, places: Places) -> FactTable:
    table: FactTable = {}
    sizes = [(p.tumour_size_cm, i) for i, p in enumerate(case.procedures) if p.tumour_size_cm is not None]
    clinical = case.presentation.size
    if sizes:
        size, index = max(sizes)
        table["size_cm"] = number(size, f"procedures[{index}].tumour_size_cm")
    elif clinical is not None and (clinical.greatest_cm or clinical.dimensions_cm):
        size = clinical.greatest_cm or max(clinical.dimensions_cm)
        table["size_cm"] = number(size, "presentation.size")
    table |= _invasion_facts(case, places)
    mass = _mesenteric_mass(case, places)
    if mass is not None:
        table["mesenteric_mass_cm"] = mass
    elif any(p.kind in _REMOVING and p.nodes_removed is not None for p in case.procedures):
        table["mesenteric_mass_cm"] = number(0, "", "no mesenteric mass is recorded at resection; taken as none")
    found = case.presentation.primary_found
    if found is not None:
        table["primary_found"] = Fact(found, "presentation.primary_found")
    elif "size_cm" in table or "deep_invasion" in table or clinical is not None:
        shown = table.get("size_cm") or table.get("deep_invasion")
        table["primary_found"] = Fact(State.PRESENT, shown.path if shown is not None else "presentation.size")
    return table


def _invasion_facts(case: Case, places: Places) -> FactTable:
    """Depth and structures invaded; a removed tumour with a size and no structure named is taken as confined."""
    table: FactTable = {}
    layers = {layer for p in case.procedures for layer in p.invades}
    named = frozenset().union(*(places.classes("structure", *p.structures_invaded) for p in case.procedures))
    by_layer = next((f"procedures[{i}].invades" for i, p in enumerate(case.procedures) if p.invades), "")
    by_name = next(
        (f"procedures[{i}].structures_invaded" for i, p in enumerate(case.procedures) if p.structures_invaded), ""
    )
    if by_layer or by_name:
        deep = bool(layers & _DEEP) or bool(named & {"fascia", "muscle", "cartilage", "bone_structure"})
        seen = by_layer if by_layer and (layers & _DEEP or not by_name) else by_name
        table["deep_invasion"] = Fact(State.PRESENT if deep else State.ABSENT, seen)
        table["structures"] = Fact(named, by_name or by_layer)
        outside = bool(named - _NOT_OUTSIDE) or Layer.SEROSA in layers
        table["limited_to_organ"] = Fact(State.ABSENT if outside else State.PRESENT, by_name or by_layer)
        depths = [(name, by_layer) for layer, name in _WALL if layer in layers]
        if "adjacent_organ" in named or "large_vessel" in named:
            depths.append(("adjacent", by_name))
        if depths:
            table["depth"] = Fact(*depths[-1])
    elif any(p.kind in _REMOVING and p.tumour_size_cm for p in case.procedures):
        remark = "no invaded structure is named for the resected tumour; taken as none"
        table["structures"] = Fact(frozenset(), "procedures", remark)
        table["limited_to_organ"] = Fact(State.PRESENT, "procedures", remark)
    return table


def _mesenteric_mass(case: Case, places: Places) -> Fact | None:
    """Size of a mesenteric mass where the finding says it in centimetres; 0 where one is expressly absent."""
    for i, scan in enumerate(case.imaging):
        for j, finding in enumerate(scan.findings):
            text = f"{finding.what} {finding.place}"
            if places.says("mesenteric_mass", text):
                path = f"imaging[{i}].findings[{j}]"
                if finding.state is State.ABSENT:
                    return number(0, path)
                size = re.search(r"(\d+(?:\.\d+)?)\s*cm", text)
                return number(float(size.group(1)), path) if size else None
    return None


def _organ_sightings(
    places: Places, texts: tuple[str, str], state: State, path: str, own: frozenset[str]
) -> list[_Sighting]:
    """Organs in which a metastasis is seen, suspected or expressly not seen.

    A lesion of the primary's own organ is the primary unless it is called a metastasis; what is neither called a
    metastasis nor suspicious (emphysema, a cyst) says nothing of spread.
    """
    if state is State.PRESENT and not places.says("metastasis", *texts):
        if not places.says("suspicion", *texts):
            return []
        state = State.EQUIVOCAL
    classes = places.classes("organ", *texts)
    if not places.says("metastasis", *texts):
        classes -= own
    solitary = places.says("single", *texts)
    several = not solitary and places.says("several", *texts)
    return [_Sighting("organ", place, state, path, solitary=solitary, several=several) for place in classes]


def _own_organs(case: Case) -> frozenset[str]:
    setting = case.presentation.setting.value if case.presentation.setting is not None else ""
    return frozenset({"skin"}) if setting in ("skin", "soft_tissue") else frozenset({setting})


def _sightings(case: Case, places: Places) -> list[_Sighting]:
    found: list[_Sighting] = []
    own = _own_organs(case)
    for i, node in enumerate(case.presentation.nodes):
        stations = _stations(case, places, node.side, node.station) or {"unspecified"}
        found += [
            _Sighting("node", place, node.state, f"presentation.nodes[{i}]", clinical=node.found_by != "surgery")
            for place in stations
        ]
    for i, scan in enumerate(case.imaging):
        for j, finding in enumerate(scan.findings):
            path = f"imaging[{i}].findings[{j}]"
            texts = (finding.what, finding.place)
            if places.says("in_transit", *texts):
                found.append(_Sighting("in_transit", "in_transit", finding.state, path))
            elif places.says("node", *texts):
                stations = _stations(case, places, finding.side, *texts) or {"unspecified"}
                found += [_Sighting("node", place, finding.state, path) for place in stations]
            elif _names_only_nodes(case, places, texts):
                stations = _stations(case, places, finding.side, *texts)
                found += [_Sighting("node", place, finding.state, path) for place in stations]
            else:
                found += _organ_sightings(places, texts, finding.state, path, own)
                found += _other_lung(case, places, finding, path)
    for i, specimen in enumerate(case.specimens):
        if specimen.kind is SpecimenKind.METASTASIS:
            path = f"specimens[{i}]"
            of_node = places.says("node", specimen.site) or specimen.setting is Setting.LYMPH_NODE
            kind = "node" if of_node else "organ"
            for place in places.classes(kind, specimen.site) or {"other"}:
                found.append(_Sighting(kind, place, State.PRESENT, path, proven=True))
    for i, procedure in enumerate(case.procedures):
        if procedure.nodes_positive is not None:
            state = State.PRESENT if procedure.nodes_positive else State.ABSENT
            stations = _stations(case, places, procedure.side, procedure.node_station, procedure.site)
            path = f"procedures[{i}].nodes_positive"
            found += [_Sighting("node", place, state, path, proven=True) for place in stations]
    return found


def _names_only_nodes(case: Case, places: Places, texts: tuple[str, str]) -> bool:
    """Uptake or a mass in an armpit or groin, where the tissue at hand is of a lymph node: a finding of nodes."""
    if case.presentation.setting is not Setting.LYMPH_NODE or places.classes("organ", *texts):
        return False
    remarkable = places.says("suspicion", *texts) or places.says("metastasis", *texts)
    return remarkable and bool(places.classes("node", *texts))


def _stations(case: Case, places: Places, side: Side | None, *texts: str) -> frozenset[str]:
    """Node classes named in ``texts``; on the other side of the body from the primary they are *contralateral*."""
    site = case.presentation.site
    own = site.side if site is not None else None
    if {own, side} == {Side.LEFT, Side.RIGHT}:
        return frozenset({"contralateral"})
    return places.classes("node", *texts)


def _other_lung(case: Case, places: Places, finding: ImagingFinding, path: str) -> list[_Sighting]:
    """A nodule in the lung opposite a lung primary."""
    site = case.presentation.site
    own = site.side if site is not None else None
    if case.presentation.setting is not Setting.LUNG or {own, finding.side} != {Side.LEFT, Side.RIGHT}:
        return []
    if "lung" not in places.classes("organ", finding.what, finding.place):
        return []
    sure = finding.state is not State.PRESENT or places.says("metastasis", finding.what, finding.place)
    return [_Sighting("other_lung", "other_lung", finding.state if sure else State.EQUIVOCAL, path)]


def _without_disproved(sightings: list[_Sighting]) -> list[_Sighting]:
    """What the microscope says of a distant node class settles what imaging suspected of it."""
    settled = {s.place for s in sightings if s.kind == "node" and s.proven}
    return [s for s in sightings if s.proven or s.kind != "node" or s.place not in settled]


def _is_regional(place: str, nodes: NodeList | None) -> bool | None:
    """Whether a node class is regional; ``None`` when the list does not say. Unspecified stations are regional."""
    if place == "contralateral":
        return not any(site.startswith("skin") for site in nodes.sites) if nodes is not None else True
    if nodes is None or place == "unspecified" or place in nodes.regional:
        return True
    return False if place in nodes.distant else None


def _procedure_is_regional(procedure: Procedure, places: Places, nodes: NodeList | None) -> bool:
    classes = places.classes("node", procedure.node_station, procedure.site)
    return not classes or any(_is_regional(place, nodes) is not False for place in classes)


def _node_facts(case: Case, places: Places, nodes: NodeList | None, sightings: list[_Sighting]) -> FactTable:
    table: FactTable = {}
    examined = [(p, i) for i, p in enumerate(case.procedures) if p.nodes_removed is not None]
    regional = [(p, i) for p, i in examined if _procedure_is_regional(p, places, nodes)]
    if regional:
        removed = sum(p.nodes_removed or 0 for p, _ in regional)
        counted = [p.nodes_positive for p, _ in regional if p.nodes_positive is not None]
        path = f"procedures[{regional[0][1]}].nodes_positive"
        table["nodes_removed"] = number(removed, path)
        if counted:
            table["nodes_positive"] = number(sum(counted), path)
            table["nodes_examined"] = Fact("positive" if sum(counted) else "negative", path)
        sentinel = all(p.kind is ProcedureKind.SENTINEL_NODE_BIOPSY for p, _ in regional)
        table["by_sentinel"] = Fact(State.PRESENT if sentinel else State.ABSENT, path)
    proven = [
        s
        for s in sightings
        if s.kind == "node" and s.proven and s.state is State.PRESENT and _is_regional(s.place, nodes)
    ]
    if proven and "nodes_positive" not in table:
        table["nodes_examined"] = Fact("positive", proven[0].path)
        table["nodes_positive"] = Fact(Span(len(proven), 200), proven[0].path)
        table["by_sentinel"] = Fact(State.ABSENT, proven[0].path)
    table.setdefault("nodes_examined", Fact("none", "", "no microscopy of regional nodes is recorded"))
    seen = [
        s
        for s in sightings
        if s.kind == "node" and s.clinical and not s.proven and _is_regional(s.place, nodes) is True
    ]
    present = [s for s in seen if s.state is State.PRESENT]
    if present:
        table["nodes_clinical"] = Fact(State.PRESENT, present[0].path)
    elif seen:
        states = {s.state for s in seen}
        state = State.EQUIVOCAL if State.EQUIVOCAL in states else seen[0].state
        table["nodes_clinical"] = Fact(state, seen[0].path)
    elif any(p.kind is ProcedureKind.SENTINEL_NODE_BIOPSY for p, _ in regional):
        remark = "a sentinel biopsy is done where the nodes are clinically negative"
        table["nodes_clinical"] = Fact(State.ABSENT, "procedures", remark)
    table["in_transit"] = _in_transit(case, sightings)
    involved = [s for s in _without_disproved(sightings) if s.kind == "node" and s.state is State.PRESENT]
    classes = frozenset(s.place for s in involved)
    table["node_classes"] = Fact(classes, "presentation.nodes")
    stations = classes & _MEDIASTINAL
    if stations:
        entries = {s.path for s in involved if s.place in _MEDIASTINAL}
        least = max(len(stations), len(entries)) if len(stations) > 1 else 1
        table["n2_stations"] = Fact(Span(least, least if least > 1 else _MANY), "presentation.nodes")
    return table


def _in_transit(case: Case, sightings: list[_Sighting]) -> Fact:
    for i, procedure in enumerate(case.procedures):
        if procedure.in_transit is not None:
            return Fact(procedure.in_transit, f"procedures[{i}].in_transit")
    for sighting in sightings:
        if sighting.kind == "in_transit":
            return Fact(sighting.state, sighting.path)
    return Fact(State.ABSENT, "", "in-transit metastasis is not mentioned and is taken as none")


def _distant_facts(nodes: NodeList | None, sightings: list[_Sighting]) -> FactTable:
    none = Fact(State.ABSENT, "", "not mentioned, taken as none")
    names = ("distant_liver", "distant_lung", "distant_skin", "distant_pleura", "distant_nodes", "distant_other")
    table: FactTable = dict.fromkeys(names, none)
    for sighting in _without_disproved(sightings):
        if sighting.kind == "organ":
            name = _DISTANT.get(sighting.place, "distant_other")
            table[name] = _stronger(table[name], Fact(sighting.state, sighting.path))
        elif sighting.kind == "node" and _is_regional(sighting.place, nodes) is False:
            state = sighting.state
            if state is State.PRESENT and not sighting.proven:
                state = State.EQUIVOCAL
            table["distant_nodes"] = _stronger(table["distant_nodes"], Fact(state, sighting.path))
    other_lung = [s for s in sightings if s.kind == "other_lung"]
    table["contralateral_lung"] = Fact(other_lung[0].state, other_lung[0].path) if other_lung else none
    table |= _extrathoracic(sightings)
    outside = [name for name in names if name != "distant_liver"]
    table["distant_extrahepatic"] = _any_of([table[name] for name in outside])
    table["distant_any"] = _any_of([table[name] for name in names])
    return table


def _extrathoracic(sightings: list[_Sighting]) -> FactTable:
    """How many places and organs outside the chest hold metastases: at least as many as are named.

    One place is one metastasis only where the record says so ("solitary"); "metastases" are two or more.
    """
    found = [
        s
        for s in sightings
        if s.state is State.PRESENT and s.kind == "organ" and s.place not in ("lung", "pleura") and s.place != "node"
    ]
    if not found:
        return {}
    organs = len({s.place for s in found})
    solitary = organs == 1 and all(s.solitary for s in found)
    least = max(organs, 2 if any(s.several for s in found) else 1)
    return {
        "extrathoracic_organs": Fact(Span(organs, organs), found[0].path),
        "extrathoracic_sites": Fact(Span(least, least if solitary or organs > 1 else _MANY), found[0].path),
    }


_STRENGTH = {State.ABSENT: 0, State.NOT_TESTED: 0, State.EQUIVOCAL: 1, State.PRESENT: 2}


def _stronger(one: Fact, other: Fact) -> Fact:
    """The stronger of two findings of one kind; a recorded absence beats one taken as none."""
    assert isinstance(one.value, State)
    assert isinstance(other.value, State)
    if _STRENGTH[other.value] > _STRENGTH[one.value] or (one.path == "" and other.value is one.value):
        return other
    return one


def _any_of(facts: list[Fact]) -> Fact:
    strongest = facts[0]
    for fact in facts[1:]:
        strongest = _stronger(strongest, fact)
    return strongest
