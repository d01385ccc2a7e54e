"""De-identification: every field has been thought about, and what has not been does not leave."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, create_model

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.record import Case, Patient
from kulchitsky.exchange.deidentify import deidentify, rules

PSEUDONYM = "K-ABCDEFGHJKLM"


def leaves(kind: Any, path: str = "") -> Iterator[str]:
    """Paths of every leaf of the record's schema, list numbers left out."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        yield from leaves(arguments[0], path)
    elif origin in (types.UnionType, typing.Union):
        for argument in arguments:
            if argument is not types.NoneType:
                yield from leaves(argument, path)
    elif origin is tuple:
        yield from leaves(arguments[0], path)
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            yield from leaves(field.annotation, f"{path}.{name}" if path else name)
    else:
        yield path


@pytest.fixture
def case(full_case: Case) -> Case:
    return full_case.model_copy(update={"id": PSEUDONYM})


def test_every_field_of_the_record_has_a_rule() -> None:
    covered = rules()
    missing = [p for p in leaves(Case) if not any(p == r or p.startswith(f"{r}.") for r in covered)]
    assert missing == []


def test_every_rule_is_about_a_field() -> None:
    known = set(leaves(Case))
    assert [r for r in rules() if r not in known and not any(k.startswith(f"{r}.") for k in known)] == []


def test_identifiers_are_gone_and_findings_stay(case: Case) -> None:
    clean = deidentify(case)
    assert clean.diagnosed_on is None
    assert (clean.notes, clean.slides, clean.claims) == ("", (), ())
    assert all(v.detail == "" for v in clean.follow_up)
    assert [s.id for s in clean.specimens] == ["S1"]
    assert clean.markers[0].specimen == clean.morphology.specimen == clean.ki67[0].specimen == "S1"
    assert clean.patient == case.patient
    assert [m.state for m in clean.markers] == [m.state for m in case.markers]
    assert [v.months for v in clean.follow_up] == [6, 14]


@pytest.mark.parametrize(("age", "shown"), [(89.5, 89.5), (90, 90), (97, 90)])
def test_oldest_ages_are_one_group(case: Case, age: float, shown: float) -> None:
    older = case.model_copy(update={"patient": case.patient.model_copy(update={"age_years": age})})
    assert deidentify(older).patient.age_years == shown


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("calf, hospital number 12345678", "holds a long number"),
        ("seen 3.4.2019", "holds a date"),
        ("seen 2019-04-03", "holds a date"),
        ("calf of Jane Doe", "holds two capitalised words, like a name"),
        ("Doe, Jane", "holds two capitalised words, like a name"),
        ("referred by Dr. smith", "holds a title"),
        ("mail a@b.org", "holds an address"),
        ("x" * 81, "is longer than a term"),
    ],
)
def test_suspicious_terms_are_refused_not_passed(case: Case, text: str, sentence: str) -> None:
    seen = case.presentation
    assert seen.site is not None
    changed = seen.model_copy(update={"site": seen.site.model_copy(update={"text": text})})
    suspicious = case.model_copy(update={"presentation": changed})
    with pytest.raises(RefusedCase, match=sentence):
        deidentify(suspicious)
    clean = deidentify(suspicious, drop_terms=True)
    assert clean.presentation.site is not None
    assert clean.presentation.site.text == ""


def test_unit_is_a_unit(case: Case) -> None:
    odd = case.laboratory[0].model_copy(update={"unit": "ug/L for Jane Doe"})
    with pytest.raises(RefusedCase, match="is no unit"):
        deidentify(case.model_copy(update={"laboratory": (odd,)}))
    for unit in ("10*3/uL", "10³/µL", "ng/mL", "%", "mg/24h", "[IU]/L", "1"):
        fine = case.laboratory[0].model_copy(update={"unit": unit})
        assert deidentify(case.model_copy(update={"laboratory": (fine,)})).laboratory[0].unit == unit


def test_own_id_does_not_leave(full_case: Case) -> None:
    with pytest.raises(RefusedCase, match="the id T-1 is no pseudonym"):
        deidentify(full_case)


def test_field_nobody_thought_about_is_refused(case: Case) -> None:
    WiderPatient = create_model("WiderPatient", __base__=Patient, postcode=(str, ""))
    WiderCase = create_model("WiderCase", __base__=Case, patient=(WiderPatient, ...))
    wider = WiderCase.model_validate(
        {**case.model_dump(mode="json"), "patient": {**case.patient.model_dump(mode="json"), "postcode": "AB1 2CD"}}
    )
    with pytest.raises(RefusedCase, match=r"nobody has said whether patient\.postcode may leave"):
        deidentify(wider)


def test_field_that_became_a_record_is_refused(case: Case) -> None:
    class Layered(BaseModel):
        name: str

    WiderPatient = create_model("WiderPatient", __base__=Patient, sex=(Layered, ...))
    WiderCase = create_model("WiderCase", __base__=Case, patient=(WiderPatient, ...))
    wider = WiderCase.model_validate({**case.model_dump(mode="json"), "patient": {"sex": {"name": "Jane"}}})
    with pytest.raises(RefusedCase, match=r"patient\.sex is no longer a plain value"):
        deidentify(wider)
