"""Read prose that is at hand as text, or the text of a document, for a page that shows both."""

from __future__ import annotations

from pathlib import Path

from kulchitsky.case.verdict import Reading
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.narrative.documents import text_of
from kulchitsky.narrative.read_text import read_text


def read_prose(text: str, *, source: str = "report") -> Reading:
    """Facts of report prose; their spans count the characters of ``text``."""
    return read_text(text, source=source, knowledge=load_knowledge())


def document_text(path: Path) -> str:
    """The text of a report (.txt, .md, .docx, .pdf). Raises ``RefusedReport`` if it has none."""
    return text_of(path)
