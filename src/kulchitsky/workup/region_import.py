"""Regions drawn in QuPath as regions of a review: outlines without holes, in µm, each checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import shapely
from shapely import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

from kulchitsky.case.errors import RefusedInput
from kulchitsky.slide.regions import areas_of

MOST_REGIONS = 200
MOST_CORNERS = 5000
TOLERANCES_UM = (0.25, 0.5, 1.0, 2.0)
"""How far an outline with too many corners may be moved to make them fewer."""
SMALLEST_UM2 = 1.0
REMEDY = "export the annotations of this slide from QuPath as GeoJSON"

Role = Literal["tumour", "exclusion"]
Outline = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class ImportedRegions:
    """Roles and outlines in µm, and how many features were no areas."""

    regions: tuple[tuple[Role, Outline], ...]
    passed_over: int


def read_drawn_regions(text: bytes, source: str, um_per_px: float, size_px: tuple[int, int]) -> ImportedRegions:
    """Areas of a GeoJSON export in level-0 pixels of a slide of ``size_px``.

    *Ignore*, *Exclude*, *Artefact* and *Necrosis* become exclusions, everything else tumour. An area with holes is
    cut into parts without. Raises ``RefusedInput`` naming the feature: for what is no GeoJSON, an area off the slide
    (the export of another slide), more than ``MOST_REGIONS`` parts, or an outline that stays too long.
    """
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = (str(error).splitlines() or ["unreadable"])[0]
        raise RefusedInput(f"is not GeoJSON ({reason})", source=source, remedy=REMEDY) from error
    areas, passed_over = areas_of(parsed, source, um_per_px)
    slide = box(0, 0, size_px[0] * um_per_px, size_px[1] * um_per_px)
    found: list[tuple[Role, Outline]] = []
    for area in areas:
        place = f"feature {area.feature}"
        if not area.geometry.intersects(slide):
            raise RefusedInput("it lies outside the slide", source=source, place=place, remedy=REMEDY)
        for part in _without_holes(area.geometry):
            found.append(("exclusion" if area.excluded else "tumour", _outline(part, source, place)))
            if len(found) > MOST_REGIONS:
                raise RefusedInput(
                    f"more than {MOST_REGIONS} regions",
                    source=source,
                    place=place,
                    remedy="export fewer, larger ones",
                )
    return ImportedRegions(tuple(found), passed_over)


def _without_holes(geometry: BaseGeometry) -> Iterator[Polygon]:
    """The same area as polygons without holes: cut in two through a hole until none is left."""
    if isinstance(geometry, Polygon):
        if geometry.area < SMALLEST_UM2:
            return
        if not geometry.interiors:
            yield geometry
            return
        left, top, right, bottom = geometry.bounds
        middle = geometry.interiors[0].centroid.x
        for half in (box(left, top, middle, bottom), box(middle, top, right, bottom)):
            yield from _without_holes(geometry.intersection(half))
    elif isinstance(geometry, MultiPolygon) or hasattr(geometry, "geoms"):
        for part in geometry.geoms:
            yield from _without_holes(part)


def _outline(polygon: Polygon, source: str, place: str) -> Outline:
    """Corners rounded to 0.01 µm, the closing one left out."""
    for tolerance in (0.0, *TOLERANCES_UM):
        simple = polygon.simplify(tolerance) if tolerance else polygon
        rounded = shapely.set_precision(simple, 0.01)
        if isinstance(rounded, Polygon) and not rounded.is_empty and not rounded.interiors:
            corners = tuple((float(x), float(y)) for x, y in rounded.exterior.coords[:-1])
            if 3 <= len(corners) <= MOST_CORNERS and Polygon(corners).is_valid:
                return corners
    raise RefusedInput(
        f"its outline cannot be brought to {MOST_CORNERS} corners", source=source, place=place, remedy="simplify it"
    )
