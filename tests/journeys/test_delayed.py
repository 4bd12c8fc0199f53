"""A school whose network lets no media through at all: the class watches by HTTP, and returns when the way is free."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.journeys.people import SchoolClass, Teacher
from tests.support.browser import chromium, eventually
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

# Until the test opens the way, no address of the server is left in its answers.
NO_WAY = r"""
(() => {
  const native = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function ({type, sdp}) {
    return native.call(this, {type, sdp: window.__open ? sdp : sdp.replace(/^a=candidate:.*\r?\n/gim, "")});
  };
})();
"""


async def test_a_class_that_no_media_reach_watches_some_seconds_behind_and_comes_back(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        pupils = await SchoolClass.arrive(browser, tongke, init_script=NO_WAY)
        await pupils.enter(code, "拉萨三小")
        await pupils.moves("delayed-video", within=60)
        await expect(pupils.see("notice")).to_have_attribute("data-key", "notice.http", timeout=15_000)
        await expect(pupils.see("line-state")).to_have_attribute("data-rung", "http")
        heard = "() => document.querySelector('[data-testid=delayed-video]').webkitAudioDecodedByteCount"

        async def sounds() -> bool:
            return bool(await pupils.page.evaluate(heard))

        await eventually("sound", sounds)
        # Everything but the media is live as ever.
        await pupils.see("hand").click()
        await expect(teacher.see("hands")).to_contain_text("1")
        await pupils.page.evaluate("window.__open = true")
        await pupils.moves("main-video", within=60)
        await expect(pupils.see("delayed-video")).to_have_count(0, timeout=60_000)
        assert pupils.errors == teacher.errors == []
