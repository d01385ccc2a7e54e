"""What every section needs at hand: the worked-up case, display names, and the numbering of sources."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from kulchitsky.case.verdict import Reference as Source
from kulchitsky.case.verdict import WorkedUpCase
from kulchitsky.report import wording as w
from kulchitsky.report.blocks import Block, Callout, Cite, Figure, Link, Reference, Run, Runs, Words


class Desk:
    """One report in the making. Sources are numbered in the order in which they are first cited.

    ``supplied`` are the names of the pictures that the caller has at hand.
    """

    def __init__(self, worked: WorkedUpCase, supplied: Collection[str] = ()) -> None:
        self.worked = worked
        self.supplied = supplied
        self._sources = {source.key: source for source in worked.references}
        self._numbers: dict[str, int] = {}
        self._pictures = 0

    def name(self, identifier: str) -> str:
        """Display name of an entity, marker or other id; the id as words where none is known."""
        return self.worked.names.get(identifier) or w.words(identifier)

    def names(self, identifiers: Iterable[str], *, last: str = "and") -> str:
        """Display names as a list in prose."""
        return w.listed([self.name(identifier) for identifier in identifiers], last=last)

    def of_leading(self, entity: str) -> bool:
        """Whether a verdict is for the leading diagnosis, or for none in particular."""
        diagnoses = self.worked.differential.diagnoses
        return not entity or not diagnoses or entity == diagnoses[0].entity

    def cite(self, keys: Iterable[str]) -> Runs:
        """The citation of ``keys``, or nothing where there are none."""
        numbers = tuple(self._numbers.setdefault(key, len(self._numbers) + 1) for key in dict.fromkeys(keys))
        return (Cite(tuple(sorted(numbers))),) if numbers else ()

    def next_picture(self) -> int:
        """The number of the next picture."""
        self._pictures += 1
        return self._pictures

    def reference_list(self) -> tuple[Reference, ...]:
        """Every source cited so far, by number; a key without a reference says so."""
        return tuple(_entry(number, key, self._sources.get(key)) for key, number in self._numbers.items())


def _entry(number: int, key: str, source: Source | None) -> Reference:
    if source is None:
        text = f"{key}: cited, but missing from the reference list of this edition of the knowledge base."
        return Reference(number, text, (), "", found=False)
    # some titles open with their authors or hold the year already: nothing is said twice
    authors = "" if source.title.startswith(source.authors.rstrip(".")) else source.authors
    year = str(source.year) if source.year and str(source.year) not in source.title else ""
    where = " ".join(part for part in (source.journal, year) if part)
    text = " ".join(w.stop(part) for part in (authors, source.title, where) if part)
    return Reference(number, text, _links(source), source.read)


def _links(source: Source) -> tuple[Link, ...]:
    links: list[Link] = []
    doi = source.doi.strip().removeprefix("https://doi.org/").removeprefix("doi:").strip()
    if doi.startswith("10."):
        links.append(Link(f"doi:{doi}", f"https://doi.org/{doi}"))
    url = source.url.strip()
    if url.lower().startswith(("https://", "http://")) and not (links and "doi.org/" in url):
        links.append(Link(url, url))
    return tuple(links)


def say(*parts: str | Run | Runs | None) -> Runs:
    """Runs from strings, runs and groups of runs; empty parts vanish."""
    runs: list[Run] = []
    for part in parts:
        if part is None or part == "":
            continue
        if isinstance(part, str):
            runs.append(Words(part))
        elif isinstance(part, tuple):
            runs.extend(part)
        else:
            runs.append(part)
    return tuple(runs)


def strong(text: str) -> Words:
    """Words set strong."""
    return Words(text, "strong")


def quiet(text: str) -> Words:
    """Words set in the background."""
    return Words(text, "quiet")


def figure(text: str, value: float, path: str) -> Run:
    """A number with its place in the JSON; one that is not finite is printed as unknown."""
    return Figure(text, value, path) if math.isfinite(value) else Words("unknown")


def missing(*parts: str | Run | Runs) -> Block:
    """A section's own statement of what it lacks."""
    return Callout("warn", say(*parts))
