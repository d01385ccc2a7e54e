"""Rank the diagnoses of a case and price its next stains."""

from __future__ import annotations

import os

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Differential
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.reasoning.differential import differential as weigh
from kulchitsky.reasoning.next_test import next_tests
from kulchitsky.workup.gather import gather


def differential(
    case: Case | str | os.PathLike[str], *, k: int = 3, draws: int = 2000, seed: int = 0
) -> Differential:
    """The differential of a case, a case file, a report or a folder, with the next stains up to sets of ``k``.

    Intervals come from ``draws`` draws of the evidence under ``seed``. Raises
    :class:`kulchitsky.case.errors.RefusedInput` where the input can't be read.
    """
    record = case if isinstance(case, Case) else gather(case).case
    knowledge = load_knowledge()
    return weigh(record, knowledge, draws=draws, seed=seed, next_tests=next_tests(record, knowledge, k=k))
