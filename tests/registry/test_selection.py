"""Conditions: unknown satisfies nothing but ``=unknown``; what cannot be asked is refused with the next step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.case.record import Case
from kulchitsky.registry.packing import PackedCases
from kulchitsky.registry.selection import parse_condition, select
from kulchitsky.registry.store import Registry


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory, make_case: Callable[..., Case]) -> Iterator[PackedCases]:
    path: Path = tmp_path_factory.mktemp("selection") / "r.db"
    with Registry.open(path, who="t") as registry:
        registry.add(
            make_case(
                "1", age=40, sex="female", ki67=2, markers={"ck20": "present"}, architecture=("nested", "solid")
            )
        )
        registry.add(make_case("2", age=80, sex="male", ki67=70, markers={"ck20": "absent"}, architecture=("solid",)))
        registry.add(make_case("3", markers={"ck20": "not_tested"}, setting="skin"))
        yield registry.packed()


@pytest.mark.parametrize(
    ("conditions", "ids"),
    [
        ([], [1, 2, 3]),
        (["sex=female"], [1]),
        (["sex!=female"], [2]),
        (["sex=unknown"], [3]),
        (["sex!=unknown"], [1, 2]),
        (["age_years>=40"], [1, 2]),
        (["age_years > 40"], [2]),
        (["age_years=unknown"], [3]),
        (["ki67_percent<20", "sex=female"], [1]),
        (["ki67_percent<=2"], [1]),
        (["ki67_percent!=2"], [2]),
        (["marker.ck20=present"], [1]),
        (["marker.ck20!=present"], [2]),
        (["marker.ck20=unknown"], [3]),
        (["marker.never_seen=present"], []),
        (["marker.never_seen=unknown"], [1, 2, 3]),
        (["architecture=solid"], [1, 2]),
        (["architecture.nested=present"], [1]),
        (["setting=skin"], [3]),
    ],
)
def test_conditions(packed: PackedCases, conditions: list[str], ids: list[int]) -> None:
    mask = select(packed, [parse_condition(c) for c in conditions])
    assert packed.ids[mask].tolist() == ids


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sex", "'sex' is no condition"),
        ("age_yers>3", "no field age_yers; did you mean age_years"),
        ("age_years>old", "age_years is a number, 'old' is none"),
        ("age_years>unknown", "has words, not numbers: > cannot compare"),
        ("sex>female", "sex has words, not numbers"),
        ("marker.ck20=positive", "present, absent, equivocal or unknown, never 'positive'"),
    ],
)
def test_bad_conditions_are_refused(packed: PackedCases, text: str, sentence: str) -> None:
    with pytest.raises(RefusedRegistry, match=sentence):
        select(packed, [parse_condition(text)])
