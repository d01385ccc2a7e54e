"""Stage of a case: every reading that applies, by candidate diagnosis, edition and authority, each with its reasons.

Categories are rows of the rule base, evaluated in three-valued logic; where a fact is missing the stage is the set of
stages still possible, and the reading says what is missing. Where authorities sort a node differently (an iliac node
of a leg primary) each gives its own reading.
"""

from __future__ import annotations

from collections.abc import Sequence

from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.record import Case, Specimen
from kulchitsky.case.verdict import Category, Reason, StageReading, StageVerdict
from kulchitsky.case.vocabulary import Setting, SpecimenKind
from kulchitsky.knowledge.rules import Rules
from kulchitsky.knowledge.rules_staging import NodeList, Scheme
from kulchitsky.reasoning.route import Route, entity_route, route_of, site_group, site_group_of
from kulchitsky.reasoning.stage_facts import at_diagnosis, stage_facts, suspected_node_classes
from kulchitsky.reasoning.stage_groups import Staged, stage_under

NOT_STAGED = "not_staged"


def stage(case: Case, rules: Rules, *, diagnoses: Sequence[str] = ()) -> StageVerdict:
    """Readings for the candidate ``diagnoses`` (entity ids, most probable first), else for the working diagnosis.

    With neither, every entity whose organ fits the site is tried. A diagnosis whose codes lead to no neuroendocrine
    scheme gives a reading with stage ``not_staged`` and the reason; that is often the most useful line.
    """
    case = at_diagnosis(case, rules)
    candidates = tuple(dict.fromkeys(diagnoses)) or _default_candidates(case, rules)
    year = case.diagnosed_on.year if case.diagnosed_on is not None else None
    routes = [route_of(case, rules, entity, year=year) for entity in candidates]
    readings: list[StageReading] = []
    seen: set[tuple[str, str]] = set()
    for route in routes:
        key = (route.row.family if route.row else "", route.topography)
        if key in seen:
            continue
        seen.add(key)
        # two codes of one organ (C18.9, C20.9) often read alike
        spread = _with_spread(case, rules, route)
        readings += [found for found in _readings(spread, rules, route, year) if found not in readings]
    first = routes[0] if routes else None
    return StageVerdict(
        topography=first.topography if first else "",
        morphology=first.morphology if first else "",
        routing=tuple(_routing_reason(route) for route in routes),
        readings=tuple(readings),
        issues=_issues(case, routes),
    )


_NEVER_PRIMARY = (Setting.LIVER, Setting.BONE, Setting.BONE_MARROW, Setting.BRAIN)
"""Tissue in which a tumour of another organ is a metastasis, whatever the report calls it."""


def _with_spread(case: Case, rules: Rules, route: Route) -> Case:
    """The case with its tissue as a metastasis where the candidate's organ is another: a pancreatic tumour in a liver
    biopsy has spread to the liver.
    """
    setting, group = case.presentation.setting, site_group(route.topography, rules)
    if setting not in _NEVER_PRIMARY or group is None or group.organ == setting.value:
        return case
    if any(s.kind is SpecimenKind.METASTASIS for s in case.specimens):
        return case
    tissue = Specimen(id="tissue", kind=SpecimenKind.METASTASIS, site=setting.value, setting=setting)
    return case.model_copy(update={"specimens": (*case.specimens, tissue)})


def _default_candidates(case: Case, rules: Rules) -> tuple[str, ...]:
    working = case.working_diagnosis
    if working is not None and working.entity and entity_route(working.entity, rules) is not None:
        return (working.entity,)
    group = site_group_of(case, rules)
    if group is None:
        return ()
    surface = group.organ in ("skin", "soft_tissue")
    return tuple(
        row.entity
        for row in rules.staging.entities
        if row.organ == group.organ or (surface and (row.skin or not row.organ))
    )


def _routing_reason(route: Route) -> Reason:
    codes = f"{route.topography or 'no topography'} with {route.morphology or 'no morphology'}"
    name = route.entity.replace("_", " ")
    if route.row is None:
        return Reason(
            sentence=f"As {name}: {codes} ({route.how}); no route of the rule base covers these codes.",
            rule="routing",
        )
    return Reason(
        sentence=f"As {name}: {codes} ({route.how}) leads to '{route.row.family}'. {route.row.sentence}",
        rule=f"routing.{route.row.family}",
        sources=route.row.sources,
    )


def schemes_for(rules: Rules, family: str, year: int | None) -> tuple[Scheme, ...]:
    """Schemes of a family in force in ``year``, newest first; without a year those still in force."""
    family_schemes = [scheme for scheme in rules.staging.schemes if scheme.family == family]
    if year is None:
        chosen = [scheme for scheme in family_schemes if scheme.current]
    else:
        chosen = [scheme for scheme in family_schemes if scheme.from_year <= year <= scheme.to_year]
    return tuple(sorted(chosen, key=lambda scheme: -scheme.from_year))


def _readings(case: Case, rules: Rules, route: Route, year: int | None) -> list[StageReading]:
    row = route.row
    if row is None:
        return []
    if not row.staged:
        return [
            StageReading(
                scheme=row.family,
                scheme_name=row.family.replace("_", " "),
                edition=rules.edition,
                authority="registry routing",
                stage=NOT_STAGED,
                reasons=(_routing_reason(route),),
            )
        ]
    readings = []
    for scheme in schemes_for(rules, row.family, year):
        for nodes in _node_lists(case, rules, route.topography):
            facts = stage_facts(case, rules, nodes)
            readings.append(_reading(case, rules, scheme, nodes, stage_under(scheme, facts)))
    return readings


def _node_lists(case: Case, rules: Rules, topography: str) -> list[NodeList | None]:
    """The site's node lists; a further list only where it sorts a node class of this case otherwise."""
    group = site_group(topography, rules)
    lists = [row for row in rules.staging.node_lists if group is not None and group.id in row.sites]
    if not lists:
        return [None]
    involved = suspected_node_classes(case, rules)
    kept: list[NodeList | None] = [lists[0]]
    seen = {involved & set(lists[0].regional)}
    for other in lists[1:]:
        view = involved & set(other.regional)
        if view not in seen:
            seen.add(view)
            kept.append(other)
    return kept


def _reading(case: Case, rules: Rules, scheme: Scheme, nodes: NodeList | None, staged: Staged) -> StageReading:
    reasons = list(staged.reasons)
    if nodes is not None and nodes.note:
        reasons.append(Reason(sentence=nodes.note, rule="staging.node_list", sources=nodes.sources))
    for what_if in scheme.what_if:
        reason = staged.turned(scheme, what_if)
        if reason is not None:
            reasons.append(reason)
    reasons += [Reason(sentence=note, rule=f"staging.{scheme.id}", sources=scheme.sources) for note in scheme.notes]
    asked = tuple(dict.fromkeys(rules.facts[name].ask for name in staged.missing))
    return StageReading(
        scheme=scheme.id,
        scheme_name=scheme.name,
        edition=scheme.edition,
        authority=f"{scheme.authority}, nodes by {nodes.authority}" if nodes is not None else scheme.authority,
        categories=tuple(_category(case, rules, letter, staged) for letter in ("T", "N", "M")),
        stage=staged.stage,
        possible=staged.possible,
        reasons=tuple(reasons),
        missing=asked,
    )


def _category(case: Case, rules: Rules, letter: str, staged: Staged) -> Category:
    found = staged.categories[letter]
    return Category.model_validate(
        {
            "name": letter,
            "value": found.value,
            "prefix": _prefix(case, letter, staged),
            "reasons": found.reasons,
            "missing": tuple(rules.facts[name].ask for name in found.missing),
        }
    )


def _prefix(case: Case, letter: str, staged: Staged) -> str:
    """Pathological where the specimen shows it, clinical otherwise; yp after neoadjuvant treatment."""
    removed = any(p.tumour_size_cm or p.invades or p.structures_invaded for p in case.procedures)
    shown = {"T": removed, "N": staged.pathological, "M": staged.distant_proven(case)}[letter]
    if not shown:
        return "c"
    return "yp" if any(s.after_treatment and s.kind.value == "primary" for s in case.specimens) else "p"


def _issues(case: Case, routes: list[Route]) -> tuple[Issue, ...]:
    issues = []
    families = {route.row.family: route for route in routes if route.row is not None}
    unstaged = [route for route in families.values() if route.row is not None and not route.row.staged]
    if unstaged and len(families) > 1:
        names = ", ".join(f"{r.entity.replace('_', ' ')} ({r.topography} {r.morphology})" for r in families.values())
        issues.append(
            Issue(
                level=Level.WARNING,
                code="stage.code_decides",
                message=f"The code chosen decides whether a neuroendocrine stage exists at all: {names}.",
                remedy="Settle the diagnosis before coding.",
            )
        )
    if not routes:
        issues.append(
            Issue(
                level=Level.WARNING,
                code="stage.no_route",
                message="Neither a diagnosis nor a site from which a staging scheme could be chosen is recorded.",
                remedy="Give presentation.setting with a region, or working_diagnosis.entity.",
            )
        )
    if case.procedures and any(p.nodes_removed is not None and p.nodes_positive is None for p in case.procedures):
        issues.append(
            Issue(
                level=Level.WARNING,
                code="stage.nodes_without_result",
                message="Nodes were removed, but the number of positive nodes is not recorded.",
                remedy="Give nodes_positive beside nodes_removed.",
            )
        )
    return tuple(issues)
