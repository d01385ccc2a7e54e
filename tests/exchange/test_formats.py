"""Every format: what leaves is well-formed, what comes back is the same case, what was edited is refused."""

from __future__ import annotations

import base64
import copy
import csv
import datetime as dt
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import phenopackets as pp
import pyarrow.parquet as pq
import pytest
from fhir.resources.R4B.bundle import Bundle
from google.protobuf.json_format import ParseDict
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kulchitsky.case.errors import RefusedCase, RefusedInput
from kulchitsky.case.fields import NUMERIC, fields_of
from kulchitsky.case.record import Case
from kulchitsky.exchange.cbioportal import COMPLETE, read_study, write_study
from kulchitsky.exchange.fhir import case_bundle, read_bundle
from kulchitsky.exchange.flat_row import case_of_row, row_of
from kulchitsky.exchange.phenopacket import iso_age, phenopacket, read_phenopacket
from kulchitsky.exchange.redcap import DATA, DICTIONARY, read_project, write_project
from kulchitsky.exchange.table import read_csv, read_parquet, write_csv, write_parquet

CREATED = dt.datetime(2024, 1, 2, tzinfo=dt.UTC)
Cases = list[Case]


def _via_csv(cases: Cases, folder: Path) -> Cases:
    write_csv(cases, folder / "a.csv")
    return read_csv(folder / "a.csv")


def _via_parquet(cases: Cases, folder: Path) -> Cases:
    write_parquet(cases, folder / "a.parquet")
    return read_parquet(folder / "a.parquet")


def _via_redcap(cases: Cases, folder: Path) -> Cases:
    write_project(cases, folder / "redcap")
    return read_project(folder / "redcap")


def _via_cbioportal(cases: Cases, folder: Path) -> Cases:
    write_study(cases, folder / "study", study="nen_test", name="Test")
    return read_study(folder / "study")


def _via_fhir(cases: Cases, folder: Path) -> Cases:
    return [read_bundle(json.loads(json.dumps(case_bundle(c))), source="x") for c in cases]


def _via_phenopacket(cases: Cases, folder: Path) -> Cases:
    return [read_phenopacket(json.loads(json.dumps(phenopacket(c, created=CREATED))), source="x") for c in cases]


WAYS = [_via_csv, _via_parquet, _via_redcap, _via_cbioportal, _via_fhir, _via_phenopacket]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_lost_on_the_way(
    way: Callable[[Cases, Path], Cases], full_case: Case, bare_case: Case, tmp_path: Path
) -> None:
    awkward = full_case.model_copy(update={"id": "odd", "notes": 'tab\tquote" comma, newline\nΣ \u2028 end'})
    cases = [full_case, bare_case, awkward]
    assert way(cases, tmp_path) == cases


@pytest.mark.parametrize("way", WAYS)
def test_no_case_at_all_is_fine(way: Callable[[Cases, Path], Cases], tmp_path: Path) -> None:
    assert way([], tmp_path) == []


def thinned(value: Any, rng: random.Random, depth: int = 0) -> Any:
    """A record with some of its fields and list items left out."""
    if isinstance(value, dict):
        kept = [k for k in value if (depth == 0 and k == "id") or rng.random() < 0.8]
        return {k: thinned(value[k], rng, depth + 1) for k in kept}
    if isinstance(value, list):
        return [thinned(item, rng, depth + 1) for item in value if rng.random() < 0.8]
    return value


@pytest.mark.parametrize("seed", range(4))
def test_any_part_of_a_case_survives_every_format(full_case: Case, seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    whole = full_case.model_dump(mode="json")
    cases: Cases = []
    while len(cases) < 10:
        try:
            made = Case.model_validate({**thinned(whole, rng), "id": f"part-{len(cases)}"})
        except ValidationError:
            continue  # what is left contradicts itself: no case
        cases.append(made)
    for way in WAYS:
        (tmp_path / way.__name__).mkdir()
        assert way(cases, tmp_path / way.__name__) == cases
    for case in cases:
        Bundle.model_validate(json.loads(json.dumps(case_bundle(case))))


FLAT = st.fixed_dictionaries(
    {"id": st.from_regex(r"[A-Za-z0-9_.-]{1,10}", fullmatch=True)},
    optional={
        "age_years": st.floats(0, 120),
        "sex": st.sampled_from(["female", "male", "other"]),
        "setting": st.sampled_from(["skin", "soft_tissue"]),
        "region": st.sampled_from(["trunk", "lower_limb"]),
        "size_cm": st.floats(0.1, 99),
        "ki67_percent": st.floats(0, 100),
        "mitoses_per_2mm2": st.floats(0, 1000),
        "necrosis": st.sampled_from(["absent", "focal"]),
        "architecture": st.sampled_from(["nested", "insular;nested"]),
        "marker.ck20": st.sampled_from(["present", "absent", "equivocal", "not_tested"]),
        "feature.amyloid": st.sampled_from(["present", "absent"]),
        "molecular.mcpyv_pcr": st.sampled_from(["present", "absent"]),
        "primary_found": st.sampled_from(["present", "absent"]),
        "nodes_removed": st.integers(5, 9),
        "nodes_positive": st.integers(0, 5),
        "follow_up_months": st.floats(0, 400),
        "treatment": st.sampled_from(["surgery", "radiotherapy;surgery"]),
        "diagnosis": st.just("merkel_cell_carcinoma"),
    },
)


@settings(max_examples=80, deadline=None)
@given(values=FLAT)
def test_row_written_by_hand_means_what_it_says(values: dict[str, Any]) -> None:
    if "nodes_removed" not in values:
        values.pop("nodes_positive", None)
    cells = {name: repr(value) if isinstance(value, float) else str(value) for name, value in values.items()}
    case = case_of_row(cells, source="t.csv", place="line 2")
    again = row_of(case, complete=False)
    assert set(again) == set(cells)
    for name, value in cells.items():
        assert float(again[name]) == float(value) if name in NUMERIC else again[name] == value


def test_plus_minus_and_names_are_understood() -> None:
    cells = {"id": "a", "marker.CK20": "+", "marker.TTF-1": "neg", "marker.INSM1": "nd", "diagnosis": "MCC"}
    known = {"CK20": "ck20", "TTF-1": "ttf1", "INSM1": "insm1", "MCC": "merkel_cell_carcinoma"}
    case = case_of_row(cells, source="t", place="l", marker=known.get, entity=known.get)
    fields = fields_of(case)
    assert (fields["marker.ck20"], fields["marker.ttf1"], fields["marker.insm1"]) == (
        "present",
        "absent",
        "not_tested",
    )
    assert fields["diagnosis"] == "merkel_cell_carcinoma"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "there is no column 'id'"),
        ("name\nx\n", "there is no column 'id'"),
        ("id,id\na,b\n", "column 'id' is there twice"),
        ("id,shoe\na,4\n", "header: column 'shoe' is unknown"),
        ("id,age_years\na,old\n", "line 2: age_years is 'old', not a number"),
        ("id,age_years\na,400\n", "line 2: patient.age_years"),
        ("id,age_years\na,nan\n", "line 2: patient.age_years"),
        ("id,sex\na,lady\n", "patient.sex"),
        ("id,marker.ck20\na,maybe\n", "markers.0.state"),
        ("id,marker.CK 20\na,+\n", "markers.0.marker"),
        ("id,pattern.ck20\na,globular\n", "pattern.ck20 is given without marker.ck20"),
        ("id,status\na,alive\n", "status is given without follow_up_months"),
        ("id,sex\na,male,5\n", "line 2: 3 cells under 2 columns"),
        ("id,sex\n,male\n", "line 2: the id is empty"),
        ("id\na b\n", "line 2: id:"),
        ("id\na\na\n", "the id a is used twice"),
        ("id,case_json\na,{}}\n", "case_json"),
        ('id,sex\na,"male\n', "not readable as CSV"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(RefusedCase, match=sentence) as refused:
        read_csv(path)
    assert "bad.csv" in str(refused.value)


def test_unknown_names_are_refused_where_names_are_resolved() -> None:
    with pytest.raises(RefusedCase, match="unknown marker 'ck99'"):
        case_of_row({"id": "a", "marker.ck99": "+"}, source="t", place="l", marker=lambda _: None)
    with pytest.raises(RefusedCase, match="unknown diagnosis 'lump'"):
        case_of_row({"id": "a", "diagnosis": "lump"}, source="t", place="l", entity=lambda _: None)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes("id,notes\na,\xe9\n".encode("latin-1"))
    with pytest.raises(RefusedInput, match="is not UTF-8 text"):
        read_csv(tmp_path / "latin.csv")
    with pytest.raises(RefusedInput, match="cannot be read"):
        read_csv(tmp_path / "none.csv")
    (tmp_path / "x.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(RefusedCase, match="not a readable Parquet file"):
        read_parquet(tmp_path / "x.parquet")


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_edited_cell_beside_the_complete_case_is_refused(full_case: Case, tmp_path: Path) -> None:
    write_csv([full_case], tmp_path / "a.csv")
    _edit(tmp_path / "a.csv", "71.5", "17.5")
    with pytest.raises(RefusedCase, match=r"age_years is '17\.5' but case_json says '71\.5'"):
        read_csv(tmp_path / "a.csv")


def test_spreadsheet_may_rewrite_a_number(full_case: Case, tmp_path: Path) -> None:
    write_csv([full_case], tmp_path / "a.csv")
    _edit(tmp_path / "a.csv", ",70,", ",70.0,")
    assert read_csv(tmp_path / "a.csv") == [full_case]


def test_excel_byte_order_mark_is_no_column(full_case: Case, tmp_path: Path) -> None:
    write_csv([full_case], tmp_path / "a.csv")
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "a.csv").read_bytes())
    assert read_csv(tmp_path / "a.csv") == [full_case]


def test_parquet_has_numbers_as_numbers(full_case: Case, bare_case: Case, tmp_path: Path) -> None:
    write_parquet([full_case, bare_case], tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.column("age_years").to_pylist() == [71.5, None]
    assert table.column("marker.ck20").to_pylist() == ["present", None]


# --- phenopacket ----------------------------------------------------------------------------------------------------


def test_phenopacket_is_valid_and_says_the_case(full_case: Case) -> None:
    packet = ParseDict(phenopacket(full_case, created=CREATED, names={"ck20": "CK20"}), pp.Phenopacket())
    assert packet.subject.sex == pp.FEMALE
    assert packet.subject.time_at_last_encounter.age.iso8601duration == "P71Y6M"
    features = {f.type.id: f.excluded for f in packet.phenotypic_features}
    assert features["KULCHITSKY:feature.amyloid"] is True
    assert features["KULCHITSKY:feature.nuclear_moulding"] is False
    stains = {m.assay.id: m.value.ontology_class.id for m in packet.measurements}
    assert stains["KULCHITSKY:marker.ttf1"] == "KULCHITSKY:state.absent"
    assert "KULCHITSKY:marker.mcpyv_lt" not in stains  # not tested is no measurement
    assert packet.diseases[0].term.id == "KULCHITSKY:entity.merkel_cell_carcinoma"
    assert {a.WhichOneof("action") for a in packet.medical_actions} == {"treatment", "procedure"}
    declared = {r.namespace_prefix for r in packet.meta_data.resources}
    used = {m.assay.id.split(":")[0] for m in packet.measurements}
    used |= {m.value.quantity.unit.id.split(":")[0] for m in packet.measurements if m.value.HasField("quantity")}
    assert used | {packet.diseases[0].primary_site.id.split(":")[0]} <= declared
    assert packet.meta_data.phenopacket_schema_version == "2.0"


@pytest.mark.parametrize(("years", "iso"), [(71.5, "P71Y6M"), (3, "P3Y"), (0.25, "P0Y3M"), (59.999, "P60Y")])
def test_age_as_duration(years: float, iso: str) -> None:
    assert iso_age(years) == iso


def test_spoiled_phenopackets_are_refused(full_case: Case) -> None:
    made = phenopacket(full_case, created=CREATED)
    edited = copy.deepcopy(made)
    edited["subject"]["sex"] = "MALE"
    with pytest.raises(RefusedCase, match="changed after the export"):
        read_phenopacket(edited, source="p.json")
    with pytest.raises(RefusedCase, match="carries no complete case"):
        read_phenopacket({k: v for k, v in made.items() if k != "files"}, source="p.json")
    with pytest.raises(RefusedCase, match="not a phenopacket"):
        read_phenopacket({"colour": "red"}, source="p.json")
    made["files"][0]["uri"] = "data:application/json;base64," + base64.b64encode(b'{"id": 5}').decode()
    with pytest.raises(RefusedCase, match="id: Input should be a valid string"):
        read_phenopacket(made, source="p.json")


# --- cBioPortal -----------------------------------------------------------------------------------------------------


@pytest.fixture
def study(full_case: Case, bare_case: Case, tmp_path: Path) -> Path:
    write_study([full_case, bare_case], tmp_path / "study", study="nen_test", name="Rare NEN")
    return tmp_path / "study"


def test_study_folder_has_the_shape_the_portal_loads(study: Path) -> None:
    for name in ("patient", "sample"):
        meta = dict(
            line.split(": ", 1) for line in (study / f"meta_clinical_{name}.txt").read_text().strip().splitlines()
        )
        assert meta["cancer_study_identifier"] == "nen_test"
        assert meta["genetic_alteration_type"] == "CLINICAL"
        assert meta["datatype"] == f"{name.upper()}_ATTRIBUTES"
        lines = (study / meta["data_filename"]).read_text().splitlines()
        assert [line[0] for line in lines[:4]] == ["#"] * 4
        width = {len(line.split("\t")) for line in lines}
        assert len(width) == 1
        kinds, ids = lines[2][1:].split("\t"), lines[4].split("\t")
        assert set(kinds) <= {"STRING", "NUMBER"}
        assert all(i == i.upper() and " " not in i for i in ids)
        assert len(set(ids)) == len(ids)
        for line in lines[5:]:
            for kind, cell in zip(kinds, line.split("\t"), strict=True):
                if kind == "NUMBER" and cell:
                    float(cell)


def test_study_states_outcomes_in_the_portals_words(study: Path) -> None:
    rows = list(csv.DictReader((study / "data_clinical_patient.txt").read_text().splitlines()[4:], delimiter="\t"))
    assert (rows[0]["OS_STATUS"], rows[0]["OS_MONTHS"]) == ("0:LIVING", "14")
    assert (rows[0]["DFS_STATUS"], rows[0]["DFS_MONTHS"]) == ("1:Recurred/Progressed", "14")
    assert (rows[1]["OS_STATUS"], rows[1]["OS_MONTHS"], rows[1]["SEX"]) == ("", "", "")
    samples = (study / "case_lists" / "cases_all.txt").read_text()
    assert "case_list_ids: T-1-S1\tbare-S1" in samples


def test_study_edited_afterwards_is_refused(study: Path) -> None:
    _edit(study / "data_clinical_patient.txt", "Female", "Male")
    with pytest.raises(RefusedCase, match="files were changed after the export"):
        read_study(study)


def test_other_folders_and_names_are_refused(study: Path, tmp_path: Path) -> None:
    with pytest.raises(RefusedInput, match="is already there; name a folder"):
        write_study([], study, study="nen_test", name="x")
    with pytest.raises(RefusedCase, match="'No Good' is no study id"):
        write_study([], tmp_path / "s2", study="No Good", name="x")
    (study / COMPLETE).unlink()
    with pytest.raises(RefusedCase, match="the study carries no complete cases"):
        read_study(study)


# --- REDCap ---------------------------------------------------------------------------------------------------------


def test_dictionary_describes_every_column_of_the_data(full_case: Case, tmp_path: Path) -> None:
    write_project([full_case], tmp_path / "r")
    dictionary = list(csv.DictReader((tmp_path / "r" / DICTIONARY).read_text().splitlines()))
    assert len(dictionary[0]) == 18
    assert dictionary[0]["Variable / Field Name"] == "record_id"
    by_name = {row["Variable / Field Name"]: row for row in dictionary}
    data = next(csv.DictReader((tmp_path / "r" / DATA).read_text().splitlines()))
    for column, value in data.items():
        base, _, member = column.partition("___")
        field = by_name[base]
        codes = [c.split(",")[0].strip() for c in field["Choices, Calculations, OR Slider Labels"].split("|")]
        if member:
            assert field["Field Type"] == "checkbox"
            assert member in codes
            assert value in ("0", "1")
        elif field["Field Type"] == "radio" and value:
            assert value in codes
    assert data["architecture___nested"] == "1"
    assert data["architecture___solid"] == "0"
    assert by_name["case_json"]["Field Annotation"] == "@HIDDEN @READONLY"


def test_record_typed_into_redcap_is_read(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(
        "record_id,age_years,mk_ck20,architecture___nested,architecture___solid,ft_amyloid,nen_complete\n"
        "K-1,66,present,1,0,absent,2\n"
    )
    fields = fields_of(read_project(tmp_path / "d.csv")[0])
    assert fields == {
        "age_years": 66.0,
        "marker.ck20": "present",
        "architecture": ("nested",),
        "feature.amyloid": "absent",
    }


def test_other_tables_are_no_redcap_export(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("id\n1\n")
    with pytest.raises(RefusedCase, match="there is no column 'record_id'"):
        read_project(tmp_path / "d.csv")
    (tmp_path / "e.csv").write_text("record_id,shoe\n1,2\n")
    with pytest.raises(RefusedCase, match="column 'shoe' is unknown"):
        read_project(tmp_path / "e.csv")
