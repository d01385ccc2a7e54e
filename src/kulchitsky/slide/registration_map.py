"""What two serial sections have in common: a map of how densely nuclei are stained, and of tissue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.count import survey
from kulchitsky.slide.raster import overview
from kulchitsky.slide.reader import Slide
from kulchitsky.slide.stains.counterstain import without_dab

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

FINEST_UM: Final = 4.0
LARGEST_PX: Final = 2200
SMOOTH_UM: Final = 9.0


@dataclass(frozen=True, slots=True)
class SectionMap:
    """``density``: haematoxylin optical density, smoothed over a nucleus' width; ``tissue``: mask; same shape."""

    density: F32
    tissue: Mask
    um: float


def section_map(slide: Slide) -> SectionMap:
    """The map of a slide at 4 µm per pixel, or coarser where a side would pass 2,200 pixels.

    Haematoxylin alone is compared: the second stain differs between the sections, the nuclei do not.
    """
    view = survey(slide)
    longest = max(slide.width_px, slide.height_px) * slide.um_per_px
    wanted = max(FINEST_UM, longest / LARGEST_PX)
    rgb, um = overview(slide, max(wanted / 2, slide.um_per_px))
    plain, _ = without_dab(rgb, view.calibration)
    grey = np.maximum(plain.astype(np.float32).mean(axis=2), 1)
    density = np.log10(float(np.mean(view.calibration.glass)) / grey)
    density = np.asarray(cv2.GaussianBlur(density, (0, 0), max(0.5, SMOOTH_UM / um)), np.float32)
    scale = um / wanted
    size = (max(8, round(density.shape[1] * scale)), max(8, round(density.shape[0] * scale)))
    small = np.asarray(cv2.resize(density, size, interpolation=cv2.INTER_AREA), np.float32)
    tissue = cv2.resize(view.map.tissue.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return SectionMap(density=np.maximum(small, 0), tissue=np.asarray(tissue) > 0, um=um * density.shape[1] / size[0])
