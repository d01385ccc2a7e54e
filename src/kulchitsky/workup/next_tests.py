"""Price the next stains of a case."""

from __future__ import annotations

import os

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import NextTest
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.reasoning.next_test import next_tests as price
from kulchitsky.workup.gather import gather


def next_tests(case: Case | str | os.PathLike[str], *, k: int = 3) -> tuple[NextTest, ...]:
    """Stains worth ordering, single ones first, then the best sets of 2 to ``k``; empty when all are done."""
    record = case if isinstance(case, Case) else gather(case).case
    return price(record, load_knowledge(), k=k)
