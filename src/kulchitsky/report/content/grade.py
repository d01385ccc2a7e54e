"""Grade with its probabilities, what it rests on and what would change it."""

from __future__ import annotations

from kulchitsky.case.verdict import GradeVerdict, Reason
from kulchitsky.report import wording as w
from kulchitsky.report.blocks import Bar, Bars, Block, Callout, Items, Paragraph, Part, Runs, Section, Tag
from kulchitsky.report.desk import Desk, figure, missing, quiet, say, strong

UNDETERMINED = "undetermined"


def first_page(desk: Desk) -> Section:
    """The grade under each system that applies."""
    blocks: list[Block] = []
    for index, verdict in enumerate(desk.worked.grade):
        blocks += _verdict(desk, index, verdict)
    return Section("grade", "Grade", tuple(blocks) or (_nothing(),))


def annex(desk: Desk) -> Section:
    """The whole argument for the grade."""
    parts = tuple(
        Part(f"{verdict.system} ({verdict.edition})", _argument(desk, verdict)) for verdict in desk.worked.grade
    )
    return Section("grade-basis", "Grade: basis and what would change it", parts or (_nothing(),), letter="F")


def _nothing() -> Block:
    return missing(
        strong("Undetermined. "),
        "No grading system could be applied: it takes a diagnosis, a site, and a Ki-67 index or mitoses per 2 mm².",
    )


def grade_tag(grade: str) -> Tag:
    """The grade as a tag."""
    return Tag(w.sentence_case(w.words(grade)), "warn" if grade == UNDETERMINED else "plain")


def _verdict(desk: Desk, index: int, verdict: GradeVerdict) -> list[Block]:
    blocks: list[Block] = [
        Paragraph(say(grade_tag(verdict.grade), " ", strong(verdict.system), quiet(f" {verdict.edition}")))
    ]
    if verdict.probabilities:
        blocks.append(_bars(f"grade.{index}.probabilities", verdict.probabilities, "Probability of each grade"))
    if verdict.differentiation:
        caption = "Well-differentiated NET G3 against NEC"
        blocks.append(_bars(f"grade.{index}.differentiation", verdict.differentiation, caption))
    if verdict.basis:
        first = verdict.basis[0]
        blocks.append(Paragraph(say(w.stop(first.sentence), desk.cite(first.sources))))
    if verdict.grade == UNDETERMINED and verdict.would_change:
        blocks.append(missing(w.stop(verdict.would_change[0].sentence), desk.cite(verdict.would_change[0].sources)))
    return blocks


def _bars(path: str, probabilities: dict[str, float], caption: str) -> Bars:
    bars = tuple(
        Bar(
            label=say(w.words(name)),
            value=probability,
            interval=None,
            figures=say(figure(w.share(probability), probability, f"{path}.{name}")),
            spoken=f"{w.words(name)}: {w.share(probability)}",
            strong=probability == max(probabilities.values()),
        )
        for name, probability in probabilities.items()
    )
    return Bars(caption, "Grade", bars)


def _argument(desk: Desk, verdict: GradeVerdict) -> tuple[Block, ...]:
    blocks: list[Block] = [Paragraph(say(grade_tag(verdict.grade)))]
    if verdict.decided_by:
        blocks.append(Paragraph(say("Decided by: ", w.stop(w.words(verdict.decided_by)))))
    if verdict.basis:
        blocks.append(Part("Basis", (reasons(desk, verdict.basis),)))
    if verdict.would_change:
        blocks.append(Part("What would change it", (reasons(desk, verdict.would_change),)))
    blocks += [Callout("warn", say(w.stop(issue.message), " ", issue.remedy)) for issue in verdict.issues]
    return tuple(blocks)


def reasons(desk: Desk, steps: tuple[Reason, ...]) -> Items:
    """An argument step by step."""
    return Items(tuple(reason(desk, step) for step in steps))


def reason(desk: Desk, step: Reason) -> Runs:
    """One step: the sentence, the rule it applies, its sources."""
    rule = quiet(f" Rule {step.rule}.") if step.rule else None
    return say(w.stop(step.sentence), rule, desk.cite(step.sources))
