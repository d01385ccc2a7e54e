"""Schema of staging schemes, stage groups, regional nodes and the routing from codes to schemes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kulchitsky.case.base import Record
from kulchitsky.knowledge.rules_condition import Condition

Sources = tuple[str, ...]


class CategoryRow(Record):
    """One TNM category: higher ``order`` wins where several conditions hold."""

    value: str
    order: int
    when: Condition
    rule: str
    final: bool = False
    """When it holds no other category of its letter is possible (T0: no primary found)."""
    sources: Sources = Field(min_length=1)


class GroupRow(Record):
    """T, N and M that make a stage; an empty list means any. ``T1`` covers ``T1a`` and ``T1b``."""

    stage: str
    basis: Literal["clinical", "pathological", "both"] = "both"
    t: tuple[str, ...] = ()
    n: tuple[str, ...] = ()
    m: tuple[str, ...] = ()
    sources: Sources = Field(min_length=1)


class NodeList(Record):
    """Node classes that an authority counts as regional for a group of primary sites."""

    authority: str
    sites: tuple[str, ...]
    """Site groups of the routing (``skin_lower_limb``, ``pancreas``)."""
    regional: tuple[str, ...]
    distant: tuple[str, ...] = ()
    note: str = ""
    sources: Sources = Field(min_length=1)


class WhatIf(Record):
    """A fact worth turning over: what the stage would be had it been otherwise."""

    fact: str
    from_: str = Field(alias="from")
    to: str
    sentence: str
    sources: Sources = Field(min_length=1)


class Scheme(Record):
    """A staging scheme of one authority and edition."""

    id: str
    name: str
    authority: str
    edition: str
    family: str
    """Registry family that the routing leads to (``merkel``, ``net_stomach``)."""
    from_year: int = 0
    to_year: int = 9999
    current: bool = True
    """Given a reading when the year of diagnosis is unknown."""
    t: tuple[CategoryRow, ...]
    n: tuple[CategoryRow, ...]
    m: tuple[CategoryRow, ...]
    groups: tuple[GroupRow, ...]
    what_if: tuple[WhatIf, ...] = ()
    notes: tuple[str, ...] = ()
    sources: Sources = Field(min_length=1)


class RouteRow(Record):
    """Topography and morphology ranges that lead to a scheme family, for years of diagnosis."""

    family: str
    registry_schemas: tuple[str, ...]
    """Ids of the registry's schemas this family stands for."""
    sites: tuple[str, ...]
    """Topography codes or ranges, ``C440-C449``."""
    morphologies: tuple[str, ...]
    """Morphology codes or ranges, ``8240-8242``."""
    from_year: int = 0
    to_year: int = 9999
    staged: bool = True
    sentence: str
    sources: Sources = Field(min_length=1)


class SiteGroup(Record):
    """A group of topography codes with one name, used by node lists and by grading systems."""

    id: str
    organ: str
    topographies: tuple[str, ...]
    settings: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    default_topography: str = ""
    sources: Sources = Field(min_length=1)


class EntityRoute(Record):
    """How an entity of the differential is coded: morphology, and the topography it implies."""

    entity: str
    morphology: str
    kind: Literal["net", "nec", "merkel", "other"]
    organ: str = ""
    also: tuple[str, ...] = ()
    """Other organs that the entity covers (a midgut tumour: appendix)."""
    topography: str = ""
    skin: bool = False
    """A tumour of the skin even where it sits in deeper tissue: skin topography of the region."""
    sources: Sources = Field(min_length=1)


class Window(Record):
    """How long after diagnosis a finding still belongs to the stage at diagnosis."""

    months: float = Field(gt=0)
    sentence: str
    sources: Sources = Field(min_length=1)


class Staging(Record):
    """Everything of the staging files."""

    window: Window

    edition: str
    routes: tuple[RouteRow, ...]
    site_groups: tuple[SiteGroup, ...]
    entities: tuple[EntityRoute, ...]
    node_lists: tuple[NodeList, ...]
    schemes: tuple[Scheme, ...]
