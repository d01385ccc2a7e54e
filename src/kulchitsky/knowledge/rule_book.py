"""The rule base as a page that people read: every rule with its edition and its sources.

The page is generated and compared with ``docs/rule-book.md`` in the tests, so it cannot drift from the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kulchitsky.knowledge.rules import Rules
from kulchitsky.knowledge.rules_condition import AllOf, Always, AnyOf, Condition, FactTest, Not
from kulchitsky.knowledge.rules_grading import GradingSystem
from kulchitsky.knowledge.rules_staging import CategoryRow, Scheme

NOTE = (
    "<!-- written by tools/write_rule_book.py from src/kulchitsky/knowledge/data/rules: edit that, not this -->\n\n"
)


def rule_book(rules: Rules) -> str:
    """The whole rule book as Markdown; the same text for the same rules."""
    sections = (
        _head(rules),
        _grading(rules),
        _differentiation(rules),
        _routing(rules),
        _nodes(rules),
        _staging(rules),
        _prognosis(rules),
        _tests(rules),
        _laboratory(rules),
        _options(rules),
        _follow_up(rules),
        _claims(rules),
        _codes(rules),
        _references(rules),
    )
    return NOTE + "\n".join(sections)


def condition_words(condition: Condition, rules: Rules) -> str:
    """A condition in words, facts by their labels."""
    if isinstance(condition, FactTest):
        return _test_words(condition, rules)
    if isinstance(condition, AllOf):
        return " and ".join(_nested(part, rules) for part in condition.all)
    if isinstance(condition, AnyOf):
        return " or ".join(_nested(part, rules) for part in condition.any)
    if isinstance(condition, Not):
        return f"not {_nested(condition.not_, rules)}"
    assert isinstance(condition, Always)
    return "always"


def _nested(condition: Condition, rules: Rules) -> str:
    words = condition_words(condition, rules)
    return f"({words})" if isinstance(condition, AllOf | AnyOf) else words


def _test_words(test: FactTest, rules: Rules) -> str:
    row = rules.facts[test.fact]
    name = row.label or test.fact.replace("_", " ")
    signs = (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="))
    parts = [f"{sign} {getattr(test, key):g}" for key, sign in signs if getattr(test, key) is not None]
    if test.is_ is not None:
        parts.append(str(test.is_).replace("_", " "))
    if test.in_:
        parts.append(" or ".join(str(value).replace("_", " ") for value in test.in_))
    if test.has is not None:
        parts.append(f"include {test.has.replace('_', ' ')}")
    if test.has_any:
        parts.append(f"include {' or '.join(value.replace('_', ' ') for value in test.has_any)}")
    if test.band is not None:
        parts.append(f"in band '{test.band}'")
    if test.known is not None:
        parts.append("recorded" if test.known else "not recorded")
    return f"{name} {' and '.join(parts)}"


def _head(rules: Rules) -> str:
    return (
        "# Rule book\n\n"
        f"Edition {rules.edition}. What kulchitsky knows of grading, staging, prognosis, tests, options and "
        "follow-up, each row with its sources; keys in square brackets are listed at the end. What sources say, not "
        "advice; for research and education.\n\n"
        "Conditions are three-valued: a test of a fact that the record does not hold is neither true nor false, and "
        "the verdict says what is missing. [How a case is graded, staged and planned](rules.md) tells how the rules "
        "are read.\n"
    )


def _sources(keys: Sequence[str]) -> str:
    return f"[{', '.join(keys)}]"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _grading(rules: Rules) -> str:
    parts = ["## Grading\n", *(_system(system, rules) for system in rules.grading.systems)]
    parts.append("### Counting\n")
    rows = [(r.rule, f"{r.value:g} {r.unit}" if r.value is not None else "", r.edition, _sources(r.sources))
            for r in rules.grading.counting]  # fmt: skip
    parts.append(_table(("rule", "figure", "edition", "sources"), rows))
    parts.append("### Caveats\n")
    caveats = [
        (c.message, condition_words(c.when, rules), c.remedy, _sources(c.sources)) for c in rules.grading.caveats
    ]
    parts.append(_table(("remark", "when", "remedy", "sources"), caveats))
    parts.append(
        f"A grade is called sure at {100 * rules.grading.sure_at:g} %; further counting is offered up to "
        f"{rules.grading.most_cells:,} cells or {rules.grading.most_area_mm2:g} mm2. Probabilities come from "
        "Jeffreys posteriors of the counts and cover the sampling of cells and fields alone.\n"
    )
    return "\n".join(parts)


def _system(system: GradingSystem, rules: Rules) -> str:
    where = condition_words(system.applies, rules)
    parts = [
        f"### {system.name}\n",
        f"Edition: {system.edition}. Applies where {where}. {_sources(system.sources)}\n",
    ]
    if system.borrowed:
        parts.append(f"Borrowed scale: {system.borrowed}\n")
    if system.ungraded:
        parts.append(f"{system.ungraded}\n")
    if system.indices:
        bands = [(i.name, i.unit, b.id, b.words()) for i in system.indices for b in i.bands]
        parts.append(_table(("index", "unit", "band", "interval"), bands))
    if system.grades:
        rows = [
            (row.grade, row.rule, condition_words(row.when, rules), _sources(row.sources)) for row in system.grades
        ]
        parts.append(_table(("grade", "rule", "condition", "sources"), rows))
    if system.single_index:
        single = [(row.grade, row.sentence, _sources(row.sources)) for row in system.single_index]
        parts.append(_table(("grade", "with one index alone", "sources"), single))
    return "\n".join(parts)


def _differentiation(rules: Rules) -> str:
    step = rules.grading.differentiation
    rows = [
        (r.finding, f"{r.net_positive:g}/{r.net_tested:g}", f"{r.nec_positive:g}/{r.nec_tested:g}", r.group,
         r.population, _sources(r.sources))
        for r in step.rows
    ]  # fmt: skip
    rows += [
        (rules.facts[d.fact].label or d.fact, f"{d.net_mean:g} (SD {d.net_sd:g}, n={d.net_n})",
         f"{d.nec_mean:g} (SD {d.nec_sd:g}, n={d.nec_n})", d.group, d.population, _sources(d.sources))
        for d in step.densities
    ]  # fmt: skip
    return (
        "## NET G3 against NEC\n\n"
        f"Prior share of NET G3 {100 * step.prior_net:g} %: {step.prior_population} {_sources(step.prior_sources)} "
        f"Findings of one group are not weighed together; one finding weighs at most 10^{step.log10_limit:g}. "
        f"{step.settled_basis} The groups {', '.join(step.not_alone)} never settle it by themselves "
        f"{_sources(step.not_alone_sources)}.\n\n"
        + _table(("finding", "NET G3", "NEC", "group", "population", "sources"), rows)
    )


def _routing(rules: Rules) -> str:
    rows = [
        (r.family, ", ".join(r.sites), ", ".join(r.morphologies), _years(r.from_year, r.to_year),
         "yes" if r.staged else "no", r.sentence, _sources(r.sources))
        for r in rules.staging.routes
    ]  # fmt: skip
    entities = [
        (e.entity, e.morphology, e.organ or "any", e.topography or "by site", _sources(e.sources))
        for e in rules.staging.entities
    ]
    return (
        "## From codes to a staging scheme\n\n"
        + _table(("family", "topography", "morphology", "years", "staged", "why", "sources"), rows)
        + "\n### How entities are coded\n\n"
        + _table(("entity", "morphology", "organ", "topography", "sources"), entities)
    )


def _years(start: int, end: int) -> str:
    if not start and end == 9999:
        return "any"
    return f"{start or ''}-{end if end != 9999 else ''}"


def _nodes(rules: Rules) -> str:
    rows = [
        (n.authority, ", ".join(n.sites), ", ".join(n.regional), ", ".join(n.distant), n.note, _sources(n.sources))
        for n in rules.staging.node_lists
    ]
    return "## Regional nodes\n\n" + _table(("authority", "site", "regional", "distant", "note", "sources"), rows)


def _staging(rules: Rules) -> str:
    window = rules.staging.window
    head = f"## Staging\n\n{window.sentence} {_sources(window.sources)}\n\n"
    return head + "\n".join(_scheme(scheme, rules) for scheme in rules.staging.schemes)


def _scheme(scheme: Scheme, rules: Rules) -> str:
    years = _years(scheme.from_year, scheme.to_year)
    head = f"### {scheme.name}: {scheme.authority} {scheme.edition}\n\nYears {years}. {_sources(scheme.sources)}\n\n"
    head += "".join(f"{note}\n\n" for note in scheme.notes)
    categories = [_category(row, rules) for rows in (scheme.t, scheme.n, scheme.m) for row in rows]
    groups = [
        (
            g.stage,
            g.basis,
            ", ".join(g.t) or "any",
            ", ".join(g.n) or "any",
            ", ".join(g.m) or "any",
            _sources(g.sources),
        )
        for g in scheme.groups
    ]
    text = head + _table(("category", "rule", "condition", "sources"), categories)
    if groups:
        text += "\n" + _table(("stage", "basis", "T", "N", "M", "sources"), groups)
    return text


def _category(row: CategoryRow, rules: Rules) -> tuple[str, str, str, str]:
    return row.value, row.rule, condition_words(row.when, rules), _sources(row.sources)


def _prognosis(rules: Rules) -> str:
    rows = []
    for r in rules.plan.prognosis:
        if r.percent is not None:
            figure = f"{r.percent:g} %"
        else:
            figure = f"median {r.median_months:g} mo" if r.median_months is not None else f"HR {r.hazard_ratio:g}"
        if r.interval_95 is not None:
            figure += f" ({r.interval_95[0]:g}-{r.interval_95[1]:g})"
        years = f"{r.years:g}" if r.years is not None else ""
        count = f"{r.n:,}" if r.n is not None else ""
        rows.append((", ".join(r.entities), r.endpoint, years, figure, r.group, r.population, count,
                     condition_words(r.when, rules), _sources(r.sources)))  # fmt: skip
    header = ("entity", "endpoint", "years", "figure", "group", "population", "N", "fits where", "sources")
    tail = (
        f"\nEntities of the differential with at least {100 * rules.plan.follow_entities_above:g} % are planned for. "
        f"A quoted figure agrees with a sourced one within {rules.plan.claim_tolerance_percent:g} points.\n"
    )
    return "## Prognosis\n\n" + _table(header, rows) + tail


def _interval(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None:
        return ""
    return f"{value:g}" + (f" ({interval[0]:g}-{interval[1]:g})" if interval is not None else "")


def _tests(rules: Rules) -> str:
    performance = [
        (p.test, p.question, _interval(p.sensitivity_percent, p.sensitivity_interval),
         _interval(p.specificity_percent, p.specificity_interval), f"{p.n:,} {p.n_unit}" if p.n is not None else "",
         p.population, _sources(p.sources))
        for p in rules.plan.performance
    ]  # fmt: skip
    advice = [
        (a.test, a.question, a.status.replace("_", " "), ", ".join(a.entities) or "any",
         condition_words(a.when, rules), a.sentence, _sources(a.sources))
        for a in rules.plan.advice
    ]  # fmt: skip
    return (
        "## Tests\n\n### Performance\n\n"
        + _table(("test", "question", "sensitivity %", "specificity %", "N", "population", "sources"), performance)
        + "\n### What is worth doing\n\n"
        + _table(("test", "question", "status", "entities", "when", "why", "sources"), advice)
    )


def _laboratory(rules: Rules) -> str:
    rows = [
        (t.name, t.loinc, "; ".join(f"{u.unit}: {u.plausible_low:g} to {u.plausible_high:g}" for u in t.units),
         f"{t.upper_limit:g} {t.limit_unit}" if t.upper_limit is not None else "", t.limit_note, t.says,
         _sources(t.sources))
        for t in rules.plan.laboratory
    ]  # fmt: skip
    header = ("test", "LOINC", "plausible by unit", "upper limit", "note", "what it says", "sources")
    return (
        "## Laboratory\n\nThe plausible ranges are set wide by this rule base to catch slips of a unit; they are no "
        "reference limits.\n\n" + _table(header, rows)
    )


def _options(rules: Rules) -> str:
    rows = [
        (o.option, ", ".join(o.entities), o.line, condition_words(o.requires, rules), o.sentence, o.not_indicated,
         o.strength, " ".join(c.sentence for c in o.cautions),
         _sources(tuple(dict.fromkeys([*o.sources, *(key for c in o.cautions for key in c.sources)]))))
        for o in rules.plan.options
    ]  # fmt: skip
    header = ("option", "entities", "line", "requires", "what sources say", "else", "strength", "cautions", "sources")
    return "## Options\n\n" + _table(header, rows)


def _follow_up(rules: Rules) -> str:
    rows = [
        (", ".join(v.entities), condition_words(v.when, rules), v.what,
         f"month {v.from_months:g} to {v.to_months:g}, every {v.every_months:g}", v.edition, _sources(v.sources))
        for v in rules.plan.visits
    ]  # fmt: skip
    none = [
        (", ".join(v.entities), condition_words(v.when, rules), v.sentence, "none", "", _sources(v.sources))
        for v in rules.plan.no_follow_up
    ]
    return "## Follow-up\n\n" + _table(("entities", "when", "what", "schedule", "edition", "sources"), [*rows, *none])


def _claims(rules: Rules) -> str:
    rows = [
        (c.kind.replace("_", " "), " and ".join(c.words).replace("|", " / "), c.against, ", ".join(c.rows),
         (c.verdict or "by the figures").replace("_", " "), c.sentence, _sources(c.sources))
        for c in rules.plan.claims
    ]  # fmt: skip
    header = ("kind", "words", "against", "rows", "verdict", "sentence", "sources")
    return "## How claims of a report are checked\n\n" + _table(header, rows)


def _codes(rules: Rules) -> str:
    rows = [
        (
            c.system,
            c.code,
            c.display,
            ", ".join(c.entities) or "any",
            condition_words(c.when, rules),
            _sources(c.sources),
        )
        for c in rules.plan.codes
    ]
    return "## Codes\n\n" + _table(("system", "code", "meaning", "entities", "when", "sources"), rows)


def _references(rules: Rules) -> str:
    rows = []
    for key in sorted(rules.references):
        reference = rules.references[key]
        link = f"doi:{reference.doi}" if reference.doi else reference.url
        rows.append((key, reference.title, link, reference.read))
    return "## Sources\n\n" + _table(("key", "source", "link", "what was read"), rows)
