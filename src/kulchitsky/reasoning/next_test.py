"""Which stain, or set of stains, is worth ordering next: expected information and expected change of decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from kulchitsky.case import vocabulary as v
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import NextTest
from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.knowledge.ordering import Ordering, load_ordering
from kulchitsky.knowledge.profiles import NONE_OF_THESE
from kulchitsky.numerics.entropy import expected_information_bits
from kulchitsky.reasoning.finding import Finding
from kulchitsky.reasoning.place import foreign_specimens
from kulchitsky.reasoning.plain_figures import share_words
from kulchitsky.reasoning.posterior import Posterior, posterior
from kulchitsky.reasoning.weigh import exponent_and_floor, stain_rates, tempered

Floats = NDArray[np.float64]

_SINGLES = 5


@dataclass(frozen=True, slots=True)
class _Bench:
    """What the search needs: profile posterior (P,), rates of a positive result (M, P), maps to classes."""

    markers: tuple[str, ...]
    rates: Floats
    profiles: Floats
    entity_of: NDArray[np.intp]
    treatment_of: NDArray[np.intp]
    entities: tuple[str, ...]


def next_tests(case: Case, knowledge: KnowledgeBase, *, k: int = 3) -> tuple[NextTest, ...]:
    """Stains worth ordering: the best single ones, then the best sets of 2 to ``k``, by expected information.

    Only stains not yet done are proposed, and only ones that matter for a diagnosis still possible; none where
    even the best would bring next to nothing. ``expected_bits`` is the mutual information between the entity and the
    results; ``p_change_top`` the probability that the leading entity changes, ``p_change_family`` that what would be
    treated changes. Results of a set are independent given the component of an entity, so redundant stains bring
    little beyond one another. Sets up to two are searched exactly, larger ones by adding and swapping.
    """
    ordering = load_ordering()
    bench = _bench(case, knowledge, ordering)
    if not bench.markers:
        return ()
    singles = _gains(bench, [(m,) for m in range(len(bench.markers))])
    order = np.argsort(-singles, kind="stable")
    worth = [int(m) for m in order[:_SINGLES] if singles[m] >= ordering.least_bits]
    if not worth:
        return ()
    found = [_describe(bench, (m,), float(singles[m]), knowledge, singles, ordering) for m in worth]
    pool = [int(m) for m in order[: ordering.pool]]
    chosen: tuple[int, ...] = (int(order[0]),)
    for size in range(2, min(k, ordering.most_at_once, len(pool)) + 1):
        chosen, bits = _best_set(bench, pool if size > 2 else range(len(bench.markers)), chosen, size)
        if bits - float(singles[order[0]]) < ordering.least_bits:
            break
        found.append(_describe(bench, chosen, bits, knowledge, singles, ordering))
    return tuple(found)


def _bench(case: Case, knowledge: KnowledgeBase, ordering: Ordering) -> _Bench:
    post = posterior(case, knowledge)
    others = foreign_specimens(case)
    done = {m.marker for m in case.markers if m.state is not v.State.NOT_TESTED and m.specimen not in others}
    markers = _worth_asking(post, done, knowledge, ordering)
    treatments = {NONE_OF_THESE: NONE_OF_THESE} | {e.id: e.treatment_family for e in knowledge.entities.values()}
    names = list(dict.fromkeys(treatments[e] for e in post.table.entities))
    treatment = np.array([names.index(treatments[e]) for e in post.table.entities], dtype=np.intp)
    return _Bench(
        markers,
        marker_rates(post, markers, knowledge),
        post.profiles,
        post.table.entity_of,
        treatment[post.table.entity_of],
        post.table.entities,
    )


def _worth_asking(post: Posterior, done: set[str], knowledge: KnowledgeBase, ordering: Ordering) -> tuple[str, ...]:
    """Stains in wide use, not yet done, that matter for a diagnosis still possible (``core_cells.csv``).

    Outside the list what matters is what its likely profiles state themselves. All stains in wide use where that
    leaves none.
    """
    open_ones = [m for m in ordering.routine if m not in done and m in knowledge.markers]
    likely = {e for e, p in zip(post.table.entities, post.entities, strict=True) if p >= ordering.likely}
    wanted = {cell.marker for cell in knowledge.core_cells if cell.entity in likely}
    for profile, p in zip(post.table.profiles, post.profiles, strict=True):
        if profile.entity == NONE_OF_THESE and p >= ordering.likely:
            wanted |= profile.stated
    return tuple(m for m in open_ones if m in wanted) or tuple(open_ones)


def marker_rates(post: Posterior, markers: Sequence[str], knowledge: KnowledgeBase) -> Floats:
    """Rate of each marker's event in each profile, weighed as the differential weighs it, shape (M, P)."""
    rows = []
    for marker in markers:
        finding = Finding(marker, "stain", marker, knowledge.markers[marker].group, marker)
        exponent, floor = exponent_and_floor(finding, post.table.model)
        rows.append(tempered(stain_rates(post.table, marker).mean, post.table.model.sharpness * exponent, floor))
    return np.stack(rows) if rows else np.zeros((0, len(post.table.profiles)))


def _outcomes(bench: _Bench, markers: Sequence[int]) -> Floats:
    """Likelihood of every combination of results under every profile, shape (2^k, P)."""
    likelihood = np.ones((1, bench.rates.shape[1]))
    for m in markers:
        p = bench.rates[m]
        likelihood = np.concatenate([likelihood * p, likelihood * (1 - p)])
    return likelihood


def _sums(joint: Floats, of: NDArray[np.intp], n: int) -> Floats:
    """Sum the last axis (profiles) into classes."""
    total = np.zeros((*joint.shape[:-1], n))
    np.add.at(np.moveaxis(total, -1, 0), of, np.moveaxis(joint, -1, 0))
    return total


def _gains(bench: _Bench, sets: Sequence[tuple[int, ...]]) -> Floats:
    """Expected information on the entity, in bits, of each set of markers."""
    n = len(bench.entities)
    prior = _sums(bench.profiles, bench.entity_of, n)
    safe = np.where(prior > 0, prior, 1.0)
    joint = np.stack([_outcomes(bench, s) for s in sets]) * bench.profiles
    return expected_information_bits(prior, _sums(joint, bench.entity_of, n) / safe)


def _best_set(bench: _Bench, pool: Sequence[int], start: tuple[int, ...], size: int) -> tuple[tuple[int, ...], float]:
    if size == 2:
        sets = list(combinations(pool, 2))
        gains = _gains(bench, sets)
        best = int(np.argmax(gains))
        return sets[best], float(gains[best])
    options = [(*start, m) for m in pool if m not in start]
    gains = _gains(bench, options)
    chosen, bits = options[int(np.argmax(gains))], float(gains.max())
    for _ in range(size):
        swaps = [(*chosen[:i], m, *chosen[i + 1 :]) for i in range(size) for m in pool if m not in chosen]
        gains = _gains(bench, swaps) if swaps else np.zeros(1)
        if not swaps or gains.max() <= bits + 1e-9:
            break
        chosen, bits = swaps[int(np.argmax(gains))], float(gains.max())
    return chosen, bits


def _change(bench: _Bench, markers: Sequence[int], of: NDArray[np.intp], n: int) -> float:
    """Probability that the leading class after the results isn't the one leading now."""
    joint = _sums(_outcomes(bench, markers) * bench.profiles, of, n)
    now = int(np.argmax(joint.sum(axis=0)))
    return float(joint.sum(axis=1)[np.argmax(joint, axis=1) != now].sum())


def _separates(bench: _Bench, markers: Sequence[int]) -> tuple[str, str]:
    """The two likely entities whose odds the results are expected to move most."""
    n = len(bench.entities)
    prior = _sums(bench.profiles, bench.entity_of, n)
    likely = [int(e) for e in np.argsort(-prior, kind="stable")[:6] if prior[e] > 0]
    rate = _sums(_outcomes(bench, markers) * bench.profiles, bench.entity_of, n) / np.where(prior > 0, prior, 1)
    best, pair = -1.0, (likely[0], likely[-1])
    for a, b in combinations(likely, 2):
        distance = 0.5 * float(np.abs(rate[:, a] - rate[:, b]).sum()) * min(prior[a], prior[b]) ** 0.5
        if distance > best:
            best, pair = distance, (a, b)
    return bench.entities[pair[0]], bench.entities[pair[1]]


def _describe(
    bench: _Bench,
    markers: tuple[int, ...],
    bits: float,
    knowledge: KnowledgeBase,
    singles: Floats,
    ordering: Ordering,
) -> NextTest:
    pair = _separates(bench, markers)
    names = [knowledge.markers[bench.markers[m]].name for m in markers]
    first, second = (_entity_name(e, knowledge) for e in pair)
    n_treatment = int(bench.treatment_of.max()) + 1
    change = _change(bench, markers, bench.entity_of, len(bench.entities))
    family = _change(bench, markers, bench.treatment_of, n_treatment)
    sources = [s for m in markers for e in pair for s in _sources(bench.markers[m], e, knowledge)]
    sentence = (
        f"{_and(names)} {'is' if len(names) == 1 else 'are'} expected to bring {bits:.2f} bits, above all between "
        f"{first} and {second}; it would change the leading diagnosis in {share_words(change, 'cases')}, "
        f"and the family of treatment in {share_words(family, 'cases')}."
    )
    return NextTest(
        markers=tuple(bench.markers[m] for m in markers),
        expected_bits=bits,
        separates=pair,
        p_change_top=min(change, 1.0),
        p_change_family=min(family, 1.0),
        sentence=sentence,
        alternatives=_alternatives(bench, markers, singles, ordering) if len(markers) == 1 else (),
        sources=tuple(dict.fromkeys(sources)),
    )


def _alternatives(bench: _Bench, markers: tuple[int, ...], singles: Floats, ordering: Ordering) -> tuple[str, ...]:
    """Stains that bring about as much, and little once this one is known: either does."""
    (m,) = markers
    near = [int(j) for j in np.argsort(-singles, kind="stable")[: ordering.pool] if j != m]
    near = [j for j in near if singles[j] >= ordering.redundant_share * singles[m]]
    if not near:
        return ()
    both = _gains(bench, [(m, j) for j in near])
    # less than half of its own information is left once the first stain is known
    left = [(j, b - singles[m]) for j, b in zip(near, both, strict=True)]
    return tuple(bench.markers[j] for j, gain in left if gain < 0.5 * singles[j])


def _sources(marker: str, entity: str, knowledge: KnowledgeBase) -> tuple[str, ...]:
    rows = knowledge.evidence_by_cell.get((entity, marker), ())
    ranked = sorted((r for r in rows if r.poolable), key=lambda r: -(r.n_tested or 0.0))
    return tuple(dict.fromkeys(r.source for r in ranked))[:3]


def _entity_name(entity: str, knowledge: KnowledgeBase) -> str:
    return "a diagnosis outside the list" if entity == NONE_OF_THESE else knowledge.entities[entity].name


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
