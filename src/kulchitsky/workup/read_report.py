"""Read report prose, from a file or as text."""

from __future__ import annotations

import os
from pathlib import Path

from kulchitsky.case.verdict import Reading
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.narrative.documents import text_of
from kulchitsky.narrative.read_text import read_text


def read_report(path_or_text: str | os.PathLike[str]) -> Reading:
    """Read a report (.txt, .md, .docx, .pdf) or report prose into a case with its facts.

    A string that names no file and holds a line break, or more than eight words, is taken as prose. Raises
    :class:`kulchitsky.case.errors.RefusedReport` when a file cannot be read or its content is not prose.
    """
    if isinstance(path_or_text, str) and _is_prose(path_or_text):
        return read_text(path_or_text, knowledge=load_knowledge())
    return read_text(text_of(path_or_text), source=Path(path_or_text).name, knowledge=load_knowledge())


def _is_prose(text: str) -> bool:
    return "\n" in text or len(text) > 1000 or (len(text.split()) > 8 and not Path(text).exists())
