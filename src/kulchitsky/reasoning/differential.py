"""The differential diagnosis of a case: entities by posterior, with the weight of every finding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Diagnosis, Differential, NextTest, Weight
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.knowledge.profiles import NONE_OF_THESE
from kulchitsky.reasoning.posterior import Draws, Posterior, by_entity, draw, posterior, softmax
from kulchitsky.reasoning.reasons import kind_of, sentence_for

Floats = NDArray[np.float64]

# weights are written out for the entities in question, not for all of them
_WEIGHTS_ABOVE = 0.005
_WEIGHTS_AT_LEAST = 5
_OUTSIDE_WORTH_SAYING = 0.2


def differential(
    case: Case,
    knowledge: KnowledgeBase,
    *,
    draws: int = 2000,
    seed: int = 0,
    next_tests: tuple[NextTest, ...] = (),
) -> Differential:
    """Rank the entities that a case may be.

    The posterior is the exact one at the mean of the evidence; its 95 % interval comes from ``draws`` draws of the
    evidence (studies, defaults, priors). ``draws`` 0 leaves intervals out: they then equal the point. A weight is the
    finding's log10 likelihood ratio for the entity against all others, *given the other findings*: posterior odds
    with the finding are odds without it times that ratio.
    """
    post = posterior(case, knowledge)
    drawn = draw(post, draws=draws, seed=seed) if draws else None
    entities = post.table.entities
    low, high = _entity_interval(post, drawn)
    diagnoses = [
        Diagnosis(
            entity=e,
            name=knowledge.entities[e].name,
            prior=float(post.prior_entities[i]),
            posterior=float(post.entities[i]),
            interval_95=(float(low[i]), float(high[i])),
        )
        for i, e in enumerate(entities)
        if e != NONE_OF_THESE
    ]
    diagnoses.sort(key=lambda d: (-d.posterior, d.entity))
    return Differential(
        edition=knowledge.edition,
        diagnoses=tuple(diagnoses),
        none_of_these=float(post.entities[entities.index(NONE_OF_THESE)]),
        weights=_weights(post, drawn, knowledge),
        next_tests=next_tests,
        issues=_issues(post),
    )


def _entity_interval(post: Posterior, drawn: Draws | None) -> tuple[Floats, Floats]:
    if drawn is None:
        return post.entities, post.entities
    shares = by_entity(softmax(drawn.total), post.table, drawn.active)
    low, high = np.quantile(shares, [0.025, 0.975], axis=1)
    return np.minimum(low, post.entities), np.maximum(high, post.entities)


def log10_ratios(total: Floats, term: Floats, of: NDArray[np.intp], n_entities: int) -> Floats:
    """Log10 likelihood ratio of one finding for each entity against the rest, given the others: shape (E, ...).

    ``total`` (A, ...) are log terms with the finding, ``term`` (A, ...) the finding's own. NaN where an entity, or
    the rest, has no weight at all.
    """
    with_it = softmax(total)
    without = softmax(total - term)
    shape = (n_entities, *total.shape[1:])
    a, b = np.zeros(shape), np.zeros(shape)
    np.add.at(a, of, with_it)
    np.add.at(b, of, without)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log10(a) - np.log10(1 - a) - np.log10(b) + np.log10(1 - b))


def _weights(post: Posterior, drawn: Draws | None, knowledge: KnowledgeBase) -> tuple[Weight, ...]:
    table = post.table
    shown = _shown_entities(post)
    total = post.prior_term + post.terms.sum(axis=0)
    found = []
    for f, finding in enumerate(post.findings):
        ratio = log10_ratios(total, post.terms[f], table.entity_of, len(table.entities))
        low = high = ratio
        if drawn is not None:
            over = log10_ratios(drawn.total, drawn.terms[f], table.entity_of[drawn.active], len(table.entities))
            # an entity without weight in some draw has a ratio of infinity there, and no interval
            with np.errstate(invalid="ignore"):
                low, high = np.quantile(over, [0.025, 0.975], axis=1)
        for e in shown:
            if not np.isfinite(ratio[e]):
                continue
            interval = (
                float(np.nanmin([low[e], ratio[e]])),
                float(np.nanmax([high[e], ratio[e]])),
            )
            entity = table.entities[e]
            basis = kind_of(finding, entity, post, knowledge)
            found.append(
                Weight(
                    finding=finding.label,
                    entity=entity,
                    log10_lr=float(ratio[e]),
                    interval_95=interval,
                    group=finding.group,
                    kind=basis.kind,
                    sentence=sentence_for(finding, entity, float(ratio[e]), basis, knowledge),
                    n_positive=basis.n_positive,
                    n_tested=basis.n_tested,
                    studies=basis.studies,
                    sources=basis.sources,
                )
            )
    return tuple(found)


def _shown_entities(post: Posterior) -> list[int]:
    order = np.argsort(-post.entities, kind="stable")
    none = post.table.entities.index(NONE_OF_THESE)
    return [
        int(e)
        for rank, e in enumerate(order)
        if e != none and (rank < _WEIGHTS_AT_LEAST or post.entities[e] > _WEIGHTS_ABOVE)
    ]


def _issues(post: Posterior) -> tuple[Issue, ...]:
    found = _outside_the_list(post)
    if not post.settings:
        found.append(
            Issue(
                level=Level.NOTE,
                code="differential.setting.unknown",
                message="The case doesn't say which organ or tissue the specimen is from; the prior ignores place.",
                remedy="Give presentation.setting.",
                path="presentation.setting",
            )
        )
    if not any(f.kind in ("stain", "panel") for f in post.findings):
        found.append(
            Issue(
                level=Level.WARNING,
                code="differential.no_stains",
                message="No stain result is recorded; the list rests on clinic and morphology alone.",
                remedy="Record the stains under markers.",
                path="markers",
            )
        )
    return tuple(found)


def _outside_the_list(post: Posterior) -> list[Issue]:
    """What the case looks like when much of the weight lies outside the list."""
    table = post.table
    none = table.entities.index(NONE_OF_THESE)
    share = float(post.entities[none])
    if share < _OUTSIDE_WORTH_SAYING:
        return []
    mine = [int(i) for i in np.argsort(-post.profiles, kind="stable") if table.entity_of[i] == none][:3]
    likely = [table.profiles[i].basis.split(":")[0] for i in mine if post.profiles[i] > 0.2 * share]
    message = f"A diagnosis outside the list has {100 * share:.0f} %; the case looks most like: {'; '.join(likely)}."
    return [
        Issue(
            level=Level.WARNING,
            code="differential.outside_the_list",
            message=message,
            remedy="These are told by marked expectations, not by counted studies: look at them as a prompt.",
        )
    ]
