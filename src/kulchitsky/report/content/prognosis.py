"""Prognosis figures with their populations, and the claims of the case's own text checked against them."""

from __future__ import annotations

from kulchitsky.case.verdict import ClaimCheck, PrognosisFigure
from kulchitsky.report import wording as w
from kulchitsky.report.blocks import (
    Bar,
    Bars,
    Block,
    Break,
    Callout,
    Column,
    Items,
    Paragraph,
    Runs,
    Section,
    Table,
    Tag,
    Tone,
)
from kulchitsky.report.desk import Desk, figure, missing, quiet, say, strong

ON_FIRST_PAGE = 5
REFUTED_ON_FIRST_PAGE = 2

_COLUMNS = (
    Column("Endpoint", share=5),
    Column("Figure", "right", share=4),
    Column("Population", share=9),
    Column("n", "right", share=2),
)

_CLAIM_TAGS: dict[str, tuple[str, Tone]] = {
    "supported": ("supported", "good"),
    "contradicted": ("contradicted", "bad"),
    "not_supported": ("not supported", "warn"),
    "cannot_be_checked": ("cannot be checked", "quiet"),
}


def first_page(desk: Desk) -> Section:
    """The figures for the leading diagnosis that fit best."""
    figures = desk.worked.plan.prognosis.figures
    fitting = [(index, item) for index, item in enumerate(figures) if desk.of_leading(item.entity)]
    if not fitting:
        return Section("prognosis", "Prognosis", (_nothing(),))
    shown = fitting[:ON_FIRST_PAGE]
    refuted = [c for c in desk.worked.plan.prognosis.claims if c.verdict == "contradicted"][:REFUTED_ON_FIRST_PAGE]
    items = [_item(desk, index, item) for index, item in shown] + [_refuted(desk, check) for check in refuted]
    blocks: list[Block] = [Items(tuple(items))]
    if len(shown) < len(figures):
        blocks.append(Paragraph(say(quiet("Further figures, and why each applies, in annex H."))))
    return Section("prognosis", "Prognosis", tuple(blocks))


def _refuted(desk: Desk, check: ClaimCheck) -> Runs:
    tag = Tag(*_CLAIM_TAGS[check.verdict])
    return say(tag, f" The record says: “{check.claim}”. ", w.stop(check.sentence), desk.cite(check.sources))


def _item(desk: Desk, index: int, item: PrognosisFigure) -> Runs:
    path = f"plan.prognosis.figures.{index}"
    size = say(", n\N{NO-BREAK SPACE}", figure(w.number(item.n), item.n, f"{path}.n")) if item.n is not None else None
    return say(
        strong(f"{_endpoint(item)}: "), _value(path, item), f". {item.population}", size, ".", desk.cite(item.sources)
    )


def annex(desk: Desk) -> Section:
    """Every figure, and why it fits."""
    prognosis = desk.worked.plan.prognosis
    columns = (*_COLUMNS, Column("Why it applies", share=6))
    rows = tuple(
        (*_row(desk, index, item), say(w.stop(item.fits) or quiet("not stated")))
        for index, item in enumerate(prognosis.figures)
    )
    blocks: list[Block] = _drawn(prognosis.figures)
    blocks += [Table("Published figures, each for its own population", columns, rows)] if rows else [_nothing()]
    blocks += [Callout("warn", say(w.stop(issue.message), " ", issue.remedy)) for issue in prognosis.issues]
    return Section("prognosis-figures", "Prognosis figures", tuple(blocks), letter="H")


def _drawn(figures: tuple[PrognosisFigure, ...]) -> list[Block]:
    """The figures that are percentages, on one scale."""
    bars = tuple(
        Bar(
            label=say(_endpoint(item), Break(), quiet(item.population)),
            value=item.percent / 100,
            interval=(item.interval_95[0] / 100, item.interval_95[1] / 100) if item.interval_95 else None,
            figures=_value(f"plan.prognosis.figures.{index}", item),
            spoken=f"{_endpoint(item)}: {w.percent(item.percent)}",
        )
        for index, item in enumerate(figures)
        if item.percent is not None
    )
    caption = "Each for its own population and endpoint: not to be compared across endpoints"
    return [Bars(caption, "Endpoint and population", bars, of="Figure")] if bars else []


def claims(desk: Desk) -> Section:
    """What the case's own text claims, beside the sourced figures."""
    checks = desk.worked.plan.prognosis.claims
    if not checks:
        none = missing("The record makes no general claim (a quoted survival, a quoted sensitivity) to check.")
        return Section("claims", "Claims checked", (none,), letter="I")
    rows = tuple(_claim_row(desk, check) for check in checks)
    columns = (Column("Claim of the record", share=6), Column("Verdict", share=3), Column("Sourced", share=10))
    return Section("claims", "Claims checked", (Table("Claims of the record", columns, rows),), letter="I")


def _nothing() -> Block:
    return missing(
        strong("Undetermined. "),
        "No published figure fits: it takes a diagnosis with a stage or a grade.",
    )


def _row(desk: Desk, index: int, item: PrognosisFigure) -> tuple[Runs, ...]:
    path = f"plan.prognosis.figures.{index}"
    size = figure(w.number(item.n), item.n, f"{path}.n") if item.n is not None else quiet("not stated")
    return (
        say(_endpoint(item)),
        _value(path, item),
        say(w.stop(item.population), desk.cite(item.sources)),
        say(size),
    )


def _endpoint(item: PrognosisFigure) -> str:
    at = f" at {w.number(item.years)} {'year' if item.years == 1 else 'years'}" if item.years is not None else ""
    return f"{w.sentence_case(w.words(item.endpoint))}{at}"


def _value(path: str, item: PrognosisFigure) -> Runs:
    interval = (
        f" (95 % {w.number(item.interval_95[0])} to {w.number(item.interval_95[1])})" if item.interval_95 else ""
    )
    shown: list[Runs] = []
    if item.percent is not None:
        shown.append(say(figure(w.percent(item.percent), item.percent, f"{path}.percent")))
    if item.median_months is not None:
        months = figure(w.number(item.median_months), item.median_months, f"{path}.median_months")
        shown.append(say("median ", months, " months"))
    if item.hazard_ratio is not None:
        shown.append(
            say("hazard ratio ", figure(w.number(item.hazard_ratio), item.hazard_ratio, f"{path}.hazard_ratio"))
        )
    if not shown:
        return say(quiet("see source"))
    runs = shown[0]
    for more in shown[1:]:
        runs = say(runs, ", ", more)
    return say(runs, quiet(interval))


def _claim_row(desk: Desk, check: ClaimCheck) -> tuple[Runs, ...]:
    text, tone = _CLAIM_TAGS[check.verdict]
    return say(f"“{check.claim}”"), say(Tag(text, tone)), say(w.stop(check.sentence), desk.cite(check.sources))
