"""Before a lesson: an administrator lists classes and invites a colleague, who plans, and a class finds its way in."""

import re
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, expect

from server.demo.deck import grassland
from tests.journeys.people import Person, SchoolClass
from tests.support.axe import violations
from tests.support.browser import chromium
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

PASSWORD = "a battery staple"
PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\nstartxref\n0\n%%EOF\n"


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
        assert await violations(administrator.page) == []
        link = await administrator.invite("teacher")
        assert await violations(administrator.page) == []

        # The colleague chooses name and password; the link leaves the address bar and works no second time.
        teacher = await Person.arrive(browser, tongke)
        for path in ("/login", "/"):
            await teacher.page.goto(f"{tongke.http}{path}")
            await teacher.page.get_by_role("heading", level=1).wait_for()
            assert await violations(teacher.page) == []
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
        await teacher.see("lesson-title").click()
        await teacher.see("lesson-more").click()
        assert await violations(teacher.page) == []
        await row.get_by_test_id("guide").click()
        sheet = teacher.see("sheet").filter(has_text="阜平一小 六(2)班")
        await expect(sheet.get_by_test_id("qr")).to_have_js_property("complete", True)
        assert await sheet.get_by_test_id("qr").evaluate("picture => picture.naturalWidth") > 0
        address = await sheet.get_by_role("link").get_attribute("href")

        # What is printed before the lesson comes from the teacher's own disk, and the plan may still change.
        await teacher.page.goto(f"{tongke.http}/lessons")
        await row.get_by_test_id("lesson-handouts").click()
        await row.get_by_test_id("handout-file").set_input_files(
            [
                FilePayload(name="导学案.pdf", mimeType="application/pdf", buffer=PDF),
                FilePayload(name="作业.pdf", mimeType="application/pdf", buffer=b"MZ"),
            ]
        )
        await expect(row.get_by_test_id("handout")).to_contain_text("导学案")
        await expect(row.get_by_test_id("handout-trouble")).to_contain_text("作业")
        assert await violations(teacher.page) == []

        # So do the slides, which the server draws, and which come along when the lesson is taught again.
        await row.get_by_test_id("lesson-slides").click()
        await row.get_by_test_id("slides-file").set_input_files(
            [FilePayload(name="草原.pdf", mimeType="application/pdf", buffer=grassland())]
        )
        slides = row.get_by_test_id("slide-file")
        await expect(slides).to_have_attribute("data-state", "ready", timeout=30_000)
        await expect(slides).to_contain_text("4 页")
        await expect(slides.locator("img")).to_have_js_property("naturalWidth", 320)
        assert await violations(teacher.page) == []
        await row.get_by_test_id("copy-lesson").click()
        await expect(teacher.see("take-materials")).to_contain_text("课件（1 份）和课前材料（1 份）")
        await teacher.see("lesson-title").fill("草原（二班）")
        await teacher.see("create-lesson").click()
        again = teacher.see("lesson-row").filter(has_text="草原（二班）")
        await again.get_by_test_id("lesson-slides").click()
        await expect(again.get_by_test_id("slide-file")).to_have_attribute("data-state", "ready")
        await again.get_by_test_id("delete-lesson").click()
        await again.get_by_test_id("confirm-delete").click()
        await expect(again).to_have_count(0)

        # What stands on the sheet brings the class to the page where it waits for the lesson.
        school_class = await SchoolClass.arrive(browser, tongke)
        assert address is not None
        await school_class.page.goto(address)
        await expect(school_class.see("entry-found")).to_contain_text("草原")
        await school_class.see("enter-class").click()
        await expect(school_class.see("waiting-room")).to_have_attribute("data-waiting", "start")
        await school_class.see("consent-no").click()
        async with school_class.page.context.expect_page() as opened:
            await school_class.see("open-handout").click()
        handout = await opened.value
        await handout.wait_for_load_state()
        assert await handout.evaluate("document.contentType") == "application/pdf"
        await handout.close()
        await row.get_by_test_id("change-lesson").click()
        await teacher.see("lesson-title").fill("草原（第 2 课时）")
        await teacher.see("recording-policy").select_option("nothing")
        await teacher.see("create-lesson").click()
        await expect(row).to_contain_text("草原（第 2 课时）")
        await expect(school_class.see("waiting-room")).to_contain_text("草原（第 2 课时）")
        await expect(school_class.see("recording-dot")).to_contain_text("不录制")

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
