"""Where the reading of a sentence stands: the stains seen, the running result, and questions about what is near."""

from __future__ import annotations

from dataclasses import dataclass, field

from kulchitsky.case.vocabulary import State
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
class Mark:
    """A stain of the sentence with what stood around it and, once known, its verdict."""

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
class Active:
    """A result whose list is still running."""

    result: Item
    header: bool
    single: bool
    bare: bool = False
    """The result stands right before the stain (``a positive CK20``), with no preposition or colon."""
    taken: int = 0


@dataclass(slots=True)
class Standing:
    """State of the reading at item ``at``; its methods only look."""

    items: list[Item]
    at: int = 0
    run: list[Mark] = field(default_factory=list)
    done: list[Mark] = field(default_factory=list)
    active: Active | None = None
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
    shared: Verdict | None = None
    """The result that holds for every stain of the open brackets."""

    @property
    def pending(self) -> list[Mark]:
        """Stains of the running list that have no result yet."""
        return [m for m in self.run if m.verdict is None]

    def _since_comma(self) -> list[Mark]:
        marks: list[Mark] = []
        # two names without a sign between them: a full stop was lost, the second begins a list of its own
        fresh = [i for i, mark in enumerate(self.run) if mark.juxtaposed]
        if fresh:
            return self.run[fresh[-1] :]
        for mark in reversed(self.run):
            marks.append(mark)
            if mark.comma_before and not mark.and_before:
                break
        return marks

    def _last_assigned(self) -> list[Mark]:
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

    def _brackets_hold_stains(self) -> bool:
        """``all positive (chromogranin A, INSM1)``: stains and signs only up to the closing bracket."""
        for item in self.items[self.at + 1 :]:
            if item.kind is Kind.CLOSE:
                return True
            if item.kind not in (Kind.MARK, Kind.COMMA, Kind.AND):
                return False
        return False

    def _shares_with_next(self) -> bool:
        """``nuclear FLI1 and NKX2.2;``: the word before the first stain holds for a second that has no result."""
        ahead = self.items[self.at + 1 : self.at + 4]
        kinds = [i.kind for i in ahead]
        if kinds[:2] != [Kind.AND, Kind.MARK]:
            return False
        if len(kinds) < 3 or kinds[2] is Kind.SEMICOLON or ahead[2].text == ".":
            return True
        return kinds[2] is Kind.RESULT and ahead[2].strength == "weak"

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

    def _negates_something_else(self) -> bool:
        """``no necrosis, synaptophysin ...``: the negation had its own noun before the comma, no stain or result."""
        words = 0
        for item in reversed(self.items[max(0, self.at - 8) : self.at]):
            if item.kind is Kind.NEGATION:
                return words > 0
            if item.kind in (Kind.MARK, Kind.RESULT, Kind.COLON, Kind.COMMA):
                return False
            words += item.kind is Kind.WORD
        return False

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
        if len(self.pending) > 1 and self._ends_clause() and self.items[self.at - 1].kind is Kind.MARK:
            return True  # "synaptophysin, CD56, chromogranin expression."
        before = [i.kind for i in self.items[max(0, self.at - 4) : self.at]]
        return Kind.SHOWS in before

    def _modal_next(self, result: Item) -> bool:
        """``CK20 positivity would support ...``: a noun with a modal verb right after it."""
        if not result.text.lower().endswith(_NOUNS) or self.items[self.at] is not result:
            return False
        return any(i.kind is Kind.MODAL for i in self.items[self.at + 1 : self.at + 3])

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


_NOUNS = ("positivity", "negativity", "expression", "staining", "reactivity", "immunoreactivity", "loss")
