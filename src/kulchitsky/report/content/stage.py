"""Stage: every reading that applies, with what it would take to settle it."""

from __future__ import annotations

from kulchitsky.case.verdict import Category, StageReading
from kulchitsky.report import wording as w
from kulchitsky.report.blocks import Block, Break, Callout, Column, Items, Paragraph, Part, Runs, Section, Table, Tag
from kulchitsky.report.content.grade import UNDETERMINED, reason, reasons
from kulchitsky.report.desk import Desk, missing, quiet, say, strong


def first_page(desk: Desk) -> Section:
    """One item a reading; where authorities differ, each is shown."""
    verdict = desk.worked.stage
    if not verdict.readings:
        return Section("stage", "Stage", (_nothing(desk),))
    return Section("stage", "Stage", (Items(tuple(_item(reading) for reading in verdict.readings)),))


def annex(desk: Desk) -> Section:
    """Routing, and category by category the reasons of each reading."""
    verdict = desk.worked.stage
    blocks: list[Block] = []
    codes = [f"topography {verdict.topography}"] if verdict.topography else []
    codes += [f"morphology {verdict.morphology}"] if verdict.morphology else []
    if codes or verdict.routing:
        lead = [Paragraph(say(w.sentence_case(w.stop(w.listed(codes)))))] if codes else []
        routed = [reasons(desk, verdict.routing)] if verdict.routing else []
        blocks.append(Part("Which scheme applies", (*lead, *routed)))
    blocks += [Part(_title(reading), _argument(desk, reading)) for reading in verdict.readings]
    if not verdict.readings:
        blocks.append(_nothing(desk))
    blocks += [Callout("warn", say(w.stop(issue.message), " ", issue.remedy)) for issue in verdict.issues]
    return Section("stage-basis", "Stage: routing, categories, reasons", tuple(blocks), letter="G")


def _nothing(desk: Desk) -> Block:
    routing = desk.worked.stage.routing
    why = routing[0].sentence if routing else "no staging scheme was reached: it takes a diagnosis and a primary site"
    return missing(strong("Undetermined. "), w.stop(w.sentence_case(why)))


def _title(reading: StageReading) -> str:
    return f"{reading.authority}, {reading.scheme_name}, {reading.edition}"


def category(value: Category) -> str:
    """A category as written: ``pT4``, or ``pT undetermined``."""
    if value.value == UNDETERMINED:
        return f"{value.prefix}{value.name} undetermined"
    bare = value.value.removeprefix(value.prefix)
    return f"{value.prefix}{bare if bare.startswith(value.name) else value.name + bare}"


def _stage(stage: str) -> Tag:
    return Tag(w.sentence_case(w.words(stage)), "warn" if stage == UNDETERMINED else "plain")


def _item(reading: StageReading) -> Runs:
    gaps = list(dict.fromkeys([*reading.missing, *(gap for c in reading.categories for gap in c.missing)]))
    categories = ", ".join(category(c) for c in reading.categories)
    still = [stage for stage in reading.possible if len(reading.possible) > 1 or stage != reading.stage]
    return say(
        strong(f"{reading.authority}: "),
        f"{reading.scheme_name}, ",
        quiet(f"{reading.edition}. "),
        f"{categories} " if categories else None,
        _stage(reading.stage),
        f", still open: {w.listed(still, last='or')}" if still else None,
        ".",
        quiet(f" Missing: {'; '.join(gaps)}.") if gaps else None,
    )


def _argument(desk: Desk, reading: StageReading) -> tuple[Block, ...]:
    rows = tuple(
        (
            say(strong(category(c))),
            tuple(run for index, step in enumerate(c.reasons) for run in _spaced(index, reason(desk, step))),
            say("; ".join(c.missing) or quiet("nothing")),
        )
        for c in reading.categories
    )
    columns = (Column("Category", share=2), Column("Why", share=9), Column("Missing", share=4))
    blocks: list[Block] = [Paragraph(say("Stage: ", _stage(reading.stage)))]
    if rows:
        blocks.append(Table(f"Categories, {_title(reading)}", columns, rows))
    if reading.reasons:
        blocks.append(reasons(desk, reading.reasons))
    return tuple(blocks)


def _spaced(index: int, runs: Runs) -> Runs:
    return say(Break(), runs) if index else runs
