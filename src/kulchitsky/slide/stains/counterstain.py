"""The slide without its DAB: nuclei of a cytoplasmic stain are looked for in the counterstain alone."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.calibration import Calibration
from kulchitsky.slide.safe_math import SAFE_MATH

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]


def without_dab(rgb: U8, calibration: Calibration) -> tuple[U8, F32]:
    """(H, W, 3) RGB as it would look with haematoxylin alone, and the (H, W) DAB optical density taken out.

    Densities below 0, which noise gives on glass, count as 0.
    """
    table = calibration.od_table().astype(np.float32)
    stains = np.asarray(calibration.stains, np.float32)
    glass = np.asarray(calibration.glass, np.float32)
    plain, dab = _split(np.ascontiguousarray(rgb), table, calibration.unmixing.astype(np.float32), stains[0], glass)
    return plain, dab


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH)
def _split(rgb: Any, table: Any, m: Any, stain: Any, glass: Any) -> Any:
    rows, columns = rgb.shape[0], rgb.shape[1]
    plain = np.empty((rows, columns, 3), np.uint8)
    dab = np.empty((rows, columns), np.float32)
    for i in range(rows):
        for j in range(columns):
            r, g, b = table[0, rgb[i, j, 0]], table[1, rgb[i, j, 1]], table[2, rgb[i, j, 2]]
            h = max(np.float32(0), m[0, 0] * r + m[0, 1] * g + m[0, 2] * b)
            dab[i, j] = max(np.float32(0), m[1, 0] * r + m[1, 1] * g + m[1, 2] * b)
            for c in range(3):
                plain[i, j, c] = np.uint8(min(255.0, glass[c] * 10.0 ** (-h * stain[c]) + 0.5))
    return plain, dab
