"""Survival of the cases in a registry, by any field: curves, log-rank test, Cox model, figure."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kulchitsky.registry.cox import CoxModel, cox
from kulchitsky.registry.selection import parse_condition, select
from kulchitsky.registry.store import Registry
from kulchitsky.registry.survival import Survival, survival
from kulchitsky.registry.survival_figure import draw_survival
from kulchitsky.workup.registry_person import registry_person


@dataclass(frozen=True, slots=True)
class SurvivalResult:
    """Curves, the Cox model where fields were named for it, and the figure where a path was given."""

    survival: Survival
    cox: CoxModel | None
    figure: Path | None


def registry_survival(
    *,
    registry: str | None = None,
    endpoint: str = "overall",
    by: str | None = None,
    cuts: Sequence[float] = (),
    where: Sequence[str] = (),
    collection: str | None = None,
    covariates: Sequence[str] = (),
    figure: str | os.PathLike[str] | None = None,
) -> SurvivalResult:
    """Estimate survival of the cases that ``where`` and ``collection`` leave, split ``by`` a field.

    ``endpoint``: ``overall``, ``disease_specific`` or ``disease_free``. ``covariates`` adds a Cox model of those
    fields; ``figure`` draws the curves (.png, .svg, .pdf).
    """
    with Registry.open(registry, who=registry_person("reader"), create=False) as store:
        packed = store.packed(collection=collection)
    mask = select(packed, [parse_condition(text) for text in where])
    curves = survival(packed, endpoint=endpoint, by=by, cuts=cuts, mask=mask)
    model = cox(packed, covariates, endpoint=endpoint, mask=mask) if covariates else None
    drawn = draw_survival(curves, figure) if figure is not None else None
    return SurvivalResult(curves, model, drawn)
