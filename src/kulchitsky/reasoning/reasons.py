"""What stands behind a weight, and the sentence that says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.knowledge.profiles import NONE_OF_THESE
from kulchitsky.reasoning.finding import Finding
from kulchitsky.reasoning.plain_figures import share_words
from kulchitsky.reasoning.posterior import Posterior


@dataclass(frozen=True, slots=True)
class Basis:
    """Counts and sources behind a finding's rate in an entity; ``rate`` is the expected rate of the event."""

    kind: Literal["counts", "density", "family", "default"]
    rate: float | None = None
    n_positive: float | None = None
    n_tested: float | None = None
    studies: int = 0
    sources: tuple[str, ...] = ()


def kind_of(finding: Finding, entity: str, post: Posterior, knowledge: KnowledgeBase) -> Basis:
    """The basis of a finding in an entity: that of its weightiest component."""
    table = post.table
    members = np.flatnonzero(table.entity_of == table.entities.index(entity))
    best = table.profiles[members[np.argmax(post.profiles[members])]]
    if finding.kind in ("age", "ki67", "mitoses", "duration", "size", "region"):
        return Basis(
            "density", sources=_density_sources(finding, entity, knowledge) or best.cites.get(finding.id, ())
        )
    rate = finding.members[0] if finding.kind == "panel" else finding.rate
    cell = table.cell(best, rate)
    if cell.origin != "counts":
        return Basis(cell.origin, rate=cell.pooled.mean, sources=best.cites.get(finding.rate, ()))
    return Basis("counts", cell.pooled.mean, cell.n_positive, cell.n_tested, cell.studies, cell.sources)


_QUANTITIES = {
    "age": "age_years",
    "ki67": "ki67_percent",
    "mitoses": "mitoses_per_10hpf",
    "duration": "duration_months",
    "size": "size_cm",
    "region": "region",
}


def _density_sources(finding: Finding, entity: str, knowledge: KnowledgeBase) -> tuple[str, ...]:
    """Sources of the entity's published figures on the quantity."""
    rows = knowledge.features_by_cell.get((entity, _QUANTITIES[finding.kind]), ())
    return tuple(dict.fromkeys(r.source for r in sorted(rows, key=lambda r: -(r.n_total or 0.0))))[:4]


_STRENGTH = ((2.0, "very strongly"), (1.0, "strongly"), (0.5, "moderately"), (0.15, "slightly"))


def sentence_for(finding: Finding, entity: str, ratio: float, basis: Basis, knowledge: KnowledgeBase) -> str:
    """One sentence: what the finding says of the entity, how strongly, and on what basis."""
    name = "another diagnosis" if entity == NONE_OF_THESE else knowledge.entities[entity].name
    word = next((w for least, w in _STRENGTH if abs(ratio) >= least), "")
    if not word:
        verdict = f"{_capital(finding.label)} hardly moves the odds of {name}"
    else:
        verdict = f"{_capital(finding.label)} speaks {word} {'for' if ratio > 0 else 'against'} {name}"
    return f"{verdict} ({_basis_words(basis)})."


def _basis_words(basis: Basis) -> str:
    if basis.kind == "counts" and basis.n_tested:
        studies = "one study" if basis.studies == 1 else f"{basis.studies} studies"
        return f"{basis.n_positive or 0:.0f} of {basis.n_tested:.0f} in {studies}"
    if basis.kind == "density":
        return "its distribution in this entity against that in the others"
    share = f"expected in {share_words(basis.rate)}" if basis.rate is not None else "expectation"
    if basis.kind == "family":
        return f"no count read; {share}, borrowed from its family"
    return f"no count read; {share}, a marked default"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
