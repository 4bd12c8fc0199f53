"""A lesson with a teacher, a class behind a link, and a class on a good line; all three in Chromium, or in Firefox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.peer import own_address
from tests.journeys.firefox_people import FirefoxClass, FirefoxTeacher
from tests.journeys.people import SchoolClass, Teacher
from tests.support.browser import Asked, chromium, heard, moving_pictures, rerouted
from tests.support.firefox import firefox
from tests.support.link import PERFECT, Conditions, UdpLink
from tests.support.server import Tongke

WITHOUT_H264 = """
(() => {
  const native = RTCRtpSender.getCapabilities.bind(RTCRtpSender);
  RTCRtpSender.getCapabilities = (kind) => {
    const found = native(kind);
    return found && {...found, codecs: found.codecs.filter((one) => !/h264/i.test(one.mimeType))};
  };
})();
"""
"""A script: the page does not know H.264, and publishes VP8."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A teacher on a good line, a class behind the link, and a class on a good line."""

    teacher: Asked
    linked: Asked
    good: Asked
    link: UdpLink
    errors: list[list[str]]


async def codecs(page: Asked) -> set[str]:
    """Of the pictures that come."""
    script = """async () => {
      const found = [];
      for (const peer of window.__peers) {
        if (peer.connectionState !== "connected") continue;
        const reports = await peer.getStats();
        for (const one of reports.values()) {
          if (one.type === "inbound-rtp" && one.kind === "video" && one.packetsReceived && one.codecId)
            found.push(reports.get(one.codecId).mimeType.slice(6).toUpperCase());
        }
      }
      return found;
    }"""
    return set(await page.evaluate(script))


@asynccontextmanager
async def in_chromium(folder: Path, camera: str, conditions: Conditions = PERFECT) -> AsyncIterator[Lesson]:
    async with Tongke(folder / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke, init_script=camera)
        async with _seated(tongke, teacher, partial(SchoolClass.arrive, browser, tongke), conditions) as lesson:
            yield lesson


@asynccontextmanager
async def in_firefox(folder: Path, camera: str, conditions: Conditions = PERFECT) -> AsyncIterator[Lesson]:
    async with Tongke(folder / "data") as tongke, firefox() as browser:
        teacher = await FirefoxTeacher.arrive(browser, tongke, init_script=camera)
        async with _seated(tongke, teacher, partial(FirefoxClass.arrive, browser, tongke), conditions) as lesson:
            yield lesson


@asynccontextmanager
async def _seated(
    tongke: Tongke,
    teacher: Teacher | FirefoxTeacher,
    arrive: Callable[..., Awaitable[SchoolClass | FirefoxClass]],
    conditions: Conditions,
) -> AsyncIterator[Lesson]:
    """The same in either browser; `arrive` brings a class."""
    await teacher.log_in()
    lesson_id, code = await teacher.create_lesson("草原")
    await teacher.start(lesson_id)
    async with UdpLink((own_address(), tongke.media_port), conditions) as link:
        linked = await arrive(init_script=rerouted(tongke.media_port, link.address))
        good = await arrive()
        for each, name in ((good, "阜平一小"), (linked, "拉萨三小")):
            await each.enter(code, name)
            await asyncio.gather(moving_pictures(each.page), heard(each.page))
        yield Lesson(teacher.page, linked.page, good.page, link, [teacher.errors, linked.errors, good.errors])
