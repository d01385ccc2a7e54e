"""Regions drawn in QuPath (GeoJSON, level-0 pixels): where to count and where not to."""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from kulchitsky.case.errors import RefusedInput

_EXCLUDING: Final = frozenset({"ignore", "ignore*", "exclude", "artefact", "artifact", "necrosis", "other*"})


@dataclass(frozen=True, slots=True)
class Regions:
    """``include``: count only here (``None``: everywhere); ``exclude``: never here. Micrometres."""

    include: BaseGeometry | None
    exclude: BaseGeometry | None

    def hold(self, x_um: NDArray[np.float64], y_um: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(N,) whether each point is to be counted."""
        inside = np.ones(len(x_um), np.bool_)
        if self.include is not None:
            inside &= shapely.contains_xy(self.include, x_um, y_um)
        if self.exclude is not None:
            inside &= ~shapely.contains_xy(self.exclude, x_um, y_um)
        return inside

    def mask(self, shape_px: tuple[int, int], um_per_px: float) -> NDArray[np.bool_]:
        """The regions on a raster of ``um_per_px``, grown by one pixel so that nothing is lost at the border."""
        rows, columns = shape_px
        cx = (np.arange(columns) + 0.5) * um_per_px
        cy = (np.arange(rows) + 0.5) * um_per_px
        gx, gy = np.meshgrid(cx, cy)
        if self.include is None:
            return np.ones(shape_px, np.bool_)
        grown = self.include.buffer(1.5 * um_per_px)
        return np.asarray(shapely.contains_xy(grown, gx.ravel(), gy.ravel()).reshape(shape_px))


@dataclass(frozen=True, slots=True)
class Area:
    """One drawn area in µm: counted in, or left out; ``feature`` is its number in the file, from 1."""

    excluded: bool
    feature: int
    geometry: BaseGeometry


def read_regions(path: str | os.PathLike[str], um_per_px: float) -> Regions:
    """Read a QuPath GeoJSON file (plain or ``.gz``): a FeatureCollection, a list of features, or one of them.

    Areas classified *Ignore*, *Exclude*, *Artefact* or *Necrosis* are left out; all others are counted in. Points and
    lines are passed over, and so are cells that QuPath detected. Raises :class:`RefusedInput` when the file cannot be
    read or holds no area.
    """
    source = Path(path)
    areas, _ = areas_of(_parsed(source), source.name, um_per_px)
    include = [area.geometry for area in areas if not area.excluded]
    exclude = [area.geometry for area in areas if area.excluded]
    return Regions(
        include=shapely.union_all(include) if include else None,
        exclude=shapely.union_all(exclude) if exclude else None,
    )


def areas_of(parsed: Any, source: str, um_per_px: float) -> tuple[tuple[Area, ...], int]:
    """The areas of parsed GeoJSON, and how many features were passed over (points, lines, detected cells).

    Raises :class:`RefusedInput` where an outline cannot be read or there is no area.
    """
    features = _features(parsed, source)
    areas = []
    for number, feature in enumerate(features):
        geometry = None if _is_detection(feature) else _geometry(source, number, feature, um_per_px)
        if geometry is not None:
            excluded = _class_of(feature).lower() in _EXCLUDING
            areas.append(Area(excluded=excluded, feature=number + 1, geometry=geometry))
    if not areas:
        raise RefusedInput("it holds no area", source=source, remedy="draw polygons in QuPath and export them")
    return tuple(areas), len(features) - len(areas)


def _parsed(source: Path) -> Any:
    try:
        data = source.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        return json.loads(data)
    except FileNotFoundError as error:
        raise RefusedInput("there is no such file", source=str(source), remedy="check the path") from error
    except (OSError, EOFError, ValueError, RecursionError) as error:
        reason = (str(error).splitlines() or ["unreadable"])[0]
        remedy = "export the annotations from QuPath as GeoJSON"
        raise RefusedInput(f"is not GeoJSON ({reason})", source=source.name, remedy=remedy) from error


def _features(parsed: Any, source: str) -> list[dict[str, Any]]:
    if isinstance(parsed, dict):
        parsed = parsed.get("features", [parsed])
    if not isinstance(parsed, list) or not all(isinstance(item, dict) for item in parsed):
        raise RefusedInput("is not a list of GeoJSON features", source=source, remedy="export it from QuPath")
    return parsed


def _is_detection(feature: dict[str, Any]) -> bool:
    properties = feature.get("properties")
    return isinstance(properties, dict) and properties.get("objectType") in ("detection", "cell")


def _geometry(source: str, number: int, feature: dict[str, Any], um_per_px: float) -> BaseGeometry | None:
    raw = feature.get("geometry", feature if "coordinates" in feature else None)
    if not isinstance(raw, dict) or raw.get("type") not in ("Polygon", "MultiPolygon"):
        return None
    try:
        geometry = shape(raw)
        scaled = shapely.transform(geometry, lambda xy: xy * um_per_px)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, shapely.errors.ShapelyError) as error:
        place = f"feature {number + 1}"
        problem = f"its outline cannot be read ({(str(error).splitlines() or ['malformed'])[0]})"
        raise RefusedInput(problem, source=source, place=place, remedy="draw it again in QuPath") from error
    valid = scaled if scaled.is_valid else shapely.make_valid(scaled)
    return valid if valid.area > 0 else None


def _class_of(feature: dict[str, Any]) -> str:
    properties = feature.get("properties")
    found = properties.get("classification") if isinstance(properties, dict) else None
    name = found.get("name") if isinstance(found, dict) else found
    return name if isinstance(name, str) else ""
