"""Open a registry: find it, connect as its engine needs, bring its schema up to date.

SQLite runs in WAL mode with ``synchronous=FULL``: a committed change survives a kill and a power cut. Writers take
the write lock when they begin, so two processes queue (up to ``BUSY_SECONDS``) and never fail half-way.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import platformdirs
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from kulchitsky.case.errors import RefusedRegistry

ENVIRONMENT = "KULCHITSKY_REGISTRY"
BUSY_SECONDS = 30
_LOCK_NUMBER = 7_243_001  # PostgreSQL advisory lock: one migration at a time


def default_location() -> str:
    """Return where the registry is: the environment's word, else a file in the user's data folder."""
    return os.environ.get(ENVIRONMENT) or str(Path(platformdirs.user_data_dir("kulchitsky")) / "registry.db")


def registry_url(location: str | os.PathLike[str] | None = None) -> URL:
    """Turn a path or database URL into the URL to connect to; nothing given means :func:`default_location`."""
    text = os.fspath(location) if location is not None else default_location()
    if not re.match(r"^[a-z][a-z0-9+]*://", text):
        return URL.create("sqlite", database=str(Path(text).expanduser().absolute()))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise RefusedRegistry(
            "not a database URL", source=text, remedy="write postgresql://host/name or a path"
        ) from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise RefusedRegistry(
            f"{url.drivername} is not a database kulchitsky keeps registries in",
            source=safe_name(url),
            remedy="use SQLite (a path) or postgresql://",
        )
    return url


def safe_name(url: URL) -> str:
    """Return the registry's name for messages: the path, or the URL without its password."""
    if url.drivername == "sqlite":
        return url.database or "sqlite in memory"
    return url.render_as_string(hide_password=True)


def connect(location: str | os.PathLike[str] | None = None, *, upgrade: bool = True, create: bool = True) -> Engine:
    """Return an engine for the registry, its schema at the newest revision unless ``upgrade`` is false.

    ``create=False`` refuses a place where there is no registry yet: what reads must not make an empty one of a typing
    error. Raises :class:`RefusedRegistry` for a file that is no database, a server that does not answer, a registry
    that a newer version wrote, and a folder that cannot be written.
    """
    url = registry_url(location)
    name = safe_name(url)
    if url.drivername == "sqlite":
        if not create and url.database and not os.path.exists(url.database):
            raise _no_registry(name)
        _prepare_folder(url, name)
    engine = _sqlite(url) if url.drivername == "sqlite" else sa.create_engine(url, pool_pre_ping=True)
    try:
        if upgrade:
            upgrade_schema(engine, name, create=create)
    except OperationalError as error:
        engine.dispose()
        raise RefusedRegistry(
            f"cannot be opened ({_first_line(error)})",
            source=name,
            remedy="check the path, the server and the rights",
        ) from None
    except DatabaseError as error:
        engine.dispose()
        raise RefusedRegistry(
            f"is not a registry ({_first_line(error)})", source=name, remedy="give another path or restore a backup"
        ) from None
    except RefusedRegistry:
        engine.dispose()
        raise
    return engine


def upgrade_schema(engine: Engine, name: str, *, target: str = "head", create: bool = True) -> None:
    """Bring the schema to ``target`` in one transaction; safe when several processes open the registry at once.

    Where nothing is to be done no lock is taken: a reader opens while somebody else's long import is under way.
    """
    script = ScriptDirectory.from_config(alembic_config())
    wanted = script.get_current_head() if target == "head" else target
    with engine.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() == wanted:
            return
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK_NUMBER})
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in {r.revision for r in script.walk_revisions()}:
            raise RefusedRegistry(
                f"was written by a newer kulchitsky (schema {current})", source=name, remedy="update kulchitsky"
            )
        if current is None and set(sa.inspect(connection).get_table_names()) - {"alembic_version"}:
            raise RefusedRegistry(
                "is a database of something else", source=name, remedy="give a path of its own to the registry"
            )
        if current is None and not create:
            raise _no_registry(name)
        if current != wanted:
            command.upgrade(alembic_config(connection), target)


def _no_registry(name: str) -> RefusedRegistry:
    return RefusedRegistry("there is no registry here yet", source=name, remedy="add or import a case to make one")


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's settings: the migrations shipped in this package, on the given connection."""
    config = Config()
    config.set_main_option("script_location", "kulchitsky.registry:migrations")
    config.attributes["connection"] = connection
    return config


def _prepare_folder(url: URL, name: str) -> None:
    if not url.database or url.database == ":memory:":
        raise RefusedRegistry("a registry in memory would be lost", source=name, remedy="give a path")
    path = Path(url.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            # cases are confidential even under pseudonyms: the owner alone reads the file
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise RefusedRegistry(
            f"cannot be created ({error.strerror})", source=name, remedy="choose a folder you can write in"
        ) from None
    if path.is_dir():
        raise RefusedRegistry("is a folder", source=name, remedy="give the path of a file")


def _sqlite(url: URL) -> Engine:
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _settings(dbapi_connection: Any, _record: Any) -> None:
        # the driver must not open transactions by itself: it would take the write lock too late
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", error)).strip().splitlines()[0].rstrip(".")
