"""The people of a journey, as they use the pages: a teacher, a class, someone who watches the replay.

They know what is on the screen (test ids and what a picture shows), and nothing of what is behind it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from playwright.async_api import Browser, Locator, Page, expect

from tests.support.browser import eventually, participant, received
from tests.support.server import Tongke

PATIENCE = 15_000  # ms for anything a page should do at once; the machine may be busy with other tests
LOADING = 60_000  # ms for a page to come at all: several browsers start on the same machine


class Person:
    """Somebody with a page open."""

    def __init__(self, page: Page, tongke: Tongke) -> None:
        self.page = page
        self._tongke = tongke
        page.set_default_timeout(PATIENCE)
        page.set_default_navigation_timeout(LOADING)
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    @classmethod
    async def arrive(cls, browser: Browser, tongke: Tongke, *, init_script: str | None = None) -> Self:
        """With a browser of their own."""
        return cls(await (await participant(browser, init_script=init_script)).new_page(), tongke)

    def see(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)

    async def leave(self) -> None:
        await self.page.context.close()

    async def moves(self, test_id: str, within: float = 15.0) -> float:
        """Wait until the picture with this test id shows new frames; the seconds it took."""
        before: int | None = None

        async def check() -> bool:
            nonlocal before
            count = await self._frames(test_id)
            if count is None:
                before = None
            elif before is None or count < before:
                before = count
            return count is not None and before is not None and count >= before + 3

        try:
            return await eventually(f"a moving picture in {test_id}", check, within)
        except AssertionError as error:
            error.add_note(f"{self.page.url} {self.errors} {await received(self.page)}")
            raise

    async def open_replay(self) -> None:
        """From the screen that says the lesson is over."""
        await self.see("to-replay").click()
        play = self.see("replay-play")
        await play.wait_for()
        if await play.get_attribute("data-playing") != "true":
            await play.click()

    async def _frames(self, test_id: str) -> int | None:
        """Frames shown so far, None without a picture."""
        script = """(id) => {
          const video = document.querySelector(`video[data-testid="${id}"]`);
          return video && video.videoWidth ? video.getVideoPlaybackQuality().totalVideoFrames : null;
        }"""
        count: int | None = await self.page.evaluate(script, test_id)
        return count


class Teacher(Person):
    name = "主讲教师甲"

    async def log_in(self) -> None:
        """With an account an administrator has made."""
        password = await self._tongke.add_user(self.name, "teacher")
        await self.page.goto(f"{self._tongke.http}/login")
        await self.see("login-name").fill(self.name)
        await self.see("login-password").fill(password)
        await self.see("login-submit").click()
        await self.see("lesson-title").wait_for()

    async def create_lesson(self, title: str) -> tuple[str, str]:
        """Lesson id and class code, as they stand in the list."""
        await self.see("lesson-title").fill(title)
        await self.see("create-lesson").click()
        row = self.see("lesson-row").filter(has_text=title)
        await row.wait_for()
        lesson_id = await row.get_attribute("data-lesson-id")
        code = "".join(filter(str.isdigit, await row.get_by_test_id("lesson-code").inner_text()))
        assert lesson_id is not None
        return lesson_id, code[-6:]

    async def start(self, lesson_id: str) -> None:
        """Opens the studio, allows camera and microphone, begins."""
        row = self.page.locator(f'[data-testid="lesson-row"][data-lesson-id="{lesson_id}"]')
        await row.get_by_test_id("teach").click()
        await self.moves("own-camera")
        await expect(self.see("start-lesson")).to_be_enabled(timeout=PATIENCE)
        await self.see("start-lesson").click()
        await self.see("end-lesson").wait_for()

    async def share_screen(self) -> None:
        await self.see("share-screen").click()
        await self.moves("own-screen")

    async def give_floor(self, class_name: str) -> None:
        row = self.see("participant-row").filter(has_text=class_name)
        await row.locator('[data-testid^="floor-"]').click()

    async def end(self) -> None:
        await self.see("end-lesson").click()
        await self.see("confirm-end").click()
        await self.see("ended").wait_for()


class SchoolClass(Person):
    async def enter(self, code: str, name: str) -> None:
        """The two steps: the code, and one press."""
        await self.page.goto(f"{self._tongke.http}/class")
        await self.see("class-code").wait_for(timeout=LOADING)
        await self.see("class-code").fill(code)
        await self.see("class-name").fill(name)
        await self.see("enter-class").click()

    async def hear(self) -> None:
        """Somewhere a sound element plays what is not silence."""
        script = "() => [...document.querySelectorAll('audio[data-testid=sound]')].some((one) => !one.paused)"

        async def playing() -> bool:
            return bool(await self.page.evaluate(script))

        await eventually("sound that plays", playing)


@asynccontextmanager
async def synthetic_teacher(
    tongke: Tongke, lesson_id: str, folder: Path, door: str | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """FFmpeg's WHIP muxer, publishing until it is told to end; by another `door` (a URL) than the server's own."""
    token_file = folder / "token"
    token_file.write_text(await tongke.token(lesson_id, "lead_teacher"), "utf-8")
    url = f"{door or tongke.http}/whip/{lesson_id}"
    command = ("-m", "server.demo.publisher", "--url", url, "--token-file", str(token_file))
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=DEVNULL)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()
