"""A page that publishes through a line: how soon it sends at full quality, and how soon it gives way.

    python -m tests.bench.upstream [--browsers chromium firefox]

A real browser, whose congestion control lives from our transport-wide feedback. Its camera is lively and may take more
than what is asked of the line; the line is clean and has 30 ms of round trip, and after a while it shrinks to 400 kb/s.
What is sent is counted on the line itself, so that it means the same in every browser.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, get_args

from media.worker import Worker
from tests.support.browser import Asked, chromium, participant, rerouted
from tests.support.devices import lively
from tests.support.firefox import firefox
from tests.support.link import Conditions, UdpLink
from tests.support.own_worker import lan_address, own_worker

Browsing = Literal["chromium", "firefox"]
BROWSERS: tuple[Browsing, ...] = get_args(Browsing)

DELAY = 0.015  # seconds each way
MOST = 3_500_000  # bit/s the page may send
WANTED, RAMP_WITHIN = 2_500_000, 3.0  # bit/s, seconds
NARROW, BACK_WITHIN = 400_000, 1.0
FITS = 1.1  # times what the line carries, of which its own headers are a tenth
SHRINKS_AFTER = 8.0  # seconds
WATCHED_AFTER = 4.0
PART = 0.6  # of the camera's picture that is fresh in every frame: 2.5 Mb/s and more
EVERY = 0.05  # seconds between looks
OVER = 0.5  # seconds over which a bit rate is taken; before, there is none

_ESTIMATE = """async () => {
  const stats = [...(await window.publishing.getStats()).values()];
  const pairs = stats.filter((it) => it.type === "candidate-pair" && it.nominated);
  return Math.max(0, ...pairs.map((it) => it.availableOutgoingBitrate ?? 0));
}"""


@dataclass(frozen=True, slots=True)
class Look:
    at: float  # seconds since media began to flow; since the line shrank
    estimate: float  # bit/s, as the browser says; 0 where it says none
    line: float  # bit/s that reached the line, over the last half second


@dataclass(frozen=True, slots=True)
class Upstream:
    """One browser's way up and down. Times are None for what did not happen, or is not told (Firefox's estimate)."""

    browser: str
    estimated_after: float | None  # seconds until the browser's estimate was 2.5 Mb/s
    sent_after: float | None  # seconds until so much was really sent, over half a second
    sent_at_3s: float  # bit/s
    fell_after: float | None  # seconds until the estimate, else what is sent, had fallen to half
    fits_after: float | None  # seconds until it was what the line carries
    feedbacks_per_second: float  # on the clean line

    @property
    def kept(self) -> bool:
        """Whether the issue's words are: up within three seconds, back within one."""
        up = self.estimated_after if self.estimated_after is not None else self.sent_after
        return None not in (up, self.fell_after) and (up or 0) <= RAMP_WITHIN and (self.fell_after or 0) <= BACK_WITHIN

    def __str__(self) -> str:
        return (
            f"{self.browser} on a clean line: an estimate of 2.5 Mb/s after {_seconds(self.estimated_after)}, "
            f"sent after {_seconds(self.sent_after)} ({self.sent_at_3s / 1e6:.1f} Mb/s at 3 s); "
            f"narrow: half after {_seconds(self.fell_after)}, fits after {_seconds(self.fits_after)}; "
            f"{self.feedbacks_per_second:.0f} feedbacks a second: {'kept' if self.kept else 'MISSED'}"
        )


async def upstream(browser: Browsing) -> Upstream:
    """One row."""
    async with publishing(browser) as (page, link, worker):
        loop = asyncio.get_running_loop()
        begun, already = loop.time(), worker.counters["feedbacks_out"]
        up = await _watch(page, link, SHRINKS_AFTER)
        feedbacks = (worker.counters["feedbacks_out"] - already) / (loop.time() - begun)
        link.up.conditions = Conditions(delay=DELAY, rate=NARROW)
        down = await _watch(page, link, WATCHED_AFTER)
    return judge(browser, up, down, feedbacks)


@asynccontextmanager
async def publishing(browser: Browsing) -> AsyncIterator[tuple[Asked, UdpLink, Worker]]:
    """A page whose media begin to flow now, the line that they take, and the worker they come to."""
    host = "127.0.0.1" if browser == "chromium" else lan_address()
    async with own_worker(host) as own, UdpLink((host, own.port), Conditions(delay=DELAY)) as link:
        script = lively(part=PART) + rerouted(own.port, link.address)
        async with _page(browser, script) as page:
            await page.goto(own.url)
            await page.evaluate('(most) => window.publish("VP8", [{maxBitrate: most, maxFramerate: 30}])', MOST)
            async with asyncio.timeout(20):
                while link.up.sent < 20:
                    await asyncio.sleep(0.01)
            yield page, link, own.worker


async def estimated(page: Asked) -> float:
    """Bit/s that the browser believes the line carries; 0 where it does not tell."""
    estimate: float = await page.evaluate(_ESTIMATE)
    return estimate


def judge(browser: str, up: Sequence[Look], down: Sequence[Look], feedbacks: float) -> Upstream:
    """What came of it."""
    told = any(look.estimate for look in up)
    before = up[-1]
    rates = [(look.at, look.estimate if told else look.line) for look in down if told or look.at >= OVER]
    half = (before.estimate if told else before.line) / 2
    return Upstream(
        browser,
        next((look.at for look in up if look.estimate >= WANTED), None),
        next((look.at for look in up if look.line >= WANTED and look.at >= OVER), None),
        min(up, key=lambda look: abs(look.at - RAMP_WITHIN)).line,
        next((at for at, rate in rates if rate <= half), None),
        next((at for at, rate in rates if rate <= NARROW * FITS), None),
        feedbacks,
    )


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"


@asynccontextmanager
async def _page(browser: Browsing, script: str) -> AsyncIterator[Any]:
    if browser == "firefox":
        async with firefox() as running:
            yield await running.page(init_script=script)
    else:
        async with chromium() as running:
            yield await (await participant(running, init_script=script)).new_page()


async def _watch(page: Asked, link: UdpLink, seconds: float) -> list[Look]:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    looks: list[Look] = []
    counted = [(begun, link.up.octets)]
    while loop.time() - begun < seconds:
        await asyncio.sleep(EVERY)
        estimate = await estimated(page)
        now = loop.time()
        counted.append((now, link.up.octets))
        while now - counted[1][0] > OVER:
            counted.pop(0)
        (since, before), (until, after) = counted[0], counted[-1]
        looks.append(Look(now - begun, estimate, (after - before) * 8 / (until - since)))
    return looks


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.upstream")
    parser.add_argument("--browsers", nargs="+", choices=BROWSERS, default=BROWSERS)
    given = parser.parse_args()
    rows = []
    for browser in given.browsers:
        rows.append(asyncio.run(upstream(browser)))
        print(rows[-1], flush=True)
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
