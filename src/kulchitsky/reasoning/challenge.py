"""What in a case contradicts a working diagnosis: improbable findings, and tests still missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kulchitsky.case import vocabulary as v
from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Challenge, Contradiction
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.knowledge.ordering import Ordering, RequiredTest, load_ordering, load_required_tests
from kulchitsky.knowledge.profiles import NONE_OF_THESE
from kulchitsky.knowledge.schema import Counts
from kulchitsky.reasoning.densities import ki67_tail
from kulchitsky.reasoning.finding import Finding
from kulchitsky.reasoning.findings import ki67_percent
from kulchitsky.reasoning.next_test import marker_rates
from kulchitsky.reasoning.place import foreign_specimens
from kulchitsky.reasoning.plain_figures import share_words, times_words
from kulchitsky.reasoning.posterior import Draws, Posterior, draw, posterior, softmax
from kulchitsky.reasoning.reasons import kind_of

Floats = NDArray[np.float64]

_EVENT_WORDS = {Counts.LOSS: "lost", Counts.ABERRANT: "abnormal"}
_DENSITIES = ("age", "ki67", "mitoses", "duration", "size", "region")


def challenge(case: Case, knowledge: KnowledgeBase, entity: str, *, draws: int = 1000, seed: int = 0) -> Challenge:
    """Everything in the case that speaks against ``entity``, strongest first, then the tests that are missing.

    A finding is improbable when its probability under the entity, given the other findings, is low *and* another
    entity explains it better. Raises :class:`RefusedCase` for an id that isn't in the differential.
    """
    if entity not in {e.id for e in knowledge.differential}:
        raise RefusedCase(
            f"'{entity}' is not an entity of the differential",
            source="the working diagnosis",
            remedy="give one of " + ", ".join(e.id for e in knowledge.differential),
        )
    ordering = load_ordering()
    post = posterior(case, knowledge)
    drawn = draw(post, draws=draws, seed=seed)
    improbable = _improbable(post, drawn, entity, knowledge, ordering)
    missing = _missing(case, post, entity, knowledge, ordering)
    return Challenge(
        diagnosis=entity,
        name=knowledge.entities[entity].name,
        posterior=float(post.entities[post.table.entities.index(entity)]),
        contradictions=(*improbable, *missing),
    )


def _given_others(post: Posterior, f: int) -> tuple[Floats, Floats]:
    """Profile shares inside their entity without finding ``f``, and the likelihood of ``f`` per profile."""
    without = softmax(post.prior_term + post.terms.sum(axis=0) - post.terms[f])
    totals = np.zeros(len(post.table.entities))
    np.add.at(totals, post.table.entity_of, without)
    return without / np.where(totals > 0, totals, 1.0)[post.table.entity_of], np.exp(
        post.terms[f] / post.table.model.sharpness
    )


def _per_entity(post: Posterior, f: int) -> Floats:
    """Likelihood of finding ``f`` under every entity, given the other findings."""
    share, likelihood = _given_others(post, f)
    found = np.zeros(len(post.table.entities))
    np.add.at(found, post.table.entity_of, share * likelihood)
    return found


def _improbable(
    post: Posterior, drawn: Draws, entity: str, knowledge: KnowledgeBase, ordering: Ordering
) -> list[Contradiction]:
    e = post.table.entities.index(entity)
    # the best rival is judged with every entity that the whole case leaves possible
    possible = post.entities > 1e-4
    possible[e] = False
    possible[post.table.entities.index(NONE_OF_THESE)] = False
    found = []
    for f, finding in enumerate(post.findings):
        each = _per_entity(post, f)
        if not possible.any():
            continue
        rival = int(np.argmax(np.where(possible, each * post.entities**0.25, -1.0)))
        ratio = float(np.log10(each[e] / each[rival]))
        probability, interval = _probability(post, drawn, finding, f, e)
        limit = ordering.tail if finding.kind in _DENSITIES else ordering.improbable
        if probability is None or probability > limit or ratio > -ordering.least_ratio:
            continue
        basis = kind_of(finding, entity, post, knowledge)
        other = kind_of(finding, post.table.entities[rival], post, knowledge)
        found.append(
            Contradiction(
                kind="improbable_finding",
                finding=finding.label,
                sentence=_sentence(finding, entity, probability, post.table.entities[rival], ratio, knowledge),
                probability=probability,
                interval_95=interval,
                better_explained_by=post.table.entities[rival],
                log10_lr=ratio,
                sources=tuple(dict.fromkeys((*basis.sources[:4], *other.sources[:4]))),
            )
        )
    return sorted(found, key=lambda c: (c.log10_lr or 0.0, c.finding))


def _probability(
    post: Posterior, drawn: Draws, finding: Finding, f: int, e: int
) -> tuple[float | None, tuple[float, float] | None]:
    """Predictive probability of what was seen under the entity, given the rest, with its interval over draws."""
    table = post.table
    share, likelihood = _given_others(post, f)
    mine = table.entity_of == e
    if finding.kind in _DENSITIES:
        return _tail(post, finding, share, mine), None
    point = float(np.sum(share[mine] * likelihood[mine]))
    here = np.flatnonzero(table.entity_of[drawn.active] == e)
    if here.size == 0:
        return point, None
    total = drawn.total[here] - drawn.terms[f][here]
    weights = softmax(total)
    sampled = np.sum(weights * np.exp(drawn.terms[f][here] / table.model.sharpness), axis=0)
    low, high = np.quantile(sampled, [0.025, 0.975])
    return point, (float(min(low, point)), float(max(high, point)))


def _tail(post: Posterior, finding: Finding, share: Floats, mine: NDArray[np.bool_]) -> float | None:
    if finding.kind != "ki67":
        return None
    model = post.table.model
    tails = [ki67_tail(finding.value, p.ki67 or model.default_ki67) for p in post.table.profiles]
    return float(np.sum(share[mine] * np.array(tails)[mine]))


def _sentence(
    finding: Finding, entity: str, probability: float, rival: str, ratio: float, knowledge: KnowledgeBase
) -> str:
    name, other = knowledge.entities[entity].short_name, knowledge.entities[rival].short_name
    seen = "a value so far from the usual is seen" if finding.kind in _DENSITIES else "seen"
    return (
        f"{finding.label[:1].upper()}{finding.label[1:]}: {seen} in {share_words(probability, 'cases of ' + name)}; "
        f"{times_words(10**-ratio)} as likely in {other}."
    )


def _missing(
    case: Case, post: Posterior, entity: str, knowledge: KnowledgeBase, ordering: Ordering
) -> list[Contradiction]:
    others = foreign_specimens(case)
    done = {m.marker for m in case.markers if m.state is not v.State.NOT_TESTED and m.specimen not in others}
    done |= {"ki67"} if case.ki67 else set()
    found: dict[tuple[str, ...], Contradiction] = {}
    for test in load_required_tests():
        if test.entity != entity or done & set(test.markers) or not _applies(test, case, others):
            continue
        names = " or ".join(knowledge.markers[m].name for m in test.markers)
        found[test.markers] = Contradiction(
            kind="missing_test",
            finding=names,
            sentence=f"{names} not done: {test.reason}.",
            sources=tuple(dict.fromkeys((*test.sources, *_counted(entity, test.markers, knowledge)))),
        )
    for contradiction in _from_rivals(done, post, entity, knowledge, ordering):
        if not any(contradiction.finding in c.finding for c in found.values()):
            found[(contradiction.finding,)] = contradiction
    return list(found.values())


def _applies(test: RequiredTest, case: Case, others: frozenset[str]) -> bool:
    """Whether the test's question is still open in this case; what isn't known excuses nothing."""
    own = [m for m in case.markers if m.specimen not in others]
    if any(m.state is v.State.PRESENT and m.marker in test.unless_positive for m in own):
        return False
    age = case.patient.age_years
    if test.younger_than is not None and age is not None and age >= test.younger_than:
        return False
    indices = [p for k in case.ki67 if k.specimen not in others and (p := ki67_percent(k)) is not None]
    return test.ki67_above is None or not indices or max(indices) > test.ki67_above


def _counted(entity: str, markers: tuple[str, ...], knowledge: KnowledgeBase) -> tuple[str, ...]:
    """The two largest counted series of each marker in the entity."""
    found: list[str] = []
    for marker in markers:
        rows = [r for r in knowledge.evidence_by_cell.get((entity, marker), ()) if r.poolable]
        found += [r.source for r in sorted(rows, key=lambda r: -(r.n_tested or 0.0))[:2]]
    return tuple(found)


def _from_rivals(
    done: set[str], post: Posterior, entity: str, knowledge: KnowledgeBase, ordering: Ordering
) -> list[Contradiction]:
    """For each rival still possible, the stain not yet done that would best tell it from the working diagnosis."""
    table = post.table
    e = table.entities.index(entity)
    markers = [m for m in ordering.routine if m not in done and m in knowledge.markers]
    rates = marker_rates(post, markers, knowledge)
    rate = _mean_by_entity(post, rates)
    name_of = knowledge.entities[entity].short_name
    found: dict[str, Contradiction] = {}
    rivals = [int(r) for r in np.argsort(-post.entities, kind="stable") if post.entities[r] > ordering.rival]
    for r in rivals[:4]:
        if r == e or table.entities[r] == NONE_OF_THESE or not markers:
            continue
        # expected log10 ratio in favour of the truth, whichever of the two it is
        a, b = rate[:, e], rate[:, r]
        gain = 0.5 * ((a - b) * np.log10(a / b) + (b - a) * np.log10((1 - a) / (1 - b)))
        best = int(np.argmax(gain))
        name, rival = knowledge.markers[markers[best]].name, knowledge.entities[table.entities[r]].short_name
        event = _EVENT_WORDS.get(knowledge.markers[markers[best]].counts, "positive")
        sentence = (
            f"{name} not done: expected {event} in {share_words(b[best], 'cases of ' + rival)}, which is still "
            f"possible, and in {share_words(a[best], 'cases of ' + name_of)}."
        )
        sources = (
            *_counted(table.entities[r], (markers[best],), knowledge),
            *_counted(entity, (markers[best],), knowledge),
        )
        found.setdefault(
            name,
            Contradiction(
                kind="missing_test",
                finding=name,
                sentence=sentence,
                better_explained_by=table.entities[r],
                sources=tuple(dict.fromkeys(sources)),
            ),
        )
    return list(found.values())


def _mean_by_entity(post: Posterior, rates: Floats) -> Floats:
    """Rates (M, P) averaged over an entity's profiles as the case weighs them, shape (M, E)."""
    total = np.zeros((len(post.table.entities), rates.shape[0]))
    np.add.at(total, post.table.entity_of, (rates * post.profiles).T)
    return (total / np.where(post.entities > 0, post.entities, 1.0)[:, None]).T
