"""The store: what goes in comes out, every change is kept, signed cases stay, nobody overwrites anybody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.case.record import Case
from kulchitsky.registry.difference import FieldChange
from kulchitsky.registry.records import digest
from kulchitsky.registry.store import Registry

Make = Callable[..., Case]


def test_case_comes_back_as_given(registry: Registry, make_case: Make) -> None:
    case = make_case("a", age=71.5, markers={"ck20": "present", "ttf1": "not_tested"}, notes="σ 'quoted' \\ \n line")
    stored = registry.add(case)
    assert stored.case == case
    assert (stored.revision, stored.status, stored.collection) == (1, "draft", "local")
    assert stored.added_at.utcoffset() is not None


def test_taken_id_is_refused_and_nothing_is_written(registry: Registry, make_case: Make) -> None:
    registry.add(make_case("a"))
    with pytest.raises(RefusedRegistry, match="a is already there"):
        registry.add_many([make_case("b"), make_case("a")])
    with pytest.raises(RefusedRegistry, match="c is given twice"):
        registry.add_many([make_case("c"), make_case("c")])
    assert [row.key for row in registry.rows()] == ["a"]


def test_many_cases_go_in_whole_or_not_at_all(registry: Registry, make_case: Make) -> None:
    cases = [
        make_case(f"n{i:03d}", age=i % 90, notes="tab\t\\N 'quote' σ", markers={f"m{i}": "present"})
        for i in range(60)
    ]
    assert registry.add_many(cases, collection="many") == 60
    assert [s.case for s in registry.cases()] == cases
    assert registry.broken_histories() == []
    assert (registry.packed().state("marker.m59") == 1).tolist() == [False] * 59 + [True]
    with pytest.raises(RefusedRegistry, match="n059 is already there"):
        registry.add_many([*(make_case(f"p{i}") for i in range(50)), make_case("n059")])
    assert registry.count() == 60
    registry.add(make_case("one-more"))
    assert registry.count() == 61


def test_edit_keeps_who_when_from_and_to(registry: Registry, make_case: Make) -> None:
    registry.add(make_case("a", age=70, markers={"ck20": "present"}))
    registry.edit(make_case("a", age=71, markers={"ck20": "absent"}, ki67=20), revision=1, note="second look")
    first, second = registry.history("a")
    assert (first.action, second.action, second.who, second.note) == ("add", "edit", "tester", "second look")
    assert second.at >= first.at
    assert FieldChange("patient.age_years", 70.0, 71.0) in second.changes
    assert FieldChange("markers[0].state", "present", "absent") in second.changes
    assert [c.path for c in second.changes if c.path.startswith("ki67")] == ["ki67[0]"]
    assert registry.get("a", revision=1).case.patient.age_years == 70


def test_stale_edit_is_refused(registry: Registry, make_case: Make) -> None:
    registry.add(make_case("a", age=70))
    registry.edit(make_case("a", age=71), revision=1)
    with pytest.raises(RefusedRegistry, match="has moved on to revision 2 since revision 1"):
        registry.edit(make_case("a", age=72), revision=1)
    assert registry.get("a").case.patient.age_years == 71


def test_signed_case_is_amended_never_edited(registry: Registry, make_case: Make) -> None:
    registry.add(make_case("a", age=70))
    registry.sign_off("a", revision=1)
    with pytest.raises(RefusedRegistry, match="is signed off: edit is not possible; amend it"):
        registry.edit(make_case("a", age=71), revision=2)
    with pytest.raises(RefusedRegistry, match="an addendum needs words"):
        registry.amend("a", revision=2, text="  ")
    stored = registry.amend(
        "a", revision=2, text="seen at 12 months", case=make_case("a", age=70, follow_up=((12, "alive"),))
    )
    assert (stored.status, stored.signed_revision, stored.revision) == ("signed_off", 2, 3)
    assert registry.get("a", revision=2).case == make_case("a", age=70)
    assert registry.rows()[0].follow_up_months == 12
    assert registry.history("a")[-1].note == "seen at 12 months"


def test_removed_case_leaves_lists_and_can_be_restored(registry: Registry, make_case: Make) -> None:
    registry.add(make_case("a", age=70))
    registry.sign_off("a", revision=1)
    registry.remove("a", revision=2, note="consent withdrawn")
    assert (registry.count(), registry.count(removed=True), len(registry.packed())) == (0, 1, 0)
    with pytest.raises(RefusedRegistry, match="is removed: addendum is not possible; restore it first"):
        registry.amend("a", revision=3, text="x")
    assert registry.restore("a", revision=3).status == "signed_off"
    assert registry.count() == 1


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda r, m: r.get("nobody"), "no case nobody"),
        (lambda r, m: r.get("a", revision=7), "a has no revision 7; choose from 1 to 1"),
        (lambda r, m: r.edit(m("a", age=70), revision=1), "the edit changes nothing"),
        (lambda r, m: r.restore("a", revision=1), "is draft: restore is not possible"),
        (lambda r, m: r.amend("a", revision=1, text="x"), "is draft: addendum is not possible"),
        (lambda r, m: r.amend("a", revision=1, text="x", case=m("b")), "the id b cannot replace a"),
        (lambda r, m: r.sign_off("a", revision=4), "has moved on to revision 1 since revision 4"),
    ],
)
def test_impossible_changes_are_refused(
    registry: Registry, make_case: Make, act: Callable[[Registry, Make], object], sentence: str
) -> None:
    registry.add(make_case("a", age=70))
    with pytest.raises(RefusedRegistry, match=sentence):
        act(registry, make_case)
    assert len(registry.history("a")) == 1


@pytest.mark.parametrize(
    "statement",
    ["UPDATE revision SET who = 'x'", "DELETE FROM revision", "UPDATE verdict SET who = 'x'", "DELETE FROM verdict"],
)
def test_database_itself_refuses_to_rewrite_history(registry: Registry, make_case: Make, statement: str) -> None:
    registry.add(make_case("a"))
    with registry.engine.execution_options(write=True).begin() as connection:
        insert = (
            "INSERT INTO verdict (case_id, revision, at, who, software, edition, body) "
            "SELECT id, 1, added_at, 'w', '1', '1', '{}' FROM study_case"
        )
        connection.execute(sa.text(insert))
    with (
        pytest.raises(DBAPIError, match="append-only"),
        registry.engine.execution_options(write=True).begin() as connection,
    ):
        connection.execute(sa.text(statement))


def test_history_is_chained(registry: Registry, make_case: Make) -> None:
    registry.add(make_case("a", age=70))
    registry.edit(make_case("a", age=71), revision=1)
    assert registry.broken_histories() == []
    with registry.engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT digest, body FROM revision ORDER BY number")).all()
    second = registry.history("a")[1]
    assert rows[1].digest == digest(rows[0].digest, 2, second.at, "tester", "edit", "", rows[1].body)


def test_altered_history_is_found(tmp_path: Path, make_case: Make) -> None:
    with Registry.open(tmp_path / "r.db", who="t") as registry:
        registry.add(make_case("a", age=70))
        registry.add(make_case("b", age=70))
        with registry.engine.execution_options(write=True).begin() as connection:
            # someone with the file in hands can drop the guard: the chain still tells
            connection.execute(sa.text("DROP TRIGGER revision_no_update"))
            connection.execute(sa.text("UPDATE revision SET body = replace(body, '70.0', '30.0') WHERE case_id = 1"))
        assert registry.broken_histories() == ["a"]


def test_two_writers_lose_nothing(location: str, make_case: Make) -> None:
    """Two connections add and edit at once: every addition is there, every clash is refused to exactly one."""
    Registry.open(location, who="set-up").close()
    refused: list[str] = []
    edited: list[int] = []

    def work(who: str) -> None:
        with Registry.open(location, who=who) as registry:
            for i in range(15):
                registry.add(make_case(f"{who}-{i}", markers={f"m{who}{i}": "present"}))
                try:
                    registry.add(make_case(f"shared-{i}", notes=who))
                except RefusedRegistry:
                    refused.append(f"shared-{i}")
                stored = registry.get("shared-0")
                try:
                    registry.edit(stored.case.model_copy(update={"notes": f"{who} {i}"}), revision=stored.revision)
                    edited.append(i)
                except RefusedRegistry:
                    pass

    threads = [threading.Thread(target=work, args=(who,)) for who in ("x", "y")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Registry.open(location, who="check") as registry:
        assert registry.count() == 15 * 3
        assert sorted(refused) == sorted(f"shared-{i}" for i in range(15))
        assert registry.get("shared-0").revision == 1 + len(edited)
        assert len(registry.history("shared-0")) == 1 + len(edited)
        packed = registry.packed()
        assert all((packed.state(f"marker.m{w}{i}") == 1).sum() == 1 for w in "xy" for i in range(15))
        assert registry.broken_histories() == []


def test_lists_by_collection_and_page(registry: Registry, make_case: Make) -> None:
    registry.add_many([make_case(f"a{i}") for i in range(5)])
    registry.add_many([make_case(f"s{i}") for i in range(3)], collection="series")
    assert registry.collections() == {"local": 5, "series": 3}
    assert [r.key for r in registry.rows(collection="series")] == ["s0", "s1", "s2"]
    assert [r.key for r in registry.rows(limit=2, offset=4)] == ["a4", "s0"]
    assert [s.key for s in registry.cases(collection="local")] == [f"a{i}" for i in range(5)]


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda r, m: r.add(m("b"), collection="no spaces"), "'no spaces' is no name of a collection"),
        (lambda r, m: r.add(m("b"), collection="x" * 81), "is no name of a collection"),
        (lambda r, m: r.add(m("b"), note="a\x00b"), "the note holds a NUL character"),
        (lambda r, m: r.edit(m("a", age=3), revision=1, note="\x00"), "the note holds a NUL character"),
    ],
)
def test_words_that_no_database_holds_are_refused(
    registry: Registry, make_case: Make, act: Callable[[Registry, Make], object], sentence: str
) -> None:
    registry.add(make_case("a"))
    with pytest.raises(RefusedRegistry, match=sentence):
        act(registry, make_case)
    assert [(r.key, r.revision) for r in registry.rows()] == [("a", 1)]


def test_longest_words_fit(registry: Registry, make_case: Make) -> None:
    long = make_case("k" * 80, diagnosis="d" * 64, markers={"m" * 64: "present"}, notes="n" * 3990 + "\n\t\u0001x")
    assert registry.add(long, collection="c" * 80, note="w" * 5000).case == long
    assert registry.packed().words("diagnosis").tolist() == ["d" * 64]


def test_change_without_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedRegistry, match="needs a name behind it"):
        Registry.open(tmp_path / "r.db", who="  ")
