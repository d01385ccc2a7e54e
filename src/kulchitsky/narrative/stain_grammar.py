"""Who is positive and who is negative: the scope of results over lists of stains, as data flow over items.

ConText-style rules (Chapman et al. 2001, Harkema et al. 2009) bound a trigger's scope by a window or a terminator;
lists of stains need more: a result reaches forward (``negative for A, B and C``, ``Negative: A; B``) or back
(``A, B and C were negative``), and parentheses, exceptions and ellipsis bend it. No item is visited more than a
constant number of times.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from kulchitsky.case.vocabulary import State
from kulchitsky.narrative.lexicon import load_data
from kulchitsky.narrative.stain_gather import gather, respective
from kulchitsky.narrative.stain_items import PASSABLE, Item, Kind, Qualifiers

MAX_GAP = 9
"""Words that may stand between the last stain of a list and the result that follows."""

_SEPARATORS = (Kind.COMMA, Kind.AND, Kind.OPEN, Kind.CLOSE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a stain was said to show, with the places of its name and of the words that say so."""

    mark: Item
    state: State
    qualifiers: Qualifiers
    cue: Item
    hypothetical: bool = False


@dataclass(slots=True)
class _Mark:
    item: Item
    comma_before: bool
    and_before: bool
    juxtaposed: bool = False
    excepted: bool = False
    negated: bool = False
    verdict: Verdict | None = None
    tentative: bool = False
    supposed: bool = False


@dataclass(slots=True)
class _Active:
    """A result whose list is still running."""

    result: Item
    header: bool
    single: bool
    taken: int = 0


@dataclass(slots=True)
class Scope:
    """Reads the items of one sentence from left to right; ``verdicts`` are its outcome."""

    items: list[Item]
    at: int = 0
    run: list[_Mark] = field(default_factory=list)
    done: list[_Mark] = field(default_factory=list)
    active: _Active | None = None
    last: Verdict | None = None
    latest: Item | None = None
    """The last result word of the clause, whether or not it found a stain (``all stains were positive except"
    " ...``)."""
    same: str = ""
    excepting: bool = False
    negating: bool = False
    supposing: bool = False
    comma: bool = False
    and_: bool = False
    depth: int = 0

    def read(self) -> list[Verdict]:
        """Verdicts of the sentence, in order of the stains."""
        self.items = gather(respective(self.items))
        while self.at < len(self.items):
            item = self.items[self.at]
            self._on(item)
            self.at += 1
        self._flush()
        marks = sorted((*self.done, *self.run), key=lambda m: m.item.start)
        return [m.verdict for m in marks if m.verdict is not None]

    @property
    def pending(self) -> list[_Mark]:
        """Stains of the running list that have no result yet."""
        return [m for m in self.run if m.verdict is None]

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
        mark = _Mark(item, self.comma, self.and_, beside, self.excepting, self.negating, supposed=self.supposing)
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
            if self.active.single:
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
                self._open(item, header=False, single=item.strength == "qualifier")
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

    def _on_other(self, item: Item) -> None:
        """An ordinary word: a verb or a relative ends a running list; a few nouns do not."""
        if self.active is None or self.depth or self.active.header:
            return
        if item.text.lower() in _LIST_ENDERS and self.active.taken:
            self.active = None

    # how results reach stains

    def _assign(self, mark: _Mark, result: Item, *, tentative: bool) -> None:
        if result.value == "same" and self.last is not None:
            result = replace(result, value=self.last.state.value, strength="strong")
        state = _state_of(result)
        flips = mark.negated and result.strength != "report"
        if mark.negated and result.strength == "report":
            state = State.NOT_TESTED
        if mark.excepted:
            flips = not flips
        if flips:
            state = _FLIPPED.get(state, state)
        quals = result.qualifiers if state is not State.ABSENT or result.value == State.ABSENT else Qualifiers()
        supposed = self.supposing or mark.supposed or (result.strength == "qualifier" and self._modal_ahead())
        mark.verdict = Verdict(mark.item, state, quals, result, hypothetical=supposed)
        mark.tentative = tentative
        self.last = mark.verdict

    def _open(self, item: Item, *, header: bool, single: bool = False) -> None:
        if self.pending or not header:
            self._flush()
        self.run = [] if not self.run else self.run
        self._flush()
        self.active = _Active(item, header, single and not header)
        self.negating = False

    def _one_ahead(self, item: Item) -> None:
        for i in range(self.at + 1, min(self.at + 6, len(self.items))):
            if self.items[i].kind is Kind.MARK and self.active is not None:
                joined = replace(self.active.result, qualifiers=item.qualifiers)
                if _state_of(self.active.result) is State.ABSENT:
                    joined = item
                self.items[i] = replace(self.items[i], qualifiers=item.qualifiers)
                mark = _Mark(self.items[i], True, False)
                self._assign(mark, joined, tentative=True)
                self.run.append(mark)
                self.at = i
                self.comma = self.and_ = False
                return

    def _close(self, item: Item, marks: list[_Mark]) -> None:
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
            if mark.tentative:
                self._assign(mark, item, tentative=False)
        if marks:
            self.active = self.active if self.active is not None and self.active.header else None
            self._flush()

    def _qualify(self, mark: _Mark, item: Item) -> None:
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

    # where things stand

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

    def _since_comma(self) -> list[_Mark]:
        marks: list[_Mark] = []
        # two names without a sign between them: a full stop was lost, the second begins a list of its own
        fresh = [i for i, mark in enumerate(self.run) if mark.juxtaposed]
        if fresh:
            return self.run[fresh[-1] :]
        for mark in reversed(self.run):
            marks.append(mark)
            if mark.comma_before and not mark.and_before:
                break
        return marks

    def _last_assigned(self) -> list[_Mark]:
        cue = self.last.cue if self.last is not None else None
        return [m for m in self.run if m.verdict is not None and m.verdict.cue is cue]

    def _list_closed(self) -> bool:
        return len(self.run) > 1 and self.run[-1].and_before

    def _right_of(self, at: int) -> tuple[bool, str, bool]:
        """Whether a stain follows closely: (follows, kind of preposition on the way, after a colon or dash)."""
        prep, header = "", False
        for i in range(at + 1, min(at + 14, len(self.items))):
            item = self.items[i]
            if item.kind is Kind.MARK:
                return True, prep, header
            if item.kind in (Kind.PREP_DIRECT, Kind.PREP_LOOSE):
                prep = prep if prep == "direct" else "direct" if item.kind is Kind.PREP_DIRECT else "loose"
            elif item.kind in (Kind.COLON, Kind.DASH) and not header:
                header = True
            elif (
                (item.kind is Kind.OPEN and not header and not prep and self._qualifier_brackets(i))
                or item.kind is Kind.CLOSE
                or self._is_softener(item)
                or item.strength == "report"
                or (header and item.value == "bullet")
            ):
                continue
            elif item.kind not in PASSABLE and not (item.kind is Kind.WORD and (prep or header)):
                return False, "", False
        return False, "", False

    @staticmethod
    def _is_softener(item: Item) -> bool:
        return item.kind is Kind.RESULT and item.strength in ("qualifier", "weak")

    def _opens_after_result(self) -> bool:
        """``keratin-positive (CAM 5.2``: a bracket that follows a stain or its result opens just before."""
        if self.items[self.at - 1].kind is not Kind.OPEN or self.at < 2:
            return False
        return self.items[self.at - 2].kind in (Kind.MARK, Kind.RESULT)

    def _qualifier_brackets(self, at: int) -> bool:
        return at + 1 < len(self.items) and self.items[at + 1].kind is Kind.RESULT

    def _brackets_hold_one(self) -> bool:
        return self.at + 1 < len(self.items) and self.items[self.at + 1].kind in (Kind.CLOSE, Kind.AND, Kind.COMMA)

    def _gap_is_small(self) -> bool:
        words = 0
        for i in range(self.at - 1, max(-1, self.at - 60), -1):
            item = self.items[i]
            if item.kind is Kind.MARK:
                return True
            if item.kind is Kind.SEMICOLON and item.value != "bullet":
                return False
            words += item.kind is Kind.WORD
            if words > MAX_GAP:
                return False
        return False

    def _joined_left(self) -> bool:
        """``CD56: positive - CK7``: a colon, dash or copula ties the result to the stain before it."""
        before = self.items[self.at - 1] if self.at else None
        return before is not None and before.kind in (Kind.MARK, Kind.COLON, Kind.DASH, Kind.FILLER, Kind.OPEN)

    def _comma_before(self) -> bool:
        return any(i.kind is Kind.COMMA for i in self.items[max(0, self.at - 2) : self.at])

    def _relative_before(self) -> bool:
        before = [i.text.lower() for i in self.items[max(0, self.at - 4) : self.at]]
        return "which" in before or "that" in before

    def _segment_is_bare(self) -> bool:
        """Whether the stretch after a semicolon holds stains and separators only."""
        seen = False
        for item in self.items[self.at + 1 :]:
            if item.kind is Kind.SEMICOLON:
                break
            if item.kind is Kind.MARK:
                seen = True
            elif item.kind not in _SEPARATORS and item.text != "." and not self._is_softener(item):
                return False
        return seen

    def _behind_is_bare(self) -> bool:
        for item in reversed(self.items[: self.at]):
            if item.kind is Kind.SEMICOLON:
                break
            if item.kind not in (Kind.MARK, Kind.COMMA, Kind.AND, Kind.OPEN, Kind.CLOSE, Kind.COLON, Kind.WORD):
                return False
        return True

    def _asserts(self, item: Item) -> bool:
        """Whether a weak word (a noun, *seen*, *reported*, *did not*) says something about the stain here."""
        if item.strength == "elliptic" and self._heads():
            return item.value == State.ABSENT
        if item.strength == "elliptic":
            return (
                self._ends_clause() and (self.last is not None or item.value == State.ABSENT) and bool(self.pending)
            )
        if item.strength == "report":
            return item.value == "negated" or (self.negating and bool(self.pending))
        if item.value == State.ABSENT or item.qualifiers:
            return True
        if item.strength == "seen" and self._heads():
            return True
        if item.strength == "seen":
            weak = self.active is not None and self.active.result.strength == "weak"
            return (bool(self.pending) and not self.depth) or weak
        if self.negating and self.pending:
            return True
        before = [i.kind for i in self.items[max(0, self.at - 4) : self.at]]
        return Kind.SHOWS in before

    def _modal_ahead(self) -> bool:
        """Whether the clause goes on with a modal verb: ``a tumour with focal keratin may be ...``."""
        for item in self.items[self.at + 1 : self.at + 40]:
            if item.kind in (Kind.SEMICOLON, Kind.CONTRAST):
                return False
            if item.kind is Kind.MODAL:
                return True
        return False

    def _stain_in_brackets(self) -> bool:
        for item in reversed(self.items[: self.at]):
            if item.kind is Kind.OPEN:
                return False
            if item.kind is Kind.MARK:
                return True
        return False

    def _heads(self) -> bool:
        """Whether a colon follows: ``Markers found: ...``, ``None: ...``."""
        return self.at + 1 < len(self.items) and self.items[self.at + 1].kind is Kind.COLON

    def _cuts_a_section(self, item: Item) -> bool:
        """``sections stained for CK7 show none``: here *stained* names the section and says nothing of cells."""
        if item.text.lower() not in ("stained", "immunostained"):
            return False
        before = {i.text.lower() for i in self.items[max(0, self.at - 2) : self.at]}
        return bool(before & {"section", "sections", "slide", "slides", "block", "blocks", "levels"})

    def _between_commas(self) -> bool:
        before = self.items[self.at - 1] if self.at else None
        after = self.items[self.at + 1] if self.at + 1 < len(self.items) else None
        return before is not None and before.kind is Kind.COMMA and after is not None and after.kind is Kind.COMMA

    def _ends_clause(self) -> bool:
        follows = self.items[self.at + 1] if self.at + 1 < len(self.items) else None
        return follows is None or follows.kind in (Kind.SEMICOLON, Kind.COMMA, Kind.CONTRAST) or follows.text == "."


_FLIPPED = {State.PRESENT: State.ABSENT, State.ABSENT: State.PRESENT}

_LIST_ENDERS = frozenset(load_data("spelling")["list_enders"])


def _is_participle(item: Item) -> bool:
    return item.strength == "strong" and item.text.lower().endswith("ing")


def _state_of(result: Item) -> State:
    if result.strength == "report":
        return State.NOT_TESTED
    return State(result.value) if result.value else State.PRESENT
