"""Grade of a case under every grading system that applies, with the probability of each grade from the counts.

The systems are rows of the rule base; nothing here knows a cut-off. *Undetermined* and *ungraded* are answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import GradeVerdict, Reason
from kulchitsky.knowledge.rules import Rules
from kulchitsky.knowledge.rules_grading import GradingSystem, Index
from kulchitsky.reasoning.differentiation import Split, split_high_grade
from kulchitsky.reasoning.evaluate import Evaluator, Fact, Facts, Span, Truth
from kulchitsky.reasoning.facts import facts_of
from kulchitsky.reasoning.grade_naming import UNDETERMINED, Naming, bands_of, name_case, reaches_high_grade
from kulchitsky.reasoning.grade_probability import Posteriors, counting_advice, grade_probabilities
from kulchitsky.reasoning.index_uncertainty import posteriors_of

UNGRADED = "ungraded"
_COUNT_REMEDY = {"ki67_percent": "Give cells counted and positive."}


def grade(case: Case, rules: Rules, *, diagnoses: Sequence[str] = ()) -> tuple[GradeVerdict, ...]:
    """Every grading system that applies to the site or the diagnosis; the first is the one to report.

    ``diagnoses`` are candidate entities beside the working diagnosis (the differential's, most probable first). A
    system made for the organ comes before one that is borrowed; one made for an entity comes first where that entity
    is the first candidate (medullary carcinoma; Merkel cell carcinoma and paraganglioma, which are *ungraded*), else
    last. *Ungraded* stands alone where no candidate is an epithelial neuroendocrine neoplasm. Without a site and a
    diagnosis the common framework alone applies, flagged as borrowed.
    """
    working = case.working_diagnosis.entity if case.working_diagnosis is not None else None
    entities = tuple(dict.fromkeys([*diagnoses, *([working] if working else [])]))
    facts = facts_of(case, rules, entities=entities)
    posteriors = posteriors_of(case)
    evaluator = Evaluator(facts)
    truths = {system.id: evaluator.holds(system.applies).truth for system in rules.grading.systems}
    applying = [s for s in rules.grading.systems if truths[s.id] is Truth.TRUE]
    if any(s.excludes_grades for s in applying):
        applying = [s for s in applying if s.ungraded]
    elif not any(s.grades and not s.leads_for for s in applying):
        applying += [s for s in rules.grading.systems if s.borrowed and s not in applying]
    first = entities[0] if entities else ""
    if first and any(s.grades and s.leads_for == first for s in applying):
        applying = [s for s in applying if not s.borrowed]
    applying.sort(key=lambda s: (not s.leads_for or s.leads_for != first, bool(s.leads_for), -s.priority))
    return tuple(_verdict(system, rules, facts, posteriors) for system in applying)


def _verdict(system: GradingSystem, rules: Rules, facts: Facts, posteriors: Posteriors) -> GradeVerdict:
    issues = _borrowed_issue(system)
    if system.ungraded:
        basis = (Reason(sentence=system.ungraded, rule=f"grading.{system.id}", sources=system.sources),)
        return GradeVerdict(
            system=system.name, edition=system.edition, grade=UNGRADED, basis=basis, issues=tuple(issues)
        )
    split = split_high_grade(rules.grading.differentiation, facts) if reaches_high_grade(system, facts) else None
    naming = name_case(system, facts, split)
    issues += _naming_issues(naming)
    issues += _index_issues(system, facts, posteriors)
    issues += _caveats(rules, Evaluator(facts, bands_of(system)))
    name = _reported(naming, split)
    return GradeVerdict(
        system=system.name,
        edition=system.edition,
        grade=name,
        probabilities=grade_probabilities(system, facts, posteriors, split),
        decided_by=_decided_by(system, naming, facts),
        basis=(*_basis(system, naming, name, split), *_index_reasons(system, facts, posteriors)),
        would_change=(
            *counting_advice(system, rules.grading, facts, posteriors, split),
            *_questions(rules, naming, split, facts),
        ),
        differentiation={"NET G3": split.probability_net, "NEC": 1 - split.probability_net} if split else {},
        issues=tuple(dict.fromkeys(issues)),
    )


def _reported(naming: Naming, split: Split | None) -> str:
    """One name when it is the only one or when the NET G3 against NEC step is settled, else undetermined."""
    if len(naming.names) == 1:
        return naming.name
    if split is None or not split.settled:
        return UNDETERMINED
    return max(naming.names.items(), key=lambda item: item[1])[0]


def _basis(system: GradingSystem, naming: Naming, name: str, split: Split | None) -> tuple[Reason, ...]:
    reasons: list[Reason] = []
    if naming.single is not None:
        rule = naming.single
        reasons.append(Reason(sentence=rule.sentence, rule=f"grading.{system.id}.single", sources=rule.sources))
    elif naming.row is not None:
        row = naming.row
        reasons.append(Reason(sentence=row.rule, rule=f"grading.{system.id}.{row.grade}", sources=row.sources))
    elif naming.high_grade and name == UNDETERMINED:
        both = " or ".join(system.splits_high_grade or ())
        reasons.append(
            Reason(
                sentence=f"The indices make it high grade; {both} is a question of differentiation, not of counts.",
                rule=f"grading.{system.id}.high_grade",
                sources=system.sources,
            )
        )
    if naming.open_rows and name == UNDETERMINED and not naming.high_grade:
        open_names = ", ".join(row.grade for row, _ in reversed(naming.open_rows))
        reasons.append(
            Reason(sentence=f"Still possible: {open_names}.", rule=f"grading.{system.id}", sources=system.sources)
        )
    if split is not None:
        reasons += split.reasons
    return tuple(reasons)


def _index_reasons(system: GradingSystem, facts: Facts, posteriors: Posteriors) -> tuple[Reason, ...]:
    """The figures that were compared, each with its 95 % interval where it was counted."""
    reasons = []
    for index in system.indices:
        fact = facts.get(index.fact)
        if fact is None or not isinstance(fact.value, Span):
            continue
        posterior = posteriors.get(index.fact)
        value = (
            f"{fact.value.low:.3g}" if fact.value.exact is not None else f"{fact.value.low:g} to {fact.value.high:g}"
        )
        if posterior is not None:
            low, high = posterior.interval(0.95)
            interval = f"95 % interval {low:.3g} to {high:.3g} from counting alone"
        else:
            interval = "interval unknown: the count behind it is not given"
        sentence = f"{index.name.capitalize()} {value} {index.unit} ({_bands_words(index, fact.value)}; {interval})."
        reasons.append(Reason(sentence=sentence, rule=f"grading.{system.id}.{index.fact}", sources=system.sources))
    return tuple(reasons)


def _bands_words(index: Index, span: Span) -> str:
    touched = [band for band in index.bands if band.holds(span.low) or band.holds(span.high)]
    return " or ".join(f"band {band.words()}" for band in touched)


def _decided_by(system: GradingSystem, naming: Naming, facts: Facts) -> str:
    """The index that alone, with the other at its lowest, gives the same name."""
    if not naming.high_grade and naming.row is None and naming.single is None:
        return ""
    known = [index for index in system.indices if index.fact in facts]
    if len(known) < 2:
        return known[0].fact if known else ""
    deciding = []
    for index in known:
        lowered = {
            **facts,
            **{other.fact: Fact(Span(other.minimum, other.minimum)) for other in known if other != index},
        }
        alone = name_case(system, lowered, None)
        if alone.high_grade if naming.high_grade else alone.names == naming.names:
            deciding.append(index.fact)
    return deciding[0] if len(deciding) == 1 else " and ".join(index.fact for index in known)


def _questions(rules: Rules, naming: Naming, split: Split | None, facts: Facts) -> tuple[Reason, ...]:
    """Facts that would settle what is open, most basic first."""
    missing = [name for _, outcome in naming.open_rows for name in outcome.missing]
    sources = rules.grading.differentiation.prior_sources
    if split is not None and not split.settled and naming.high_grade:
        missing += split.ask
    asked = dict.fromkeys(name for name in missing if name not in facts)
    return tuple(
        Reason(sentence=f"Would help to settle it: {rules.facts[name].ask}.", rule=f"ask.{name}", sources=sources)
        for name in asked
    )


def _borrowed_issue(system: GradingSystem) -> list[Issue]:
    if not system.borrowed:
        return []
    return [
        Issue(
            level=Level.WARNING,
            code="grade.borrowed_scale",
            message=system.borrowed,
            remedy="Report the tumour as NET or NEC with its counts; a number only with the name of the scale.",
        )
    ]


def _naming_issues(naming: Naming) -> list[Issue]:
    if naming.single is None:
        return []
    return [
        Issue(
            level=Level.WARNING,
            code="grade.single_index",
            message=naming.single.sentence,
            remedy="Count the other index as well.",
        )
    ]


def _index_issues(system: GradingSystem, facts: Facts, posteriors: Posteriors) -> list[Issue]:
    issues = []
    for index in system.indices:
        fact = facts.get(index.fact)
        if fact is None or index.fact in posteriors:
            continue
        issues.append(
            Issue(
                level=Level.NOTE,
                code="grade.interval_unknown",
                message=f"{index.name} is given without the count behind it, so its interval and the probability "
                "of each grade are unknown; no number of cells is assumed.",
                remedy=_COUNT_REMEDY.get(index.fact, "Give the count and its area."),
                path=fact.path,
            )
        )
    bound = facts.get("ki67_bound")
    if bound is not None and bound.value == "at_most" and any(i.fact == "ki67_percent" for i in system.indices):
        issues.append(
            Issue(
                level=Level.WARNING,
                code="grade.ki67.upper_bound",
                message="The Ki-67 figure is worded 'up to': it is read as the index of the hottest area; read as a "
                "mere upper bound it would leave every lower grade open.",
                remedy="Say whether the hottest area was counted, with cells counted and positive.",
                path=bound.path,
            )
        )
    return issues


def _caveats(rules: Rules, evaluator: Evaluator) -> list[Issue]:
    return [
        Issue(level=Level(row.level), code=row.code, message=row.message, remedy=row.remedy)
        for row in rules.grading.caveats
        if evaluator.holds(row.when).truth is Truth.TRUE
    ]
