"""Tests, options, follow-up and codes."""

from __future__ import annotations

from kulchitsky.case.verdict import Option, TestAdvice, Visit
from kulchitsky.report import wording as w
from kulchitsky.report.blocks import Block, Column, Items, Paragraph, Part, Runs, Section, Table, Tag, Tone
from kulchitsky.report.desk import Desk, figure, missing, quiet, say, strong

OPTIONS_ON_FIRST_PAGE = 8

_APPLIES: dict[str, tuple[str, Tone]] = {
    "yes": ("yes", "good"),
    "conditional": ("conditional", "warn"),
    "undetermined": ("undetermined", "warn"),
    "no": ("no", "bad"),
}
_STATUS: dict[str, tuple[str, Tone]] = {
    "missing": ("missing", "bad"),
    "done": ("done", "good"),
    "optional": ("optional", "plain"),
    "superseded": ("superseded", "quiet"),
    "adds_nothing": ("adds nothing", "quiet"),
}


def _ordered_options(desk: Desk) -> list[Option]:
    order = list(_APPLIES)
    return sorted(desk.worked.plan.options, key=lambda option: order.index(option.applies))


def options_first_page(desk: Desk) -> Section:
    """Options for the leading diagnosis, those that apply first."""
    options = [option for option in _ordered_options(desk) if desk.of_leading(option.entity)]
    if not options:
        return Section("options", "Options", (_no_options(),))
    items = tuple(
        say(Tag(*_APPLIES[option.applies]), strong(f" {w.stop(option.option)} "), _why(desk, option))
        for option in options[:OPTIONS_ON_FIRST_PAGE]
    )
    note = Paragraph(say(quiet("What sources say, for the board to decide; not advice. Cautions in annex K.")))
    blocks: list[Block] = [Items(items), note]
    rest = [option.option for option in options[OPTIONS_ON_FIRST_PAGE:]]
    if rest:
        blocks.append(Paragraph(say(quiet(f"Also judged: {w.listed(rest)}."))))
    return Section("options", "Options", tuple(blocks))


def _no_options() -> Block:
    return missing(strong("Undetermined. "), "No option could be judged: it takes a diagnosis and a stage or grade.")


def _why(desk: Desk, option: Option) -> Runs:
    return say(w.stop(option.sentence), desk.cite(option.sources))


def options(desk: Desk) -> Section:
    """Every option with line, strength and cautions, by the diagnosis it is judged for."""
    ordered = _ordered_options(desk)
    if not ordered:
        return Section("options-all", "Options", (_no_options(),), letter="K")
    entities = list(dict.fromkeys(option.entity for option in desk.worked.plan.options))
    parts = tuple(
        _for_entity(desk, entity, _options_table(desk, entity, [o for o in ordered if o.entity == entity]))
        for entity in entities
    )
    return Section("options-all", "Options", parts, letter="K")


def _for_entity(desk: Desk, entity: str, block: Block) -> Block:
    return Part(f"As {desk.name(entity)}", (block,)) if entity else block


def _options_table(desk: Desk, entity: str, options: list[Option]) -> Table:
    rows = tuple(
        (
            say(strong(option.option), quiet(f" {option.line}") if option.line else None),
            say(Tag(*_APPLIES[option.applies])),
            _why(desk, option),
            say(w.sentence_case(w.words(option.strength)) or quiet("not graded")),
            say(" ".join(w.stop(caution) for caution in option.cautions) or quiet("none recorded")),
        )
        for option in options
    )
    columns = (
        Column("Option", share=5),
        Column("Applies", share=3),
        Column("Why", share=9),
        Column("Strength", share=4),
        Column("Cautions", share=6),
    )
    named = f" as {desk.name(entity)}" if entity else ""
    return Table(f"Options{named} and the reasons", columns, rows)


def follow_up_first_page(desk: Desk) -> Section:
    """Visits for the leading diagnosis, those with the same content on one line."""
    visits = [visit for visit in desk.worked.plan.follow_up if desk.of_leading(visit.entity)]
    if not visits:
        return Section("follow-up", "Follow-up", (_no_visits(),))
    items = tuple(
        say(strong(f"Month {_months(group)}: "), w.stop(w.sentence_case(what)), desk.cite(sources))
        for (what, sources), group in _grouped(visits).items()
    )
    return Section("follow-up", "Follow-up", (Items(items),))


def _grouped(visits: list[Visit]) -> dict[tuple[str, tuple[str, ...]], list[Visit]]:
    """Visits by what is done and by its sources."""
    groups: dict[tuple[str, tuple[str, ...]], list[Visit]] = {}
    for visit in visits:
        groups.setdefault((visit.what, visit.sources), []).append(visit)
    return groups


def _no_visits() -> Block:
    return missing(
        strong("Undetermined. "), "No schedule could be chosen: it takes a diagnosis and a stage or grade."
    )


def _months(group: list[Visit]) -> str:
    return ", ".join(w.number(visit.months) for visit in group)


def follow_up(desk: Desk) -> Section:
    """Every visit, by the diagnosis it is planned for."""
    visits = desk.worked.plan.follow_up
    if not visits:
        return Section("follow-up-all", "Follow-up", (_no_visits(),), letter="L")
    entities = dict.fromkeys(visit.entity for visit in visits)
    blocks = [_for_entity(desk, e, _visits_table(desk, e, [v for v in visits if v.entity == e])) for e in entities]
    if not any(visit.date for visit in visits):
        blocks.append(Paragraph(say(quiet("Without dates: the record gives no date of diagnosis (diagnosed_on)."))))
    return Section("follow-up-all", "Follow-up", tuple(blocks), letter="L")


def _visits_table(desk: Desk, entity: str, visits: list[Visit]) -> Table:
    dated = any(visit.date for visit in visits)
    rows = tuple(
        (
            say(_months(group)),
            *((say(", ".join(v.date.isoformat() for v in group if v.date) or quiet("no date")),) if dated else ()),
            say(w.stop(w.sentence_case(what)), desk.cite(sources)),
        )
        for (what, sources), group in _grouped(visits).items()
    )
    date = (Column("Dates", share=4),) if dated else ()
    named = f" as {desk.name(entity)}" if entity else ""
    columns = (Column("Months after diagnosis", share=4), *date, Column("What", share=9))
    return Table(f"Visits{named}", columns, rows)


def tests(desk: Desk) -> Section:
    """Laboratory and imaging tests, the missing ones first."""
    order = list(_STATUS)
    pairs = sorted(enumerate(desk.worked.plan.tests), key=lambda pair: order.index(pair[1].status))
    if not pairs:
        none = missing("No test was judged: it takes a diagnosis.")
        return Section("tests", "Laboratory and imaging tests", (none,), letter="J")
    rows = tuple(_test_row(desk, index, test) for index, test in pairs)
    columns = (
        Column("Test", share=4),
        Column("Status", share=3),
        Column("What it says", share=9),
        Column("Sensitivity / specificity", "right", share=4),
        Column("Probability before, after + / −", "right", share=4),
    )
    return Section("tests", "Laboratory and imaging tests", (Table("Tests", columns, rows),), letter="J")


def _test_row(desk: Desk, index: int, test: TestAdvice) -> tuple[Runs, ...]:
    path = f"plan.tests.{index}"
    performance = _pair(
        path, (("sensitivity_percent", test.sensitivity_percent), ("specificity_percent", test.specificity_percent))
    )
    if test.n is not None and performance:
        performance = say(performance, quiet(f" (n {w.number(test.n)})"))
    return (
        say(strong(test.test), quiet(f" {w.stop(w.sentence_case(test.question))}") if test.question else None),
        say(Tag(*_STATUS[test.status])),
        say(w.stop(test.sentence), desk.cite(test.sources)),
        performance or say(quiet("not stated")),
        _odds(path, test) or say(quiet("not stated")),
    )


def _pair(path: str, values: tuple[tuple[str, float | None], ...]) -> Runs:
    if all(value is None for _, value in values):
        return ()
    runs: Runs = ()
    for name, value in values:
        shown = figure(w.percent(value), value, f"{path}.{name}") if value is not None else quiet("not stated")
        runs = say(runs, " / " if runs else None, shown)
    return runs


def _odds(path: str, test: TestAdvice) -> Runs:
    if test.pre_test is None:
        return ()
    runs = say(figure(w.share(test.pre_test), test.pre_test, f"{path}.pre_test"))
    for name, value in (
        ("post_test_if_positive", test.post_test_if_positive),
        ("post_test_if_negative", test.post_test_if_negative),
    ):
        shown = figure(w.share(value), value, f"{path}.{name}") if value is not None else quiet("not stated")
        runs = say(runs, ", " if name.endswith("positive") else " / ", shown)
    return runs


def codes(desk: Desk) -> Section:
    """Codes of outside terminologies."""
    if not desk.worked.plan.codes:
        none = missing("No code was assigned: it takes a diagnosis or a site that a terminology names.")
        return Section("codes", "Codes", (none,), letter="M")
    rows = tuple(
        (say(code.system), say(strong(code.code)), say(code.display), say(code.path or quiet("the case")))
        for code in desk.worked.plan.codes
    )
    columns = (Column("System", share=3), Column("Code", share=4), Column("Meaning", share=5), Column("For", share=3))
    return Section("codes", "Codes", (Table("Codes", columns, rows),), letter="M")
