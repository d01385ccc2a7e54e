"""How many micrometres a pixel is, and how that is known: from metadata, from the user, or refused."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kulchitsky.case.errors import RefusedSlide

FINEST_UM_PER_PX: Final = 0.05
COARSEST_UM_PER_PX: Final = 1.2
"""Beyond these no microscope scan of countable nuclei lies: a nucleus would be under 6 pixels across."""

_REMEDY: Final = "give the scale with --um-per-px, or the objective with --objective"
_UNIT_UM: Final = {"µm": 1.0, "um": 1.0, "μm": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6, "pixel": math.nan}


@dataclass(frozen=True, slots=True)
class Scale:
    """Micrometres per level-0 pixel and where the figure comes from (``user``, ``openslide``, ``ome``, …)."""

    um_per_px: float
    source: str
    disagrees_with: float | None = None


def resolve_scale(
    name: str, found: tuple[float, float, str] | None, um_per_px: float | None, objective: float | None
) -> Scale:
    """The scale to use, from what the user says (first) and what the file says.

    ``found`` is (x, y, source) in micrometres per pixel. Refuses (:class:`RefusedSlide`) an unknown scale, one that
    no microscope gives, and pixels that are not square within 5 %.
    """
    said = _from_user(name, um_per_px, objective)
    if said is not None:
        stated = found[0] if found is not None else None
        clash = stated if stated is not None and not 0.9 < stated / said[0] < 1.1 else None
        return Scale(said[0], said[1], clash)
    if found is None:
        raise RefusedSlide("nothing in the file says how large a pixel is", source=name, remedy=_REMEDY)
    x, y, source = found
    if not (math.isfinite(x) and math.isfinite(y)) or x <= 0 or y <= 0:
        raise RefusedSlide(
            f"the stated scale ({x:g} x {y:g} µm per pixel) is not a length", source=name, remedy=_REMEDY
        )
    if abs(x - y) > 0.05 * max(x, y):
        problem = f"its pixels are stated as {x:g} x {y:g} µm, which are not square"
        raise RefusedSlide(problem, source=name, remedy=_REMEDY)
    return Scale(_in_range(name, (x + y) / 2, "the file states"), source)


def _from_user(name: str, um_per_px: float | None, objective: float | None) -> tuple[float, str] | None:
    if um_per_px is not None:
        return _in_range(name, um_per_px, "--um-per-px says"), "user"
    if objective is not None:
        if not 1 <= objective <= 200:
            problem = f"an objective of {objective:g}x does not exist"
            raise RefusedSlide(
                problem, source=name, remedy="give the magnification printed on the objective, such as 40"
            )
        # 10 µm over the magnification is the pixel of nearly every scanner; cameras differ
        return _in_range(name, 10 / objective, "--objective says"), "objective"
    return None


def _in_range(name: str, um_per_px: float, who: str) -> float:
    if not math.isfinite(um_per_px) or um_per_px <= 0:
        raise RefusedSlide(f"{who} {um_per_px:g} µm per pixel, which is not a length", source=name, remedy=_REMEDY)
    if um_per_px < FINEST_UM_PER_PX:
        problem = f"{who} {um_per_px:g} µm per pixel, finer than light can show"
        raise RefusedSlide(problem, source=name, remedy=_REMEDY)
    if um_per_px > COARSEST_UM_PER_PX:
        problem = f"{who} {um_per_px:g} µm per pixel, too coarse to count nuclei"
        raise RefusedSlide(problem, source=name, remedy="scan at 20x or more, or correct the scale with --um-per-px")
    return float(um_per_px)


def from_openslide(properties: Mapping[str, str]) -> tuple[float, float, str] | None:
    """Scale from OpenSlide's ``openslide.mpp-x`` and ``-y``, else from its objective power."""
    try:
        return float(properties["openslide.mpp-x"]), float(properties["openslide.mpp-y"]), "metadata"
    except (KeyError, ValueError):
        pass
    try:
        power = float(properties["openslide.objective-power"])
    except (KeyError, ValueError):
        return None
    return (10 / power, 10 / power, "objective in metadata") if power > 0 else None


def from_tiff_tags(
    x_resolution: float | None, y_resolution: float | None, unit: int
) -> tuple[float, float, str] | None:
    """Scale from TIFF resolution tags; ``unit`` 2 is inch, 3 centimetre, anything else no length.

    Whole printing resolutions (72, 96, 150, 300, 600 per inch) are what image programs write by themselves: they say
    nothing of the microscope and are treated as no scale.
    """
    if not x_resolution or not y_resolution or unit not in (2, 3):
        return None
    per_inch = x_resolution * (1 if unit == 2 else 2.54)
    if per_inch < 1300:
        return None
    um = 25_400 if unit == 2 else 10_000
    return um / x_resolution, um / y_resolution, "resolution tags"


def from_description(text: str) -> tuple[float, float, str] | None:
    """Scale from an image description: OME-XML ``PhysicalSizeX`` or Aperio ``MPP = ``."""
    if "<OME" in text[:2000]:
        return _from_ome(text)
    match = re.search(r"\bMPP\s*=\s*([0-9.eE+-]+)", text)
    if match is None:
        return None
    try:
        return float(match[1]), float(match[1]), "Aperio description"
    except ValueError:
        return None


def _from_ome(text: str) -> tuple[float, float, str] | None:
    try:
        root = ElementTree.fromstring(text.strip().rstrip("\0"))
    except ElementTree.ParseError:
        return None
    for element in root.iter():
        if element.tag.rpartition("}")[2] != "Pixels":
            continue
        try:
            x = float(element.attrib["PhysicalSizeX"]) * _UNIT_UM[element.attrib.get("PhysicalSizeXUnit", "µm")]
            y = float(element.attrib["PhysicalSizeY"]) * _UNIT_UM[element.attrib.get("PhysicalSizeYUnit", "µm")]
        except (KeyError, ValueError):
            return None
        return x, y, "OME metadata"
    return None
