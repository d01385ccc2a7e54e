"""The form of a case: every field of the record has an input, and what goes through it comes back unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kulchitsky.case import vocabulary as v
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Fact, NotUnderstood, Reading
from kulchitsky.web.case_facts import confirmed_data, fact_lines
from kulchitsky.web.case_form import Errors, FormField, FormGroup, FormList, form_of, values_of
from kulchitsky.web.case_paths import join_path, look_up, split_path, without
from kulchitsky.web.spans import pieces_of
from kulchitsky.workup.read_case import read_case

EXAMPLE = Path(__file__).parents[2] / "examples" / "thigh-mass" / "case.yaml"


def sent_by_browser(part: FormField | FormGroup | FormList) -> dict[str, list[str]]:
    """What a browser sends when nothing is touched."""
    if isinstance(part, FormField):
        if part.kind == "several":
            return {part.name: [value for value, _ in part.choices if value in part.value]}
        return {part.name: [str(part.value).lower() if part.kind == "flag" else str(part.value)]}
    sent: dict[str, list[str]] = {}
    for inner in part.rows if isinstance(part, FormList) else part.parts:
        sent.update(sent_by_browser(inner))
    return sent


def through_the_form(case: Case) -> Case:
    data = values_of(sent_by_browser(form_of(case.model_dump(mode="json"))))
    return Case.model_validate({**data, "id": case.id})


def test_the_example_goes_through_unchanged() -> None:
    case = read_case(EXAMPLE)
    assert through_the_form(case) == case


words = st.text(alphabet=st.characters(whitelist_categories=("L", "N", "P")), min_size=1, max_size=20)
dimensions = st.lists(st.sampled_from([0.5, 2.25, 7.0]), min_size=1, max_size=3)
share = st.floats(0, 100).map(lambda x: round(x, 3))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    stains = st.fixed_dictionaries(
        {"marker": st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True), "state": st.sampled_from(["present"])},
        optional={
            "extent": st.sampled_from(v.Extent),
            "intensity": st.sampled_from(v.Intensity),
            "pattern": st.sampled_from(v.Pattern),
            "percent": share,
            "clone": words,
        },
    )
    return Case.model_validate(
        {
            "id": "generated",
            "patient": {"age_years": draw(st.none() | st.integers(0, 120)), "sex": draw(st.sampled_from(v.Sex))},
            "presentation": {
                "setting": draw(st.none() | st.sampled_from(v.Setting)),
                # a record that says nothing and none at all are one in a form
                "size": draw(st.none() | st.builds(lambda cm: {"dimensions_cm": cm}, dimensions)),
                "symptoms": draw(
                    st.lists(st.fixed_dictionaries({"name": words, "state": st.sampled_from(v.State)}), max_size=3)
                ),
            },
            "morphology": {
                "architecture": draw(st.lists(st.sampled_from(v.Architecture), unique=True, max_size=4)),
                "cell_size": draw(st.none() | st.sampled_from(v.CellSize)),
            },
            "markers": draw(st.lists(stains, max_size=4)),
            "imaging": draw(
                st.lists(
                    st.fixed_dictionaries(
                        {"modality": st.sampled_from(v.Modality), "body_parts": st.lists(words, max_size=3)}
                    ),
                    max_size=2,
                )
            ),
            "notes": draw(st.just("") | words),
        }
    )


@given(cases())
@settings(max_examples=60, deadline=None)
def test_any_case_goes_through_unchanged(case: Case) -> None:
    assert through_the_form(case).model_dump(mode="json") == case.model_dump(mode="json")


def test_every_field_of_the_record_has_an_input() -> None:
    data: dict[str, Any] = {name: [{}] for name, info in Case.model_fields.items() if "tuple" in str(info.annotation)}
    names = sent_by_browser(form_of(data))
    for path in ("patient.immune_suppression.state", "markers[0].clone", "ki67[0].bound", "claims[0].years"):
        assert path in names
    missing = set(Case.model_fields) - {name.split(".")[0].split("[")[0] for name in names} - {"id", "schema_version"}
    assert missing == set()


def test_adding_a_row_adds_one_and_blank_rows_vanish() -> None:
    form = form_of({"markers": [{"marker": "ck20", "state": "present"}]}, add="markers")
    rows = next(p for p in form.parts if isinstance(p, FormList) and p.name == "markers").rows
    assert len(rows) == 2
    assert values_of(sent_by_browser(form))["markers"] == [{"marker": "ck20", "state": "present", "origin": "report"}]


def test_problems_stand_beside_their_fields() -> None:
    data = {"patient": {"age_years": "old"}, "markers": [{"marker": "ck20", "state": "absent", "percent": 50}]}
    with pytest.raises(ValidationError) as caught:
        Case.model_validate(data)
    errors = Errors.of(caught.value)
    form = form_of(data, errors)
    fields = {part.name: part for part in _all_parts(form)}
    assert "number" in fields["patient.age_years"].error
    assert "is absent, yet 50 percent" in fields["markers[0]"].error
    assert errors.by_path == {}


def _all_parts(part: Any) -> list[Any]:
    inner = part.rows if isinstance(part, FormList) else part.parts if isinstance(part, FormGroup) else ()
    return [part, *(p for child in inner for p in _all_parts(child))]


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("notes", ("notes",)),
        ("markers[3].state", ("markers", 3, "state")),
        ("imaging[0].findings[12].place", ("imaging", 0, "findings", 12, "place")),
    ],
)
def test_paths_round_trip(path: str, steps: tuple[str | int, ...]) -> None:
    assert split_path(path) == steps
    assert join_path(steps) == path


@pytest.mark.parametrize("path", [".a", "a..b", "a[", "a[-1]", "a[99999]", "a b", "a[0]]", "__proto__[x]"])
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        split_path(path)


def test_taking_out_keeps_the_order_of_the_rest() -> None:
    data = {"a": [{"x": 1}, {"x": 2}, {"x": 3}], "b": {"c": 1, "d": 2}}
    assert without(data, [("a", 1), ("b", "c")]) == {"a": [{"x": 1}, {"x": 3}], "b": {"d": 2}}
    assert look_up(data, ("a", 7, "x")) is None


TEXT = "Chromogranin positive; CK20 negative. Age 70."
READING = Reading(
    case=Case.model_validate(
        {
            "patient": {"age_years": 70},
            "markers": [
                {"marker": "chromogranin_a", "state": "present"},
                {"marker": "ck20", "state": "absent"},
            ],
        }
    ),
    facts=(
        Fact(path="markers[0].state", value="present", text="Chromogranin positive", start=0, end=21),
        Fact(path="markers[1].state", value="absent", text="CK20 negative", start=23, end=36),
        Fact(path="patient.age_years", value=70, text="70", start=42, end=44),
    ),
)


def test_facts_are_kept_corrected_and_dropped() -> None:
    form = {"keep": ["0", "2"], "markers[0].state": ["equivocal"], "markers[1].state": ["absent"]}
    data = confirmed_data(READING, {**form, "patient.age_years": ["71"]})
    case = Case.model_validate(data)
    assert [(m.marker, m.state.value) for m in case.markers] == [("chromogranin_a", "equivocal")]
    assert case.patient.age_years == 71
    assert Case.model_validate(confirmed_data(READING, {"keep": []})) == Case()


def test_facts_have_an_input_of_their_kind() -> None:
    first, second, third = fact_lines(READING)
    assert first.field is not None
    assert first.field.kind == "choice"
    assert first.label == "Markers › chromogranin a › State"
    assert second.shown == "absent"
    assert third.field is not None
    assert third.field.value == "70"


spans = st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60)), max_size=8)


@given(spans, spans)
def test_pieces_add_up_to_the_text(facts: list[tuple[int, int]], holes: list[tuple[int, int]]) -> None:
    found = [Fact(path="notes", value="", text="", start=a, end=b) for a, b in facts]
    unread = [NotUnderstood(text="", start=a, end=b) for a, b in holes]
    pieces = pieces_of(TEXT, found, unread)
    assert "".join(piece.text for piece in pieces) == TEXT
    for number, (start, end) in enumerate(facts):
        shown = "".join(piece.text for piece in pieces if number in piece.facts)
        assert shown == TEXT[max(0, start) : max(0, end)] if start < end else not shown
