"""The database of records: accounts, lessons, class codes. SQLite (WAL) by default, PostgreSQL by URL.

What happens inside a room is not here: a lesson is its event log (signaling/), its pictures are files (recorder/).
"""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Dialect, event, inspect, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from server.failure import CannotWorkError

MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 7_401_118  # any number, the same in all processes (PostgreSQL advisory lock)


class Base(DeclarativeBase):
    """What every table's class derives from."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, in UTC on both sides; SQLite would forget the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def now() -> datetime:
    """This moment, whole milliseconds, as records keep it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def create_engine(url: str) -> AsyncEngine:
    """An engine for one of the two databases; nothing is opened yet. Raises CannotWorkError for what is no URL."""
    try:
        engine = create_async_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    except (ArgumentError, ValueError) as error:  # which may quote the password
        raise CannotWorkError("--database-url is not of the form postgresql://user:password@host:port/name.") from error
    if not url.startswith("sqlite"):
        return engine

    @event.listens_for(engine.sync_engine, "do_connect")
    def try_first(dialect: Dialect, record: object, arguments: list[Any], options: dict[str, Any]) -> None:
        # aiosqlite starts a thread for each attempt and after a failed one does not wait for its end: the thread would
        # still speak to an event loop that may be closed by then. A trial costs 50 us and fails without a thread.
        sqlite3.connect(*arguments, **options).close()

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        cursor = connection.cursor()
        _write_ahead(cursor)  # the command line writes while the server reads
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA busy_timeout=5000")  # milliseconds
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine


def _write_ahead(cursor: Any) -> None:
    """Switch to WAL. For this one SQLite does not wait when another process is just doing it to a new database."""
    until = time.monotonic() + 5  # seconds
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def sessions(engine: AsyncEngine) -> async_sessionmaker[Any]:
    """Makes sessions whose objects may still be read after their commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


async def migrate(engine: AsyncEngine) -> None:
    """Bring the schema up to this version's. Raises CannotWorkError when the database cannot be reached or is newer."""
    try:
        await _reach(engine)
        async with engine.connect() as connection:
            if await _version(connection) == _newest():
                return  # Alembic takes 0.15 s to load, of 2 s for the whole start
            await connection.rollback()
            await _lock(connection)
            await connection.run_sync(_upgrade)
            await connection.commit()
    except (DBAPIError, OSError, sqlite3.Error) as error:
        raise CannotWorkError(unreachable(engine, error)) from error


async def _reach(engine: AsyncEngine) -> None:
    """Connect once; the pool keeps the connection. Raises CannotWorkError, DBAPIError, OSError and sqlite3.Error."""
    try:
        async with engine.connect():
            pass
    except (TypeError, ValueError, OverflowError) as error:  # the driver's word for an option or port it does not take
        raise CannotWorkError(unreachable(engine, error)) from error


def unreachable(engine: AsyncEngine, error: Exception) -> str:
    """Why the database cannot be used, in one sentence and without its password."""
    reason = str(getattr(error, "orig", None) or error).splitlines()[0].rpartition(">: ")[2].rstrip(".")
    return f"The database {engine.url.render_as_string(hide_password=True)} cannot be used: {reason}."


async def _version(connection: AsyncConnection) -> str | None:
    """The schema's version, None before the first migration."""
    if not await connection.run_sync(lambda known: inspect(known).has_table("alembic_version")):
        return None
    version: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def _newest() -> str:
    """The last migration's version: their files are named by it, in order."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


async def _lock(connection: AsyncConnection) -> None:
    # Two processes may start at once; the second finds the work done.
    if connection.dialect.name == "sqlite":
        await connection.execute(text("BEGIN IMMEDIATE"))
    else:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})


def _upgrade(connection: Any) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise CannotWorkError("The database was written by a newer version of Tongke; use that version.") from error
