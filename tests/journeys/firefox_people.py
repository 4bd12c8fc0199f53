"""The same people as in people.py, with Firefox before them."""

from __future__ import annotations

from typing import Self

from tests.journeys.people import Teacher
from tests.support.firefox import Firefox, Page
from tests.support.server import Tongke


class FirefoxPerson:
    def __init__(self, page: Page, tongke: Tongke) -> None:
        self.page = page
        self._tongke = tongke

    @classmethod
    async def arrive(cls, browser: Firefox, tongke: Tongke, *, init_script: str | None = None) -> Self:
        """With a window and cookies of their own."""
        return cls(await browser.page(init_script=init_script), tongke)

    @property
    def errors(self) -> list[str]:
        return self.page.errors


class FirefoxTeacher(FirefoxPerson):
    async def log_in(self) -> None:
        password = await self._tongke.add_user(Teacher.name, "teacher")
        await self.page.goto(f"{self._tongke.http}/login")
        await self.page.fill("login-name", Teacher.name)
        await self.page.fill("login-password", password)
        await self.page.click("login-submit")
        await self.page.see("lesson-title")

    async def create_lesson(self, title: str) -> tuple[str, str]:
        """Lesson id and class code."""
        await self.page.fill("lesson-title", title)
        await self.page.click("create-lesson")
        await self.page.see("lesson-row")
        lesson_id, code = await self.page.evaluate(
            """() => { const row = document.querySelector("[data-testid=lesson-row]");
              return [row.dataset.lessonId, row.querySelector("[data-testid=lesson-code]").innerText]; }"""
        )
        return lesson_id, "".join(filter(str.isdigit, code))[-6:]

    async def start(self, lesson_id: str) -> None:
        """The lesson is the only one in the list."""
        await self.page.click("teach")
        await self.page.see("own-camera")
        await self.page.click("start-lesson")
        await self.page.see("end-lesson")


class FirefoxClass(FirefoxPerson):
    async def enter(self, code: str, name: str) -> None:
        await self.page.goto(f"{self._tongke.http}/class")
        await self.page.fill("class-code", code)
        await self.page.fill("class-name", name)
        await self.page.click("enter-class")
