"""The pages a lesson has shown come into its archive, and no others."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from recorder.manifest import read_manifest
from recorder.places.local import LocalPlace
from recorder.places.verify import verify
from server.archive.shown_pages import ShownPages
from server.demo.pdf import document
from tests.support.server import Tongke

PATIENCE = 30.0  # seconds until a test gives up on a loaded machine

SET = "aaaaaaaa"


@pytest.fixture
def pages(tmp_path: Path) -> ShownPages:
    (tmp_path / "archive" / "L1").mkdir(parents=True)
    (tmp_path / "slides").mkdir()
    for name in ("1.webp", "1.small.webp", "2.webp", "2.small.webp"):
        (tmp_path / "slides" / name).write_bytes(name.encode())

    def find(lesson_id: str, slides_id: str, page: int, small: bool) -> Path | None:
        assert (lesson_id, slides_id) == ("L1", SET)
        path = tmp_path / "slides" / f"{page}{'.small' if small else ''}.webp"
        return path if path.exists() else None

    return ShownPages(tmp_path / "archive", find)


def kept(tmp_path: Path) -> dict[str, bytes]:
    folder = tmp_path / "archive" / "L1"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_page_that_was_shown_is_kept_large_and_small_and_no_other(pages: ShownPages, tmp_path: Path) -> None:
    pages.keep("L1", [f"{SET}/2", "board/1"])
    assert kept(tmp_path) == {
        f"slides/{SET}/2.webp": b"2.webp",
        f"slides/{SET}/2.small.webp": b"2.small.webp",
    }


def test_a_page_stays_when_the_slides_are_taken_away(
    pages: ShownPages, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pages.keep("L1", [f"{SET}/1"])
    for path in (tmp_path / "slides").iterdir():
        path.unlink()
    with caplog.at_level(logging.WARNING):
        pages.keep("L1", [f"{SET}/1"])  # told again after a restart
        assert caplog.records == []
        pages.keep("L1", [f"{SET}/2"])  # shown, and taken away at once
    assert len(caplog.records) == 2
    assert set(kept(tmp_path)) == {f"slides/{SET}/1.webp", f"slides/{SET}/1.small.webp"}


def test_a_lesson_that_is_deleted_stays_deleted(pages: ShownPages, tmp_path: Path) -> None:
    (tmp_path / "archive" / "L1").rmdir()
    pages.keep("L1", [f"{SET}/1"])
    assert not (tmp_path / "archive" / "L1").exists()


async def test_pages_that_were_shown_survive_the_death_of_every_process(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, aiohttp.ClientSession() as http:
        lesson = await tongke.create_lesson()
        token = await tongke.token(lesson.lesson_id, "lead_teacher")
        slides_id = await _bring(http, tongke, lesson.lesson_id, token)
        log = tmp_path / "data" / "archive" / lesson.lesson_id / "events.jsonl"

        async def turn(page: int, *before: str) -> None:
            async with http.ws_connect(f"{tongke.http}/ws/{lesson.lesson_id}") as room:
                await room.send_json({"type": "hello", "token": token})
                await room.receive_json(timeout=PATIENCE)
                for kind in before:
                    await room.send_json({"type": kind})
                await room.send_json({"type": "page_turned", "surface": f"{slides_id}/{page}"})
                await _until(lambda: log.exists() and f'"{slides_id}/{page}"' in log.read_text())

        await turn(1, "start")
        for part in ("server", "recorder"):
            tongke.kill(part)
        await _until_answers(tongke)
        await turn(3)
        await tongke.end_lesson(lesson.lesson_id)
        await tongke.finished_recording(lesson.lesson_id, within=PATIENCE)
        manifest = read_manifest(log.parent)
        assert [file.path for file in manifest.files if file.path.startswith("slides/")] == [
            f"slides/{slides_id}/{name}.webp" for name in ("1.small", "1", "3.small", "3")
        ]
        assert verify(LocalPlace(log.parent.parent), lesson.lesson_id).findings == ()


async def _bring(http: aiohttp.ClientSession, tongke: Tongke, lesson_id: str, token: str) -> str:
    """Slides of three pages; their id, once they are ready."""
    address, headers = f"{tongke.http}/api/lessons/{lesson_id}/slides", {"Authorization": f"Bearer {token}"}
    form = aiohttp.FormData()
    form.add_field("file", document([b"0 0 0 rg 0 0 100 100 re f"] * 3, 960, 540), filename="1.pdf")
    (await http.post(address, params={"title": "1"}, data=form, headers=headers)).close()
    async with asyncio.timeout(PATIENCE):
        while True:
            async with http.get(address, headers=headers) as answer:
                (found,) = (await answer.json())["slides"]
            if found["state"] == "ready":
                return str(found["slides_id"])
            await asyncio.sleep(0.05)


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.02)


async def _until_answers(tongke: Tongke) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                if (await tongke.request("GET", "/readyz")).status == 200:
                    return
            await asyncio.sleep(0.05)
