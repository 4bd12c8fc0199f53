"""手机遥控: a teacher among the pupils calls, takes back, marks and goes on with a phone, until it is taken away."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from tests.journeys.people import LOADING, PATIENCE, Person, SchoolClass, Teacher
from tests.journeys.test_phone import phone_at
from tests.support.axe import violations
from tests.support.browser import chromium
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

NAMES = ("阜平一小 六(2)班", "张北实验小学 六(1)班", "康保二小 六(3)班")


async def test_a_teacher_leads_the_lesson_with_a_phone_until_it_is_disconnected(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        classes = {name: await SchoolClass.arrive(browser, tongke) for name in NAMES}
        near, middle, far = classes.values()
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        for name, one in classes.items():
            await one.enter(code, name)
            await expect(_row(teacher, name)).to_be_visible(timeout=PATIENCE)

        # The code stands behind two presses. It lets one phone in, without typing, and leaves its address bar.
        await _open(teacher)
        path = await _code(teacher)
        await teacher.page.screenshot(path=tmp_path / "studio-code.png")
        phone = await phone_at(browser, tongke, path)
        await expect(phone.see("remote-line")).to_have_attribute("data-phase", "open", timeout=LOADING)
        await expect(phone.page).to_have_url(re.compile(rf"/remote/{lesson_id}$"), timeout=PATIENCE)
        await expect(teacher.see("remote-phone")).to_have_count(1, timeout=PATIENCE)
        await expect(teacher.see("remote-code")).to_have_count(0, timeout=PATIENCE)
        late = await phone_at(browser, tongke, path)
        await expect(late.see("remote-trouble")).to_contain_text("用过", timeout=LOADING)
        await late.page.screenshot(path=tmp_path / "phone-late.png")
        await late.leave()
        await teacher.page.screenshot(path=tmp_path / "studio-connected.png")
        assert await violations(teacher.page) == []
        await teacher.see("remote-close").click()

        # A hand goes up and is first on the phone; one press, and that class speaks.
        await near.see("hand").click()
        hands = phone.see("remote-hands")
        await expect(hands).to_contain_text(NAMES[0], timeout=PATIENCE)
        await phone.page.screenshot(path=tmp_path / "phone-hand.png")
        assert await violations(phone.page) == []
        await _call(phone, NAMES[0])
        await expect(near.see("on-floor")).to_be_visible(timeout=PATIENCE)
        await expect(hands).to_have_count(0, timeout=PATIENCE)
        await _call(phone, NAMES[1])
        await expect(middle.see("on-floor")).to_be_visible(timeout=PATIENCE)
        await _row(phone, NAMES[0]).locator('[data-testid^="stage-"]').click()
        await expect(teacher.see("scene")).not_to_have_attribute("data-large", "own-camera", timeout=PATIENCE)

        # A third: whom to replace.
        await _call(phone, NAMES[2])
        await phone.page.screenshot(path=tmp_path / "phone-replace.png")
        await phone.see("replace").get_by_role("button", name=NAMES[0]).click()
        await expect(far.see("on-floor")).to_be_visible(timeout=PATIENCE)
        await expect(near.see("on-floor")).to_be_hidden(timeout=PATIENCE)
        await expect(phone.see("remote-speaking").get_by_test_id("participant-row")).to_have_count(2, timeout=PATIENCE)

        # Stages go on one after the other, a mark is said to be set once the room has it.
        for stage in ("导入", "新授"):
            await phone.see("remote-next").click()
            await expect(teacher.see("stages")).to_contain_text(stage, timeout=PATIENCE)
            await expect(phone.see("remote-stage")).to_contain_text(stage, timeout=PATIENCE)
        await phone.see("remote-mark").click()
        await expect(phone.see("remote-mark")).to_have_attribute("data-marks", "1", timeout=PATIENCE)
        await phone.page.screenshot(path=tmp_path / "phone.png")
        await phone.see("language").click()
        await phone.page.screenshot(path=tmp_path / "phone-en.png")
        await phone.see("language").click()

        for name in NAMES[1:]:
            await _call(phone, name)
        await expect(middle.see("on-floor")).to_be_hidden(timeout=PATIENCE)
        await expect(far.see("on-floor")).to_be_hidden(timeout=PATIENCE)

        # No media, no end of the lesson, nothing a script could read; and after a reload it is who it was.
        assert await phone.page.evaluate("() => [window.__peers.length, document.cookie]") == [0, ""]
        await expect(phone.see("end-lesson")).to_have_count(0, timeout=PATIENCE)
        await phone.page.reload()
        await expect(phone.see("remote-line")).to_have_attribute("data-phase", "open", timeout=LOADING)
        await expect(phone.see("remote-stage")).to_contain_text("新授", timeout=PATIENCE)

        # Disconnected in the studio, it stays out; another one comes, and with the lesson it is over for that one.
        await _open(teacher)
        await expect(teacher.see("remote-phone")).to_have_count(1, timeout=PATIENCE)
        await expect(teacher.see("remote-code")).to_have_count(0, timeout=PATIENCE)
        await teacher.page.locator('[data-testid^="take-"]').click()
        await expect(phone.see("closed")).to_have_attribute("data-code", "removed", timeout=PATIENCE)
        await phone.page.reload()
        await expect(phone.see("remote-trouble")).to_contain_text("已经断开", timeout=LOADING)
        await phone.page.screenshot(path=tmp_path / "phone-disconnected.png")
        other = await phone_at(browser, tongke, await _code(teacher))
        await expect(other.see("remote-line")).to_have_attribute("data-phase", "open", timeout=LOADING)
        await teacher.see("remote-close").click()
        await teacher.end()
        await expect(other.see("ended")).to_be_visible(timeout=PATIENCE)
        for person in (teacher, *classes.values(), phone, other):
            assert person.errors == []


async def _open(teacher: Teacher) -> None:
    if not await teacher.see("remote-control").is_visible():
        await teacher.see("more").click()
    await teacher.see("remote-control").click()
    await teacher.see("remote-dialog").wait_for()


async def _code(teacher: Teacher) -> str:
    """Where the code in the studio leads."""
    await teacher.see("remote-code").wait_for()
    path = await teacher.see("remote-code").get_attribute("data-path")
    assert path is not None
    return path


def _row(person: Person, name: str) -> Locator:
    return person.see("participant-row").filter(has_text=name)


async def _call(phone: Person, name: str) -> None:
    """Gives the floor, or takes it back."""
    await _row(phone, name).locator('[data-testid^="floor-"]').click()
