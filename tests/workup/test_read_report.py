"""Reading a report as a use case: a file, or prose as a string."""

from __future__ import annotations

from pathlib import Path

import pytest

from kulchitsky.case.errors import RefusedReport
from kulchitsky.workup.read_report import read_report

PROSE = "A woman of 77 years.\nCK20 was negative; synaptophysin was positive. The Ki-67 index was 65 %."


@pytest.mark.parametrize("given", [PROSE, " ".join(PROSE.split())])
def test_prose_as_a_string(given: str) -> None:
    case = read_report(given).case
    assert {(m.marker, m.state.value) for m in case.markers} == {("ck20", "absent"), ("synaptophysin", "present")}


@pytest.mark.parametrize("as_path", [True, False])
def test_a_file(tmp_path: Path, as_path: bool) -> None:
    file = tmp_path / "report.txt"
    file.write_text(PROSE, encoding="utf-8")
    assert read_report(file if as_path else str(file)).case.patient.age_years == 77


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(RefusedReport, match="does not exist"):
        read_report("report.txt")
