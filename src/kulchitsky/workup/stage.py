"""Stage a case for the diagnoses that are probable enough, under every authority that applies."""

from __future__ import annotations

import os

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import StageVerdict
from kulchitsky.knowledge.rules import load_rules
from kulchitsky.reasoning.stage import stage as stage_case
from kulchitsky.workup.candidates import candidates
from kulchitsky.workup.gather import gather


def stage(case: Case | str | os.PathLike[str], *, diagnosis: str | None = None) -> StageVerdict:
    """The stage readings of a case, a case file, a report or a folder.

    ``diagnosis`` is the entity to stage as; else the leading entities of the differential and the working diagnosis.
    Raises :class:`kulchitsky.case.errors.RefusedInput` where the input cannot be read or the diagnosis is unknown.
    """
    record = case if isinstance(case, Case) else gather(case).case
    return stage_case(record, load_rules(), diagnoses=candidates(record, diagnosis=diagnosis).entities)
