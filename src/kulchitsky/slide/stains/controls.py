"""Whether a stained slide can be trusted: tumour cells, internal control, background."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.vocabulary import Compartment
from kulchitsky.slide import cells as table
from kulchitsky.slide.stains.cut import HIGHEST_BACKGROUND_OD
from kulchitsky.slide.stains.find import StainedCells
from kulchitsky.slide.stains.judge import Judgement

_FEW_CELLS: Final = 100
_EVERYWHERE: Final = 0.5
_FEW_OTHERS: Final = 20
_FEW_BROWN: Final = 0.3
_DOUBTFUL: Final = 0.5


class Say(Protocol):
    """Adds an issue."""

    def __call__(self, level: Level, code: str, message: str, remedy: str = "") -> None:
        """``code`` follows ``stain.``."""


def control_issues(found: StainedCells, verdict: Judgement, name: str) -> list[Issue]:
    """Issues of a reading: what a pathologist would look for before believing it."""
    issues: list[Issue] = []

    def say(level: Level, code: str, message: str, remedy: str = "") -> None:
        issues.append(Issue(level=level, code=f"stain.{code}", message=message, remedy=remedy, path=name))

    counted = found.cells.counted
    n, k = int(counted.sum()), int((counted & verdict.stained).sum())
    if n == 0:
        say(
            Level.SERIOUS,
            "no_tumour",
            "no tumour cell was found to be read",
            "check slide and regions",
        )
    elif n < _FEW_CELLS:
        say(Level.WARNING, "few_cells", f"only {n} tumour cells were found", "read more fields")
    _doubtful_tumour(say, found)
    if n and not k:
        say(Level.NOTE, "none_stained", "no tumour cell is stained")
    _background(say, found, verdict)
    others = np.isin(found.cells.reason, (table.LYMPHOCYTE, table.STROMA))
    _internal_control(say, int(others.sum()), int((others & verdict.stained).sum()), k)
    return issues


def _doubtful_tumour(say: Say, found: StainedCells) -> None:
    """Lymphoid tissue alone has no larger cells beside it that would show its cells to be none of a tumour."""
    opinion = found.cells.p_tumour[found.cells.counted]
    if len(opinion) and np.isfinite(opinion).all() and float(np.median(opinion)) < _DOUBTFUL:
        message = "most cells that were read look more like lymphocytes or stroma than like tumour"
        say(Level.SERIOUS, "tumour.doubtful", message, "check that tumour lies on the slide, or mark it as a region")


def unsure_issues(either: Sequence[Compartment], certainty: dict[str, float], name: str) -> list[Issue]:
    """One remark where the compartment could not be named: which ones it may be, and how likely each is."""
    if not either:
        return []
    words = " or ".join(f"{c.value.replace('_', ' ')} ({certainty[c.value]:.2f})" for c in either)
    message = f"where in the cell the stain lies cannot be told here: {words}"
    remedy = "look at the gallery at high power; a sharper or finer scan may settle it"
    return [Issue(level=Level.WARNING, code="stain.compartment.unsure", message=message, remedy=remedy, path=name)]


def _background(say: Say, found: StainedCells, verdict: Judgement) -> None:
    outside = found.measures.outside[np.isfinite(found.measures.outside)]
    between = float(np.median(outside)) if len(outside) > 0.1 * max(1, len(found)) else float("nan")
    others = np.isin(found.cells.reason, (table.LYMPHOCYTE, table.STROMA))
    # abundant cytoplasm lies between the cells too: other cells tell background from that
    brown = float(verdict.stained[others].mean()) if others.sum() >= _FEW_OTHERS else float("nan")
    if between > HIGHEST_BACKGROUND_OD and not brown < _FEW_BROWN:
        message = f"DAB of density {between:.2f} lies between the cells: background, or a stain everywhere"
        say(Level.WARNING, "background", message, "compare with the negative control; read the share with caution")
    if brown > _EVERYWHERE and between > _EVERYWHERE * verdict.cut.typical_od:
        message = "the tissue between the cells, and other cells, stain about as strongly as the tumour"
        say(Level.SERIOUS, "everywhere", message, "check for an inverted or failed stain")


def _internal_control(say: Say, others: int, stained: int, tumour_stained: int) -> None:
    if others < _FEW_OTHERS:
        say(Level.NOTE, "control.none", "hardly any other cells lie beside the tumour: no internal control was seen")
        return
    share = 100 * stained / others
    message = f"of {others} other cells (lymphocytes, stroma) {share:.0f} % stain"
    if not tumour_stained and share < 1:
        remedy = "a negative result needs a control that stains: look at it on the same slide"
        say(Level.WARNING, "control.negative", message + ", and no tumour cell does", remedy)
    else:
        say(Level.NOTE, "control", message)
