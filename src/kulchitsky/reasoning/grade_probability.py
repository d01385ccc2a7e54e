"""Probability of each grade from the counting uncertainty of the indices, and how much more counting would settle
it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from kulchitsky.case.verdict import Reason
from kulchitsky.knowledge.rules_grading import Band, Grading, GradingSystem, Index
from kulchitsky.reasoning.differentiation import Split
from kulchitsky.reasoning.evaluate import Fact, Facts, Span
from kulchitsky.reasoning.grade_naming import UNDETERMINED, name_case
from kulchitsky.reasoning.index_uncertainty import CountedShare, Posterior, band_probabilities

Posteriors = dict[str, Posterior]


def grade_probabilities(
    system: GradingSystem, facts: Facts, posteriors: Posteriors, split: Split | None
) -> dict[str, float]:
    """Probability of each name, from the posteriors of the counted indices; the values sum to one.

    Empty when an index is given without its count (its uncertainty is unknown, and none is invented) or when nothing
    was counted. The two indices are taken as independent given the tumour; an index that is missing stays missing.
    """
    return BandNames.of(system, facts, tuple(posteriors), split).probabilities(posteriors)


@dataclass(frozen=True, slots=True)
class BandNames:
    """The names that each combination of bands of the counted indices gives: counting moves weight among them."""

    system: GradingSystem
    counted: tuple[Index, ...]
    names: tuple[tuple[tuple[Band, ...], dict[str, float]], ...]

    @classmethod
    def of(
        cls, system: GradingSystem, facts: Facts, counted_facts: tuple[str, ...], split: Split | None
    ) -> BandNames:
        """Name every combination of bands once; none where an index is given without its count."""
        counted = tuple(index for index in system.indices if index.fact in counted_facts)
        bare = [index for index in system.indices if index.fact in facts and index.fact not in counted_facts]
        if not counted or bare:
            return cls(system, counted, ())
        names = []
        for bands in product(*(index.bands for index in counted)):
            assumed = dict(facts)
            for index, band in zip(counted, bands, strict=True):
                assumed[index.fact] = Fact(Span(*_inside(band, index)), "assumed")
            names.append((bands, name_case(system, assumed, split).names))
        return cls(system, counted, tuple(names))

    def probabilities(self, posteriors: Posteriors) -> dict[str, float]:
        """The weight of each name under ``posteriors``, in the order of the grades."""
        shares = [band_probabilities(index, posteriors[index.fact]) for index in self.counted]
        result: dict[str, float] = {}
        for bands, names in self.names:
            weight = 1.0
            for band, share in zip(bands, shares, strict=True):
                weight *= share[band.id]
            for name, part in names.items():
                result[name] = result.get(name, 0.0) + weight * part
        total = sum(result.values())
        order = [row.grade for row in sorted(self.system.grades, key=lambda row: row.order)] + [UNDETERMINED]
        return {name: result[name] / total for name in order if result.get(name, 0.0) > 0}


def _inside(band: Band, index: Index) -> tuple[float, float]:
    """A value inside ``band``."""
    low = max(band.lower, index.minimum)
    if band.lower == band.upper:
        return low, low
    high = min(band.upper, index.maximum if index.maximum is not None else float("inf"))
    middle = low + 1 if high == float("inf") else (low + high) / 2
    return middle, middle


def counting_advice(
    system: GradingSystem, rules: Grading, facts: Facts, posteriors: Posteriors, split: Split | None
) -> tuple[Reason, ...]:
    """How many more cells, or mm2, with the same result would make the grade ``sure_at`` probable.

    For an index given as a bare percentage the figure is the number of cells that would be needed were the percentage
    right: a plan for a count, not an uncertainty of the figure given.
    """
    names = tuple(name_case(system, facts, split).names)
    advisor = _Advisor(system, rules, posteriors, names, BandNames.of(system, facts, tuple(posteriors), split))
    reasons: list[Reason] = []
    for index in system.indices:
        value = facts.get(index.fact)
        if index.fact == "ki67_percent" and index.fact not in posteriors and value is not None:
            assert isinstance(value.value, Span)
            reasons += _plan_from_percent(system, index, rules, facts, posteriors, split, value.value)
    probability = advisor.probability(posteriors)
    if probability is None or probability >= rules.sure_at:
        return tuple(reasons)
    counted = [index for index in system.indices if index.fact in posteriors]
    alone = [advisor.more_of(index, probability) for index in counted]
    reasons += [reason for reason in alone if reason is not None]
    if not any(alone):
        reasons.append(advisor.more_of_all(counted, probability))
    return tuple(reasons)


@dataclass(frozen=True, slots=True)
class _Advisor:
    """Further counting for one case: the name to make sure of is the one that the counted figures give."""

    system: GradingSystem
    rules: Grading
    posteriors: Posteriors
    names: tuple[str, ...]
    """The name by the counted figures; NET G3 and NEC count as one, since no counting tells them apart."""
    bands: BandNames

    def probability(self, posteriors: Posteriors) -> float | None:
        """Probability of the name under ``posteriors``."""
        probabilities = self.bands.probabilities(posteriors)
        return sum(probabilities.get(name, 0.0) for name in self.names) if probabilities else None

    @property
    def wanted(self) -> str:
        """The name, or both names of the high grade."""
        return " or ".join(self.names)

    def _amount(self, indices: list[Index]) -> float | None:
        """The factor by which all of ``indices`` must grow together, or ``None`` when none is practicable."""

        def sure(factor: float) -> bool:
            grown = {index.fact: self.posteriors[index.fact].grown(factor) for index in indices}
            value = self.probability({**self.posteriors, **grown})
            return value is not None and value >= self.rules.sure_at

        limits = [_most(self.posteriors[i.fact], self.rules) / self.posteriors[i.fact].amount for i in indices]
        return smallest(sure, 1.0, min(limits))

    def more_of(self, index: Index, probability: float) -> Reason | None:
        """Advice on counting more for one index, or ``None`` when that alone does not settle the grade."""
        factor = self._amount([index])
        if factor is None:
            return None
        sentence = (
            f"Counting {self._shown(index, factor)} with the same {index.name} would make {self.wanted} "
            f"{100 * self.rules.sure_at:.0f} % sure (now {100 * probability:.0f} %)."
        )
        return Reason(sentence=sentence, rule=f"grading.counting.{index.fact}", sources=self._sources(index))

    def more_of_all(self, counted: list[Index], probability: float) -> Reason:
        """Advice where no single index settles it: all of them together, or the plain statement that none does."""
        factor = self._amount(counted) if len(counted) > 1 else None
        sources = tuple(dict.fromkeys(key for index in counted for key in self._sources(index)))
        if factor is None:
            sentence = (
                f"No practicable count makes {self.wanted} {100 * self.rules.sure_at:.0f} % sure (now "
                f"{100 * probability:.0f} %): the figures lie at a cut-off. Report them with the interval."
            )
            return Reason(sentence=sentence, rule="grading.counting", sources=sources)
        shown = " and ".join(self._shown(index, factor) for index in counted)
        sentence = (
            f"Counting {shown} with the same results would make {self.wanted} {100 * self.rules.sure_at:.0f} % sure "
            f"(now {100 * probability:.0f} %); neither index alone would."
        )
        return Reason(sentence=sentence, rule="grading.counting", sources=sources)

    def _shown(self, index: Index, factor: float) -> str:
        posterior = self.posteriors[index.fact]
        total = posterior.amount * factor
        return f"{total - posterior.amount:.0f} more {_unit(posterior)} ({total:.0f} in all)"

    def _sources(self, index: Index) -> tuple[str, ...]:
        wanted = "ki67_cells" if index.fact == "ki67_percent" else "mitosis_area"
        return next(rule.sources for rule in self.rules.counting if rule.id == wanted)


def _unit(posterior: Posterior) -> str:
    return "cells" if isinstance(posterior, CountedShare) else "mm2"


def _most(posterior: Posterior, rules: Grading) -> float:
    return rules.most_cells if isinstance(posterior, CountedShare) else rules.most_area_mm2


def _plan_from_percent(
    system: GradingSystem,
    index: Index,
    rules: Grading,
    facts: Facts,
    posteriors: Posteriors,
    split: Split | None,
    span: Span,
) -> list[Reason]:
    source = next(rule for rule in rules.counting if rule.id == "ki67_cells")
    least = int(source.value or 1)
    if span.exact is None:
        text = f"Count at least {least} tumour cells in the hottest area and give cells counted and positive."
        return [Reason(sentence=text, rule="grading.counting.ki67_percent", sources=source.sources)]
    share = span.exact / 100
    others = {i.fact for i in system.indices} - {index.fact} - set(posteriors)
    without = {name: fact for name, fact in facts.items() if name not in others}
    bands = BandNames.of(system, without, (*posteriors, index.fact), split)

    def sure(factor: float) -> bool:
        probabilities = bands.probabilities({**posteriors, index.fact: CountedShare(share * factor, factor)})
        high = sum(probabilities.get(name, 0.0) for name in system.splits_high_grade or ())
        return max([high, *probabilities.values()]) >= rules.sure_at

    amount = smallest(sure, 1, rules.most_cells)
    if amount is None:
        text = (
            f"At a true index of {span.exact:g} % no practicable number of cells (up to {rules.most_cells}) makes "
            f"the grade {100 * rules.sure_at:.0f} % sure: it lies at a cut-off."
        )
    else:
        text = (
            f"The number of cells behind {span.exact:g} % is not given, so its interval is unknown. Were the index "
            f"{span.exact:g} %, a count of {max(least, round(amount))} cells would make the grade by Ki-67 "
            f"{100 * rules.sure_at:.0f} % sure."
        )
    return [Reason(sentence=text, rule="grading.counting.ki67_percent", sources=source.sources)]


def smallest(sure: Callable[[float], bool], start: float, most: float) -> float | None:
    """The smallest amount from ``start`` to ``most`` at which ``sure`` holds and keeps holding, within one per
    cent.
    """
    low, factor = 1.0, 1.0
    while not sure(factor):
        low, factor = factor, factor * 1.5
        if start * factor > most:
            return None
    high = factor
    while high / low > 1.01:
        middle = (low * high) ** 0.5
        if sure(middle):
            high = middle
        else:
            low = middle
    return start * high
