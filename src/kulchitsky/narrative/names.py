"""Names of markers and entities, from the knowledge base and from the facts of language beside it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from kulchitsky.knowledge.base import KnowledgeBase, load_knowledge
from kulchitsky.narrative.lexicon import Lexicon, build_lexicon, load_data

_SPELLINGS = (("tumour", "tumor"), ("oestr", "estr"), ("haem", "hem"), ("aemia", "emia"), ("oesoph", "esoph"))


def lexicon_for(knowledge: KnowledgeBase | None = None) -> Lexicon:
    """The lexicon over a knowledge base (the shipped one unless given); built once for the shipped one."""
    return _shipped() if knowledge is None or knowledge is load_knowledge() else _build(knowledge)


@functools.cache
def _shipped() -> Lexicon:
    return _build(load_knowledge())


def _build(knowledge: KnowledgeBase) -> Lexicon:
    spelling = load_data("spelling")
    banned = set(spelling["not_names"])
    markers: dict[str, list[str]] = {}
    for marker in knowledge.markers.values():
        words = [_bare(marker.name), *marker.aliases, *spelling["more_names"].get(marker.id, ())]
        markers[marker.id] = [v for w in words if w not in banned for v in spellings(w) if "(" not in v]
    for phrase, ids in spelling["several"].items():
        markers.setdefault("+".join(ids), []).append(phrase)
    entities = {
        e.id: [v for w in (e.name, e.short_name, *e.synonyms) for v in spellings(_bare(w))]
        for e in knowledge.differential
    }
    clones: dict[str, list[str]] = {
        m.id: [c for c in m.clones if not c.isdigit() and len(c) > 2] for m in knowledge.markers.values() if m.clones
    }
    places = {row["id"]: row["words"] for row in load_data("places")["places"]}
    structures = {row["name"]: row["words"] for row in load_data("structures")["structures"]}
    names = {
        "marker": markers,
        "shorthand": spelling["shorthand"],
        "entity": entities,
        "clone": clones,
        "place": places,
        "structure": structures,
    }
    return build_lexicon(names)


def spellings(word: str) -> Iterator[str]:
    """A word and its American or British twin."""
    yield word
    other = word
    for british, american in _SPELLINGS:
        other = other.replace(british, american)
    if other != word:
        yield other


def _bare(name: str) -> str:
    return re.sub(r"\s*\([^)]*\)", "", name).strip() or name
