"""The rule base: it loads, every row has source and edition, and the validator finds what is broken on purpose."""

from __future__ import annotations

import shutil
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from kulchitsky.case.errors import BrokenKnowledge
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.knowledge.rule_book import rule_book
from kulchitsky.knowledge.rules import Rules, load_rules, read_rules
from kulchitsky.knowledge.rules_check import covers, partition_problems
from kulchitsky.knowledge.rules_grading import Index

RULES = load_rules()
ROOT = Path(__file__).resolve().parents[3]
SHIPPED = Path(str(resources.files("kulchitsky.knowledge"))) / "data" / "rules"
INDICES = [(system.id, index) for system in RULES.grading.systems for index in system.indices]


def test_the_rule_base_is_read_once() -> None:
    assert load_rules() is RULES


def _rows_with_sources(model: Any) -> list[BaseModel]:
    if isinstance(model, BaseModel):
        own = [model] if "sources" in type(model).model_fields else []
        return own + [row for name in type(model).model_fields for row in _rows_with_sources(getattr(model, name))]
    if isinstance(model, tuple):
        return [row for item in model for row in _rows_with_sources(item)]
    if isinstance(model, dict):
        return [row for item in model.values() for row in _rows_with_sources(item)]
    return []


def test_every_row_has_a_source_that_can_be_opened() -> None:
    rows = _rows_with_sources(RULES)
    assert len(rows) > 400
    for row in rows:
        assert row.sources, row  # type: ignore[attr-defined]
    for reference in RULES.references.values():
        assert reference.title
        assert reference.doi or reference.url, f"{reference.key} cannot be opened"
        assert reference.read, f"{reference.key} does not say what was read"
        doi = reference.doi
        assert not doi or (doi.startswith("10.") and doi.count("(") == doi.count(")")), f"{reference.key}: {doi}"


def test_every_reference_is_cited() -> None:
    cited = {key for row in _rows_with_sources(RULES) for key in row.sources}  # type: ignore[attr-defined]
    step = RULES.grading.differentiation
    cited |= {*step.prior_sources, *step.not_alone_sources}
    assert sorted(set(RULES.references) - cited) == []


def test_every_system_and_scheme_has_an_edition() -> None:
    assert RULES.edition
    assert all(system.edition for system in RULES.grading.systems)
    assert all(scheme.edition and scheme.authority for scheme in RULES.staging.schemes)
    assert all(rule.edition for rule in RULES.grading.counting)


def test_every_entity_named_by_a_rule_exists() -> None:
    known = set(load_knowledge().entities)
    plan = RULES.plan
    rows = (*plan.prognosis, *plan.performance, *plan.advice, *plan.options, *plan.visits, *plan.codes)
    named = {entity for row in rows for entity in row.entities} | {row.entity for row in RULES.staging.entities}
    assert sorted(named - known) == []


@pytest.mark.parametrize(("system", "index"), INDICES, ids=lambda value: getattr(value, "fact", value))
def test_bands_partition_the_line(system: str, index: Index) -> None:
    assert partition_problems(index) == []
    top = index.maximum if index.maximum is not None else 1000.0

    @given(value=st.floats(index.minimum, top))
    def one_band_each(value: float) -> None:
        assert sum(band.holds(value) for band in index.bands) == 1

    one_band_each()
    for band in index.bands:
        for end in (band.lower, band.upper):
            if index.minimum <= end <= top:
                assert sum(other.holds(end) for other in index.bands) == 1


@pytest.mark.parametrize(
    ("bands", "problem"),
    [
        ([{"id": "a", "from": 0, "below": 2}, {"id": "b", "above": 2}], "both or neither"),
        ([{"id": "a", "from": 0, "to": 2}, {"id": "b", "from": 2}], "both or neither"),
        ([{"id": "a", "from": 0, "below": 2}, {"id": "b", "from": 3}], "gap or overlap"),
        ([{"id": "a", "above": 0, "below": 2}, {"id": "b", "from": 2}], "do not start"),
        ([{"id": "a", "from": 0, "below": 2}, {"id": "b", "from": 2, "to": 9}], "the range does not"),
    ],
)
def test_gaps_and_overlaps_are_found(bands: list[dict[str, Any]], problem: str) -> None:
    index = Index.model_validate({"fact": "x", "name": "x", "unit": "", "bands": bands})
    assert any(problem in text for text in partition_problems(index))


@pytest.mark.parametrize(
    ("listed", "value", "expected"),
    [
        ("T1", "T1", True), ("T1", "T1a", True), ("T1", "T10", False), ("N1a", "N1a(sn)", True),
        ("N1", "N1a(sn)", True),
        ("M1", "M1c2", True), ("M1c", "M1c2", True), ("N1a", "N1b", False), ("N2", "N1", False), ("M1", "M0", False),
    ],
)  # fmt: skip
def test_categories_cover_their_subdivisions(listed: str, value: str, expected: bool) -> None:
    assert covers(listed, value) is expected


def _broken(tmp_path: Path, file: str, change: Any) -> str:
    """The message of a rule base in which ``change`` was made to one file."""
    folder = tmp_path / "rules"
    shutil.copytree(SHIPPED, folder)
    content = yaml.safe_load((folder / file).read_text(encoding="utf-8"))
    change(content)
    (folder / file).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    with pytest.raises(BrokenKnowledge) as caught:
        read_rules(folder)
    return str(caught.value)


def _set(path: str, value: Any) -> Any:
    def change(content: Any) -> None:
        *steps, last = path.split(".")
        for step in steps:
            content = content[int(step) if step.isdigit() else step]
        content[int(last) if last.isdigit() else last] = value

    return change


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("grading.yaml", _set("systems.0.grades.0.when", {"fact": "mood", "gt": 1}), "unknown fact 'mood'"),
        ("grading.yaml", _set("systems.0.grades.0.when", {"fact": "necrosis", "gt": 1}), "compares it as a number"),
        (
            "grading.yaml",
            _set("systems.0.grades.0.when", {"fact": "necrosis", "is": "huge"}),
            "never takes the value",
        ),
        (
            "grading.yaml",
            _set("systems.0.grades.0.when", {"fact": "ki67_percent", "band": "top"}),
            "unknown band 'top'",
        ),
        ("grading.yaml", _set("systems.0.grades.0.order", 2), "the same order"),
        ("grading.yaml", _set("systems.0.indices.0.bands.1.from", 3), "gap or overlap"),
        ("grading.yaml", _set("systems.0.grades.0.sources", []), "at least 1 item"),
        ("grading.yaml", _set("systems.0.grades.0.sources", ["NOBODY99"]), "source 'NOBODY99' is cited"),
        ("grading.yaml", _set("systems.0.colour", "red"), "Extra inputs are not permitted"),
        ("facts.yaml", _set("facts.size_cm.fields", ["procedures.weight"]), "a field that no case has"),
        ("facts.yaml", _set("facts.size_cm.fields", []), "names the case fields"),
        ("stage_merkel.yaml", _set("schemes.0.groups.0.t", ["T1", "T4"]), "['I', 'IIB']"),
        ("stage_merkel.yaml", _set("schemes.0.groups.0.t", ["T9"]), "names T9"),
        ("tests.yaml", _set("advice.0.performance", "crystal_ball"), "no performance row crystal_ball"),
        ("prognosis.yaml", _set("prognosis.0.interval_95", [60, 70]), "outside its interval"),
        ("prognosis.yaml", _set("prognosis.0.percent", None), "has no figure"),
        ("follow_up.yaml", _set("visits.0.to_months", 1), "ends before it begins"),
        ("differentiation.yaml", _set("differentiation.rows.0.net_positive", 999), "more positive than tested"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_validator_finds(tmp_path: Path, file: str, change: Any, message: str) -> None:
    assert message in _broken(tmp_path, file, change)


def test_a_key_written_twice_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(SHIPPED, folder)
    path = folder / "prognosis.yaml"
    path.write_text("follow_entities_above: 0.5\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(BrokenKnowledge, match="written twice"):
        read_rules(folder)


def test_higher_grades_follow_lower_ones() -> None:
    for system in RULES.grading.systems:
        orders = [row.order for row in system.grades]
        assert all(a < b for a, b in pairwise(orders))


def test_the_rule_book_is_the_data() -> None:
    page = ROOT / "docs" / "rule-book.md"
    assert page.read_text(encoding="utf-8") == rule_book(RULES), "run python tools/write_rule_book.py"


def test_the_rule_book_shows_every_source() -> None:
    text = rule_book(RULES)
    assert all(f"| {key} |" in text for key in RULES.references)


def _copy() -> Rules:
    return RULES.model_copy()


def test_rules_are_immutable() -> None:
    with pytest.raises(ValueError, match="frozen"):
        _copy().edition = "x"  # type: ignore[misc]
