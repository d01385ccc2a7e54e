"""Stain densities of a block on a grid of about 1 µm, in one pass over its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.buffers import Buffers
from kulchitsky.slide.calibration import Calibration
from kulchitsky.slide.safe_math import SAFE_MATH

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

SHRINK: Final = 2
"""Working pixels per grid pixel: nuclei of 6 µm need no finer grid, and every later step costs a quarter."""


@dataclass(frozen=True, slots=True)
class Planes:
    """Haematoxylin and DAB optical densities, each (rows, columns), and ``um``, the width of a grid pixel."""

    hema: F32
    dab: F32
    um: float


def stain_planes(
    rgb: U8, um_per_px: float, calibration: Calibration, *, shrink: int = SHRINK, buffers: Buffers | None = None
) -> Planes:
    """Densities of (H, W, 3) RGB: of each pixel, or (``shrink`` 2) of the mean light of 2 x 2 pixels.

    An odd last row or column is dropped when shrinking. Planes taken from ``buffers`` last until the next call.
    """
    if shrink not in (1, 2):
        raise ValueError("pixels are taken one by one or four together")
    rows, columns = rgb.shape[0] // shrink, rgb.shape[1] // shrink
    kept = buffers or Buffers()
    hema = kept.array("hema", (rows, columns), np.float32)
    dab = kept.array("dab", (rows, columns), np.float32)
    flat = np.ascontiguousarray(rgb).reshape(rgb.shape[0], -1)
    if shrink == 1:
        _looked_up(flat, _tables(calibration), hema, dab)
    else:
        per_ln = (calibration.unmixing / np.log(10)).astype(np.float32)
        of_glass = (calibration.unmixing @ np.log10(np.asarray(calibration.glass))).astype(np.float32)
        _fused(flat, per_ln, of_glass, hema, dab)
    return Planes(hema=hema, dab=dab, um=um_per_px * shrink)


def _tables(calibration: Calibration) -> F32:
    """(2, 3, 256) what a grey level of each channel adds to either stain's density."""
    grey = np.log10(np.maximum(np.arange(256.0), 1.0))
    return np.asarray(
        calibration.unmixing[:, :, None] * (np.log10(np.asarray(calibration.glass))[:, None] - grey), np.float32
    )


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _looked_up(rgb: Any, tables: Any, hema: Any, dab: Any) -> None:
    one, two = np.uint64(1), np.uint64(2)
    for i in range(hema.shape[0]):
        row, first, second = rgb[i], hema[i], dab[i]
        for j in range(first.shape[0]):
            k = np.uint64(3 * j)
            red, green, blue = row[k], row[k + one], row[k + two]
            first[j] = max(np.float32(0), tables[0, 0, red] + tables[0, 1, green] + tables[0, 2, blue])
            second[j] = max(np.float32(0), tables[1, 0, red] + tables[1, 1, green] + tables[1, 2, blue])


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _fused(rgb: Any, per_ln: Any, of_glass: Any, hema: Any, dab: Any) -> None:
    columns = hema.shape[1]
    light = np.empty(3 * columns, np.float32)
    logs = np.empty(3 * columns, np.float32)
    bits = np.empty(3 * columns, np.int32)
    for i in range(hema.shape[0]):
        _mean_light(rgb[2 * i], rgb[2 * i + 1], light)
        log_row(light, bits, logs)
        _unmix(logs, per_ln[0, 0], per_ln[0, 1], per_ln[0, 2], of_glass[0], hema[i])
        _unmix(logs, per_ln[1, 0], per_ln[1, 1], per_ln[1, 2], of_glass[1], dab[i])


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _mean_light(top: Any, low: Any, out: Any) -> None:
    for j in range(out.shape[0] // 3):
        k = 6 * j
        for c in range(3):
            four = np.int32(top[k + c]) + np.int32(top[k + 3 + c]) + np.int32(low[k + c]) + np.int32(low[k + 3 + c])
            out[3 * j + c] = max(np.float32(four) * np.float32(0.25), np.float32(1))


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def _unmix(logs: Any, red: Any, green: Any, blue: Any, of_glass: Any, out: Any) -> None:
    for j in range(out.shape[0]):
        seen = red * logs[3 * j] + green * logs[3 * j + 1] + blue * logs[3 * j + 2]
        out[j] = max(np.float32(0), of_glass - seen)


@numba.njit(cache=True, nogil=True, fastmath=SAFE_MATH, error_model="numpy")
def log_row(x: Any, bits: Any, out: Any) -> None:
    """Natural logarithm of positive float32 ``x`` into ``out``; ``bits`` is int32 scratch of the same length.

    Exponent and mantissa apart, the polynomial of Moshier's Cephes library (``logf``), which vector units work off
    several at a time; within 3e-7 of the exact value for 1e-30 < x < 1e30.
    """
    whole = x.view(np.int32)
    mantissa = bits.view(np.float32)
    for j in range(x.shape[0]):
        bits[j] = (whole[j] & np.int32(0x007FFFFF)) | np.int32(0x3F000000)
    for j in range(x.shape[0]):
        e = np.float32((whole[j] >> 23) - 126)
        m = mantissa[j]
        low = m < np.float32(0.70710678)
        e = e - np.float32(1) if low else e
        m = m + m - np.float32(1) if low else m - np.float32(1)
        z = m * m
        p = np.float32(7.0376836292e-2)
        p = p * m - np.float32(1.1514610310e-1)
        p = p * m + np.float32(1.1676998740e-1)
        p = p * m - np.float32(1.2420140846e-1)
        p = p * m + np.float32(1.4249322787e-1)
        p = p * m - np.float32(1.6668057665e-1)
        p = p * m + np.float32(2.0000714765e-1)
        p = p * m - np.float32(2.4999993993e-1)
        p = p * m + np.float32(3.3333331174e-1)
        out[j] = m + (m * z * p - np.float32(0.5) * z) + e * np.float32(0.69314718)
