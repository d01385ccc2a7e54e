"""Case files: what is read comes back, and what cannot be read says where and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.record import Case, MarkerResult, Patient
from kulchitsky.case.vocabulary import Sex, State
from kulchitsky.case.yaml_file import MAX_BYTES, dotted_path, parse, parse_text, read_case, validate, write_case

TEMPLATE = Path(__file__).parents[2] / "src/kulchitsky/case/template.yaml"


def test_a_case_survives_writing_and_reading(tmp_path: Path) -> None:
    case = read_case(TEMPLATE)
    write_case(case, tmp_path / "again.yaml")
    assert read_case(tmp_path / "again.yaml") == case


@given(
    age=st.one_of(st.none(), st.floats(0, 120)),
    sex=st.sampled_from(Sex),
    states=st.lists(st.sampled_from(State), max_size=5),
)
def test_any_small_case_survives(tmp_path_factory: pytest.TempPathFactory, age, sex, states) -> None:
    case = Case(
        patient=Patient(age_years=age, sex=sex),
        markers=tuple(MarkerResult(marker=f"m{i}", state=s) for i, s in enumerate(states)),
    )
    path = tmp_path_factory.mktemp("case") / "case.yaml"
    write_case(case, path)
    assert read_case(path) == case


def test_json_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text(json.dumps({"id": "a", "patient": {"age_years": 50}}))
    assert read_case(path).patient.age_years == 50


def test_silence_is_not_a_state() -> None:
    case = validate(parse_text("id: quiet"))
    assert case.markers == ()
    assert case.patient.age_years is None


def test_lines_are_those_of_the_file() -> None:
    raw = parse_text("id: x\nmarkers:\n  - marker: ck20\n    state: present\n")
    assert raw.lines["markers", 0, "state"] == 4
    assert raw.place(("markers", 0, "state")) == "line 4, markers[0].state"
    assert raw.place(("markers", 0, "not_there")) == "line 3, markers[0].not_there"


def test_dotted_path() -> None:
    assert dotted_path(("laboratory", 2, "unit")) == "laboratory[2].unit"
    assert dotted_path(()) == ""


DEEP = "a: " + "{a: " * 40 + "1" + "}" * 40
BOMB = "a: &a [x, x]\n" + "\n".join(f"{c}: &{c} [*{p}, *{p}]" for p, c in zip("abcdefgh", "bcdefghi", strict=True))

MALFORMED_TEXT = [
    ("", "the file is empty"),
    ("  \n\n", "the file is empty"),
    ("# only a remark\n", "comments only"),
    ("just words", "does not hold a case"),
    ("- 1\n- 2", "line 1: does not hold a case"),
    ("[1, 2]", "does not hold a case"),
    ("[", "does not hold a case"),
    ("{", "not valid JSON"),
    ('{"id": "a",}', "not valid JSON"),
    ('{"id": "a", "id": "b"}', "'id' is given twice"),
    ('{"markers": [{"marker": "ck20"}]}', "'state' is missing"),
    ("id: a\nid: b", "line 2: the key 'id' is given twice"),
    ("id: [a", "not valid YAML"),
    ("id: 'a", "not valid YAML"),
    ("id: a\n\tpatient: 1", "not valid YAML"),
    ("id: a\n  b: c", "not valid YAML"),
    ("id: @a", "not valid YAML"),
    ("? [a, b]\n: 1", "a key is not a plain word"),
    (BOMB, "anchor or alias"),
    ("id: &x a", "anchor or alias 'x'"),
    ("id: *x", "not valid YAML"),
    ("<<: {id: a}", "unknown key '<<'"),
    ("id: !!python/object:os.system x", "tag"),
    ("id: !secret a", "tag"),
    ("notes: !!binary aGVsbG8=", "tag"),
    (DEEP, "nested too deeply"),
    ("[" * 5000, "nested too deeply"),
    ("a: " + "[" * 5000, "nested too deeply"),
    ("id: a\n--- \nid: b", "not valid YAML"),
    ("schema_version: 2", "use 1"),
    ("id: 7", "id: 7 cannot be used"),
    ("id: a b", "cannot be used"),
    ("id: ''", "cannot be used"),
    ("id: " + "x" * 100, "cannot be used"),
    ("patient: 77", "line 1, patient"),
    ("patient: [77]", "line 1, patient"),
    ("patient: {age_years: old}", "patient.age_years: 'old' cannot be used"),
    ("patient: {age_years: true}", "patient.age_years: true cannot be used"),
    ("patient: {age_years: '77'}", "'77' cannot be used"),
    ("patient: {age_years: -1}", "greater than or equal to 0"),
    ("patient: {age_years: 121}", "less than or equal to 120"),
    ("patient: {age_years: .nan}", "cannot be used"),
    ("patient: {age_years: .inf}", "cannot be used"),
    ("patient: {sex: femal}", "did you mean female"),
    ("patient: {sex: F}", "use female, male, other or unknown"),
    ("patient: {age: 77}", "known keys are age_years"),
    ("patient: {ecog: 6}", "less than or equal to 5"),
    ("patient: {name: Jane}", "unknown key 'name'"),
    ("patients: {age_years: 77}", "did you mean 'patient'"),
    ("markers: {ck20: present}", "line 1, markers"),
    ("markers: [ck20]", "markers[0]"),
    ("markers: [{marker: ck20}]", "'state' is missing"),
    ("markers: [{marker: CK 20, state: present}]", "markers[0].marker"),
    ("markers: [{marker: ck20, state: positive}]", "use present, absent, equivocal or not_tested"),
    ("markers: [{marker: ck20, state: present, percent: 120}]", "less than or equal to 100"),
    ("markers: [{marker: ck20, state: not_tested, percent: 10}]", "not_tested, yet"),
    ("markers: [{marker: ck20, state: absent, percent: 80}]", "absent, yet 80 percent"),
    ("markers: [{marker: ck20, state: present, pattern: dotty}]", "perinuclear_dot"),
    ("markers: [{marker: ck20, state: present, specimen: s9}]", "specimen 's9' is used but not listed"),
    ("specimens: [{id: a}, {id: a}]", "same id"),
    ("ki67: [{}]", "needs percent, a range, or counted and positive"),
    ("ki67: [{percent: 165}]", "less than or equal to 100"),
    ("ki67: [{low_percent: 30, high_percent: 20}]", "exceeds high_percent"),
    ("ki67: [{counted: 500}]", "belong together"),
    ("ki67: [{counted: 500, positive: 501}]", "exceeds counted"),
    ("ki67: [{counted: 500, positive: 100, percent: 65}]", "contradicts 100 of 500"),
    ("ki67: 65", "line 1, ki67"),
    ("morphology: {mitoses: {count: 10}}", "together with area_mm2"),
    ("morphology: {mitoses: {count: 10, area_mm2: 0}}", "greater than 0"),
    ("morphology: {mitoses: {count: 10, area_mm2: 2, per_2mm2: 40}}", "contradicts"),
    ("morphology: {necrosis: yes}", "use absent, punctate"),
    ("procedures: [{kind: excision, nodes_positive: 2}]", "without nodes_removed"),
    ("procedures: [{kind: excision, nodes_removed: 2, nodes_positive: 7}]", "exceeds nodes_removed"),
    ("presentation: {size: {greatest_cm: 5, dimensions_cm: [6, 5]}}", "smaller than a dimension"),
    ("presentation: {site: {topography: thigh}}", "topography"),
    ("laboratory: [{test: Hb}]", "needs a value or an interpretation"),
    ("laboratory: [{test: Hb, value: 12}]", "needs its unit"),
    ("laboratory: [{test: Hb, value: twelve, unit: g/dL}]", "'twelve' cannot be used"),
    ("diagnosed_on: 2026-13-40", "diagnosed_on"),
    ("slides: [{path: a.tif, stain: ki67, um_per_px: 0}]", "greater than 0.02"),
    ("follow_up: [{months: -3}]", "greater than or equal to 0"),
    ("id: a\x07b", "control character U+0007"),
]


@pytest.mark.parametrize(("text", "says"), MALFORMED_TEXT, ids=range(len(MALFORMED_TEXT)))
def test_malformed_text_gives_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RefusedCase) as caught:
        validate(parse(path))
    message = str(caught.value)
    assert says in message
    assert message.startswith(str(path))
    assert "\n" not in message
    assert caught.value.remedy


MALFORMED_BYTES = [
    (b"\xff\xfei\x00d\x00", "not UTF-8"),
    ("id: höhe".encode("latin-1"), "line 1: is not UTF-8"),
    (b"id: a\nnotes: \x80abc", "line 2: is not UTF-8"),
    (bytes(range(256)) * 4, "is not UTF-8"),
    (b"\x00" * 100, "control character"),
    (b"PK\x03\x04" + b"\x00" * 50, "control character"),
    (b"#" * (MAX_BYTES + 1), "at most 2 MB"),
]


@pytest.mark.parametrize(("raw", "says"), MALFORMED_BYTES, ids=range(len(MALFORMED_BYTES)))
def test_malformed_bytes_give_one_sentence(tmp_path: Path, raw: bytes, says: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(raw)
    with pytest.raises(RefusedCase, match=says):
        read_case(path)


def test_fifty_megabytes_are_refused_without_reading_them(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as stream:
        stream.truncate(50_000_000)
    with pytest.raises(RefusedCase, match=r"is 50\.0 MB"):
        parse(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(RefusedCase, match="does not exist"):
        parse(tmp_path / "none.yaml")
    with pytest.raises(RefusedCase, match="is a folder"):
        parse(tmp_path)


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfid: a\n")
    assert read_case(path).id == "a"


def test_the_template_names_every_key_of_a_case() -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    schema = Case.model_json_schema()
    records = [schema, *(d for d in schema["$defs"].values() if "properties" in d)]
    keys = {key for record in records for key in record["properties"]}
    left_out = {"origin", "hotspot", "comparator", "subject", "endpoint", "topography", "low_percent", "high_percent"}
    missing = {key for key in keys - left_out if key not in text}
    assert not missing


def test_writing_into_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedCase, match="cannot be written"):
        write_case(Case(), tmp_path / "no" / "folder" / "case.yaml")
