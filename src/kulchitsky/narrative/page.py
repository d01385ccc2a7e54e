"""A report as text to work on: cleaned, cut into pieces and sentences, every place traceable to the original.

Cleaning joins words broken at line ends, unifies dashes, quotes and spaces, and spells ligatures out; ``Page.span``
takes a place in the cleaned text back to the text as given.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from dataclasses import dataclass

_FIXED = {
    **dict.fromkeys("‐‑‒–—―−﹣－⁻", "-"),
    **dict.fromkeys("‘’‚‛′`´", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a", " "),
    **dict.fromkeys("\u202f\u205f\u3000", " "),
    "\t": "   ",  # a tab parts the cells of a table, as three blanks do
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f", ""),
    **dict.fromkeys("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", ""),
    **dict.fromkeys("\r\v\f\u0085\u2028\u2029", "\n"),
    **dict.fromkeys("•◦▪●■‣∙·", "•"),
    "×": "x", "✕": "x", "⨯": "x", "μ": "µ", "⁺": "+", "＋": "+", "➕": "+", "²": "2", "³": "3",
    "ﬁ": "fi", "ﬂ": "fl", "ﬀ": "ff", "ﬃ": "ffi", "ﬄ": "ffl", "…": "...", "％": "%", "﹪": "%", "⩽": "≤", "⩾": "≥",
}  # fmt: skip

_SPECIAL = re.compile(
    r"(?P<join>(?<=[a-zà-ÿ])[-‐\u00ad]+[ ]{0,3}\r?\n\s{0,20}(?=[a-zà-ÿ]))"
    r"|(?P<trail>(?<![ \t])[ \t]{1,80}(?=\r?\n))"
    r"|(?P<indent>(?<=\n)[ \t]{1,80}(?=\S))"
    r"|(?P<crlf>\r\n)"
    r"|(?P<cite>\[\d{1,3}(?:\s?[,;–-]\s?\d{1,3}){0,12}\])"
    r"|(?P<char>[" + re.escape("".join(_FIXED)) + r"\uff01-\uff5e])"
)

_PIECE = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|\s+|.", re.DOTALL)

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "κ": "kappa", "λ": "lambda",
    "Α": "alpha", "Β": "beta", "ß": "beta",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of letters, a number, a sign or white space, with its place in the cleaned text."""

    text: str
    norm: str
    start: int
    end: int

    @property
    def is_space(self) -> bool:
        """White space only."""
        return self.text.isspace()

    @property
    def is_word(self) -> bool:
        """Begins with a letter or a digit."""
        return self.text[0].isalnum()


@dataclass(frozen=True, slots=True)
class Page:
    """Cleaned text with its pieces, and the way back to the original."""

    original: str
    clean: str
    origin: array[int]
    pieces: tuple[Piece, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Place in the original of a place in the cleaned text."""
        if start >= end:
            at = self.origin[start] if start < len(self.origin) else len(self.original)
            return at, at
        return self.origin[start], self.origin[end - 1] + 1


def make_page(text: str) -> Page:
    """Clean and cut; linear in the length of the text."""
    clean, origin = _cleaned(text)
    return Page(original=text, clean=clean, origin=origin, pieces=tuple(pieces_of(clean)))


def pieces_of(clean: str) -> list[Piece]:
    """Pieces of cleaned text: letters and digits apart, so that ``CD56``, ``CD-56`` and ``CD 56`` are alike."""
    return [
        Piece(m.group(), _GREEK.get(m.group(), m.group().lower()), m.start(), m.end()) for m in _split_greek(clean)
    ]


def _split_greek(clean: str) -> list[re.Match[str]]:
    found: list[re.Match[str]] = []
    for match in _PIECE.finditer(clean):
        word = match.group()
        if len(word) > 1 and not word.isascii() and any(c in _GREEK for c in word) and len(word) <= 6:
            found.extend(_ONE.finditer(clean, match.start(), match.end()))
        else:
            found.append(match)
    return found


_ONE = re.compile("[" + "".join(_GREEK) + "]|[^" + "".join(_GREEK) + "]+")


def _cleaned(text: str) -> tuple[str, array[int]]:
    parts: list[str] = []
    origin: array[int] = array("L")
    at = 0
    for match in _SPECIAL.finditer(text):
        start, end = match.span()
        if start > at:
            parts.append(text[at:start])
            origin.extend(range(at, start))
        new = _replacement(match)
        origin.extend([start] * len(new))
        parts.append(new)
        at = end
    parts.append(text[at:])
    origin.extend(range(at, len(text)))
    return "".join(parts), origin


def _replacement(match: re.Match[str]) -> str:
    kind, found = match.lastgroup, match.group()
    if kind in ("join", "trail", "indent"):
        return ""
    if kind == "crlf":
        return "\n"
    if kind == "cite":
        # figures in square brackets point to a reference list: no part of the sentence
        return ""
    fixed = _FIXED.get(found)
    return fixed if fixed is not None else unicodedata.normalize("NFKC", found)
