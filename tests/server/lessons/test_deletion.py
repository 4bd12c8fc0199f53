"""Deleting lessons, against the whole application: real database, real files, a real store of jobs."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType

from recorder.manifest import Manifest, Status, write_manifest
from recorder.places.place import PlaceError
from server.archive.api import ARCHIVE
from server.audit.trail import SERVER, entry
from server.jobs.api import JOBS
from server.lessons import api
from server.lessons.deletion import Deletions
from signaling.bus import Opened
from signaling.bus_memory import MemoryBus
from signaling.events import Event, Started
from tests.server.application import Client, add_user, log_in, problem, running, token
from tests.server.lessons.test_api import new_lesson


def record(data: Path, lesson_id: str, status: Status = "ready") -> Path:
    """A lesson's folder as the recorder leaves it, with things made of it."""
    folder = data / "archive" / lesson_id
    for name in ("tracks/t-0/seg-1.m4s", "export/movie.mp4", "storyboard.jpg", "events.jsonl"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x" * 100)
    write_manifest(folder, Manifest(lesson_id, 1_700_000_000_000_000, "草原", status=status))
    return folder


async def finished(client: Client, data: Path, status: Status = "ready") -> tuple[str, Path]:
    """A lesson that is over and was recorded."""
    lesson_id = (await new_lesson(client))["lesson_id"]
    folder = record(data, lesson_id, status)
    response = await client.post(f"/api/lessons/{lesson_id}/end", headers=token(client, "", "admin"))
    assert response.status == 200
    return lesson_id, folder


def traces(data: Path, lesson_id: str) -> list[str]:
    """Files of the data folder that are called after the lesson or speak of it; databases are asked otherwise."""
    found = [str(path) for path in data.rglob("*") if lesson_id in str(path.relative_to(data))]
    for path in data.rglob("*"):
        database = ".db" in path.name or ".sqlite3" in path.name
        if path.is_file() and not database and lesson_id.encode() in path.read_bytes():
            found.append(str(path))
    return found


async def entries(client: Client, **query: str) -> list[dict[str, Any]]:
    response = await client.get("/api/audit", params=query, headers=token(client, "", "admin"))
    assert response.status == 200, await response.text()
    return list((await response.json())["entries"])


async def test_a_deleted_lesson_leaves_an_audit_entry_and_nothing_else(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id, folder = await finished(client, tmp_path)
        admin = token(client, "", "admin", name="管理员甲")
        await client.app[JOBS].request(lesson_id, "movie")
        cookie = await client.get(f"/archive/{lesson_id}/events.jsonl", headers=admin)
        assert cookie.status == 200
        assert (await client.delete(f"/api/lessons/{lesson_id}", headers=admin)).status == 204
        assert not folder.exists()
        for path in (f"/api/lessons/{lesson_id}", f"/api/lessons/{lesson_id}/recording"):
            assert await problem(await client.get(path, headers=admin)) == (404, "lesson_unknown")
        gone = await client.get(f"/archive/{lesson_id}/events.jsonl", headers=admin)
        assert await problem(gone) == (404, "file_unknown")
        assert await client.app[JOBS].gauges() == {}
        listed = await (await client.get("/api/lessons", headers=admin)).json()
        assert listed["lessons"] == []
        again = await client.delete(f"/api/lessons/{lesson_id}", headers=admin)
        assert await problem(again) == (404, "lesson_unknown")
        (deleted,) = [one for one in await entries(client) if one["action"] == "deleted"]
        assert (deleted["actor"], deleted["actor_role"], deleted["lesson_id"], deleted["title"]) == (
            "管理员甲",
            "admin",
            lesson_id,
            "草原",
        )
    assert traces(tmp_path, lesson_id) == []


async def test_a_live_lesson_is_not_deleted(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = (await new_lesson(client))["lesson_id"]
        lead = token(client, lesson_id, "lead_teacher")
        async with client.ws_connect(f"/ws/{lesson_id}") as socket:
            await socket.send_str(json.dumps({"type": "hello", "token": lead["Authorization"].split()[1]}))
            await socket.receive(timeout=5)
            await socket.send_str(json.dumps({"type": "start", "id": 1}))
            while json.loads((await socket.receive(timeout=5)).data).get("re") != 1:
                pass
            response = await client.delete(f"/api/lessons/{lesson_id}", headers=lead)
            assert await problem(response) == (409, "lesson_live")
        assert (await client.get(f"/api/lessons/{lesson_id}", headers=lead)).status == 200


async def test_a_lesson_that_begins_while_it_is_being_deleted_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as client:
        lesson_id = (await new_lesson(client))["lesson_id"]
        lead, loop = token(client, lesson_id, "lead_teacher"), asyncio.get_running_loop()
        async with client.ws_connect(f"/ws/{lesson_id}") as socket:
            await socket.send_str(json.dumps({"type": "hello", "token": lead["Authorization"].split()[1]}))
            await socket.receive(timeout=5)

            async def begin() -> None:
                await socket.send_str(json.dumps({"type": "start", "id": 1}))
                while json.loads((await socket.receive(timeout=5)).data).get("re") != 1:
                    pass

            def word(lesson_id: str) -> str:
                asyncio.run_coroutine_threadsafe(begin(), loop).result(10)
                return "none"

            monkeypatch.setattr(client.app[ARCHIVE], "word", word)
            response = await client.delete(f"/api/lessons/{lesson_id}", headers=lead)
            assert await problem(response) == (409, "lesson_live")
            monkeypatch.undo()
        assert (await client.get(f"/api/lessons/{lesson_id}", headers=lead)).status == 200


async def test_a_lesson_whose_recording_is_not_closed_is_not_deleted(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id, folder = await finished(client, tmp_path, "recording")
        response = await client.delete(f"/api/lessons/{lesson_id}", headers=token(client, "", "admin"))
        assert await problem(response) == (409, "lesson_live")
        assert folder.exists()


async def test_a_lesson_that_never_began_is_deleted_and_whoever_waits_in_it_is_sent_home(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = (await new_lesson(client))["lesson_id"]
        lead = token(client, lesson_id, "lead_teacher")
        async with client.ws_connect(f"/ws/{lesson_id}") as socket:
            await socket.send_str(json.dumps({"type": "hello", "token": lead["Authorization"].split()[1]}))
            await socket.receive(timeout=5)
            assert (await client.delete(f"/api/lessons/{lesson_id}", headers=lead)).status == 204
            async with asyncio.timeout(5):
                while (message := await socket.receive()).type is not WSMsgType.CLOSE:
                    pass
            assert message.data == 4410
    assert traces(tmp_path, lesson_id) == []


async def test_only_those_who_run_a_lesson_delete_it(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id, folder = await finished(client, tmp_path)
        for role in ("co_teacher", "receiving_class", "local_teacher", "observer", "researcher"):
            response = await client.delete(f"/api/lessons/{lesson_id}", headers=token(client, lesson_id, role))
            assert await problem(response) == (403, "not_allowed")
        foreign = token(client, "another", "lead_teacher")
        assert await problem(await client.delete(f"/api/lessons/{lesson_id}", headers=foreign)) == (403, "not_allowed")
        assert await problem(await client.delete(f"/api/lessons/{lesson_id}")) == (401, "login_required")
        await add_user(client, "乙", "teacher")
        await log_in(client, "乙")
        assert await problem(await client.delete(f"/api/lessons/{lesson_id}")) == (403, "not_allowed")
        assert folder.exists()


async def test_what_a_store_cannot_delete_yet_is_hidden_and_deleted_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = True

    class Files:
        def delete(self, lesson_id: str) -> None:
            if away:
                raise PlaceError("the store does not answer")
            folder.rename(tmp_path / "taken")

    async with running(tmp_path) as client:
        lesson_id, folder = await finished(client, tmp_path)
        deletions: Deletions = client.app[api.DELETIONS]
        monkeypatch.setattr(deletions, "_files", Files())
        admin = token(client, "", "admin")
        assert (await client.delete(f"/api/lessons/{lesson_id}", headers=admin)).status == 204
        assert folder.exists()
        assert await problem(await client.get(f"/archive/{lesson_id}/events.jsonl", headers=admin)) == (
            404,
            "file_unknown",
        )
    async with running(tmp_path) as client:  # as a new process finds it
        gone = await client.get(f"/archive/{lesson_id}/events.jsonl", headers=token(client, "", "admin"))
        assert await problem(gone) == (404, "file_unknown")
        async with asyncio.timeout(5):
            while client.app[api.DELETIONS].is_gone(lesson_id):
                await asyncio.sleep(0.01)
        assert not folder.exists()
        assert len([one for one in await entries(client) if one["action"] == "deleted"]) == 1


async def test_a_log_left_of_a_deleted_lesson_brings_nothing_back(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id, _ = await finished(client, tmp_path)
        lesson = await client.app[api.LESSONS].get(lesson_id)
        await client.app[api.LESSONS].mark_deleted(lesson_id, entry(SERVER, "deleted", lesson_id, lesson.title))
    bus = MemoryBus(tmp_path / "journals")
    await bus.append(lesson_id, [Opened(1_700_000_000_000_000, "草原"), Event(1, 0, "server", Started())])
    await bus.close()
    async with running(tmp_path) as client:
        assert client.app[api.ROOMS].find(lesson_id) is None
        async with asyncio.timeout(5):
            while client.app[api.DELETIONS].is_gone(lesson_id):
                await asyncio.sleep(0.01)
    assert traces(tmp_path, lesson_id) == []
