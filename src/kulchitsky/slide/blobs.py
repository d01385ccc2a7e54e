"""The fast detector: nuclei as round, locally dark places, found by gradient voting and normalised blobs.

Works on the total stain density (haematoxylin and DAB together), so that positive and negative nuclei are found
alike, on its logarithm, so that pale nuclei count beside dark ones, and with contrasts measured against their own
surroundings, so that no threshold is tied to one slide. Gradient voting follows the fast radial symmetry transform
(Loy G, Zelinsky A, IEEE TPAMI 2003;25:959-973), the blobs are
a Gaussian mean less the mean of the surroundings, over their deviation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

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
    vote_smooth_um: float = 1.9
    blob_inner_um: float = 2.1
    around_um: float = 8.0
    vote_weight: float = 1.9
    apart_um: float = 6.0
    threshold: float = 1.06
    gradient_floor: float = 0.016


@dataclass(frozen=True, slots=True)
class Seeds:
    """Centres found: x and y in grid pixels (sub-pixel, pixel centres at whole numbers) and how sure (no unit)."""

    x: F32
    y: F32
    score: F32

    def __len__(self) -> int:
        return len(self.x)


HALO_UM: Final = 20.0


def density_log(planes: Planes, settings: BlobSettings) -> F32:
    """Logarithm of the total density: the plane on which nuclei are looked for, same shape as the planes."""
    return np.asarray(_log_density(planes.hema, planes.dab, settings.dab_weight, settings.log_offset))


@numba.njit(cache=True, nogil=True, fastmath=True)
def _log_density(hema: Any, dab: Any, weight: float, offset: float) -> Any:
    out = np.empty(hema.shape, np.float32)
    w, scale = np.float32(weight), np.float32(1 / offset)
    for i in range(hema.shape[0]):
        for j in range(hema.shape[1]):
            out[i, j] = np.log(np.float32(1) + scale * (hema[i, j] + w * dab[i, j]))
    return out


def find_blobs(planes: Planes, settings: BlobSettings | None = None) -> tuple[Seeds, F32]:
    """Seeds of nuclei in a block, and the log density plane they were found on."""
    s = settings or BlobSettings()
    um = planes.um
    y = density_log(planes, s)
    smooth = cv2.GaussianBlur(y, (0, 0), float(s.smooth_um / um))
    gx = cv2.Scharr(smooth, cv2.CV_32F, 1, 0, scale=1 / 32)
    gy = cv2.Scharr(smooth, cv2.CV_32F, 0, 1, scale=1 / 32)
    votes = _vote(gx, gy, float(s.vote_from_um / um), float(s.vote_to_um / um), float(s.gradient_floor * um))
    votes = cv2.GaussianBlur(votes, (0, 0), float(s.vote_smooth_um / um))
    score = _score(y, votes, s, um)
    reach = max(1, round(s.apart_um / um / 2))
    return Seeds(*local_maxima(score, reach, s.threshold)), y


def _score(y: F32, votes: Any, s: BlobSettings, um: float) -> F32:
    inner = cv2.GaussianBlur(y, (0, 0), float(s.blob_inner_um / um))
    side = (int(s.around_um / um) | 1,) * 2
    mean = cv2.boxFilter(y, cv2.CV_32F, side)
    square = cv2.sqrBoxFilter(y, cv2.CV_32F, side)
    return np.asarray(_combine(inner, mean, square, votes, s.vote_weight))


@numba.njit(cache=True, nogil=True, fastmath=True)
def _combine(inner: Any, mean: Any, square: Any, votes: Any, weight: float) -> Any:
    out = np.empty(inner.shape, np.float32)
    w = np.float32(weight)
    floor = np.float32(0.06)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            deviation = np.sqrt(max(np.float32(0), square[i, j] - mean[i, j] * mean[i, j])) + floor
            out[i, j] = (inner[i, j] - mean[i, j]) / deviation + w * votes[i, j]
    return out


@numba.njit(cache=True, nogil=True, fastmath=True)
def _vote(gx: Any, gy: Any, near: float, far: float, floor: float) -> Any:
    """Edge pixels vote along their gradient, towards the darker side, at every distance of a nucleus' radius.

    Every other pixel votes, as on a chessboard: neighbours vote nearly alike, and half the work finds as much.
    """
    rows, columns = gx.shape
    votes = np.zeros((rows, columns), np.float32)
    steps = max(2, int(far - near + 0.5) + 1)
    for i in range(rows):
        for j in range(i % 2, columns, 2):
            a, b = gx[i, j], gy[i, j]
            m2 = a * a + b * b
            if m2 < floor * floor:
                continue
            m = np.sqrt(m2)
            ux, uy = a / m, b / m
            weight = np.float32(2) * m / (m + np.float32(0.06)) / steps
            for k in range(steps):
                r = near + (far - near) * k / (steps - 1)
                p = int(i + uy * r + 0.5)
                q = int(j + ux * r + 0.5)
                if 0 <= p < rows and 0 <= q < columns:
                    votes[p, q] += weight
    return votes
