import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recorder import derived
from recorder.manifest import Manifest, read_manifest, write_manifest
from server.jobs import api, service
from server.jobs.ledger import Progress
from server.jobs.queue import FILE, Queue
from tests.server.application import Client, add_user, log_in, problem, running, token


async def recorded(client: Client, data: Path, status: Any = "ready") -> str:
    """A lesson with an empty recording."""
    response = await client.post("/api/lessons", json={"title": "草原"}, headers=token(client, "", "admin"))
    lesson_id: str = (await response.json())["lesson_id"]
    folder = data / "archive" / lesson_id
    folder.mkdir(parents=True)
    write_manifest(folder, Manifest(lesson_id, 1_700_000_000_123_456, "草原", status))
    return lesson_id


async def listed(client: Client, lesson_id: str) -> dict[str, dict[str, Any]]:
    headers = token(client, lesson_id, "receiving_class")
    answer = await client.get(f"/api/lessons/{lesson_id}/exports", headers=headers)
    assert answer.status == 200, await answer.text()
    return {one["kind"]: one for one in (await answer.json())["exports"]}


async def ask(client: Client, lesson_id: str, kind: str = "camera") -> dict[str, Any]:
    answer = await client.post(
        f"/api/lessons/{lesson_id}/exports", json={"kind": kind}, headers=token(client, lesson_id, "lead_teacher")
    )
    assert answer.status == 202, await answer.text()
    made: dict[str, Any] = await answer.json()
    return made


async def test_an_export_is_asked_for_followed_and_found(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        found = await listed(client, lesson_id)
        assert list(found) == ["movie", "camera", "audio"]
        empty = {"state": "none", "progress": 0.0, "bytes": None, "url": None, "reason": None}
        assert found["camera"] == {"kind": "camera", **empty}

        assert (await ask(client, lesson_id))["state"] == "waiting"
        assert (await ask(client, lesson_id))["state"] == "waiting"
        queue = Queue(tmp_path)
        ((waiting, kind, job_id),) = queue.waiting()  # asking twice makes it once
        assert (waiting, kind) == (lesson_id, "camera")

        job = queue.ledger.find(lesson_id, ("camera",))["camera"]
        assert job.job_id == job_id
        queue.ledger.note(job, Progress("running", 0.4))
        assert (await listed(client, lesson_id))["camera"]["progress"] == 0.4

        folder = tmp_path / "archive" / lesson_id
        (folder / "export").mkdir()
        (folder / "export" / "camera.mp4").write_bytes(b"film")
        derived.add(folder, ("export/camera.mp4",))
        queue.ledger.note(job, Progress("done", 1.0))
        queue.close()
        there = (await listed(client, lesson_id))["camera"]
        assert (there["state"], there["progress"], there["bytes"]) == ("done", 1.0, 4)
        file = await client.get(there["url"], headers=token(client, lesson_id, "observer"))
        assert await file.read() == b"film"
        assert (await ask(client, lesson_id))["state"] == "done"
        body = await (
            await client.get(f"/api/lessons/{lesson_id}/recording", headers=token(client, lesson_id, "observer"))
        ).json()
        assert body["exports"][1] == there
        assert (body["epoch_ms"], body["poster"]) == (1_700_000_000_123, None)


async def test_an_export_that_waits_or_runs_is_called_off_and_one_that_is_there_is_removed(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        headers = token(client, lesson_id, "lead_teacher")
        path = f"/api/lessons/{lesson_id}/exports/camera"
        await ask(client, lesson_id)
        assert (await client.delete(path, headers=headers)).status == 204
        assert (await listed(client, lesson_id))["camera"]["state"] == "cancelled"
        queue = Queue(tmp_path)
        cancelled = queue.ledger.find(lesson_id, ("camera",))["camera"]
        assert not queue.ledger.wanted(cancelled)
        assert (await ask(client, lesson_id))["state"] == "waiting"  # anew
        fresh = queue.ledger.find(lesson_id, ("camera",))["camera"]
        assert queue.ledger.wanted(fresh)
        assert not queue.ledger.wanted(cancelled)

        folder = tmp_path / "archive" / lesson_id
        (folder / "export").mkdir()
        (folder / "export" / "camera.mp4").write_bytes(b"film")
        derived.add(folder, ("export/camera.mp4",))
        queue.ledger.note(fresh, Progress("done", 1.0))
        queue.close()
        assert (await client.delete(path, headers=headers)).status == 204
        assert (await listed(client, lesson_id))["camera"]["state"] == "none"
        assert not (folder / "export" / "camera.mp4").exists()
        assert read_manifest(folder).derived == []
        assert (await client.delete(path, headers=headers)).status == 204  # there is none any more, and that is fine


async def test_an_export_whose_file_was_removed_to_make_room_can_be_asked_for_again(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        await ask(client, lesson_id)
        queue = Queue(tmp_path)
        queue.ledger.note(queue.ledger.find(lesson_id, ("camera",))["camera"], Progress("done", 1.0))
        queue.close()
        assert (await listed(client, lesson_id))["camera"]["state"] == "none"
        assert (await ask(client, lesson_id))["state"] == "waiting"


async def test_why_an_export_failed_is_said(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        queue = Queue(tmp_path)
        for kind, known in (
            ("camera", Progress("failed", 0.3, "disk_full")),
            ("movie", Progress("nothing")),
        ):
            await ask(client, lesson_id, kind)
            job = queue.ledger.find(lesson_id, (kind,))[kind]  # type: ignore[arg-type, index]
            queue.ledger.note(job, known)
        queue.close()
        found = await listed(client, lesson_id)
        assert (found["camera"]["state"], found["camera"]["reason"]) == ("failed", "disk_full")
        assert (found["movie"]["state"], found["movie"]["reason"]) == ("failed", "nothing_to_render")


async def test_classes_may_look_but_not_ask(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        path = f"/api/lessons/{lesson_id}/exports"
        headers = token(client, lesson_id, "receiving_class")
        assert await problem(await client.post(path, json={"kind": "movie"}, headers=headers)) == (403, "not_allowed")
        assert await problem(await client.delete(path + "/movie", headers=headers)) == (403, "not_allowed")
        foreign = token(client, "other", "lead_teacher")
        assert await problem(await client.get(path, headers=foreign)) == (403, "token_foreign")
        assert await problem(await client.get(path)) == (401, "login_required")
        await add_user(client, "teacher-a", "teacher")
        await log_in(client, "teacher-a")
        assert (await client.post(path, json={"kind": "movie"})).status == 202


async def test_what_cannot_be_made_is_a_problem_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path) as client:
        admin = token(client, "", "admin")
        going = await recorded(client, tmp_path, "recording")
        made = await client.post("/api/lessons", json={"title": "空"}, headers=admin)
        empty = (await made.json())["lesson_id"]

        async def post(lesson_id: str, body: object) -> tuple[int, str]:
            return await problem(await client.post(f"/api/lessons/{lesson_id}/exports", json=body, headers=admin))

        assert await post(going, {"kind": "movie"}) == (409, "recording_open")
        assert await post(empty, {"kind": "movie"}) == (404, "recording_unknown")
        assert await post("nothing", {"kind": "movie"}) == (404, "lesson_unknown")
        assert await post(going, {"kind": "poster"}) == (422, "field_invalid")
        unknown = await client.delete(f"/api/lessons/{going}/exports/poster", headers=admin)
        assert await problem(unknown) == (404, "export_unknown")
        ready = await recorded(client, tmp_path)
        monkeypatch.setattr(service, "MOST", 0)
        assert await post(ready, {"kind": "movie"}) == (503, "too_many_jobs")


async def test_of_a_lesson_whose_manifest_is_damaged_exports_are_asked_for_and_called_off(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        (tmp_path / "archive" / lesson_id / "manifest.json").write_text("{")
        (tmp_path / "archive" / lesson_id / "tracks").mkdir()
        assert (await ask(client, lesson_id))["state"] == "waiting"
        assert (await listed(client, lesson_id))["camera"]["state"] == "waiting"
        headers = token(client, lesson_id, "lead_teacher")
        assert (await client.delete(f"/api/lessons/{lesson_id}/exports/camera", headers=headers)).status == 204
        assert (await client.delete(f"/api/lessons/{lesson_id}/exports/movie", headers=headers)).status == 204


async def test_without_the_store_of_jobs_a_recording_is_described_all_the_same(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        (tmp_path / FILE).mkdir()  # nothing that SQLite could open
        headers = token(client, lesson_id, "lead_teacher")
        exports = await client.get(f"/api/lessons/{lesson_id}/exports", headers=headers)
        assert await problem(exports) == (503, "jobs_unavailable")
        body = await (await client.get(f"/api/lessons/{lesson_id}/recording", headers=headers)).json()
        assert (body["status"], body["exports"]) == ("ready", [])
        await client.app[api.JOBS].closed(lesson_id)  # says so in the log and lets it be


async def test_a_lesson_that_closes_gets_its_poster_first_and_vp8_is_converted_last(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await recorded(client, tmp_path)
        await client.app[api.JOBS].closed(lesson_id)
        queue = Queue(tmp_path)
        assert [kind for _, kind, _ in queue.waiting()] == ["poster", "speech", "storyboard"]
        await ask(client, lesson_id, "movie")
        assert [kind for _, kind, _ in queue.waiting()][-1] == "movie"

        folder = tmp_path / "archive" / lesson_id
        manifest = json.loads((folder / "manifest.json").read_text())
        track = dict.fromkeys(("folder", "publication_id", "participant", "source", "playlist"), "p-0")
        manifest["tracks"] = [
            {**track, "kind": "video", "lead": True, "codec": "VP8", "timescale": 90000, "duration_ms": 9}
        ]
        (folder / "manifest.json").write_text(json.dumps(manifest))
        for name in ("storyboard.vtt", "storyboard.jpg"):
            (folder / name).write_bytes(b"1")
        derived.add(folder, ("storyboard.vtt", "storyboard.jpg"))
        assert service.wanted_of(folder) == ["poster", "speech", "convert"]
        known = read_manifest(folder)
        write_manifest(folder, replace(known, status="recording"))
        assert service.wanted_of(folder) == []
        queue.close()


async def test_the_api_describes_exports(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        told = await (await client.get("/api/openapi.json")).json()
        assert {"get", "post"} <= told["paths"]["/api/lessons/{lesson_id}/exports"].keys()
        assert "204" in told["paths"]["/api/lessons/{lesson_id}/exports/{kind}"]["delete"]["responses"]
        states = told["components"]["schemas"]["ExportView"]["properties"]["state"]["enum"]
        assert states == ["none", "waiting", "running", "done", "failed", "cancelled"]
        assert {"poster", "storyboard", "speech", "exports", "epoch_ms"} <= told["components"]["schemas"][
            "RecordingView"
        ]["properties"].keys()
