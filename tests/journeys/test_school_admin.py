"""A school's administrator keeps one school and its people, and a class of it finds its buttons in Tibetan."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.journeys.people import Person, SchoolClass
from tests.support.axe import violations
from tests.support.browser import chromium
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

PASSWORD = "a battery staple"


async def test_a_schools_administrator_is_invited_and_keeps_that_school_alone(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        administrator = await Person.arrive(browser, tongke)
        password = await tongke.add_user("管理员", "admin")
        await administrator.page.goto(f"{tongke.http}/login")
        await administrator.see("login-name").fill("管理员")
        await administrator.see("login-password").fill(password)
        await administrator.see("login-submit").click()
        await administrator.see("to-admin").click()
        for school in ("拉萨一小", "阜平一小"):
            await administrator.see("school-name").fill(school)
            await administrator.see("school-region").fill(f"{school[:2]}市")
            await administrator.see("add-school").click()
            await expect(administrator.see("school").filter(has_text=school)).to_be_visible()
        await administrator.see("admin-accounts").click()
        await administrator.see("invite-role").select_option("school_admin")
        await administrator.see("invite-place").select_option(label="拉萨一小 · 拉萨市")
        await administrator.see("make-link").click()
        link = await administrator.see("account-link").input_value()

        # Whoever takes the link keeps that school: its name, classes and codes, and people below.
        keeper = await Person.arrive(browser, tongke)
        await keeper.page.goto(link)
        await keeper.see("link-name").fill("校管理员")
        await keeper.see("link-password").fill(PASSWORD)
        await keeper.see("link-again").fill(PASSWORD)
        await keeper.see("link-save").click()
        await keeper.see("to-admin").click()
        await expect(keeper.see("school")).to_have_count(1)
        await expect(keeper.see("school")).to_contain_text("拉萨一小")
        await expect(keeper.see("school-name")).to_have_count(0)
        await expect(keeper.see("remove-school")).to_have_count(0)
        await keeper.see("class-group-name").fill("六(2)班")
        await keeper.see("add-class").click()
        code = await keeper.see("class-group-code").inner_text()
        await keeper.see("renew-class-code").click()
        await keeper.see("confirm-renew").click()
        await expect(keeper.see("class-group-code")).not_to_have_text(code)
        assert await violations(keeper.page) == []
        await keeper.see("admin-accounts").click()
        await expect(keeper.see("account")).to_have_count(1)
        await expect(keeper.see("invite-role").locator("option")).to_have_count(2)
        assert await violations(keeper.page) == []

        # Its class reads its buttons in its own language, and the next time too.
        lesson = await tongke.create_lesson("草原")
        school_class = await SchoolClass.arrive(browser, tongke)
        await school_class.page.goto(f"{tongke.http}/class#{lesson.class_code}")
        await school_class.see("language-bo").click()
        await expect(school_class.page.locator("html")).to_have_attribute("lang", "bo")
        enter = school_class.see("enter-class")
        tibetan = re.compile("[\u0f40-\u0fbc]{4}")
        await expect(enter).to_have_text(tibetan)
        assert await violations(school_class.page) == []
        await school_class.page.reload()
        await expect(enter).to_have_text(tibetan)
        for person in (administrator, keeper, school_class):
            assert person.errors == []
