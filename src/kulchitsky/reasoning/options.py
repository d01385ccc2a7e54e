"""Treatment options that sources describe, gated by entity, grade, stage and condition; what is not, and why."""

from __future__ import annotations

from collections.abc import Sequence

from kulchitsky.case.verdict import Option
from kulchitsky.knowledge.rules import Rules
from kulchitsky.knowledge.rules_plan import OptionRow
from kulchitsky.reasoning.evaluate import Truth
from kulchitsky.reasoning.plan_facts import Candidate

_ORDER = ("yes", "conditional", "undetermined", "no")


def options(rules: Rules, candidates: Sequence[Candidate]) -> tuple[Option, ...]:
    """Options of every candidate entity: those that apply first, within an entity in the order of the rule base."""
    found = []
    for candidate in candidates:
        rows = [_option(row, candidate, rules) for row in rules.plan.options if candidate.entity in row.entities]
        found += sorted(rows, key=lambda option: _ORDER.index(option.applies))
    return tuple(found)


def _option(row: OptionRow, candidate: Candidate, rules: Rules) -> Option:
    outcome = candidate.holds(row.requires)
    if outcome.truth is Truth.FALSE:
        here = candidate.words(outcome.used)
        applies, sentence = "no", f"{row.not_indicated} Here: {here}." if here else row.not_indicated
    elif outcome.truth is Truth.UNKNOWN:
        asked = ", ".join(rules.facts[name].ask for name in outcome.missing)
        applies, sentence = "undetermined", f"{row.sentence} Not settled: {asked}."
    else:
        held_back = row.conditional is not None and candidate.holds(row.conditional).truth is Truth.TRUE
        applies, sentence = ("conditional" if held_back else "yes"), row.sentence
    cautions = [c for c in row.cautions if applies != "no" and candidate.holds(c.when).truth is Truth.TRUE]
    return Option.model_validate(
        {
            "option": row.option,
            "entity": candidate.entity,
            "applies": applies,
            "sentence": sentence,
            "line": row.line,
            "strength": row.strength,
            "cautions": tuple(caution.sentence for caution in cautions),
            "sources": tuple(dict.fromkeys([*row.sources, *(key for c in cautions for key in c.sources)])),
        }
    )
