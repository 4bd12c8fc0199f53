"""Before a lesson: an administrator lists classes and invites a colleague, who plans, and a class finds its way in."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.journeys.people import Person, SchoolClass
from tests.support.browser import chromium
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

PASSWORD = "a battery staple"


class Administrator(Person):
    async def log_in(self) -> None:
        password = await self._tongke.add_user("管理员", "admin")
        await self.page.goto(f"{self._tongke.http}/login")
        await self.see("login-name").fill("管理员")
        await self.see("login-password").fill(password)
        await self.see("login-submit").click()
        await self.see("to-admin").click()

    async def add_class(self, school: str, name: str, headcount: str) -> None:
        await self.see("school-name").fill(school)
        await self.see("add-school").click()
        section = self.see("school").filter(has_text=school)
        await section.get_by_test_id("class-group-name").fill(name)
        await section.get_by_test_id("class-group-headcount").fill(headcount)
        await section.get_by_test_id("add-class").click()
        await expect(section.get_by_test_id("class-group")).to_contain_text(name)

    async def invite(self, role: str) -> str:
        """The link that is passed on."""
        await self.see("admin-accounts").click()
        await self.see("invite-role").select_option(role)
        await self.see("make-link").click()
        return await self.see("account-link").input_value()


async def test_from_an_empty_server_to_a_class_before_its_lesson(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        administrator = await Administrator.arrive(browser, tongke)
        await administrator.log_in()
        await administrator.add_class("阜平一小", "六(2)班", "43")
        link = await administrator.invite("teacher")

        # The colleague chooses name and password; the link leaves the address bar and works no second time.
        teacher = await Person.arrive(browser, tongke)
        await teacher.page.goto(link)
        await teacher.see("link-name").fill("主讲教师甲")
        await expect(teacher.page).to_have_url(re.compile(r"/login$"))
        await teacher.see("link-password").fill(PASSWORD)
        await teacher.see("link-again").fill(PASSWORD)
        await teacher.see("link-save").click()
        await administrator.page.goto("about:blank")
        await administrator.page.goto(link)
        await expect(administrator.see("problem")).to_have_attribute("data-code", "link_unknown")

        # A lesson for later with an invited class, and the sheet of paper for that class.
        await teacher.see("lesson-title").fill("草原")
        await teacher.see("lesson-starts-at").fill("2030-09-02T10:10")
        await teacher.see("invite").click()
        await teacher.page.get_by_label("六(2)班").check()
        await teacher.see("create-lesson").click()
        row = teacher.see("lesson-row").filter(has_text="草原")
        await expect(row).to_contain_text("2030年9月2日(周一) 10:10")
        await row.get_by_test_id("guide").click()
        sheet = teacher.see("sheet").filter(has_text="阜平一小 六(2)班")
        await expect(sheet.get_by_test_id("qr")).to_have_js_property("complete", True)
        assert await sheet.get_by_test_id("qr").evaluate("picture => picture.naturalWidth") > 0
        address = await sheet.get_by_role("link").get_attribute("href")

        # What stands on it brings the class to the page where it waits for the lesson.
        school_class = await SchoolClass.arrive(browser, tongke)
        assert address is not None
        await school_class.page.goto(address)
        await expect(school_class.see("entry-found")).to_contain_text("草原")
        await school_class.see("enter-class").click()
        await expect(school_class.see("waiting-room")).to_have_attribute("data-waiting", "start")

        # The same studio alone, as often as one likes: it is one rehearsal until it is ended.
        await teacher.page.goto(f"{tongke.http}/lessons")
        await teacher.see("rehearse").click()
        await teacher.see("start-lesson").wait_for()
        rehearsal = teacher.page.url
        await teacher.page.goto(f"{tongke.http}/lessons")
        await teacher.see("rehearse").click()
        await expect(teacher.page).to_have_url(rehearsal)
        for person in (administrator, teacher, school_class):
            assert person.errors == []
