"""Which cells of a stained slide are tumour cells, and what the others are."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from kulchitsky.slide import cells as table
from kulchitsky.slide import tumour
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.stains.context import large_enough
from kulchitsky.slide.stains.model import StainModel

_SPINDLE: Final = 1.7


def leave_out(cells: CellTable, model: StainModel) -> NDArray[np.uint8]:
    """(N,) reasons by morphology; with a detector that has an opinion, by that and the neighbours."""
    if len(cells) == 0 or not np.isfinite(cells.p_tumour).all():
        return tumour.leave_out(cells)
    reason = np.zeros(len(cells), np.uint8)
    other = ~model.is_tumour(cells)
    reason[other] = table.LYMPHOCYTE
    reason[other & (cells.elongation > _SPINDLE)] = table.STROMA
    reason[~large_enough(cells)] = table.DEBRIS
    return reason
