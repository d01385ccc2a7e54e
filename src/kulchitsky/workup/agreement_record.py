"""How well two readers of one count agree, as a record."""

from __future__ import annotations

from kulchitsky.case.base import Record
from kulchitsky.case.measure import Interval


class ReaderAgreement(Record):
    """Two readings of one count.

    ``kappa`` is over the three classes (negative, positive, not counted) of every cell either reader had;
    ``kappa_corrected`` over the cells that at least one reader changed: readers start from the same automatic
    classes, so that the first is flattered by what nobody touched. ``None`` where it is undefined.
    """

    first: str
    second: str
    cells: int
    differing: int
    kappa: float | None
    kappa_interval_95: Interval | None
    corrected_cells: int
    kappa_corrected: float | None
    kappa_corrected_interval_95: Interval | None
    first_index_percent: float | None
    second_index_percent: float | None
    table: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]]
    """Cells by class of the first reader (rows) and of the second (columns): negative, positive, not counted."""
