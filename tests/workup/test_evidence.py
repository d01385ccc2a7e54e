"""What ``evidence`` shows is what the rows say."""

from __future__ import annotations

import pytest

from kulchitsky import workup
from kulchitsky.case.errors import RefusedInput


def test_one_cell_adds_up_its_poolable_rows() -> None:
    found = workup.evidence_for("CK20", "MCC")
    (cell,) = found.cells
    rows = [r for r in cell.rows if r.poolable]
    assert cell.n_tested == sum(r.n_tested or 0 for r in rows)
    assert cell.n_positive == sum(r.n_positive or 0 for r in rows)
    assert cell.interval_95 is not None
    assert cell.percent is not None
    assert cell.interval_95[0] < cell.percent < cell.interval_95[1]
    assert {r.source for r in cell.rows} == {r.key for r in found.references}


def test_a_diagnosis_alone_lists_its_stains_and_features() -> None:
    found = workup.evidence_for("MCC")
    assert {c.entity for c in found.cells} == {"merkel_cell_carcinoma"}
    assert {f.entity for f in found.features} == {"merkel_cell_carcinoma"}


def test_a_stain_alone_lists_diagnoses() -> None:
    found = workup.evidence_for("TTF-1")
    assert {c.marker for c in found.cells} == {"ttf1"}
    assert len(found.cells) > 10
    assert found.features == ()


@pytest.mark.parametrize(
    ("marker", "entity"), [("no such stain", None), ("CK20", "no such tumour"), ("nonsense", "MCC")]
)
def test_unknown_words_are_refused(marker: str, entity: str | None) -> None:
    with pytest.raises(RefusedInput, match=r"no known|neither"):
        workup.evidence_for(marker, entity)


def test_coverage_adds_up() -> None:
    found = workup.evidence_coverage()
    assert found.core_cells == sum(e.counts + e.share + e.other + e.default + e.nothing for e in found.entities)
    assert found.poolable_rows <= found.evidence_rows
    assert all(len(e.missing) == e.default + e.nothing for e in found.entities)
