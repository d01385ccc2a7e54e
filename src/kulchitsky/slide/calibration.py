"""Once per slide: glass colour, stain vectors, and how densely nuclei are stained. Never per tile.

Calibrating per tile would cost more than finding the nuclei and would put seams into the count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.case.issue import Issue, Level
from kulchitsky.slide.grey_levels import percentile

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]

REFERENCE_HEMATOXYLIN: Final = (0.650, 0.704, 0.286)
REFERENCE_DAB: Final = (0.268, 0.570, 0.776)
"""Optical-density vectors (R, G, B). Source: Ruifrok AC, Johnston DA, Anal Quant Cytol Histol 2001;23:291-299."""

_WIDEST_TURN_DEG: Final = 28.0
_FEWEST_PIXELS: Final = 400
_TRUST_IN_DATA: Final = 0.6


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the slide's colours become stain densities.

    ``glass`` is (3,) grey levels, ``stains`` (2, 3) unit vectors of haematoxylin and DAB, ``typical_hema_od`` the
    haematoxylin density that the darker tenth of tissue pixels reaches: the unit of contrast.
    """

    glass: tuple[float, float, float]
    stains: tuple[tuple[float, float, float], tuple[float, float, float]]
    typical_hema_od: float
    estimated: tuple[bool, bool] = (False, False)
    issues: tuple[Issue, ...] = field(default=())

    @property
    def unmixing(self) -> F64:
        """(2, 3) matrix: optical densities (R, G, B) to haematoxylin and DAB, by least squares."""
        return np.asarray(np.linalg.pinv(np.asarray(self.stains).T))

    def densities(self, rgb: U8) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Haematoxylin and DAB optical densities of (…, 3) RGB pixels; negative values are cut to 0."""
        table = self.od_table()
        od = np.stack([table[c][rgb[..., c]] for c in range(3)], axis=-1)
        both = np.clip(od @ self.unmixing.T.astype(np.float32), 0, None)
        return np.asarray(both[..., 0]), np.asarray(both[..., 1])

    def od_table(self) -> NDArray[np.float32]:
        """(3, 256) optical density of every grey level of every channel."""
        grey = np.maximum(np.arange(256, dtype=np.float64), 1.0)
        return np.stack([np.log10(g / grey) for g in self.glass]).astype(np.float32)


def calibrate(samples: list[U8], glass: F64, name: str = "") -> Calibration:
    """Calibrate from sample fields of the slide's tissue, each (H, W, 3) at the working scale.

    Stain vectors are the median hues of clearly blue and of clearly brown pixels, mixed with the reference; a stain
    that hardly occurs, or whose hue lies more than 28° off the reference, keeps the reference, and an issue says so.
    """
    pixels = np.concatenate([s[::3, ::3].reshape(-1, 3) for s in samples]) if samples else np.zeros((0, 3), np.uint8)
    glass = _glass_of(pixels, glass)
    grey = np.maximum(np.arange(256.0), 1.0)
    od = np.stack([np.log10(g / grey)[pixels[:, c]] for c, g in enumerate(glass)], axis=1)
    blue, brown = _clear_pixels(od, pixels)
    hema, hema_known, hema_issue = _vector(od[blue], REFERENCE_HEMATOXYLIN, "haematoxylin", name)
    dab, dab_known, dab_issue = _vector(od[brown], REFERENCE_DAB, "DAB", name)
    stains = np.stack([hema, dab])
    density = np.clip(od @ np.linalg.pinv(stains.T).T, 0, None)
    stained = density[density[:, 0] + density[:, 1] > 0.05, 0]
    typical = float(np.percentile(stained, 90)) if len(stained) > 100 else 0.5
    return Calibration(
        glass=(float(glass[0]), float(glass[1]), float(glass[2])),
        stains=(
            (float(hema[0]), float(hema[1]), float(hema[2])),
            (float(dab[0]), float(dab[1]), float(dab[2])),
        ),
        typical_hema_od=float(np.clip(typical, 0.08, 1.5)),
        estimated=(hema_known, dab_known),
        issues=tuple(i for i in (hema_issue, dab_issue) if i is not None),
    )


def _glass_of(pixels: U8, glass: F64) -> F64:
    """The overview's glass, unless the fields themselves show brighter gaps (averaging darkens an overview)."""
    if len(pixels) == 0:
        return glass
    brightest = [percentile(channel, 99) for channel in pixels.T]
    return np.clip(np.maximum(glass, brightest), 100, 255)


def _clear_pixels(od: F64, pixels: U8) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    red, green, blue = od.T
    total = red + green + blue
    lean = (blue - red) / np.maximum(total, 1e-6)
    darkest = np.minimum(np.minimum(pixels[:, 0], pixels[:, 1]), pixels[:, 2])
    stained = (total > 0.25) & (darkest > 18) & (np.minimum(np.minimum(red, green), blue) > -0.02)
    return stained & (lean < -0.10), stained & (lean > 0.10) & (total > 0.45)


def _vector(od: F64, reference: tuple[float, float, float], stain: str, name: str) -> tuple[F64, bool, Issue | None]:
    known = np.asarray(reference) / np.linalg.norm(reference)
    if len(od) < _FEWEST_PIXELS:
        return known, False, None
    strong = od[od.sum(axis=1) >= np.percentile(od.sum(axis=1), 50)]
    seen = np.median(strong / np.linalg.norm(strong, axis=1, keepdims=True), axis=0)
    seen /= np.linalg.norm(seen)
    turn = float(np.degrees(np.arccos(np.clip(seen @ known, -1, 1))))
    if turn > _WIDEST_TURN_DEG:
        message = (
            f"the {stain} colour of this slide lies {turn:.0f}° from the H-DAB reference; the reference was used"
        )
        remedy = "check that the slide is a haematoxylin-DAB stain"
        issue = Issue(
            level=Level.WARNING, code=f"slide.stain.{stain.lower()}", message=message, remedy=remedy, path=name
        )
        return known, False, issue
    mixed = _TRUST_IN_DATA * seen + (1 - _TRUST_IN_DATA) * known
    return mixed / np.linalg.norm(mixed), True, None
