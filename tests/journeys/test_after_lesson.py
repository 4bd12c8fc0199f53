"""What a lesson becomes when it is over: poster, storyboard, who spoke when, and a film for whoever asks."""

import io
import json
from pathlib import Path
from typing import Any

import av
import pytest

from tests.journeys.people import synthetic_teacher
from tests.support.browser import eventually
from tests.support.server import Tongke

pytestmark = pytest.mark.journey


async def test_a_lesson_that_has_ended_gets_its_pictures_by_itself_and_a_film_on_request(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke:
        lesson = await tongke.create_lesson()
        token = await tongke.token(lesson.lesson_id, "lead_teacher")
        path = f"/api/lessons/{lesson.lesson_id}"

        async def recording() -> Any:
            answer = await tongke.request("GET", f"{path}/recording", token=token)
            return answer.json if answer.status == 200 else {"duration_ms": 0}

        async def recorded() -> bool:
            return bool((await recording())["duration_ms"] >= 5_000)

        async with synthetic_teacher(tongke, lesson.lesson_id, tmp_path):
            await eventually("5 s are recorded", recorded)
        await tongke.end_lesson(lesson.lesson_id)
        await tongke.finished_recording(lesson.lesson_id)

        async def drawn() -> bool:
            found = await recording()
            return bool(found["poster"] and found["storyboard"] and found["speech"])

        await eventually("everything is drawn", drawn)

        async def fetch(name: str) -> bytes:
            answer = await tongke.request("GET", f"/archive/{lesson.lesson_id}/{name}", token=token)
            assert answer.status == 200, name
            return answer.body

        found = await recording()
        with av.open(io.BytesIO(await fetch(found["poster"]))) as poster:
            assert (poster.streams.video[0].width, poster.streams.video[0].height) == (960, 540)
        cues = (await fetch(found["storyboard"])).decode()
        assert cues.startswith("WEBVTT\n\n00:00:00.")
        assert (await fetch(cues.split("#xywh=")[0].split("\n")[-1]))[:2] == b"\xff\xd8"
        speech = json.loads(await fetch(found["speech"]))
        (teacher,) = speech["speech"]
        assert teacher["role"] == "lead_teacher"
        assert "T" in speech["seconds"]
        assert sum(end - begin for begin, end in teacher["spans"]) > 1_000

        asked = await tongke.request(
            "POST",
            f"{path}/exports",
            token=token,
            body=b'{"kind": "camera"}',
            headers={"Content-Type": "application/json"},
        )
        assert (asked.status, asked.json["state"]) == (202, "waiting")

        async def camera() -> Any:
            listed = (await tongke.request("GET", f"{path}/exports", token=token)).json["exports"]
            return next(one for one in listed if one["kind"] == "camera")

        async def made() -> bool:
            assert (await camera())["state"] != "failed", await camera()
            return bool((await camera())["state"] == "done")

        await eventually("the film is made", made)
        film = await tongke.request("GET", (await camera())["url"], token=token)
        assert len(film.body) == (await camera())["bytes"]
        with av.open(io.BytesIO(film.body)) as container:
            assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        removed = await tongke.request("DELETE", f"{path}/exports/camera", token=token)
        assert removed.status == 204
        assert (await camera())["state"] == "none"
        assert (
            await tongke.request("GET", f"/archive/{lesson.lesson_id}/export/camera.mp4", token=token)
        ).status == 404
