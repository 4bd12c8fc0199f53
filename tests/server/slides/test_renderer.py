"""What becomes of slides that are brought: real files, drawn by real processes."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server.slides import renderer as module
from server.slides.renderer import TRIES, Renderer
from server.slides.slide_set import SlideSet
from server.slides.store import Slides
from tests.server.slides.files import locked, pdf
from tests.server.slides.test_store import drawn


class Heard:
    """A listener that can be waited for."""

    def __init__(self) -> None:
        self.settled: asyncio.Queue[tuple[str, SlideSet]] = asyncio.Queue()

    def __call__(self, lesson_id: str, one: SlideSet) -> None:
        self.settled.put_nowait((lesson_id, one))


def bring(slides: Slides, data: bytes) -> SlideSet:
    draft = slides.draft()
    draft.write_bytes(data)
    return slides.add("l1", "课件", "pdf", draft)


@contextlib.asynccontextmanager
async def running(renderer: Renderer) -> AsyncIterator[None]:
    task = asyncio.create_task(renderer.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_slides_that_wait_since_before_a_restart_are_drawn_and_said_to_be_ready(tmp_path: Path) -> None:
    slides, heard = Slides(tmp_path), Heard()
    one = bring(slides, pdf(2))
    renderer = Renderer(slides, heard)
    async with running(renderer):
        ready = replace(one, state="ready", pages=2, width=1920, height=1080, tries=1)
        assert await heard.settled.get() == ("l1", ready)
    assert slides.find("l1", one.slides_id) == ready
    assert renderer.progress(ready) == (2, 2)
    assert all(slides.page("l1", one.slides_id, page, small) for page in (1, 2) for small in (True, False))


async def test_slides_that_cannot_be_drawn_say_why(tmp_path: Path) -> None:
    slides, heard = Slides(tmp_path), Heard()
    one = bring(slides, locked())
    async with running(Renderer(slides, heard)):
        _, failed = await heard.settled.get()
    assert (failed.slides_id, failed.state, failed.reason) == (one.slides_id, "failed", "encrypted")


async def test_slides_over_which_the_server_died_again_and_again_are_given_up(tmp_path: Path) -> None:
    slides, heard = Slides(tmp_path), Heard()
    one = bring(slides, pdf())
    slides.put("l1", replace(one, tries=TRIES))
    async with running(Renderer(slides, heard)):
        _, failed = await heard.settled.get()
    assert (failed.state, failed.reason) == ("failed", "too_complex")


async def test_a_disk_that_is_nearly_full_is_left_to_lessons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slides, heard = Slides(tmp_path), Heard()
    bring(slides, pdf())
    monkeypatch.setattr(module, "LEAST_FREE", 1 << 60)
    async with running(Renderer(slides, heard)):
        _, failed = await heard.settled.get()
    assert (failed.state, failed.reason) == ("failed", "disk_full")


class Scripted:
    """A process in the place of the one that draws."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
        self.environment: dict[str, str] = {}
        self.process: asyncio.subprocess.Process | None = None
        start = asyncio.create_subprocess_exec

        async def instead(program: str, *arguments: str, **options: Any) -> asyncio.subprocess.Process:
            self.environment = options["env"]
            self.process = await start("sh", "-c", script, **options)
            return self.process

        monkeypatch.setattr(asyncio, "create_subprocess_exec", instead)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("kill -SEGV $$", "too_complex"),
        ("""echo '{"pages": 1, "width": 9, "height": 9}'""", "too_complex"),
        ("echo nonsense", "damaged"),
        ("""echo '{"pages": 100000, "width": 9, "height": 9}'""", "damaged"),
        ("""echo '{"pages": true, "width": 9, "height": 9}'""", "damaged"),
        ("""echo '{"pages": 1}'""", "damaged"),
        ("""echo '{"failed": "<b>"}'""", "damaged"),
        ("head -c 200000 /dev/zero", "damaged"),
    ],
)
async def test_a_process_that_breaks_or_was_taken_over_spoils_its_own_slides_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    slides, heard = Slides(tmp_path), Heard()
    bring(slides, pdf())
    Scripted(monkeypatch, script)
    async with running(Renderer(slides, heard)):
        _, failed = await heard.settled.get()
    assert (failed.state, failed.reason) == ("failed", reason)


async def test_a_process_that_is_stuck_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slides, heard = Slides(tmp_path), Heard()
    bring(slides, pdf())
    scripted = Scripted(monkeypatch, "exec sleep 600")
    monkeypatch.setattr(module, "STUCK", 0.05)
    async with running(Renderer(slides, heard)):
        _, failed = await heard.settled.get()
    assert (failed.state, failed.reason) == ("failed", "too_complex")
    assert scripted.process is not None
    assert scripted.process.returncode is not None


async def test_the_process_that_draws_is_told_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONGKE_DATABASE_URL", "postgresql://user:password@host/db")
    slides, heard = Slides(tmp_path), Heard()
    bring(slides, pdf())
    scripted = Scripted(monkeypatch, "true")
    async with running(Renderer(slides, heard)):
        await heard.settled.get()
    assert [name for name in scripted.environment if name.startswith("TONGKE")] == []
    assert scripted.environment["PATH"] == os.environ["PATH"]


async def test_slides_taken_away_while_they_are_drawn_are_nobodys_and_the_next_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slides, heard = Slides(tmp_path), Heard()
    first = bring(slides, pdf())
    renderer = Renderer(slides, heard)
    begun, go_on = tmp_path / ".begun", tmp_path / ".go-on"
    said = """echo '{"pages": 1, "width": 9, "height": 9}'"""
    scripted = Scripted(monkeypatch, f"touch '{begun}'; until [ -e '{go_on}' ]; do sleep 0.01; done; {said}")
    async with running(renderer):
        while not begun.exists():
            await asyncio.sleep(0.01)
        slides.remove("l1", first.slides_id)
        go_on.touch()
        assert scripted.process is not None
        await scripted.process.wait()
        monkeypatch.undo()
        second = bring(slides, pdf())
        renderer.put("l1", second.slides_id)
        assert (await heard.settled.get())[1].slides_id == second.slides_id
    assert [one.slides_id for one in slides.of("l1")] == [second.slides_id]


async def test_what_is_ready_is_not_drawn_again(tmp_path: Path) -> None:
    slides, heard = Slides(tmp_path), Heard()
    ready = drawn(slides)
    last = bring(slides, locked())
    async with running(renderer := Renderer(slides, heard)):
        renderer.put("l1", ready.slides_id)
        renderer.put("l1", last.slides_id)
        assert (await heard.settled.get())[1].slides_id == last.slides_id
    assert slides.find("l1", ready.slides_id) == ready
