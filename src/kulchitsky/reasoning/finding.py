"""One finding of a case, as it is weighed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["stain", "panel", "dot", "context", "ki67", "mitoses", "age", "sex", "duration", "size", "region"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding. ``event`` says whether the rate's event happened (a stain is positive, a protein is lost, ...).

    ``value`` is the quantity of a density (percent, years, per 2 mm2, months, cm); ``focal`` softens a positive
    stain; ``members`` are the stains that a panel stands for. ``group`` names findings that depend on one another.
    """

    id: str
    kind: Kind
    rate: str
    group: str
    label: str
    event: bool = True
    focal: bool = False
    value: float = 0.0
    text: str = ""
    members: tuple[str, ...] = ()


def context(finding: str, label: str, *, event: bool = True, group: str = "") -> Finding:
    """A morphological or clinical finding, present (``event``) or stated absent."""
    return Finding(finding, "context", finding, group or finding, label, event=event)
