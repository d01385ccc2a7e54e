"""The ranked diagnoses, the weights behind them in LIRICAL's manner, and the stains worth ordering next."""

from __future__ import annotations

import re

from kulchitsky.case.verdict import Diagnosis, NextTest, Weight
from kulchitsky.report import wording as w
from kulchitsky.report.blocks import (
    Bar,
    Bars,
    Block,
    Callout,
    Fold,
    Items,
    Paragraph,
    Part,
    Runs,
    Section,
    WeightBar,
    Weights,
)
from kulchitsky.report.desk import Desk, figure, missing, quiet, say, strong

RANKED_ON_FIRST_PAGE = 6
REASONS_ON_FIRST_PAGE = 4
OPEN_AT_LEAST, OPEN_AT_MOST = 2, 5
OPEN_POSTERIOR = 0.01
"""Below it a diagnosis is folded away: a choice of display, not a medical cut-off."""
SMALL_WEIGHT = 0.05
"""Findings with a smaller |log10 LR| are folded away: a choice of display."""
TESTS_ON_FIRST_PAGE = 3
NO_PREMISE = ("narrative.no_tumour", "narrative.nothing_read")
"""Issues of a report without a tumour: the first page then shows no ranking (annex D has it)."""
OUTSIDE = "narrative.outside_the_list"
_NO_STAIN = "None: no stain that has not been done would change the differential noticeably."

_ID = re.compile(r"[a-z][a-z0-9_.]*")

BASIS_WORDS = {
    "counts": "not stated",
    "density": "distribution",
    "family": "from its family",
    "default": "no study",
}


def ranked(desk: Desk) -> Section:
    """The first diagnoses as bars with intervals, and the share left for none of them."""
    diagnoses = desk.worked.differential.diagnoses
    premise = _premise(desk)
    if any(issue.code in NO_PREMISE for issue in desk.worked.issues):
        return Section("diagnosis", "Diagnosis", premise, wide=True)
    if not diagnoses:
        return Section("diagnosis", "Diagnosis", (_nothing_weighed(),), wide=True)
    shown = diagnoses[:RANKED_ON_FIRST_PAGE]
    bars = tuple(_bar(index, diagnosis) for index, diagnosis in enumerate(shown))
    rest = f"{len(diagnoses)} diagnoses weighed" if len(diagnoses) > len(shown) else "every diagnosis weighed"
    caption = f"Ranked by probability after the findings, with 95 % interval; {rest}, all in annex D."
    blocks: list[Block] = [*premise, Bars(caption, "Diagnosis", (*bars, _none_bar(desk)))]
    working = desk.worked.case.working_diagnosis
    if working is not None and (working.text or working.entity):
        given = working.text or desk.name(working.entity or "")
        blocks.append(Paragraph(say("Submitted as: ", strong(given), ".")))
    blocks += _reasons(desk, diagnoses[0])
    return Section("diagnosis", "Diagnosis", tuple(blocks), wide=True)


def _premise(desk: Desk) -> tuple[Block, ...]:
    """What says that the list answers a question that the report does not ask, before the list itself."""
    told = [issue for issue in desk.worked.issues if issue.code in (*NO_PREMISE, OUTSIDE)]
    return tuple(
        Callout(
            "bad", say(strong(w.stop(w.sentence_case(issue.message))), " ", w.stop(w.sentence_case(issue.remedy)))
        )
        for issue in told
    )


def _reasons(desk: Desk, diagnosis: Diagnosis) -> list[Block]:
    """What speaks most for and against the leading diagnosis."""
    own = [
        (i, weight) for i, weight in enumerate(desk.worked.differential.weights) if weight.entity == diagnosis.entity
    ]
    own.sort(key=lambda pair: -abs(pair[1].log10_lr))
    lines: list[Runs] = []
    for title, chosen in (
        ("For", [pair for pair in own if pair[1].log10_lr > 0]),
        ("Against", [pair for pair in own if pair[1].log10_lr < 0]),
    ):
        runs = say(strong(f"{title} {diagnosis.name}: "))
        for position, (index, weight) in enumerate(chosen[:REASONS_ON_FIRST_PAGE]):
            shown = figure(w.log_ratio(weight.log10_lr), weight.log10_lr, f"differential.weights.{index}.log10_lr")
            runs = say(runs, "; " if position else None, finding_name(desk, weight.finding), " ", shown)
            runs = say(runs, desk.cite(weight.sources))
        lines.append(say(runs, "." if chosen else quiet("nothing recorded.")))
    note = quiet("Numbers: base-10 logarithm of the likelihood ratio.")
    return [Items((*lines[:1], say(*lines[1:], " ", note)))] if own else []


def finding_name(desk: Desk, finding: str) -> str:
    """A finding in words; a label stays as it is, a dotted id is named part by part."""
    if not _ID.fullmatch(finding):
        return finding
    return desk.worked.names.get(finding) or " ".join(desk.name(part) for part in finding.split("."))


def _nothing_weighed() -> Block:
    state = "No diagnosis was ranked: the record holds no finding that the knowledge base can weigh."
    return missing(strong("Undetermined. "), state, " Add markers, morphology and the site of the lesion.")


def _bar(index: int, diagnosis: Diagnosis) -> Bar:
    path = f"differential.diagnoses.{index}"
    low, high = w.share_interval(diagnosis.interval_95).split(w.EN_DASH)
    return Bar(
        label=say(diagnosis.name),
        value=diagnosis.posterior,
        interval=diagnosis.interval_95,
        figures=say(
            figure(w.share(diagnosis.posterior), diagnosis.posterior, f"{path}.posterior"),
            quiet(f" ({w.share_interval(diagnosis.interval_95)})"),
        ),
        spoken=f"{diagnosis.name}: {w.share(diagnosis.posterior)}, 95 % interval {low} to {high}",
        strong=index == 0,
    )


def _none_bar(desk: Desk) -> Bar:
    value = desk.worked.differential.none_of_these
    return Bar(
        label=say(quiet("None of these")),
        value=value,
        interval=None,
        figures=say(figure(w.share(value), value, "differential.none_of_these")),
        spoken=f"None of these: {w.share(value)}",
    )


def next_stain(desk: Desk) -> Section:
    """The stains worth ordering, best first."""
    tests = desk.worked.differential.next_tests
    if not tests:
        return Section("next-stain", "Next stain", (missing(_NO_STAIN),))
    items = tuple(_next_item(desk, index, test) for index, test in enumerate(tests[:TESTS_ON_FIRST_PAGE]))
    return Section("next-stain", "Next stain", (Items(items, ordered=True),))


def _next_item(desk: Desk, index: int, test: NextTest) -> Runs:
    path = f"differential.next_tests.{index}"
    change = figure(w.share(test.p_change_top), test.p_change_top, f"{path}.p_change_top")
    return say(
        strong(w.sentence_case(_set_of(desk, test))),
        ": separates " if test.separates else ": ",
        f"{desk.names(test.separates, last='from')}; " if test.separates else None,
        figure(f"{test.expected_bits:.2f}", test.expected_bits, f"{path}.expected_bits"),
        " bits expected; changes the leading diagnosis with probability ",
        change,
        ".",
        desk.cite(test.sources),
    )


def _set_of(desk: Desk, test: NextTest) -> str:
    return w.listed([desk.name(marker) for marker in test.markers], last="with")


def _next_part(desk: Desk) -> Part:
    """Every priced stain with the sentence that says what it is for."""
    tests = desk.worked.differential.next_tests
    if not tests:
        return Part(
            "Stains worth ordering next",
            (missing(_NO_STAIN),),
        )
    items = tuple(
        say(
            strong(f"{w.sentence_case(_set_of(desk, test))}. "),
            w.sentence_case(w.stop(test.sentence or f"Separates {desk.names(test.separates, last='from')}")),
            f" Instead of it: {desk.names(test.alternatives, last='or')}." if test.alternatives else None,
            desk.cite(test.sources),
        )
        for test in tests
    )
    return Part("Stains worth ordering next", (Items(items, ordered=True),))


def differential(desk: Desk) -> Section:
    """Per diagnosis one bar per finding; the improbable rest is folded."""
    verdict = desk.worked.differential
    if not verdict.diagnoses:
        return Section("differential", "Differential diagnosis", (_nothing_weighed(),), letter="D")
    reach = max([abs(weight.log10_lr) for weight in verdict.weights] + [1.0])
    by_entity: dict[str, list[tuple[int, Weight]]] = {}
    for index, weight in enumerate(verdict.weights):
        by_entity.setdefault(weight.entity, []).append((index, weight))
    parts = tuple(
        _diagnosis_part(desk, index, diagnosis, by_entity.get(diagnosis.entity, []), reach)
        for index, diagnosis in enumerate(verdict.diagnoses)
    )
    probable = [diagnosis for diagnosis in verdict.diagnoses if diagnosis.posterior >= OPEN_POSTERIOR]
    opened = min(max(len(probable), OPEN_AT_LEAST), OPEN_AT_MOST)
    blocks: list[Block] = [Paragraph(say(_HOW_TO_READ)), *parts[:opened]]
    if parts[opened:]:
        names = w.listed([diagnosis.name for diagnosis in verdict.diagnoses[opened:]])
        blocks.append(Fold(f"{len(parts[opened:])} less probable diagnoses: {names}", parts[opened:]))
    blocks.append(_next_part(desk))
    return Section("differential", "Differential diagnosis, finding by finding", tuple(blocks), letter="D")


_HOW_TO_READ = (
    "Each bar is one finding. Its length is the base-10 logarithm of the likelihood ratio against the other "
    "diagnoses of the list: to the right it speaks for the diagnosis, to the left against it. Light lines stand a "
    "factor of ten apart; the dark line is the 95 % interval. Outlined bars rest on no study of that diagnosis. n/N "
    "are cases with the finding among cases examined. Findings of one group are weighed together, so that related "
    "stains count once."
)


def _diagnosis_part(
    desk: Desk, index: int, diagnosis: Diagnosis, weights: list[tuple[int, Weight]], reach: float
) -> Part:
    path = f"differential.diagnoses.{index}"
    line = Paragraph(
        say(
            "Before the findings ",
            figure(w.share(diagnosis.prior), diagnosis.prior, f"{path}.prior"),
            ", after them ",
            figure(w.share(diagnosis.posterior), diagnosis.posterior, f"{path}.posterior"),
            f" (95 % interval {w.share_interval(diagnosis.interval_95)}).",
        )
    )
    title = f"{index + 1}. {diagnosis.name}"
    if not weights:
        return Part(title, (line, missing("No finding of this case carries a weight for this diagnosis.")))
    weights = sorted(weights, key=lambda pair: -abs(pair[1].log10_lr))
    bars = [_weight_bar(desk, number, weight) for number, weight in weights]
    large = tuple(bar for bar in bars if abs(bar.log10_lr) >= SMALL_WEIGHT)
    small = tuple(bar for bar in bars if abs(bar.log10_lr) < SMALL_WEIGHT)
    blocks: list[Block] = [line]
    if large:
        blocks.append(Weights(f"Findings for and against {diagnosis.name}", large, reach))
    if small:
        count = f"{len(small)} {'finding hardly moves' if len(small) == 1 else 'findings hardly move'} the odds"
        limit = f"|log10 LR| below {w.number(SMALL_WEIGHT)}"
        table = Weights(f"Findings that hardly move the odds of {diagnosis.name}", small, reach)
        blocks.append(Fold(f"{count} of {diagnosis.name} ({limit})", (table,)))
    return Part(title, tuple(blocks))


def _weight_bar(desk: Desk, index: int, weight: Weight) -> WeightBar:
    direction = "for" if weight.log10_lr > 0 else "against" if weight.log10_lr < 0 else "neither for nor against"
    lr = w.log_ratio(weight.log10_lr)
    group = quiet(f" group: {desk.name(weight.group)}") if weight.group not in ("", weight.finding) else None
    return WeightBar(
        label=say(w.sentence_case(finding_name(desk, weight.finding)), group),
        log10_lr=weight.log10_lr,
        interval=weight.interval_95,
        figures=say(
            figure(lr, weight.log10_lr, f"differential.weights.{index}.log10_lr"),
            quiet(f" ({w.log_ratio_interval(weight.interval_95)})"),
        ),
        counts=_counts(weight),
        reason=say(
            w.stop(weight.sentence),
            desk.cite(weight.sources),
        ),
        basis=weight.kind,
        spoken=f"{finding_name(desk, weight.finding)}: {direction}, log10 likelihood ratio {lr}",
    )


def _counts(weight: Weight) -> Runs:
    if weight.n_positive is None or weight.n_tested is None:
        return say(quiet(BASIS_WORDS[weight.kind]))
    studies = f" in\N{NO-BREAK SPACE}{_studies(weight.studies)}" if weight.studies else ""
    return say(f"{w.number(weight.n_positive)}/{w.number(weight.n_tested)}", quiet(studies))


def _studies(number: int) -> str:
    return f"{number}\N{NO-BREAK SPACE}{'study' if number == 1 else 'studies'}"
