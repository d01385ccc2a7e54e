"""From a case and a candidate diagnosis to topography, morphology and the staging family that the codes lead to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kulchitsky.case.record import Case
from kulchitsky.case.vocabulary import Setting
from kulchitsky.knowledge.rules import Rules
from kulchitsky.knowledge.rules_staging import EntityRoute, RouteRow, SiteGroup
from kulchitsky.reasoning.places import places_of

_HOLLOW_AND_THORACIC = (
    Setting.STOMACH,
    Setting.SMALL_BOWEL,
    Setting.COLORECTUM,
    Setting.BILIARY,
    Setting.PANCREAS,
    Setting.LUNG,
    Setting.MEDIASTINUM,
)


@dataclass(frozen=True, slots=True)
class Route:
    """Codes of one candidate diagnosis and where they lead; ``row`` is missing when no rule covers the codes."""

    entity: str
    topography: str
    morphology: str
    row: RouteRow | None
    how: str


def code_in(code: str, ranges: Sequence[str]) -> bool:
    """Whether a code without its dot lies in one of the ranges (``C440-C449``, ``8240``)."""
    for item in ranges:
        low, _, high = item.partition("-")
        if low <= code <= (high or low):
            return True
    return False


def find_route(topography: str, morphology: str, rules: Rules, *, year: int | None = None) -> RouteRow | None:
    """The first route of the rule base that holds both codes in that year; without a year the latest holds."""
    site = topography.replace(".", "")
    histology = morphology.split("/")[0]
    for row in rules.staging.routes:
        if year is None and row.to_year != 9999:
            continue
        if year is not None and not row.from_year <= year <= row.to_year:
            continue
        if code_in(site, row.sites) and code_in(histology, row.morphologies):
            return row
    return None


def site_group(topography: str, rules: Rules) -> SiteGroup | None:
    """The site group that holds a topography code."""
    site = topography.replace(".", "")
    return next((g for g in rules.staging.site_groups if code_in(site, g.topographies)), None)


def site_group_of(case: Case, rules: Rules) -> SiteGroup | None:
    """The site group of a case by its topography code, else by setting and region."""
    presentation = case.presentation
    site = presentation.site
    if site is not None and site.topography:
        return site_group(site.topography, rules)
    if presentation.setting is None:
        return None
    named = subsite_of(case, rules)
    if named:
        return site_group(named, rules)
    region = site.region.value if site is not None and site.region is not None else ""
    candidates = [g for g in rules.staging.site_groups if presentation.setting.value in g.settings]
    exact = [g for g in candidates if region in g.regions]
    without = [g for g in candidates if not g.regions]
    return next(iter(exact or without), None)


def subsite_of(case: Case, rules: Rules) -> str:
    """The topography that the text of the lesion's site names (rectum, tail of pancreas); empty unless just one."""
    presentation = case.presentation
    if presentation.site is None or presentation.setting not in _HOLLOW_AND_THORACIC:
        return ""
    codes = places_of(rules).classes("subsite", presentation.site.text)
    return next(iter(codes)) if len(codes) == 1 else ""


def entity_route(entity: str, rules: Rules) -> EntityRoute | None:
    """How an entity is coded, if the rule base says."""
    return next((row for row in rules.staging.entities if row.entity == entity), None)


def organ_of(case: Case, rules: Rules, entities: Sequence[str]) -> str:
    """Organ of the primary: by site; a node or metastasis takes the organ that a named entity implies."""
    group = site_group_of(case, rules)
    if group is not None and group.organ != "unknown":
        return group.organ
    organs = {row.organ for row in rules.staging.entities if row.entity in entities and row.organ}
    return organs.pop() if len(organs) == 1 else ""


def route_of(case: Case, rules: Rules, entity: str, *, year: int | None = None) -> Route:
    """Codes and staging family of ``case`` were it ``entity``."""
    coded = entity_route(entity, rules)
    morphology = coded.morphology if coded is not None else ""
    topography, how = _topography(case, rules, coded)
    row = find_route(topography, morphology, rules, year=year) if topography and morphology else None
    return Route(entity, topography, morphology, row, how)


def _topography(case: Case, rules: Rules, coded: EntityRoute | None) -> tuple[str, str]:
    site = case.presentation.site
    written = site.topography if site is not None else None
    if coded is not None and coded.skin:
        if written and code_in(
            written.replace(".", ""), ("C000-C009", "C440-C449", "C510-C519", "C600-C609", "C632")
        ):
            return written, "topography as coded in the record"
        return _skin_topography(case, rules)
    group = site_group_of(case, rules)
    fits = coded is None or not coded.organ or group is None or group.organ in (coded.organ, *coded.also)
    if written and fits:
        return written, "topography as coded in the record"
    named = subsite_of(case, rules)
    if named and fits:
        return named, "topography that the site's text names"
    if coded is not None and group is not None and fits and site_group(coded.topography, rules) == group:
        return coded.topography, "topography that setting and diagnosis imply"
    if group is not None and fits:
        return group.default_topography, f"topography from the setting ({group.id.replace('_', ' ')})"
    if coded is not None and coded.topography:
        return coded.topography, "topography that the diagnosis implies"
    return written or "", "topography as coded in the record" if written else "no topography can be derived"


def _skin_topography(case: Case, rules: Rules) -> tuple[str, str]:
    """Skin of the region of the body; skin NOS when no region is given or no primary was found."""
    if case.presentation.primary_found is not None and case.presentation.primary_found.value == "absent":
        return "C44.9", "no primary found: skin, site not specified"
    site = case.presentation.site
    region = site.region.value if site is not None and site.region is not None else ""
    for group in rules.staging.site_groups:
        if group.organ == "skin" and region and region in group.regions:
            return group.default_topography, f"a skin tumour of the region '{region.replace('_', ' ')}'"
    return "C44.9", "a skin tumour without a region"
