import asyncio
import json
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from server.accounts import model as accounts_model
from server.audit import model as audit_model
from server.database import Base, create_engine, migrate
from server.failure import CannotWorkError
from server.lessons import model as lessons_model
from server.schools import model as schools_model
from tests.support.postgres import Cluster
from tests.support.server import Tongke


def url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'x.db'}"


async def test_the_migrations_make_what_the_models_say(database: str) -> None:
    assert accounts_model.User.metadata is lessons_model.Lesson.metadata is audit_model.AuditEntry.metadata
    assert schools_model.School.metadata is lessons_model.Lesson.metadata
    engine = create_engine(database)
    await migrate(engine)
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda known: compare_metadata(MigrationContext.configure(known), Base.metadata)
        )
    await engine.dispose()
    assert differences == []


async def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    engine = create_engine(url(tmp_path))
    await migrate(engine)
    async with engine.connect() as connection:
        before = await connection.scalar(text("PRAGMA schema_version"))
    await migrate(engine)
    async with engine.connect() as connection:
        assert await connection.scalar(text("PRAGMA schema_version")) == before
    await engine.dispose()


async def test_a_server_and_a_command_can_use_the_database_at_once(tmp_path: Path) -> None:
    server, command = create_engine(url(tmp_path)), create_engine(url(tmp_path))
    await migrate(server)
    insert = text(
        "INSERT INTO users (id, name, role, password_hash, created_at) VALUES (:id, :id, 'teacher', 'x', '2026-11-23')"
    )
    async with server.connect() as reading:
        await reading.execute(text("SELECT * FROM users"))
        async with command.begin() as writing:
            await writing.execute(insert, {"id": "a"})
    async with server.begin() as writing:
        await writing.execute(insert, {"id": "b"})
    await server.dispose()
    await command.dispose()


async def test_of_processes_that_migrate_at_once_one_does_it(database: str) -> None:
    engines = [create_engine(database) for _ in range(3)]
    await asyncio.gather(*(migrate(engine) for engine in engines))
    async with engines[0].connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    for engine in engines:
        await engine.dispose()


async def test_a_database_of_a_newer_version_is_left_alone(database: str) -> None:
    engine = create_engine(database)
    await migrate(engine)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CannotWorkError, match="newer version"):
        await migrate(engine)
    await engine.dispose()


@pytest.mark.parametrize(
    "there", ["sqlite+aiosqlite:////nowhere/at/all/x.db", "postgresql+asyncpg://u:secret@127.0.0.1:1/x"]
)
async def test_a_database_that_cannot_be_reached_is_one_sentence_without_its_password(there: str) -> None:
    engine = create_engine(there)
    with pytest.raises(CannotWorkError, match="cannot be used") as raised:
        await migrate(engine)
    await engine.dispose()
    assert "\n" not in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "wrong",
    [
        "postgresql+asyncpg://u:secret@[::/x",
        "postgresql+asyncpg://u:secret@host:port/x",
        "postgresql+asyncpg://u:secret@127.0.0.1:1/x?sslmode=require",
        "postgresql+asyncpg://u:secret@127.0.0.1:99999/x",
        "sqlite+aiosqlite:///\x00",
    ],
)
async def test_a_url_that_is_none_is_one_sentence_without_its_password(wrong: str) -> None:
    with pytest.raises(CannotWorkError) as raised:
        await migrate(create_engine(wrong))
    assert "\n" not in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("wrong", ["sqlite+aiosqlite:////nowhere/at/all/x.db", "sqlite+aiosqlite:///\x00"])
async def test_an_attempt_that_fails_leaves_no_thread_behind(wrong: str) -> None:
    before = set(threading.enumerate())
    with pytest.raises(CannotWorkError):
        await migrate(create_engine(wrong))
    assert set(threading.enumerate()) <= before


async def test_a_node_keeps_its_records_in_postgresql(tmp_path: Path, postgresql: Cluster) -> None:
    where = ("--database-url", postgresql.url())
    async with Tongke(tmp_path / "data", *where) as tongke:
        made = json.loads(await tongke.command("lesson", "create", "--title", "草原", "--json", *where))
        entered = await tongke.request(
            "POST",
            "/api/class/enter",
            body=json.dumps({"code": made["class_code"], "name": "阜平一小"}).encode(),
            headers={"Content-Type": "application/json"},
        )
        assert (entered.status, entered.json["lesson_id"]) == (200, made["lesson_id"])
        await tongke.command("lesson", "end", made["lesson_id"], *where)
        shown = await tongke.request("GET", f"/api/lessons/{made['lesson_id']}", token=entered.json["token"])
        assert shown.json["status"] == "ended"
    assert not (tmp_path / "data" / "tongke.db").exists()
