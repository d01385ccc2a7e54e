"""From the words people use to the ids of the knowledge base."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from kulchitsky.knowledge.base import load_knowledge

_GREEK = str.maketrans(
    {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "Δ": "delta", "κ": "kappa", "λ": "lambda"}
)
_IGNORED = re.compile(r"[\s\-‐‑–—./_'’()]+")
_AMERICAN = (
    (re.compile("tumor"), "tumour"),
    (re.compile("leukemia"), "leukaemia"),
    (re.compile("(?<!o)estrogen"), "oestrogen"),
)


def folded(text: str) -> str:
    """A word as it is compared: no case, spaces, hyphens, dots or slashes; Greek letters spelt; British spelling."""
    plain = unicodedata.normalize("NFKC", text).translate(_GREEK).casefold()
    word = _IGNORED.sub("", unicodedata.normalize("NFKC", plain))
    for american, british in _AMERICAN:
        word = american.sub(british, word)
    return word


def resolve_marker(text: str) -> str | None:
    """The marker id for a stain as written (``CgA``, ``AE1/AE3``, ``CD117 (KIT)``), or ``None``."""
    return _resolve(text, *marker_words())


def resolve_entity(text: str) -> str | None:
    """The entity id for a diagnosis as written, or ``None`` when unknown or ambiguous.

    Case decides where only case differs: ``PNET`` (Ewing sarcoma) and ``pNET`` (pancreas).
    """
    return _resolve(text, *entity_words())


def _resolve(text: str, exact: Mapping[str, str], loose: Mapping[str, str]) -> str | None:
    word = text.strip()
    return exact.get(word) or loose.get(folded(word))


@cache
def marker_words() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Two tables to marker ids: words as written, and words as folded (ambiguous ones left out)."""
    markers = load_knowledge().markers.values()
    words = [(word, m.id) for m in markers for word in (m.id, m.name, *m.aliases)]
    known = {folded(word) for word, _ in words}
    clones = [(c, m.id) for m in markers for c in m.clones if not c.isdigit() and folded(c) not in known]
    return _tables([*words, *clones])


@cache
def entity_words() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Two tables to entity ids: words as written, and words as folded (ambiguous ones left out)."""
    entities = load_knowledge().differential
    return _tables([(word, e.id) for e in entities for word in (e.id, e.name, e.short_name, *e.synonyms)])


def _tables(words: Iterable[tuple[str, str]]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    exact: dict[str, set[str]] = {}
    loose: dict[str, set[str]] = {}
    for word, target in words:
        exact.setdefault(word, set()).add(target)
        loose.setdefault(folded(word), set()).add(target)
    return _unambiguous(exact), _unambiguous(loose)


def _unambiguous(table: Mapping[str, set[str]]) -> Mapping[str, str]:
    return MappingProxyType({word: next(iter(ids)) for word, ids in table.items() if len(ids) == 1})
