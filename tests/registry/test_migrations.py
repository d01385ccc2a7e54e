"""Migrations: from every earlier schema up with its cases, and down again."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.case.record import Case
from kulchitsky.registry.opening import alembic_config, connect, upgrade_schema
from kulchitsky.registry.records import body_of, digest
from kulchitsky.registry.store import Registry
from kulchitsky.registry.tables import Base

REVISIONS = [r.revision for r in reversed(list(ScriptDirectory.from_config(alembic_config()).walk_revisions()))]
AT = dt.datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=dt.UTC)


def write_as_of_0001(engine: sa.Engine, case: Case) -> None:
    """Add a case with the columns that the first schema had, as the software of that time did."""
    body = body_of(case)
    moment = AT.replace(tzinfo=None) if engine.dialect.name == "sqlite" else AT
    with engine.execution_options(write=True).begin() as connection:
        head = sa.text(
            "INSERT INTO study_case (key, collection, status, revision, added_at, updated_at) "
            "VALUES (:key, 'local', 'draft', 1, :at, :at)"
        ).bindparams(sa.bindparam("at", type_=sa.DateTime(timezone=True)))
        connection.execute(head, {"key": case.id, "at": moment})
        first = sa.text(
            "INSERT INTO revision (case_id, number, at, who, action, note, changes, body, digest) "
            "SELECT id, 1, :at, 'old', 'add', '', '[]', :body, :digest FROM study_case WHERE key = :key"
        ).bindparams(sa.bindparam("at", type_=sa.DateTime(timezone=True)))
        seal = digest("", 1, AT, "old", "add", "", body)
        connection.execute(first, {"key": case.id, "at": moment, "body": body, "digest": seal})


def tables(engine: sa.Engine) -> set[str]:
    return set(sa.inspect(engine).get_table_names()) - {"alembic_version"}


@pytest.mark.parametrize("start", REVISIONS)
def test_every_earlier_schema_comes_up_with_its_cases(
    location: str, make_case: Callable[..., Case], start: str
) -> None:
    case = make_case("old", age=70, markers={"ck20": "present"}, follow_up=((9, "dead_of_disease"),))
    engine = connect(location, upgrade=False)
    upgrade_schema(engine, location, target=start)
    write_as_of_0001(engine, case)
    engine.dispose()
    with Registry.open(location, who="new") as registry:
        assert registry.get("old").case == case
        packed = registry.packed()
        assert packed.words("marker.ck20").tolist() == ["present"]
        assert packed.numbers("overall_months").tolist() == [9]
        assert registry.broken_histories() == []
        registry.edit(case.model_copy(update={"notes": "after"}), revision=1)
        assert registry.broken_histories() == []


@pytest.mark.parametrize("target", [*reversed(REVISIONS[:-1]), "base"])
def test_down_and_up_again_keeps_the_cases(location: str, make_case: Callable[..., Case], target: str) -> None:
    case = make_case("kept", age=70, markers={"ck20": "present"})
    with Registry.open(location, who="t") as registry:
        registry.add(case)
        with registry.engine.connect().execution_options(write=True) as connection, connection.begin():
            command.downgrade(alembic_config(connection), target)
        assert ("verdict" in tables(registry.engine)) is False
        assert ("study_case" in tables(registry.engine)) is (target != "base")
    with Registry.open(location, who="t") as registry:
        assert [r.key for r in registry.rows()] == ([] if target == "base" else ["kept"])
        if target != "base":
            assert registry.packed().words("marker.ck20").tolist() == ["present"]


def test_migrations_make_the_mapped_tables(location: str) -> None:
    with Registry.open(location, who="t") as registry, registry.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_registry_of_a_newer_version_is_left_alone(location: str) -> None:
    with (
        Registry.open(location, who="t") as registry,
        registry.engine.execution_options(write=True).begin() as connection,
    ):
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RefusedRegistry, match=r"written by a newer kulchitsky \(schema 9999\); update kulchitsky"):
        Registry.open(location, who="t")


def test_database_of_something_else_is_left_alone(location: str) -> None:
    engine = connect(location, upgrade=False)
    with engine.execution_options(write=True).begin() as connection:
        connection.execute(sa.text("CREATE TABLE bills (n integer)"))
    with pytest.raises(RefusedRegistry, match="is a database of something else"):
        connect(location)
    assert tables(engine) == {"bills"}
    engine.dispose()


def test_reader_opens_while_a_long_write_is_under_way(location: str, make_case: Callable[..., Case]) -> None:
    with Registry.open(location, who="writer") as writing:
        writing.add(make_case("first"))
        with writing.writer.begin() as connection:
            connection.execute(sa.text("UPDATE study_case SET collection = 'moved'"))
            # nothing here may wait for the writer: it would wait for itself
            with Registry.open(location, who="reader", create=False) as reading:
                assert [r.collection for r in reading.rows()] == ["local"]
                assert len(reading.packed()) == 1


def test_many_open_a_new_registry_at_once(location: str) -> None:
    failures: list[BaseException] = []

    def open_it(n: int) -> None:
        try:
            with Registry.open(location, who=f"p{n}") as registry:
                registry.count()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_empty_database_is_no_registry_to_a_reader(location: str) -> None:
    with pytest.raises(RefusedRegistry, match="there is no registry here yet"):
        Registry.open(location, who="reader", create=False)


def _folder(path: Path) -> str:
    path.mkdir()
    return str(path)


def _text(path: Path) -> str:
    path.write_text("this is a letter, not a database\n" * 50)
    return str(path)


def _under_a_file(path: Path) -> str:
    path.write_text("x")
    return str(path / "registry.db")


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (_folder, "is a folder; give the path of a file"),
        (_text, "file is not a database"),
        (_under_a_file, "cannot be created"),
        (lambda p: "mysql://h/x", "mysql is not a database kulchitsky keeps registries in"),
        (lambda p: "postgresql://nobody@127.0.0.1:1/x", "cannot be opened"),
        (lambda p: "sqlite://", "a registry in memory would be lost"),
        (lambda p: "postgresql://h:port/x", "not a database URL"),
    ],
)
def test_what_cannot_be_opened_is_refused(tmp_path: Path, prepare: Callable[[Path], str], sentence: str) -> None:
    with pytest.raises(RefusedRegistry, match=sentence):
        connect(prepare(tmp_path / "thing"))


def test_password_is_never_shown() -> None:
    with pytest.raises(RefusedRegistry) as refused:
        connect("postgresql://nobody:secret@127.0.0.1:1/x")
    assert "secret" not in str(refused.value)


def test_file_is_for_the_owner_alone(tmp_path: Path) -> None:
    Registry.open(tmp_path / "deep" / "r.db", who="t").close()
    assert (tmp_path / "deep" / "r.db").stat().st_mode & 0o077 == 0
