"""Work-ups kept beside their revision, and the table that describes a cohort."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import (
    Diagnosis,
    Differential,
    GradeVerdict,
    Plan,
    StageReading,
    StageVerdict,
    Versions,
    WorkedUpCase,
)
from kulchitsky.registry.cohort import cohort_table
from kulchitsky.registry.selection import parse_condition, select
from kulchitsky.registry.store import Registry
from kulchitsky.registry.survival import survival
from kulchitsky.registry.verdicts import attach, conclusion, verdicts

Make = Callable[..., Case]


def worked(case: Case, *, grades: tuple[str, ...] = ("G3",), stage: str = "IIIA") -> WorkedUpCase:
    leading = Diagnosis(entity="merkel_cell_carcinoma", name="MCC", prior=0.3, posterior=0.9, interval_95=(0.8, 0.95))
    return WorkedUpCase(
        case=case,
        differential=Differential(edition="e", diagnoses=(leading,), none_of_these=0.1),
        grade=tuple(GradeVerdict(system="s", edition="e", grade=grade) for grade in grades),
        stage=StageVerdict(
            readings=(StageReading(scheme="m", scheme_name="MCC", edition="8", authority="AJCC", stage=stage),)
        ),
        plan=Plan(),
        versions=Versions(software="0.1", knowledge_edition="2024.1"),
    )


def test_work_up_is_kept_whole_beside_its_revision(registry: Registry, make_case: Make) -> None:
    case = make_case("a", age=70)
    registry.add(case)
    assert attach(registry.writer, worked(case), who="tester", source=registry.name) == 1
    (kept,) = verdicts(registry.engine, "a")
    assert (kept.leading, kept.grade, kept.stage) == ("merkel_cell_carcinoma", "G3", "IIIA")
    assert (kept.revision, kept.software, kept.edition, kept.who) == (1, "0.1", "2024.1", "tester")
    assert WorkedUpCase.model_validate_json(kept.body) == worked(case)


def test_conclusions_select_and_group_until_the_case_changes(registry: Registry, make_case: Make) -> None:
    for name, stage in (("a", "IIIA"), ("b", "I")):
        case = make_case(name, age=70, follow_up=((9, "dead"),))
        registry.add(case)
        attach(registry.writer, worked(case, stage=stage), who="t", source=registry.name)
    packed = registry.packed()
    assert select(packed, [parse_condition("concluded_stage=IIIA")]).tolist() == [True, False]
    assert [c.group for c in survival(packed, by="concluded_stage").curves] == ["I", "IIIA"]
    registry.sign_off("b", revision=1)
    registry.edit(make_case("a", age=71), revision=1)
    assert registry.packed().words("concluded_stage").tolist() == [None, "I"]
    assert len(verdicts(registry.engine, "a")) == 1


def test_conclusions_survive_packing_anew(registry: Registry, make_case: Make) -> None:
    case = make_case("a", age=70)
    registry.add(case)
    attach(registry.writer, worked(case), who="t", source=registry.name)
    registry.sign_off("a", revision=1)
    with registry.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE study_case SET layout = NULL, features = NULL")
    assert registry.packed().words("concluded_grade").tolist() == ["G3"]


def test_verdict_on_another_state_is_refused(registry: Registry, make_case: Make) -> None:
    registry.add(make_case("a", age=70))
    with pytest.raises(RefusedRegistry, match="of another state of the case than revision 1"):
        attach(registry.writer, worked(make_case("a", age=71)), who="t", source=registry.name)
    with pytest.raises(RefusedRegistry, match="no case nobody; add the case first"):
        attach(registry.writer, worked(make_case("nobody")), who="t", source=registry.name)
    assert verdicts(registry.engine, "a") == []


@pytest.mark.parametrize(
    ("grades", "kept"),
    [((), None), (("undetermined",), "undetermined"), (("undetermined", "G2"), "G2"), (("G1", "G3"), "G1")],
)
def test_first_determined_grade_is_the_conclusion(make_case: Make, grades: tuple[str, ...], kept: str | None) -> None:
    assert conclusion(worked(make_case("a"), grades=grades)).get("concluded_grade") == kept


@pytest.fixture
def cohort(tmp_path: Path, make_case: Make) -> Registry:
    registry = Registry.open(tmp_path / "r.db", who="t")
    ages = {"skin": [70, 80, 90, None], "lung": [40, 50, 60]}
    registry.add_many(
        make_case(
            f"{setting}{i}",
            setting=setting,
            age=age,
            sex="female" if i % 2 else "male",
            markers={"ck20": "present" if setting == "skin" else "absent"} if i else {},
        )
        for setting, values in ages.items()
        for i, age in enumerate(values)
    )
    registry.add(make_case("nowhere", age=33))
    return registry


def test_table_counts_what_is_known_and_says_what_is_not(cohort: Registry) -> None:
    table = cohort_table(cohort.packed(), ["age_years", "sex", "marker.ck20", "size_cm"], by="setting")
    assert (table.groups, table.sizes, table.without_group) == (("lung", "skin"), (3, 4), 1)
    age = table.lines[0]
    assert age.cells == ("50 (45 to 55)", "80 (75 to 85)")
    assert age.unknown == (0, 1)
    assert age.p_value == pytest.approx(stats.kruskal([40, 50, 60], [70, 80, 90]).pvalue)
    sex = {line.value: line for line in table.lines if line.field == "sex"}
    assert sex["male"].cells == ("2 (67 %)", "2 (50 %)")
    stain = [line for line in table.lines if line.field == "marker.ck20"]
    assert {line.value: line.cells for line in stain} == {
        "present": ("0 (0 %)", "3 (100 %)"),
        "absent": ("2 (100 %)", "0 (0 %)"),
    }
    assert stain[0].unknown == (1, 1)
    assert stain[0].p_value == pytest.approx(stats.chi2_contingency(np.array([[0, 2], [3, 0]])).pvalue)
    size = table.lines[-1]
    assert (size.cells, size.unknown, size.p_value) == (("–", "–"), (3, 4), None)
    cohort.close()


def test_table_without_groups_and_refusals(cohort: Registry, make_case: Make) -> None:
    packed = cohort.packed()
    assert cohort_table(packed).sizes == (8,)
    assert cohort_table(packed, ["age_years"], by="age_years", cuts=[50]).groups == ("< 50", "≥ 50")
    with pytest.raises(RefusedRegistry, match="no case to describe"):
        cohort_table(packed, mask=np.zeros(len(packed), dtype=bool))
    with pytest.raises(RefusedRegistry, match="no field shoe"):
        cohort_table(packed, ["shoe"])
    many = [make_case(f"x{i}", age=float(i)) for i in range(20)]
    cohort.add_many(many)
    with pytest.raises(RefusedRegistry, match="splits the cases into 9 groups"):
        cohort_table(cohort.packed(), by="age_years", cuts=[2, 4, 6, 8, 10, 12, 14, 16])
    cohort.close()
