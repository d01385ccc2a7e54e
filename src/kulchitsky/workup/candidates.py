"""The diagnoses that a case is graded, staged and planned for: one that is named, or the leading ones."""

from __future__ import annotations

from dataclasses import dataclass

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Differential
from kulchitsky.knowledge.aliases import resolve_entity
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.knowledge.rules import load_rules
from kulchitsky.reasoning.differential import differential


@dataclass(frozen=True, slots=True)
class Candidates:
    """Entity ids, most probable first, and the differential they come from (``None`` where one was named)."""

    entities: tuple[str, ...]
    weighed: Differential | None


def candidates(case: Case, *, diagnosis: str | None = None) -> Candidates:
    """The named ``diagnosis`` alone, or the entities above the share of the rule base, then the working diagnosis.

    Raises :class:`kulchitsky.case.errors.RefusedCase` for a diagnosis that is no entity of the knowledge base.
    """
    if diagnosis is not None:
        found = resolve_entity(diagnosis)
        if found is None:
            raise RefusedCase(
                f"{diagnosis!r} is not a known entity",
                source="--diagnosis",
                remedy="use an id or usual name; `kulchitsky evidence` lists them",
            )
        return Candidates((found,), None)
    weighed = differential(case, load_knowledge(), draws=0)
    share = load_rules().plan.follow_entities_above
    ranked = sorted(weighed.diagnoses, key=lambda d: -d.posterior)
    entities = [d.entity for d in ranked if d.posterior >= share]
    working = case.working_diagnosis
    if working is not None and working.entity and working.entity not in entities:
        entities.append(working.entity)
    return Candidates(tuple(entities), weighed)
