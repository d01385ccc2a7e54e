"""The blocks that a report is made of: runs of text, tables, charts and figures, before any page description.

A block holds words and figures as data; escaping is left to what sets it, so no text of the case is ever markup.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from kulchitsky.case.measure import Interval
from kulchitsky.report.wording import printable

Tone = Literal["plain", "good", "bad", "warn", "quiet"]


@dataclass(frozen=True, slots=True)
class Words:
    """Plain words; ``style`` is how they are set."""

    kind: ClassVar[str] = "words"
    text: str
    style: Literal["plain", "strong", "emphasis", "quiet", "code"] = "plain"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as printed (``text``), as it stands in the JSON (``value``), and where it stands there (``path``)."""

    kind: ClassVar[str] = "figure"
    text: str
    value: float | int
    path: str


@dataclass(frozen=True, slots=True)
class Cite:
    """Numbers of the reference list."""

    kind: ClassVar[str] = "cite"
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A link that the reader may follow; nothing is loaded from it. ``href`` starts with https://, http:// or #."""

    kind: ClassVar[str] = "link"
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A short verdict set apart from the text: yes, no, present, contradicted."""

    kind: ClassVar[str] = "tag"
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Break:
    """The next run starts a new line."""

    kind: ClassVar[str] = "break"


Run = Break | Words | Figure | Cite | Link | Tag
Runs = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    kind: ClassVar[str] = "paragraph"
    runs: Runs


@dataclass(frozen=True, slots=True)
class Items:
    """A list; ``ordered`` when the order is a rank."""

    kind: ClassVar[str] = "items"
    items: tuple[Runs, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Pairs:
    """Terms and what the case says of them, in two columns or a ``single`` one."""

    kind: ClassVar[str] = "pairs"
    pairs: tuple[tuple[str, Runs], ...]
    single: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A table column; ``share`` is its part of the width."""

    kind: ClassVar[str] = "column"
    title: str
    align: Literal["left", "right", "centre"] = "left"
    share: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption; the first cell of each row is its heading; ``narrow`` when a text column holds it."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Runs, ...], ...]
    narrow: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One probability, 0 to 1, with its interval; ``note`` stands under the label."""

    kind: ClassVar[str] = "bar"
    label: Runs
    value: float
    interval: Interval | None
    figures: Runs
    spoken: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """Shares as horizontal bars on one scale from 0 to 100 %; ``of`` says what they are."""

    kind: ClassVar[str] = "bars"
    caption: str
    heading: str
    bars: tuple[Bar, ...]
    of: str = "Probability"


@dataclass(frozen=True, slots=True)
class Curve:
    """A percentage against a quantity, drawn as a line; ``mark`` is the quantity that was used."""

    kind: ClassVar[str] = "curve"
    caption: str
    x_title: str
    y_title: str
    points: tuple[tuple[float, float], ...]
    mark: float | None
    mark_title: str
    spoken: str


@dataclass(frozen=True, slots=True)
class WeightBar:
    """One finding's weight: ``log10_lr`` to the right for, to the left against."""

    kind: ClassVar[str] = "weight_bar"
    label: Runs
    log10_lr: float
    interval: Interval
    figures: Runs
    counts: Runs
    reason: Runs
    basis: Literal["counts", "density", "family", "default"]
    spoken: str


@dataclass(frozen=True, slots=True)
class Weights:
    """Findings for and against one diagnosis, drawn to ``reach`` (the largest |log10 LR| of the scale)."""

    kind: ClassVar[str] = "weights"
    caption: str
    bars: tuple[WeightBar, ...]
    reach: float


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture of a plate; ``name`` is a key of the pictures supplied, ``letter`` is empty when it is alone."""

    kind: ClassVar[str] = "panel"
    name: str
    supplied: bool
    letter: str
    alternative: str


@dataclass(frozen=True, slots=True)
class Plate:
    """Pictures side by side under one caption, numbered and lettered like a journal's."""

    kind: ClassVar[str] = "plate"
    panels: tuple[Panel, ...]
    caption: Runs


@dataclass(frozen=True, slots=True)
class Callout:
    """A remark set apart: something missing, or something that deserves a look."""

    kind: ClassVar[str] = "callout"
    tone: Tone
    runs: Runs


@dataclass(frozen=True, slots=True)
class Part:
    """A headed part of a section."""

    kind: ClassVar[str] = "part"
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks folded away on the screen under ``summary``; on paper only the summary is set."""

    kind: ClassVar[str] = "fold"
    summary: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry of the reference list."""

    kind: ClassVar[str] = "reference"
    number: int
    text: str
    links: tuple[Link, ...]
    read: str
    found: bool = True


@dataclass(frozen=True, slots=True)
class References:
    """The numbered reference list."""

    kind: ClassVar[str] = "references"
    entries: tuple[Reference, ...]


Block = Paragraph | Items | Pairs | Table | Bars | Curve | Weights | Plate | Callout | Part | Fold | References


@dataclass(frozen=True, slots=True)
class Section:
    """A section with its anchor; ``letter`` numbers the annexes."""

    kind: ClassVar[str] = "section"
    anchor: str
    title: str
    blocks: tuple[Block, ...]
    letter: str = ""
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """The whole report: a synopsis of one page, then the annexes."""

    kind: ClassVar[str] = "document"
    title: str
    case_id: str
    subtitle: Runs
    intended_use: str
    versions: str
    synopsis: tuple[Section, ...]
    annexes: tuple[Section, ...]


def plain(thing: Any) -> Any:
    """``thing`` as dictionaries, lists and scalars; each dictionary carries its ``kind``."""
    if isinstance(thing, tuple | list):
        return [plain(item) for item in thing]
    if hasattr(thing, "kind"):
        return {"kind": thing.kind} | {field.name: plain(getattr(thing, field.name)) for field in fields(thing)}
    return printable(thing) if isinstance(thing, str) else thing
