"""What in the case contradicts the working diagnosis."""

from __future__ import annotations

from kulchitsky.case.verdict import Challenge, Contradiction
from kulchitsky.report import wording as w
from kulchitsky.report.blocks import Block, Items, Paragraph, Runs, Section
from kulchitsky.report.content.diagnosis import finding_name
from kulchitsky.report.desk import Desk, figure, missing, quiet, say, strong

ON_FIRST_PAGE = 5

KIND_WORDS = {
    "improbable_finding": "improbable finding",
    "missing_test": "missing test",
    "rule": "rule",
    "claim": "claim",
}


def first_page(desk: Desk) -> Section:
    """The strongest contradictions."""
    title = "What contradicts the working diagnosis"
    challenge = desk.worked.challenge
    if challenge is None or not challenge.contradictions:
        return Section("contradictions", title, (_nothing(challenge),))
    shown = challenge.contradictions[:ON_FIRST_PAGE]
    blocks: list[Block] = [Items(tuple(_short(desk, index, c) for index, c in enumerate(shown)), ordered=True)]
    rest = len(challenge.contradictions[ON_FIRST_PAGE:])
    if rest:
        blocks.append(Paragraph(say(quiet(f"{rest} more in annex E."))))
    only_missing = all(c.kind == "missing_test" for c in shown)
    title = f"What {challenge.name} still lacks" if only_missing else f"What contradicts {challenge.name}"
    return Section("contradictions", title, tuple(blocks))


def annex(desk: Desk) -> Section:
    """Every contradiction, strongest first."""
    challenge = desk.worked.challenge
    title = "Challenge of the working diagnosis"
    if challenge is None or not challenge.contradictions:
        return Section("challenge", title, (_nothing(challenge),), letter="E")
    lead = say("Working diagnosis: ", strong(challenge.name), ".")
    if challenge.posterior is not None:
        lead = say(
            lead,
            " Probability after the findings: ",
            figure(w.share(challenge.posterior), challenge.posterior, "challenge.posterior"),
            ".",
        )
    items = tuple(_item(desk, index, c) for index, c in enumerate(challenge.contradictions))
    return Section("challenge", title, (Paragraph(lead), Items(items, ordered=True)), letter="E")


def _nothing(challenge: Challenge | None) -> Block:
    if challenge is None:
        return missing("No working diagnosis was given, so none was challenged: name one under working_diagnosis.")
    return missing(f"Nothing in the record contradicts {challenge.name}. That is no proof: see what was not tested.")


def _short(desk: Desk, index: int, contradiction: Contradiction) -> Runs:
    """An improbable finding in one line; anything else in its own sentence."""
    if contradiction.kind != "improbable_finding" or contradiction.probability is None:
        return say(w.sentence_case(w.stop(contradiction.sentence)), desk.cite(contradiction.sources))
    better = contradiction.better_explained_by
    return say(
        strong(w.sentence_case(finding_name(desk, contradiction.finding))),
        ": ",
        _expected(index, contradiction),
        f"; better explained by {desk.name(better)}." if better else ".",
        desk.cite(contradiction.sources),
    )


def _expected(index: int, contradiction: Contradiction) -> Runs:
    assert contradiction.probability is not None
    shown = w.share(contradiction.probability)
    interval = f" (95 % {w.share_interval(contradiction.interval_95)})" if contradiction.interval_95 else ""
    path = f"challenge.contradictions.{index}.probability"
    return say("expected in ", figure(shown, contradiction.probability, path), " of them", quiet(interval))


def _item(desk: Desk, index: int, contradiction: Contradiction) -> Runs:
    runs = say(strong(f"{w.sentence_case(KIND_WORDS[contradiction.kind])}. "))
    runs = say(runs, w.sentence_case(w.stop(contradiction.sentence)))
    if contradiction.probability is not None:
        runs = say(runs, " ", quiet("In figures: "), _expected(index, contradiction), ".")
    if contradiction.better_explained_by:
        runs = say(runs, f" Better explained by {desk.name(contradiction.better_explained_by)}.")
    return say(runs, desk.cite(contradiction.sources))
