"""Issues and missing data, method and versions, references."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.vocabulary import State
from kulchitsky.report import wording as w
from kulchitsky.report.blocks import (
    Block,
    Callout,
    Column,
    Items,
    Pairs,
    Paragraph,
    Part,
    References,
    Runs,
    Section,
    Table,
    Tag,
    Tone,
)
from kulchitsky.report.desk import Desk, missing, quiet, say

SERIOUS_ON_FIRST_PAGE = 6

_LEVELS: dict[Level, Tone] = {Level.SERIOUS: "bad", Level.WARNING: "warn", Level.NOTE: "quiet"}


def all_issues(desk: Desk) -> list[Issue]:
    """Every issue of the case and its verdicts once, the serious first."""
    worked = desk.worked
    sources: list[Iterable[Issue]] = [
        worked.issues,
        worked.differential.issues,
        worked.challenge.issues if worked.challenge else (),
        *(verdict.issues for verdict in worked.grade),
        worked.stage.issues,
        worked.plan.issues,
        worked.plan.prognosis.issues,
        *(_placed(count.issues, count.slide) for count in worked.counts),
        *(_placed(reading.issues, reading.slide) for reading in worked.readings),
    ]
    issues = dict.fromkeys(issue for source in sources for issue in source)
    order = list(_LEVELS)
    return sorted(issues, key=lambda issue: order.index(issue.level))


def _placed(issues: Iterable[Issue], slide: str) -> Iterable[Issue]:
    return (i if i.path else i.model_copy(update={"path": w.file_name(slide)}) for i in issues)


def look_first(desk: Desk) -> Section:
    """The serious issues, on the first page."""
    serious = [issue for issue in all_issues(desk) if issue.level is not Level.NOTE]
    if not serious:
        return Section("look-first", "Look first", (Paragraph(say("No warning was raised on this record.")),))
    shown = tuple(
        say(w.stop(w.sentence_case(issue.message)), quiet(f" {w.stop(w.sentence_case(issue.remedy))}"))
        for issue in serious[:SERIOUS_ON_FIRST_PAGE]
    )
    blocks: list[Block] = [Items(shown)]
    rest = len(serious[SERIOUS_ON_FIRST_PAGE:])
    if rest:
        blocks.append(Paragraph(say(quiet(f"{rest} more in annex N."))))
    return Section("look-first", "Look first", tuple(blocks))


def issues(desk: Desk) -> Section:
    """Every issue, and what was not tested or not read."""
    found = all_issues(desk)
    blocks: list[Block] = []
    if found:
        rows = tuple(
            (
                say(Tag(issue.level.value, _LEVELS[issue.level])),
                say(w.stop(issue.message)),
                say(w.stop(issue.remedy) or quiet("none given")),
                say(issue.path or quiet("the whole case")),
            )
            for issue in found
        )
        columns = (
            Column("Level", share=2),
            Column("What", share=8),
            Column("What would settle it", share=6),
            Column("Where", share=4),
        )
        blocks.append(Table("Remarks on usable input", columns, rows))
    else:
        blocks.append(Paragraph(say("No remark was raised on this record.")))
    untested = [desk.name(m.marker) for m in desk.worked.case.markers if m.state is State.NOT_TESTED]
    text = f"Expressly not tested: {w.listed(untested)}." if untested else "The record names no stain as not tested."
    blocks.append(Part("Not tested", (Paragraph(say(text, quiet(" A stain the record does not name is unknown."))),)))
    if desk.worked.not_understood:
        skipped = tuple(say(f"“{item.text}”", quiet(f" {w.stop(item.why)}")) for item in desk.worked.not_understood)
        blocks.append(Part("Prose that looked like a fact and was not read", (Items(skipped),)))
    return Section("issues", "Issues and missing data", tuple(blocks), letter="N")


def versions(desk: Desk) -> Section:
    """Software, knowledge edition, checksums and parameters: enough to repeat the work."""
    stamp = desk.worked.versions
    pairs: list[tuple[str, Runs]] = [
        ("Software", say(f"kulchitsky {stamp.software.removeprefix('kulchitsky ')}")),
        ("Knowledge edition", say(stamp.knowledge_edition)),
        ("Differential edition", say(desk.worked.differential.edition)),
        ("SHA-256 of the case", say(stamp.case_sha256 or quiet("not recorded"))),
        (
            "Worked up",
            say(stamp.created.isoformat(sep=" ", timespec="minutes") if stamp.created else quiet("not recorded")),
        ),
    ]
    blocks: list[Block] = [Pairs(tuple(pairs), single=True)]
    for slide, method in [
        *((count.slide, count.method) for count in desk.worked.counts),
        *((reading.slide, reading.method) for reading in desk.worked.readings),
    ]:
        rows = tuple((key, say(value)) for key, value in _flat(method))
        body: Block = (
            Pairs(rows, single=True) if rows else missing("The count carries no method: it cannot be repeated.")
        )
        blocks.append(Part(w.file_name(slide), (body,)))
    blocks.append(Part("Intended use", (Callout("warn", say(w.INTENDED_USE)),)))
    return Section("method", "Method and versions", tuple(blocks), letter="P")


def _flat(method: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in method.items():
        name = f"{prefix}{w.words(str(key))}"
        if isinstance(value, dict):
            rows += _flat(value, f"{name}, ")
        elif isinstance(value, list | tuple):
            rows.append((name, ", ".join(_scalar(item) for item in value)))
        else:
            rows.append((name, _scalar(value)))
    return rows


def _scalar(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return w.number(value) if isinstance(value, int | float) else str(value)


def references(desk: Desk) -> Section:
    """The reference list; built last, when every citation has its number."""
    entries = desk.reference_list()
    if not entries:
        none = missing("Nothing was cited: no verdict was reached that needs a source.")
        return Section("references", "References", (none,), letter="O")
    return Section("references", "References", (References(entries),), letter="O")
