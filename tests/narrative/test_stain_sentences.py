"""What single sentences say of stains: a table of real phrasing, and lists made up with their truth."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kulchitsky.narrative.read_text import read_text

TABLE = Path(__file__).parent / "stain_sentences.txt"
SIGNS = {"+": "present", "-": "absent", "~": "equivocal", "0": "not_tested"}


def rows() -> list[tuple[str, dict[str, str]]]:
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        text, _, truth = line.partition(" => ")
        states = {m.group(1): SIGNS[m.group(2)] for m in re.finditer(r"([a-z]\w*?)\s?([+~-]|(?<= )0)(?=\s|$)", truth)}
        assert states or truth.strip() == "none", line
        found.append((text, states))
    return found


ROWS = rows()


def test_the_table_is_large_enough() -> None:
    assert len(ROWS) >= 200


@pytest.mark.parametrize(("text", "truth"), ROWS, ids=[text[:60] for text, _ in ROWS])
def test_sentence(text: str, truth: dict[str, str]) -> None:
    got = {m.marker: m.state.value for m in read_text(text).case.markers}
    assert got == truth
