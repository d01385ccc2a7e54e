"""The phrases that are known: facts of language from ``data/*.yaml``, names of markers and entities.

Matching is spaCy's ``PhraseMatcher`` over the pieces of a page without white space and without the hyphens, slashes
and points that join pieces: ``CD-56``, ``CD 56`` and ``CD56``, ``salt-and-pepper`` and ``salt and pepper`` are one.
"""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc
from spacy.vocab import Vocab

from kulchitsky.narrative.page import Page, Piece, pieces_of

_SOFT = frozenset("-/.'")

MIN_TYPO_LETTERS = 9
"""Shorter names have neighbours among ordinary words (inhibin, inhibit)."""

MAX_TYPO_LETTERS = 24
"""No name is longer; a run of letters beyond this is no misspelling."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A known phrase at a place of the cleaned text: its category (``marker``) and value (``ck20``)."""

    category: str
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Mentions:
    """All mentions of a page by category, in order of place, longest first and without overlap inside a category."""

    by_category: Mapping[str, tuple[Mention, ...]]
    starts: Mapping[str, tuple[int, ...]]

    def of(self, *categories: str, start: int = 0, end: int | None = None) -> list[Mention]:
        """Mentions of the categories inside a stretch, in order of place."""
        found: list[Mention] = []
        for category in categories:
            rows = self.by_category.get(category, ())
            first = bisect_left(self.starts.get(category, ()), start)
            for i in range(first, len(rows)):
                m = rows[i]
                if end is not None and m.start >= end:
                    break
                if end is None or m.end <= end:
                    found.append(m)
        return sorted(found, key=lambda m: (m.start, -m.end))


@dataclass(slots=True)
class Lexicon:
    """Phrases by category, ready to match; build with :func:`build_lexicon`."""

    vocab: Vocab
    matcher: PhraseMatcher
    cased: dict[str, frozenset[str]]
    neighbours: dict[str, str]
    words: frozenset[str]
    squeezed: Mapping[str, str]
    """Marker ids by name without spaces and signs (``ck20``, ``cd1a``)."""
    _cache: dict[str, str] = field(default_factory=dict)

    def find(self, page: Page) -> Mentions:
        """Every known phrase of a page."""
        soft = soft_pieces(page.pieces)
        if not soft:
            return Mentions({}, {})
        doc = Doc(self.vocab, words=[self._spelled(p.norm) for p in soft])
        found: dict[str, list[tuple[int, int, str]]] = {}
        for key, first, last in self.matcher(doc):
            label: str = self.vocab.strings[key]
            category, _, value = label.partition(":")
            found.setdefault(category, []).append((first, last, value))
        by_category = {c: tuple(self._resolved(c, spans, soft, page)) for c, spans in found.items()}
        return Mentions(by_category, {c: tuple(m.start for m in rows) for c, rows in by_category.items()})

    def _resolved(
        self, category: str, spans: list[tuple[int, int, str]], soft: list[Piece], page: Page
    ) -> Iterator[Mention]:
        taken = -1
        for first, last, value in sorted(spans, key=lambda s: (s[0], -(s[1] - s[0]))):
            start, end = soft[first].start, soft[last - 1].end
            if first < taken or not self._case_fits(value, category, page.clean[start:end]):
                continue
            taken = last
            yield Mention(category, value, start, end)

    def _case_fits(self, value: str, category: str, seen: str) -> bool:
        """Short all-letter acronyms (ER, PR, CEA, NUT) must not be taken from ordinary lower-case words."""
        if category != "marker" or not seen.isalpha() or len(seen) > 4:
            return True
        spellings = self.cased.get(value, frozenset())
        if seen in spellings or seen.lower() not in {s.lower() for s in spellings}:
            return True
        return sum(c.isupper() for c in seen) >= 2

    def _spelled(self, norm: str) -> str:
        if not MIN_TYPO_LETTERS <= len(norm) <= MAX_TYPO_LETTERS or norm in self.words or not norm.isalpha():
            return norm
        if norm not in self._cache:
            if len(self._cache) > 50_000:
                self._cache.clear()
            near = {self.neighbours[v] for v in _deletes(norm) if v in self.neighbours}
            self._cache[norm] = near.pop() if len(near) == 1 else norm
        return self._cache[norm]


def soft_pieces(pieces: Iterable[Piece]) -> list[Piece]:
    """Pieces without white space and without the signs that join two words (``CD-56``, ``AE1/AE3``)."""
    kept: list[Piece] = []
    row = list(pieces)
    for i, piece in enumerate(row):
        if piece.is_space:
            continue
        joins = piece.text in _SOFT and 0 < i < len(row) - 1 and row[i - 1].is_word and row[i + 1].is_word
        if not joins:
            kept.append(piece)
    return kept


def build_lexicon(names: Mapping[str, Mapping[str, Iterable[str]]]) -> Lexicon:
    """Phrases of ``data/*.yaml`` together with ``names``: category -> value -> phrases (markers and entities)."""
    vocab = Vocab()
    matcher = PhraseMatcher(vocab, attr="ORTH")
    cased: dict[str, set[str]] = {}
    words: set[str] = set()
    long_words: set[str] = set()
    squeezed: dict[str, str] = {}
    for category, values in (*_shipped_phrases().items(), *names.items()):
        for value, phrases in values.items():
            docs = []
            for phrase in phrases:
                for variant in _variants(phrase, category):
                    norms = [p.norm for p in soft_pieces(pieces_of(variant))]
                    if not norms:
                        continue
                    words.update(norms)
                    docs.append(Doc(vocab, words=norms))
                    if category == "marker":
                        squeezed.setdefault("".join(norms), value)
                        long_words.update(n for n in norms if len(n) >= MIN_TYPO_LETTERS and n.isalpha())
                        if variant.isalpha() and len(variant) <= 4:
                            cased.setdefault(value, set()).add(variant)
            if docs:
                matcher.add(f"{category}:{value}", docs)
    return Lexicon(
        vocab=vocab,
        matcher=matcher,
        cased={v: frozenset(s) for v, s in cased.items()},
        neighbours=_neighbours(long_words),
        squeezed=squeezed,
        words=frozenset(words | set(_ordinary_words())),
    )


def load_data(name: str) -> Any:
    """One shipped file of facts of language."""
    text = (files("kulchitsky.narrative") / "data" / f"{name}.yaml").read_text(encoding="utf-8")
    return YAML(typ="safe").load(text)


@functools.cache
def _shipped_phrases() -> dict[str, dict[str, list[str]]]:
    """``data/phrases_*.yaml``: each file maps categories to values to phrases; a list of values stands for itself."""
    found: dict[str, dict[str, list[str]]] = {}
    folder = files("kulchitsky.narrative") / "data"
    for entry in sorted(e.name for e in folder.iterdir()):
        if not (entry.startswith("phrases_") and entry.endswith(".yaml")):
            continue
        for category, values in load_data(entry.removesuffix(".yaml")).items():
            if category in found:
                raise ValueError(f"category {category} stands in two files")
            found[category] = values if isinstance(values, dict) else {str(v): [str(v)] for v in values}
    return found


def _ordinary_words() -> Iterable[str]:
    """Ordinary words one letter away from a name: never a misspelling."""
    return tuple(load_data("spelling")["ordinary_words"])


def _variants(phrase: str, category: str) -> Iterator[str]:
    yield phrase
    if category in {"marker", "entity"} and phrase[-1:].isalpha() and len(phrase) > 4 and not phrase.endswith("s"):
        yield phrase + "s"


def _neighbours(words: Iterable[str]) -> dict[str, str]:
    """Every name and its one-letter-shorter forms: two spellings that share a form are one letter apart."""
    found: dict[str, str] = {}
    for word in words:
        for variant in _deletes(word):
            found.setdefault(variant, word)
    return found


def _deletes(word: str) -> set[str]:
    return {word} | {word[:i] + word[i + 1 :] for i in range(len(word))}
