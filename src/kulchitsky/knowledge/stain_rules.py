"""How the share, strength and place of a stain are put into words: rows of ``data/rules/stain_reading.yaml``."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from kulchitsky.case.base import Record
from kulchitsky.case.errors import BrokenKnowledge
from kulchitsky.case.vocabulary import Compartment, Extent, State

Percent = Annotated[float, Field(ge=0, le=100)]


class StateLimits(Record):
    """Shares of stained tumour cells below which a marker is absent, and from which it is present."""

    absent_below_percent: Percent
    present_from_percent: Percent
    source: str
    note: str = ""


class ExtentRow(Record):
    """The word for a share of cells up to a limit."""

    word: Extent
    up_to_percent: Percent
    source: str


class ProportionRow(Record):
    """One step of the Allred proportion score."""

    score: int = Field(ge=0, le=5)
    up_to_percent: Percent


class Allred(Record):
    """The Allred score: for which markers it is usual, and its steps."""

    markers: tuple[str, ...]
    source: str
    proportion: tuple[ProportionRow, ...]


class Disagreement(Record):
    """How far a slide may lie from its report before that is a remark, and how sure the reading must be."""

    percent_points: Percent
    least_confidence: float = Field(ge=0, le=1)
    source: str


class StainSource(Record):
    """Where a row comes from."""

    key: str
    title: str
    authors: str = ""
    year: int | None = None
    doi: str = ""
    citation: str = ""


class StainRules(Record):
    """All rows of one edition."""

    edition: str
    state: StateLimits
    extent: tuple[ExtentRow, ...]
    allred: Allred
    compatible: dict[Compartment, tuple[Compartment, ...]]
    disagreement: Disagreement
    sources: tuple[StainSource, ...]

    def state_of(self, percent: float) -> State:
        """Present, absent or equivocal for a share of stained tumour cells."""
        if percent < self.state.absent_below_percent:
            return State.ABSENT
        return State.PRESENT if percent >= self.state.present_from_percent else State.EQUIVOCAL

    def extent_of(self, percent: float) -> Extent:
        """The word for a share of stained tumour cells."""
        return next((row.word for row in self.extent if percent <= row.up_to_percent), self.extent[-1].word)

    def allred_of(self, percent: float, intensity: int) -> int:
        """The Allred score (0, 2 to 8) of a share of stained nuclei and a mean intensity of 0 to 3."""
        proportion = next(row.score for row in self.allred.proportion if percent <= row.up_to_percent)
        return proportion + intensity if proportion and intensity else 0

    def fits(self, seen: Compartment, expected: Compartment) -> bool:
        """Whether a compartment is the expected one, or may stand in for it."""
        return seen is expected or seen in self.compatible.get(expected, ())


@cache
def load_stain_rules() -> StainRules:
    """The shipped rows; raises :class:`BrokenKnowledge` when they contradict themselves."""
    file = resources.files("kulchitsky.knowledge") / "data" / "rules" / "stain_reading.yaml"
    content: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    try:
        rules = StainRules.model_validate(content)
    except ValidationError as error:
        raise BrokenKnowledge(f"stain_reading.yaml does not fit its schema: {error}") from error
    known = {row.key for row in rules.sources}
    cited = {rules.state.source, rules.allred.source, rules.disagreement.source, *(r.source for r in rules.extent)}
    if cited - known:
        raise BrokenKnowledge(
            f"stain_reading.yaml cites sources it does not list: {', '.join(sorted(cited - known))}"
        )
    for limits in ([r.up_to_percent for r in rules.extent], [r.up_to_percent for r in rules.allred.proportion]):
        if limits != sorted(limits) or limits[-1] != 100:
            raise BrokenKnowledge("stain_reading.yaml: limits must rise to 100 percent")
    return rules
