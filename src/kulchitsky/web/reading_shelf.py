"""Report prose that was read: the text and its facts, kept until a person has confirmed them and with the case.

One JSON file each below ``readings``. The text may hold a patient's name: it stays in the data directory and goes
into no report and no export.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pydantic import BaseModel

from kulchitsky.case.verdict import Reading
from kulchitsky.web import work
from kulchitsky.workup.not_there import NotThere


class KeptReading(BaseModel):
    """A text with what was read in it; ``case_id`` once a case was made of it."""

    id: str
    source: str
    text: str
    reading: Reading
    case_id: str = ""


class ReadingShelf:
    """Readings of one workbench."""

    def __init__(self, data_dir: Path) -> None:
        self._dir = data_dir / "readings"

    def read(self, text: str, source: str) -> KeptReading:
        """Read a text and keep the result."""
        kept = KeptReading(
            id=secrets.token_hex(8), source=source, text=text, reading=work.read_prose(text, source=source)
        )
        self._write(kept)
        return kept

    def get(self, reading_id: str) -> KeptReading:
        """A kept reading; ``NotThere`` if there is none (ids are hexadecimal: routes check that)."""
        path = self._dir / f"{reading_id}.json"
        if not path.is_file():
            raise NotThere(reading_id)
        return KeptReading.model_validate_json(path.read_text(encoding="utf-8"))

    def of_case(self, case_id: str) -> KeptReading | None:
        """The reading that a case was made of."""
        pointer = self._dir / "of_case" / f"{case_id}.txt"
        if not pointer.is_file():
            return None
        try:
            return self.get(pointer.read_text(encoding="utf-8"))
        except NotThere:
            return None

    def assign(self, kept: KeptReading, case_id: str) -> None:
        """Note which case was made of a reading."""
        self._write(kept.model_copy(update={"case_id": case_id}))
        pointers = self._dir / "of_case"
        pointers.mkdir(exist_ok=True)
        (pointers / f"{case_id}.txt").write_text(kept.id, encoding="utf-8")

    def forget(self, case_id: str) -> None:
        """Delete the text that a case was made of; the case stays."""
        kept = self.of_case(case_id)
        if kept is not None:
            (self._dir / f"{kept.id}.json").unlink(missing_ok=True)
            (self._dir / "of_case" / f"{case_id}.txt").unlink(missing_ok=True)

    def _write(self, kept: KeptReading) -> None:
        self._dir.mkdir(exist_ok=True)
        path = self._dir / f"{kept.id}.json"
        beside = path.with_suffix(".new")
        beside.write_text(kept.model_dump_json(), encoding="utf-8")
        os.replace(beside, path)
