"""Prior and likelihoods put together: posterior of profiles and entities, at the mean and over draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kulchitsky.case.record import Case
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.reasoning.finding import Finding
from kulchitsky.reasoning.findings import findings_of
from kulchitsky.reasoning.place import settings_of
from kulchitsky.reasoning.pool import RateTable, rate_table
from kulchitsky.reasoning.prior import log_prior
from kulchitsky.reasoning.weigh import drawn_log_likelihood, log_likelihood

Floats = NDArray[np.float64]

# a profile this improbable at the mean of the evidence isn't drawn: no draw brings it back
_NEGLIGIBLE = 1e-7


@dataclass(frozen=True)
class Posterior:
    """Log terms of every profile of a case: prior (P,) and one row a finding (F, P), natural logarithms.

    Terms are calibrated (multiplied by the model's sharpness), so that they add up to the posterior.
    """

    table: RateTable
    settings: tuple[str, ...]
    findings: tuple[Finding, ...]
    prior_term: Floats
    terms: Floats

    @cached_property
    def profiles(self) -> Floats:
        """Posterior of every profile, shape (P,)."""
        return softmax(self.prior_term + self.terms.sum(axis=0))

    @cached_property
    def entities(self) -> Floats:
        """Posterior of every entity (``none_of_these`` last), shape (E,)."""
        return by_entity(self.profiles, self.table)

    @cached_property
    def prior_entities(self) -> Floats:
        """Prior of every entity, shape (E,)."""
        return by_entity(softmax(self.prior_term), self.table)


def softmax(log_terms: Floats, axis: int = 0) -> Floats:
    """Normalised exponentials along an axis."""
    shifted = np.exp(log_terms - log_terms.max(axis=axis, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=axis, keepdims=True))


def by_entity(values: Floats, table: RateTable, members: NDArray[np.intp] | None = None) -> Floats:
    """Sum values of profiles (first axis) into entities, shape (E, ...)."""
    of = table.entity_of if members is None else table.entity_of[members]
    total = np.zeros((len(table.entities), *values.shape[1:]))
    np.add.at(total, of, values)
    return total


def posterior(
    case: Case,
    knowledge: KnowledgeBase,
    *,
    table: RateTable | None = None,
    findings: Sequence[Finding] | None = None,
) -> Posterior:
    """Weigh every finding of a case; ``findings`` replaces those read from it (for what-if questions)."""
    table = table or rate_table(knowledge)
    seen = tuple(sorted(findings)) if findings is not None else findings_of(case, knowledge)
    settings = settings_of(case)
    terms = [log_likelihood(f, table) for f in seen]
    stacked = np.stack(terms) if terms else np.zeros((0, len(table.profiles)))
    sharpness = table.model.sharpness
    return Posterior(table, settings, seen, sharpness * log_prior(table, settings), sharpness * stacked)


@dataclass(frozen=True)
class Draws:
    """Log terms over draws of the evidence for the profiles that matter: prior (A, D), findings (F, A, D)."""

    active: NDArray[np.intp]
    prior_term: Floats
    terms: Floats

    @cached_property
    def total(self) -> Floats:
        """Sum of all terms, shape (A, D)."""
        return np.asarray(self.prior_term + self.terms.sum(axis=0))


def draw(post: Posterior, *, draws: int, seed: int) -> Draws:
    """Draw the evidence ``draws`` times; the same seed gives the same draws, whatever the order of the findings."""
    rng = np.random.default_rng(seed)
    active = np.flatnonzero(post.profiles > _NEGLIGIBLE)
    noise = rng.normal(0.0, post.table.model.prior_log_sd, (len(post.table.entities), draws))
    sharpness = post.table.model.sharpness
    prior_term = post.prior_term[active, None] + sharpness * noise[post.table.entity_of[active]]
    terms = [sharpness * drawn_log_likelihood(f, post.table, active, draws=draws, rng=rng) for f in post.findings]
    stacked = np.stack(terms) if terms else np.zeros((0, len(active), draws))
    return Draws(active, prior_term, stacked)
