"""A real node, the real publisher, and a media worker that is killed."""

import asyncio
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Any

from tests.support.browser import eventually
from tests.support.server import Tongke


async def published(tongke: Tongke, lesson_id: str, token: str) -> list[dict[str, Any]]:
    """Who publishes."""
    answer = await tongke.request("GET", f"/api/lessons/{lesson_id}/participants", token=token)
    assert answer.status == 200, answer
    return [one for one in answer.json["participants"] if one["publications"]]


async def understood(tongke: Tongke) -> float:
    """Packets the media worker knew what to do with; 0 while there is none."""
    text = (await tongke.request("GET", "/metrics")).body.decode()
    arrived, dropped = (
        sum(float(value) for value in re.findall(rf"^tongke_media_{name}_total\{{.*\}} (\S+)$", text, re.M))
        for name in ("packets_in", "dropped")
    )
    return arrived - dropped


async def test_a_publisher_is_back_soon_after_the_media_worker_was_killed_and_leaves_no_ghost(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke:
        lesson = await tongke.create_lesson()
        arguments = ("token", "--lesson", lesson.lesson_id, "--role", "lead_teacher", "--sub", "t-1")
        token = (await tongke.command(*arguments)).strip()
        token_file = tmp_path / "token"
        token_file.write_text(token, "utf-8")
        command = ("--url", f"{tongke.http}/whip/{lesson.lesson_id}", "--token-file", str(token_file))
        publisher = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server.demo.publisher", *command, stdout=DEVNULL, stderr=PIPE
        )

        async def flowing() -> bool:
            before = await understood(tongke)
            await asyncio.sleep(0.2)
            return await understood(tongke) > before + 5

        try:
            await eventually("a picture", flowing)
            (first,) = await published(tongke, lesson.lesson_id, token)
            assert first["participant_id"] == "t-1-whip"
            killed = asyncio.get_running_loop().time()
            tongke.kill("worker")
            await eventually("no picture", lambda: _not(flowing()), 5)
            await eventually("a picture again", flowing, 15)  # FFmpeg alone needs 27 s
            print(f"back after {asyncio.get_running_loop().time() - killed:.1f} s")
            (again,) = await published(tongke, lesson.lesson_id, token)
            assert again["participant_id"] == first["participant_id"]
            assert {one["publication_id"] for one in again["publications"]}.isdisjoint(
                one["publication_id"] for one in first["publications"]
            )
        finally:
            publisher.send_signal(signal.SIGTERM)
            await publisher.communicate()
        assert publisher.returncode == 0


async def _not(what: Any) -> bool:
    return not await what
