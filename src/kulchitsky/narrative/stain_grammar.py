"""Who is positive and who is negative: the scope of results over lists of stains, as data flow over items.

ConText-style rules (Chapman et al. 2001, Harkema et al. 2009) bound a trigger's scope by a window or a terminator;
lists of stains need more: a result reaches forward (``negative for A, B and C``, ``Negative: A; B``) or back
(``A, B and C were negative``), and parentheses, exceptions and ellipsis bend it. No item is visited more than a
constant number of times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kulchitsky.case.vocabulary import State
from kulchitsky.narrative.lexicon import load_data
from kulchitsky.narrative.stain_context import Active, Mark, Standing, Verdict
from kulchitsky.narrative.stain_gather import gather, respective, superseded
from kulchitsky.narrative.stain_items import Item, Kind, Qualifiers


@dataclass(slots=True)
class Scope(Standing):
    """Reads the items of one sentence from left to right; :meth:`read` gives the verdicts."""

    def read(self) -> list[Verdict]:
        """Verdicts of the sentence, in order of the stains."""
        self.items = gather(superseded(respective(self.items)))
        while self.at < len(self.items):
            item = self.items[self.at]
            self._on(item)
            self.at += 1
        self._flush()
        marks = sorted((*self.done, *self.run), key=lambda m: m.item.start)
        return [m.verdict for m in marks if m.verdict is not None]

    # what each kind of item does

    def _on(self, item: Item) -> None:
        plain = {
            Kind.SEMICOLON: self._on_semicolon,
            Kind.CONTRAST: self._on_contrast,
            Kind.EXCEPTION: self._on_exception,
            Kind.NEGATION: self._on_negation,
            Kind.MODAL: self._on_modal,
            Kind.COMMA: self._on_comma,
            Kind.AND: self._on_and,
            Kind.OPEN: self._on_open,
            Kind.CLOSE: self._on_close,
        }.get(item.kind)
        if plain is not None:
            plain()
        elif item.kind is Kind.MARK:
            self._on_mark(item)
        elif item.kind is Kind.RESULT:
            self._on_result(item)
        elif item.kind is Kind.SAME:
            self._on_same(item)
        else:
            self._on_other(item)

    def _on_mark(self, item: Item) -> None:
        beside = self.at > 0 and self.items[self.at - 1].kind is Kind.MARK
        mark = Mark(item, self.comma, self.and_, beside, self.excepting, self.negating, supposed=self.supposing)
        inside = self.depth and self.run and self._opens_after_result()
        if (
            self.active is not None
            and self._list_closed()
            and not self.depth
            and self.comma
            and not self.and_
            and not self.active.header
        ):
            self.active = None
        self.run.append(mark)
        if self.active is not None:
            mark.negated = self.negating and self.active.taken > 0
            self._assign(mark, self.active.result, tentative=True)
            self.active.taken += 1
            if self.active.single and not self._shares_with_next():
                self.active = None
        elif self.excepting and self.latest is not None and not self.pending[:-1]:
            self._assign(mark, self.latest, tentative=True)
        elif self.same and self.last is not None:
            state = State.ABSENT if self.same == "negative" else self.last.state
            mark.verdict = Verdict(item, state, Qualifiers(), self.last.cue)
        elif inside:
            # "keratin-positive (CAM 5.2)": the antibody in brackets shares the result before it
            former = self.run[-2] if len(self.run) > 1 else None
            if former is not None and former.verdict is not None and self._brackets_hold_one():
                mark.verdict = replace(former.verdict, mark=item)
                self.shared = mark.verdict if self._brackets_hold_stains() else None
        elif self.depth and self.shared is not None and (self.comma or self.and_):
            mark.verdict = replace(self.shared, mark=item)
        self.comma = self.and_ = False

    def _on_result(self, item: Item) -> None:
        if self._cuts_a_section(item):
            return
        if item.strength == "strong":
            self.latest = item
        if item.strength in ("weak", "seen", "report", "elliptic") and not self._asserts(item):
            return
        if self.depth and self.run and not self._stain_in_brackets():
            self._bracketed(item)
            return
        target, prep, header = self._right_of(self.at)
        pending = self.pending
        left_near = bool(self.run) and self._gap_is_small()
        if item.strength == "elliptic" and not (header and item.value == State.ABSENT):
            target = False
        if target and header and not (pending and left_near and self._joined_left()):
            self._open(item, header=True)
        elif target and prep == "direct":
            self._open(item, header=False)
        elif pending and left_near and target and _is_participle(item) and self._comma_before():
            # "a tumour with CD20, co-expressing CD5": the verb has its own object
            self._close(item, pending)
            self._open(item, header=False)
        elif pending and left_near:
            self._close(item, pending)
        elif target and (prep != "loose" or item.strength != "qualifier" or item.text.lower().endswith("ly")):
            if self.active is not None and item.strength == "qualifier" and self.active.taken:
                # "positive for A, focal B": the word belongs to B alone, the list goes on
                self._one_ahead(item)
            else:
                self._open(item, header=False, single=item.strength == "qualifier", bare=not prep)
        elif self.run and left_near and self.last is not None:
            self._amend(item)

    def _on_semicolon(self) -> None:
        self.supposing = self.excepting = self.negating = False
        self.latest = None
        self.same = ""
        bare = self._segment_is_bare()
        if self.active is not None and not self.active.header and not bare:
            self.active = None
        if self.active is None and self.pending and self._behind_is_bare():
            self.comma = True
            return
        self._flush()

    def _on_contrast(self) -> None:
        if self.depth == 0:
            self.active = None
            if self._between_commas():
                return  # "synaptophysin, on the other hand, was negative"
            self.supposing = self.negating = False
            self._flush()

    def _on_exception(self) -> None:
        self.excepting = True

    def _on_negation(self) -> None:
        item = self.items[self.at]
        if self.pending and item.text.lower() in ("not", "no") and self._ends_clause() and self._gap_is_small():
            # "... synaptophysin faintly, chromogranin not."
            self._close(replace(item, kind=Kind.RESULT, value=State.ABSENT.value, strength="elliptic"), self.pending)
            return
        self.negating = True

    def _on_modal(self) -> None:
        self.supposing = True

    def _on_same(self, item: Item) -> None:
        self.same = item.strength
        self._flush()

    def _on_comma(self) -> None:
        self.comma = True
        if self.negating and self._negates_something_else():
            self.negating = False
        follows = self.items[self.at + 1].kind if self.at + 1 < len(self.items) else None
        if follows not in (Kind.MARK, Kind.AND):
            self.excepting = False
            self.same = ""

    def _on_and(self) -> None:
        self.and_ = True

    def _on_open(self) -> None:
        self.depth += 1

    def _on_close(self) -> None:
        self.depth = max(0, self.depth - 1)
        self.shared = None

    def _on_other(self, item: Item) -> None:
        """An ordinary word: a verb or a relative ends a running list; a few nouns do not."""
        if self.active is None or self.depth or self.active.header:
            return
        if item.text.lower() in _LIST_ENDERS and self.active.taken:
            self.active = None

    # how results reach stains

    def _assign(self, mark: Mark, result: Item, *, tentative: bool) -> None:
        if result.value == "same" and self.last is not None:
            result = replace(result, value=self.last.state.value, strength="strong")
        state = _state_of(result)
        flips = mark.negated and result.strength != "report"
        if mark.negated and result.strength == "report":
            state = State.NOT_TESTED
        if mark.excepted:
            flips = not flips
        if _is_sign(result):
            flips = False  # "no necrosis, synaptophysin ++": a sign speaks for itself
        if flips:
            state = _FLIPPED.get(state, state)
        quals = result.qualifiers if state is not State.ABSENT or result.value == State.ABSENT else Qualifiers()
        bare = tentative and self.active is not None and self.active.bare
        supposed = self.supposing or mark.supposed or self._modal_next(result)
        supposed = supposed or ((bare or result.strength == "qualifier") and self._modal_ahead())
        mark.verdict = Verdict(mark.item, state, quals, result, hypothetical=supposed)
        mark.tentative = tentative
        self.last = mark.verdict

    def _open(self, item: Item, *, header: bool, single: bool = False, bare: bool = False) -> None:
        if self.pending or not header:
            self._flush()
        self.run = [] if not self.run else self.run
        self._flush()
        self.active = Active(item, header, single and not header, bare)
        self.negating = False

    def _one_ahead(self, item: Item) -> None:
        for i in range(self.at + 1, min(self.at + 6, len(self.items))):
            if self.items[i].kind is Kind.MARK and self.active is not None:
                joined = replace(self.active.result, qualifiers=item.qualifiers)
                if _state_of(self.active.result) is State.ABSENT:
                    joined = item
                self.items[i] = replace(self.items[i], qualifiers=item.qualifiers)
                mark = Mark(self.items[i], True, False)
                self._assign(mark, joined, tentative=True)
                self.run.append(mark)
                self.at = i
                self.comma = self.and_ = False
                return

    def _close(self, item: Item, marks: list[Mark]) -> None:
        relative = self._relative_before()
        for mark in marks:
            if relative and mark.excepted:
                mark.excepted = False
            self._assign(mark, item, tentative=False)
        self.active = None
        self.negating = self.excepting = False

    def _bracketed(self, item: Item) -> None:
        """A result in brackets: for the stains before it that have none yet, or else for the last one."""
        pending = self.pending
        if pending and item.value:
            for mark in pending:
                self._assign(mark, item, tentative=False)
        elif pending and pending[-1] is self.run[-1]:
            # "keratin, EMA, desmin (dot-like) and NSE stained": the brackets speak of the last stain alone
            self._assign(pending[-1], item, tentative=True)
        elif self.run:
            mark = self.run[-1]
            if mark.verdict is None:
                return
            if item.value and item.strength != "qualifier":
                self._assign(mark, item, tentative=False)
            else:
                self._qualify(mark, item)

    def _amend(self, item: Item) -> None:
        """A result after stains that a list before has already given one: ``Staining for A and B was negative``."""
        if not item.value or (item.strength in ("weak", "seen") and item.value == State.PRESENT):
            marks = self._since_comma() if self.active is not None else self._last_assigned()
            for mark in marks:
                self._qualify(mark, item)
            return
        if self.active is not None and self.active.result.strength in ("weak", "seen"):
            marks = list(self.run)
        elif self.active is not None or any(m.tentative for m in self.run):
            marks = self._since_comma()
        else:
            marks = []
        for mark in marks:
            unsaid = mark.verdict is not None and mark.verdict.state is State.NOT_TESTED
            if mark.tentative and not unsaid:
                self._assign(mark, item, tentative=False)
        if marks:
            self.active = self.active if self.active is not None and self.active.header else None
            self._flush()

    def _qualify(self, mark: Mark, item: Item) -> None:
        verdict = mark.verdict
        if verdict is None:
            return
        if verdict.state is State.ABSENT and item.qualifiers.values:
            if verdict.qualifiers or not mark.tentative:
                return
            mark.verdict = replace(verdict, state=State.PRESENT, qualifiers=item.qualifiers, cue=item)
            return
        if verdict.state is not State.NOT_TESTED:
            own = (
                item.qualifiers.merged(verdict.qualifiers)
                if self.depth
                else verdict.qualifiers.merged(item.qualifiers)
            )
            mark.verdict = replace(verdict, qualifiers=own)

    # the running list

    def _flush(self) -> None:
        self._share_brackets()
        self.done.extend(self.run)
        self.run = []
        self.comma = self.and_ = False

    def _share_brackets(self) -> None:
        """``synaptophysin, chromogranin (focal)`` and no result after it: all of the list stain."""
        ends = [
            n for n, m in enumerate(self.run) if m.tentative and m.verdict and m.verdict.cue.strength == "qualifier"
        ]
        if not ends or self.active is not None:
            return
        for mark in self.run[: ends[-1]]:
            told = self.run[ends[-1]].verdict
            if mark.verdict is None and told is not None and not told.hypothetical:
                mark.verdict = replace(told, mark=mark.item, qualifiers=Qualifiers())


_FLIPPED = {State.PRESENT: State.ABSENT, State.ABSENT: State.PRESENT}

_LIST_ENDERS = frozenset(load_data("spelling")["list_enders"])


def _is_participle(item: Item) -> bool:
    return item.strength == "strong" and item.text.lower().endswith("ing")


def _is_sign(result: Item) -> bool:
    return result.strength == "strong" and result.text[:1] in ("+", "-", "(", "1", "2", "3")


def _state_of(result: Item) -> State:
    if result.strength == "report":
        return State.NOT_TESTED
    return State(result.value) if result.value else State.PRESENT
