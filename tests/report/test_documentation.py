"""The page that explains the report names the report's own sections and files."""

from __future__ import annotations

import re
from pathlib import Path

from kulchitsky.case.verdict import WorkedUpCase
from kulchitsky.report.content.document import build
from kulchitsky.report.wording import INTENDED_USE
from kulchitsky.workup.write_report import FILE_NAMES

PAGE = Path(__file__).parents[2] / "docs" / "report.md"


def test_the_explanation_names_every_annex_and_file(worked: WorkedUpCase) -> None:
    text = PAGE.read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([A-Z]) \| (.+?) \|$", text, re.MULTILINE)
    assert listed == [(section.letter, section.title) for section in build(worked).annexes]
    assert [name for name in FILE_NAMES.values() if f"`{name}`" not in text] == []
    assert INTENDED_USE in text
