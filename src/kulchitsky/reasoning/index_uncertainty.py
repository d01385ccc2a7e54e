"""How sure a proliferation index is: the posterior of a counted proportion and of a counted rate, cut into bands.

A Ki-67 index counted as k of n cells has the posterior Beta(k + 1/2, n - k + 1/2); mitoses counted as k in an area
A have Gamma(k + 1/2, A), both from Jeffreys' prior. They cover the sampling of cells and fields and nothing else:
not the choice of the hot spot, not miscounted cells. An index given as a percentage alone has no posterior, and
none is made up.

Source: Brown LD, Cai TT, DasGupta A, Stat Sci 2001;16:101-133, doi:10.1214/ss/1009213286 (Jeffreys interval).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from scipy import special

from kulchitsky.case.record import Case
from kulchitsky.knowledge.rules_grading import Band, Index
from kulchitsky.reasoning.facts import chosen_ki67


class Posterior(Protocol):
    """What is known of an index after counting."""

    @property
    def estimate(self) -> float:
        """The counted value, in the unit of the grading system."""

    def below(self, value: float) -> float:
        """Probability that the true index lies below ``value``."""

    def interval(self, level: float) -> tuple[float, float]:
        """Equal-tailed interval."""

    def grown(self, factor: float) -> Posterior:
        """The posterior had ``factor`` times as much been counted with the same result."""

    @property
    def amount(self) -> float:
        """How much was counted: cells, or mm2."""


@dataclass(frozen=True, slots=True)
class CountedShare:
    """A Ki-67 index in percent, from ``positive`` of ``counted`` cells."""

    positive: float
    counted: float

    @property
    def estimate(self) -> float:
        """Percent of positive cells."""
        return 100 * self.positive / self.counted

    @property
    def amount(self) -> float:
        """Cells counted."""
        return self.counted

    def below(self, value: float) -> float:
        """Probability that the true index is below ``value`` percent."""
        share = min(max(value / 100, 0.0), 1.0)
        return float(special.betainc(self.positive + 0.5, self.counted - self.positive + 0.5, share))

    def interval(self, level: float) -> tuple[float, float]:
        """Equal-tailed interval in percent."""
        a, b, tail = self.positive + 0.5, self.counted - self.positive + 0.5, (1 - level) / 2
        return 100 * float(special.betaincinv(a, b, tail)), 100 * float(special.betaincinv(a, b, 1 - tail))

    def grown(self, factor: float) -> CountedShare:
        """The same share of ``factor`` times as many cells."""
        return CountedShare(self.positive * factor, self.counted * factor)


@dataclass(frozen=True, slots=True)
class CountedRate:
    """Mitoses per 2 mm2, from ``count`` mitoses in ``area_mm2``."""

    count: float
    area_mm2: float

    @property
    def estimate(self) -> float:
        """Mitoses per 2 mm2."""
        return 2 * self.count / self.area_mm2

    @property
    def amount(self) -> float:
        """Area counted, in mm2."""
        return self.area_mm2

    def below(self, value: float) -> float:
        """Probability that the true rate is below ``value`` per 2 mm2."""
        return float(special.gammainc(self.count + 0.5, max(value, 0.0) / 2 * self.area_mm2))

    def interval(self, level: float) -> tuple[float, float]:
        """Equal-tailed interval per 2 mm2."""
        shape, tail = self.count + 0.5, (1 - level) / 2
        scale = 2 / self.area_mm2
        return scale * float(special.gammaincinv(shape, tail)), scale * float(special.gammaincinv(shape, 1 - tail))

    def grown(self, factor: float) -> CountedRate:
        """The same rate over ``factor`` times the area."""
        return CountedRate(self.count * factor, self.area_mm2 * factor)


def posteriors_of(case: Case) -> dict[str, Posterior]:
    """Posteriors of the indices of a case that were counted, by fact name."""
    found: dict[str, Posterior] = {}
    mitoses = case.morphology.mitoses
    if mitoses is not None and mitoses.count is not None and mitoses.area_mm2 is not None:
        found["mitoses_per_2mm2"] = CountedRate(mitoses.count, mitoses.area_mm2)
    chosen = chosen_ki67(case)
    if chosen is not None:
        entry = chosen[1]
        if entry.counted is not None and entry.positive is not None:
            found["ki67_percent"] = CountedShare(entry.positive, entry.counted)
    return found


def band_probabilities(index: Index, posterior: Posterior) -> dict[str, float]:
    """Probability of each band of ``index``; they sum to one, and a band that is one point has none."""
    return {band.id: _between(posterior, band) for band in index.bands}


def _between(posterior: Posterior, band: Band) -> float:
    low = posterior.below(band.lower) if band.lower > float("-inf") else 0.0
    if band is not None and band.lower <= 0:
        low = 0.0
    high = posterior.below(band.upper) if band.upper < float("inf") else 1.0
    return max(high - low, 0.0)
