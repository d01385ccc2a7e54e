"""The fast detector: nuclei as round, locally dark places, found by gradient voting and normalised blobs.

Works on the total stain density (haematoxylin and DAB together), so that positive and negative nuclei are found
alike, on its logarithm, so that pale nuclei count beside dark ones, and with contrasts measured against their own
surroundings, so that no threshold is tied to one slide. Gradient voting follows the fast radial symmetry transform
(Loy G, Zelinsky A, IEEE TPAMI 2003;25:959-973); a blob is what stands above the mean of its surroundings, in their
deviations. The score is a Gaussian mean of both signs together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.blob_rows import BlobFilter, BlobPlanes, fill_score, gaussian, square
from kulchitsky.slide.buffers import Buffers
from kulchitsky.slide.peaks import local_maxima
from kulchitsky.slide.planes import Planes

F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class BlobSettings:
    """Lengths in micrometres; weights and thresholds without unit. Chosen on annotated fields, set by set."""

    dab_weight: float = 0.27
    log_offset: float = 0.2
    smooth_um: float = 1.05
    vote_from_um: float = 1.6
    vote_to_um: float = 4.0
    blob_um: float = 2.05
    around_um: float = 8.0
    vote_weight: float = 2.3
    apart_um: float = 6.0
    threshold: float = 1.4
    gradient_floor: float = 0.016


@dataclass(frozen=True, slots=True)
class Seeds:
    """Centres found: x and y in grid pixels (sub-pixel, pixel centres at whole numbers) and how sure (no unit)."""

    x: F32
    y: F32
    score: F32

    def __len__(self) -> int:
        return len(self.x)


def find_blobs(
    planes: Planes, settings: BlobSettings | None = None, buffers: Buffers | None = None
) -> tuple[Seeds, F32]:
    """Seeds of nuclei in a block, and the log density plane they were found on; it lasts until the next call."""
    s, kept = settings or BlobSettings(), buffers or Buffers()
    um, shape = planes.um, planes.hema.shape
    f = blob_filter(s, um)
    density, signs, score = (kept.array(name, shape, np.float32) for name in ("density", "signs", "score"))
    votes = kept.array("votes", (shape[0] + 2 * f.margin, shape[1] + 2 * f.margin), np.float32)
    sums = kept.array("sums", (2, -(-shape[0] // 2), -(-shape[1] // 2)), np.float32)
    fill_score(planes.hema, planes.dab, f, BlobPlanes(density, signs, score, votes, sums))
    return Seeds(*local_maxima(score, _apart(s, um), s.threshold)), density


def blob_filter(s: BlobSettings, um: float) -> BlobFilter:
    """The settings in grid pixels."""
    return BlobFilter(
        dab_weight=s.dab_weight,
        log_offset=s.log_offset,
        soft=gaussian(s.smooth_um / um),
        spread=gaussian(s.blob_um / um),
        around=square(s.around_um / um),
        near=s.vote_from_um / um,
        far=s.vote_to_um / um,
        floor=s.gradient_floor * um,
        vote_weight=s.vote_weight,
    )


def reach_px(s: BlobSettings, um: float) -> int:
    """How many grid pixels from a seed its finding can depend on, at most."""
    return blob_filter(s, um).reach + 2 * _apart(s, um) + 1


def _apart(s: BlobSettings, um: float) -> int:
    return max(1, round(s.apart_um / um / 2))
