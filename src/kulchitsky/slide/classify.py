"""Positive or not: a cut on nuclear DAB that adapts to the slide, and what other cuts would give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide.cells import CellTable

F64 = NDArray[np.float64]

_LOWEST_CUT: Final = 0.12
_LOWEST_BETWEEN: Final = 0.10
_HIGHEST_CUT: Final = 0.55
_LOWEST_TOP: Final = 0.06
_PART_OF_THE_WAY: Final = 0.45
_FEWEST_CELLS: Final = 40
_HIGHEST_BACKGROUND: Final = 0.15


@dataclass(frozen=True, slots=True)
class PositivityCut:
    """The cut on :func:`nuclear_signal`, and how it was found (``two_groups``, ``background`` or ``default``)."""

    cut_od: float
    how: str
    background_od: float
    spread_od: float


def nuclear_signal(cells: CellTable) -> F64:
    """(N,) DAB optical density of the nucleus, less part of what its surroundings show (unspecific blush)."""
    blush = np.minimum(cells.ring_dab_od, cells.dab_od)
    return np.asarray(cells.dab_od - 0.35 * blush, dtype=np.float64)


def find_cut(signal: F64) -> PositivityCut:
    """The cut between negative and positive nuclei of one slide.

    Negative nuclei give a mode with a width; the cut never lies inside it. Where a second group is plain, it lies
    nearly half-way, on a logarithmic scale, from the top of the negatives (four spreads above their mode) to the
    middle of the positives: what counts as brown depends on how brown this slide's positives are. Where there is no
    second group, the cut lies at the top of the negatives. Always within 0.10 to 0.55 optical density, 0.12 at least
    without a second group. Fewer than 40 cells give the default of 0.25. The second group is looked for above the cut
    that separates two best (Otsu N, IEEE Trans SMC 1979;9:62-66).
    """
    if len(signal) < _FEWEST_CELLS:
        return PositivityCut(0.25, "default", float("nan"), float("nan"))
    logs = np.log(np.clip(signal, 0.02, 3.0))
    otsu = float(np.exp(_otsu(logs)))
    mode, spread = _background(signal, otsu)
    top = float(np.clip(mode + 4.0 * spread, _LOWEST_TOP, _HIGHEST_CUT))
    above = signal[signal > max(otsu, mode + 5.0 * spread, _LOWEST_BETWEEN)]
    if len(above) < max(5, 0.004 * len(signal)):
        return PositivityCut(max(top, _LOWEST_CUT), "background", mode, spread)
    part_way = float(top ** (1 - _PART_OF_THE_WAY) * np.median(above) ** _PART_OF_THE_WAY)
    cut = float(np.clip(part_way, max(top, _LOWEST_BETWEEN), _HIGHEST_CUT))
    return PositivityCut(cut, "two_groups", mode, spread)


def _background(signal: F64, otsu: float) -> tuple[float, float]:
    """Middle of the negative nuclei, and the spread of those below it.

    The narrowest mode is the negatives' unless most cells are positive: then it is looked for below Otsu's cut.
    """
    ordered = np.sort(signal)
    mode = _half_sample_mode(ordered)
    if mode > otsu:
        mode = _half_sample_mode(ordered[ordered <= otsu])
    mode = min(mode, _HIGHEST_BACKGROUND)
    below = mode - ordered[ordered < mode]
    spread = 1.4826 * float(np.median(below)) if len(below) >= 10 else 0.03
    return mode, float(np.clip(spread, 0.01, 0.05))


def _half_sample_mode(ordered: F64) -> float:
    """Mode of sorted values by repeated halving to the narrowest half (Robertson T, Cryer JD, JASA 1974;69:1012)."""
    window = ordered
    while len(window) > 20:
        half = len(window) // 2
        widths = window[half:] - window[: len(window) - half]
        start = int(np.argmin(widths))
        window = window[start : start + half]
    return float(np.median(window)) if len(window) else 0.0


def _otsu(values: F64) -> float:
    counts, edges = np.histogram(values, bins=128)
    middle = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middle)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(middle[int(np.nanargmax(np.where((below > 0) & (above > 0), between, np.nan)))])


def cut_curve(signal: F64, cuts: F64) -> F64:
    """Labelling index in percent at each of ``cuts``; NaN where no cell is given."""
    if len(signal) == 0:
        return np.full(len(cuts), np.nan)
    ordered = np.sort(signal)
    return np.asarray(100 * (1 - np.searchsorted(ordered, cuts, side="right") / len(ordered)))
