"""A local teacher with a phone beside the class: joins by the code on its screen, raises the hand, sends a photo."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, FilePayload, expect

from tests.journeys.people import PATIENCE, Person, SchoolClass, Teacher
from tests.server.phones.test_pictures import drawn
from tests.support.browser import chromium, participant
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

NAMES = ("阜平一小 六(2)班", "张北实验小学 六(1)班")


async def phone_at(browser: Browser, tongke: Tongke, path: str) -> Person:
    phone = Person(await (await participant(browser, 390, 844)).new_page(), tongke)
    await phone.page.goto(f"{tongke.http}{path}")
    return phone


async def test_a_local_teacher_helps_by_phone_and_the_photo_is_shown_to_all(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        near, far = [await SchoolClass.arrive(browser, tongke) for _ in NAMES]
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        for one, name in zip((near, far), NAMES, strict=True):
            await one.enter(code, name)
            await expect(teacher.see("participant-row").filter(has_text=name)).to_be_visible(timeout=PATIENCE)

        # The code stands behind one press, and the phone is in without typing anything.
        await near.see("open-chat").click()
        await near.see("phone-help").click()
        path = await near.see("phone-code").get_attribute("data-path")
        assert path is not None
        await near.page.screenshot(path=tmp_path / "class-code.png")
        phone = await phone_at(browser, tongke, path)
        await expect(phone.see("phone-line")).to_have_attribute("data-phase", "open", timeout=PATIENCE)
        assert "#" not in phone.page.url
        await expect(phone.page.get_by_role("heading", name=NAMES[0])).to_be_visible()
        await expect(near.see("phone-count")).to_contain_text("1")
        late = await phone_at(browser, tongke, path)
        await expect(late.see("phone-trouble")).to_contain_text("用过", timeout=PATIENCE)
        await late.page.screenshot(path=tmp_path / "phone-late.png")
        await late.leave()
        await near.see("phone-help").click()
        await near.see("open-chat").click()

        # Hand and signals are the class's.
        await phone.see("phone-hand").click()
        await expect(near.see("hand")).to_have_attribute("aria-pressed", "true", timeout=PATIENCE)
        await expect(teacher.see("hands")).to_contain_text("1")
        await phone.see("signal-unclear").click()
        await near.see("signal-slower").click()
        talk = teacher.see("chat-lines")
        await expect(talk).to_contain_text("看不清", timeout=PATIENCE)
        await expect(talk).to_contain_text("慢一点", timeout=PATIENCE)

        # A photo, and it goes to all when the teacher says so.
        await phone.see("phone-file").set_input_files(
            FilePayload(name="IMG_0001.jpg", mimeType="image/jpeg", buffer=drawn(3000, 2000))
        )
        await expect(phone.see("photo-state")).to_contain_text("已发给老师", timeout=PATIENCE)
        await expect(talk.get_by_test_id("work-photo")).to_be_visible(timeout=PATIENCE)
        await expect(far.see("shown-photo")).to_have_count(0)
        await phone.page.screenshot(path=tmp_path / "phone.png", full_page=True)
        await talk.locator('[data-testid^="show-photo-"]').click()
        for one in (near, far):
            await expect(one.see("shown-photo").get_by_test_id("work-photo")).to_be_visible(timeout=PATIENCE)
        await far.page.screenshot(path=tmp_path / "class-photo.png")
        await teacher.page.screenshot(path=tmp_path / "studio-photo.png")

        # The answer is a number on the class's screen until somebody touches it, and nothing at all on the other's.
        await talk.locator('[data-testid^="reply-"]').first.click()
        await teacher.page.screenshot(path=tmp_path / "studio-reply.png")
        await teacher.see("preset-again").click()
        await expect(phone.see("chat-lines")).to_contain_text("我再讲一遍", timeout=PATIENCE)
        await expect(near.see("open-chat")).to_contain_text("1")
        await near.page.screenshot(path=tmp_path / "class-bar.png")
        await near.page.set_viewport_size({"width": 390, "height": 844})
        await near.page.screenshot(path=tmp_path / "class-upright.png")
        await near.page.set_viewport_size({"width": 1366, "height": 768})
        for one in (near, far):
            assert "我再讲一遍" not in await one.page.inner_text("body")
        await expect(far.see("open-chat")).not_to_contain_text("1")
        await near.see("open-chat").click()
        await expect(near.see("chat-lines")).to_contain_text("我再讲一遍")

        # One class can be asked to write no more; a message can be hidden.
        await far.see("open-chat").click()
        await far.see("chat-text").fill("<b>你好</b>")
        await far.see("chat-send").click()
        line = talk.locator("li", has_text="<b>你好</b>")
        await expect(line).to_be_visible(timeout=PATIENCE)
        await line.locator('[data-testid^="said-menu-"]').click()
        await line.get_by_test_id("silence").click()
        await expect(far.see("chat-text")).to_have_count(0, timeout=PATIENCE)
        await line.locator('[data-testid^="said-menu-"]').click()
        await line.get_by_test_id("hide-message").click()
        await expect(line).to_have_count(0, timeout=PATIENCE)

        # The phone is reloaded and is who it was; with the lesson it is over for the phone too.
        await phone.page.reload()
        await expect(phone.see("phone-line")).to_have_attribute("data-phase", "open", timeout=PATIENCE)
        await phone.page.get_by_test_id("language").first.click()
        await phone.page.screenshot(path=tmp_path / "phone-en.png", full_page=True)
        await teacher.see("unshow-photo").click()
        await expect(far.see("shown-photo")).to_have_count(0, timeout=PATIENCE)
        await teacher.end()
        await expect(phone.see("ended")).to_be_visible(timeout=PATIENCE)
        assert [person.errors for person in (teacher, near, far, phone)] == [[]] * 4
