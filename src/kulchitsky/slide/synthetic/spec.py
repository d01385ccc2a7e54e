"""What a synthetic H-DAB slide shows: every number that decides its pixels, in one frozen record.

The same record always gives the same slide, byte for byte, on the same library versions.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

MarkerPattern = Literal[
    "nuclear",
    "cytoplasmic_diffuse",
    "cytoplasmic_granular",
    "membranous",
    "perinuclear_dot",
    "globular",
    "nuclear_and_cytoplasmic",
    "cytoplasmic_and_membranous",
]
"""Where the DAB of a positive cell lies."""

ArtefactKind = Literal["pen", "fold", "blur"]


@dataclass(frozen=True, slots=True)
class Stains:
    """Colours and strengths: unit optical-density vectors (R, G, B), glass colour, and mean densities.

    ``hematoxylin_od`` is the optical density at the middle of a typical negative nucleus, ``dab_od`` that of a
    typical positive compartment, ``background_dab_od`` the unspecific blush over tissue.
    """

    hematoxylin: tuple[float, float, float] = (0.68, 0.62, 0.39)
    dab: tuple[float, float, float] = (0.32, 0.56, 0.76)
    glass: tuple[int, int, int] = (243, 242, 244)
    hematoxylin_od: float = 0.75
    dab_od: float = 1.0
    background_dab_od: float = 0.03
    background_hematoxylin_od: float = 0.06


@dataclass(frozen=True, slots=True)
class Optics:
    """The scanner: Gaussian blur and unsharp mask (sigma in micrometres), sensor noise in grey levels."""

    blur_sigma_um: float = 0.3
    sharpen_amount: float = 0.0
    sharpen_sigma_um: float = 0.5
    noise_grey: float = 1.5


@dataclass(frozen=True, slots=True)
class HotRegion:
    """A disc in which the share of positive tumour cells differs from the rest of the slide."""

    x_um: float
    y_um: float
    radius_um: float
    index_percent: float


@dataclass(frozen=True, slots=True)
class Artefact:
    """A disc (``blur``), or a horizontal stroke of the given half-length (``pen``, ``fold``), to be excluded."""

    kind: ArtefactKind
    x_um: float
    y_um: float
    radius_um: float


@dataclass(frozen=True, slots=True)
class SlideSpec:
    """A synthetic slide: size, scale, cells, stains, optics, compression.

    Lengths are micrometres, ``density_per_mm2`` counts tumour nuclei inside tumour nests, ``stroma_fraction`` is the
    share of tissue between nests (there lie stroma cells and lymphocytes: their semi-axes, distance and darkness
    relative to tumour nuclei), ``tissue_fraction`` below 1 puts one wobbly island of tissue on clear glass.
    ``membrane_um`` is how wide a brown membrane is on the cell's own side, ``beside_membrane`` the DAB of the
    cytoplasm relative to it (membranous; cytoplasmic and membranous), ``beside_nucleus`` the same relative to a brown
    nucleus (nuclear, where it fades outwards; nuclear and cytoplasmic), ``veil`` the DAB that shows over the nucleus
    of a cell stained outside it (cytoplasm above and below, in a thick section), relative to the stain.
    ``period_um`` makes the scene repeat, so that slides of gigapixels are written in seconds.
    """

    seed: int = 1
    width_px: int = 1024
    height_px: int = 1024
    um_per_px: float = 0.5
    pattern: MarkerPattern = "nuclear"
    index_percent: float = 20.0
    heterogeneity: float = 0.0
    hot_regions: tuple[HotRegion, ...] = ()
    density_per_mm2: float = 7000.0
    nucleus_diameter_um: float = 7.6
    size_variation: float = 0.12
    elongation: float = 1.25
    irregularity: float = 0.05
    chromatin: float = 0.25
    border_um: float = 0.35
    border_variation: float = 0.2
    nucleoli: float = 0.3
    vesicular: float = 0.2
    jitter: float = 0.24
    cell_radius_ratio: float = 1.7
    dab_variation: float = 0.35
    hematoxylin_variation: float = 0.18
    faint_fraction: float = 0.08
    stroma_fraction: float = 0.2
    nest_um: float = 160.0
    lymphocyte_fraction: float = 0.3
    lymphocyte_radius_um: float = 2.9
    lymphocyte_pitch_um: float = 8.2
    lymphocyte_darkness: float = 1.35
    stroma_semi_um: tuple[float, float] = (5.5, 1.5)
    stroma_pitch_um: float = 19.0
    stroma_darkness: float = 0.95
    membrane_um: float = 0.45
    beside_membrane: tuple[float, float] = (0.05, 0.45)
    beside_nucleus: tuple[float, float] = (0.0, 0.75)
    veil: float = 0.06
    non_tumour_positive_percent: float = 3.0
    pigment_per_mm2: float = 0.0
    debris_per_mm2: float = 10.0
    tissue_fraction: float = 1.0
    artefacts: tuple[Artefact, ...] = ()
    stains: Stains = Stains()
    optics: Optics = Optics()
    jpeg_quality: int = 85
    period_um: float | None = None

    def __post_init__(self) -> None:
        """Refuse sizes and shares that describe no slide."""
        if self.width_px <= 0 or self.height_px <= 0:
            raise ValueError(f"a slide needs a positive size, not {self.width_px} x {self.height_px} px")
        if not 0.05 <= self.um_per_px <= 4:
            raise ValueError(f"um_per_px must lie in 0.05 to 4, not {self.um_per_px:g}")
        if not 0 <= self.index_percent <= 100:
            raise ValueError(f"index_percent must lie in 0 to 100, not {self.index_percent:g}")
        if not 0 < self.tissue_fraction <= 1 or not 0 <= self.stroma_fraction < 1:
            raise ValueError("tissue_fraction must lie in (0, 1], stroma_fraction in [0, 1)")

    @property
    def width_um(self) -> float:
        """Width of level 0."""
        return self.width_px * self.um_per_px

    @property
    def height_um(self) -> float:
        """Height of level 0."""
        return self.height_px * self.um_per_px

    def with_changes(self, **changes: object) -> SlideSpec:
        """The same slide with some fields replaced."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]
