"""One file of the report as bytes, for a server that keeps no copy."""

from __future__ import annotations

import tempfile
from pathlib import Path

from kulchitsky.case.verdict import WorkedUpCase
from kulchitsky.workup.write_report import FILE_NAMES as FILE_NAMES
from kulchitsky.workup.write_report import write_report


def report_bytes(worked: WorkedUpCase, kind: str, *, pictures_in: Path) -> bytes | None:
    """The report in one of the formats of ``FILE_NAMES``; ``None`` when the case has nothing of that kind.

    Pictures are read below ``pictures_in``, to which their paths are relative.
    """
    with tempfile.TemporaryDirectory() as folder:
        written = write_report(worked, folder, formats=(kind,), base=pictures_in)
        return written[kind].read_bytes() if kind in written else None
