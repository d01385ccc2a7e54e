"""Challenge the working diagnosis of a case."""

from __future__ import annotations

import os

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Challenge
from kulchitsky.knowledge.aliases import resolve_entity
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.reasoning.challenge import challenge as contradict
from kulchitsky.workup.gather import gather


def challenge(case: Case | str | os.PathLike[str], diagnosis: str | None = None) -> Challenge:
    """What contradicts a diagnosis: an entity id or usual name, else the working diagnosis of the case itself.

    Raises :class:`RefusedCase` when neither names an entity of the differential.
    """
    record = case if isinstance(case, Case) else gather(case).case
    stated = record.working_diagnosis.entity if record.working_diagnosis else None
    entity = resolve_entity(diagnosis) if diagnosis else stated
    if entity is None:
        raise RefusedCase(
            f"'{diagnosis}' is no diagnosis of the list" if diagnosis else "the case names no working diagnosis",
            source="--diagnosis" if diagnosis else record.id,
            remedy="give --diagnosis with an id or name from `kulchitsky evidence`",
        )
    return contradict(record, load_knowledge(), entity)
