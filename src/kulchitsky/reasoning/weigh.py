"""Log likelihoods of findings under every profile, at the mean of the evidence and over draws of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kulchitsky.knowledge.model import ModelParameters
from kulchitsky.reasoning.densities import log_density, region_share
from kulchitsky.reasoning.finding import Finding
from kulchitsky.reasoning.pool import RateTable

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rates:
    """Means and Beta precisions, each of shape (..., P), of the rates that a finding rests on."""

    mean: Floats
    precision: Floats


def tempered(p: Floats, exponent: float, floor: float) -> Floats:
    """Rates drawn towards one half (logit times ``exponent``) and kept ``floor`` away from 0 and 1.

    Unlike raising a likelihood to a power this leaves a probability model: the two outcomes still sum to one.
    """
    with np.errstate(over="ignore"):
        q = np.clip(p, 1e-9, 1 - 1e-9)
        shrunk = 1 / (1 + ((1 - q) / q) ** exponent)
    return np.asarray(floor + (1 - 2 * floor) * shrunk)


_HARD = ("mol_", "lab_", "hist_")


def exponent_and_floor(finding: Finding, model: ModelParameters) -> tuple[float, float]:
    """How strongly a finding's rates count, and how near to 0 and 1 they may come."""
    if finding.kind in ("stain", "panel", "dot"):
        redundant = finding.group in model.redundant_groups
        return (model.redundant_stains if redundant else model.other_stains), model.stain_floor
    # a molecular result, a serum value and an earlier tumour are as hard as a stain
    if finding.rate.startswith(_HARD):
        return model.other_stains, model.stain_floor
    return model.context, model.context_floor


def stain_rates(table: RateTable, marker: str) -> Rates:
    """Means and precisions of one marker's rate over the profiles, shape (P,)."""
    pooled = [table.cell(p, marker).pooled for p in table.profiles]
    return Rates(np.array([x.mean for x in pooled]), np.array([x.precision for x in pooled]))


def _rates(finding: Finding, table: RateTable) -> Rates:
    """Rates of the finding's event, shape (P,), or (members, P) for a panel."""
    if finding.kind == "panel":
        each = [stain_rates(table, m) for m in finding.members]
        return Rates(np.stack([r.mean for r in each]), np.stack([r.precision for r in each]))
    return stain_rates(table, finding.rate)


def event_likelihood(p: Floats, finding: Finding, model: ModelParameters) -> Floats:
    """Probability of what was seen, given tempered rates; the panel axis, if any, comes first."""
    if finding.kind == "panel":
        none = np.prod(1 - p, axis=0)
        return np.asarray(1 - none if finding.event else none)
    if not finding.event:
        return np.asarray(1 - p)
    if finding.focal:
        return np.asarray(model.focal_of_positive * p + model.focal_of_negative * (1 - p))
    return p


_DENSITIES = ("age", "ki67", "mitoses", "duration", "size")


def log_likelihood(finding: Finding, table: RateTable) -> Floats:
    """Natural log likelihood of a finding under every profile, shape (P,), at the mean of the evidence."""
    model = table.model
    if finding.kind in _DENSITIES:
        return np.array([log_density(finding, p, model) for p in table.profiles])
    if finding.kind == "region":
        return model.context * np.log([region_share(finding.text, p, model) for p in table.profiles])
    exponent, floor = exponent_and_floor(finding, model)
    p = tempered(_rates(finding, table).mean, exponent, floor)
    return np.asarray(np.log(event_likelihood(p, finding, model)))


def drawn_log_likelihood(
    finding: Finding, table: RateTable, active: NDArray[np.intp], *, draws: int, rng: np.random.Generator
) -> Floats:
    """The same over draws of the evidence, shape (active, draws): Beta draws of rates, noise on densities."""
    model = table.model
    if finding.kind in _DENSITIES or finding.kind == "region":
        centre = log_likelihood(finding, table)[active]
        return centre[:, None] + rng.normal(0.0, model.density_log_sd, (len(active), draws))
    rates = _rates(finding, table)
    p = _drawn(rates.mean[..., active], rates.precision[..., active], draws=draws, rng=rng)
    exponent, floor = exponent_and_floor(finding, model)
    return np.asarray(np.log(event_likelihood(tempered(p, exponent, floor), finding, model)))


def _drawn(mean: Floats, precision: Floats, *, draws: int, rng: np.random.Generator) -> Floats:
    """Beta draws of rates, shape (..., draws); profiles that borrow the same default share its draws."""
    flat = np.stack([mean.ravel(), precision.ravel()], axis=1)
    different, which = np.unique(flat, axis=0, return_inverse=True)
    a = np.maximum(different[:, 0] * different[:, 1], 1e-3)
    b = np.maximum((1 - different[:, 0]) * different[:, 1], 1e-3)
    p = rng.beta(a[:, None], b[:, None], (len(different), draws))
    return np.asarray(p[which.ravel()].reshape(*mean.shape, draws))
