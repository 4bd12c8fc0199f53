"""Layers in real browsers: one publishes three, another watches one of them after another without a hole."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from media.layers import Choice
from media.subscription import Slot
from tests.support.browser import chromium, eventually, participant, received
from tests.support.devices import lively
from tests.support.firefox import executable, firefox
from tests.support.own_worker import OwnWorker, lan_address, own_worker

LAYERS = [
    {"rid": "h", "maxBitrate": 1_500_000, "scaleResolutionDownBy": 1},
    {"rid": "m", "maxBitrate": 500_000, "scaleResolutionDownBy": 2},
    {"rid": "l", "maxBitrate": 120_000, "scaleResolutionDownBy": 4},
]
_choose = Slot.choose


@pytest.fixture(autouse=True)
def _only_the_test_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what the viewer's line can take."""
    monkeypatch.setattr(Slot, "choose", lambda *_: None)


@asynccontextmanager
async def lesson(browser: str, codec: str) -> AsyncIterator[tuple[OwnWorker, Any, Any]]:
    """A teacher's page that publishes, and a class's page whose slot carries it."""
    if browser == "firefox":
        async with own_worker(lan_address()) as own, firefox() as running:
            teacher, classroom = await running.page(init_script=lively()), await running.page()
            await _begin(own, teacher, classroom, codec)
            yield own, teacher, classroom
    else:
        async with own_worker() as own, chromium("--autoplay-policy=no-user-gesture-required") as other:
            people = await participant(other, init_script=lively()), await participant(other)
            publishing, watching = [await person.new_page() for person in people]
            await _begin(own, publishing, watching, codec)
            yield own, publishing, watching


async def _begin(own: OwnWorker, teacher: Any, classroom: Any, codec: str) -> None:
    for page in (teacher, classroom):
        await page.goto(own.url)
    await teacher.evaluate("([codec, layers]) => window.publish(codec, layers)", [codec, LAYERS])
    await classroom.evaluate("() => window.watch()")
    own.place()

    async def all_flow() -> bool:
        layers = own.publication().layers
        return all(layer.flowing for layer in layers) and 0 < layers[0].height < layers[1].height < layers[2].height

    await eventually("all layers flow", all_flow, within=40)


async def shown(own: OwnWorker, page: Any, choice: Choice) -> None:
    """Choose, and wait until the page decodes that."""
    _choose(own.slot(), choice, time.monotonic())

    async def decoded() -> bool:
        found = await received(page, "video")
        layer = own.slot().layer  # a browser whose machine is busy makes all its layers smaller
        return own.slot().carried == choice and layer is not None and any(it.height == layer.height for it in found)

    await eventually(f"{choice} is decoded", decoded)
    before = max(it.frames for it in await received(page, "video"))

    async def goes_on() -> bool:
        return max(it.frames for it in await received(page, "video")) > before + 5

    await eventually("the picture goes on", goes_on)


@pytest.mark.parametrize(("browser", "codec"), [("chromium", "H264"), ("chromium", "VP8"), ("firefox", "VP8")])
async def test_a_class_sees_one_layer_after_another_without_a_hole(browser: str, codec: str) -> None:
    if browser == "firefox" and executable() is None:
        pytest.skip("no Firefox on this machine")
    async with lesson(browser, codec) as (own, teacher, classroom):
        publication = own.publication()
        assert {stream.codec.name for stream in publication.streams} == {codec}
        for layer in (0, 2, 1, 0, 1, 2):
            await shown(own, classroom, Choice(layer))
        assert max(it.lost for it in await received(classroom, "video")) == 0

        # A layer that the publisher has switched off, as asked, comes back when it is needed.
        await shown(own, classroom, Choice(0))
        await eventually("only the least is needed", lambda: _wants(own, ("l",)))
        await teacher.evaluate("() => window.activate(['l'])")
        await eventually("the others have stopped", lambda: _flowing(own, [True, False, False]))
        _choose(own.slot(), Choice(2), time.monotonic())
        await eventually("the best is needed", lambda: _wants(own, ("h", "l")))
        await teacher.evaluate("() => window.activate(['h', 'l'])")
        await shown(own, classroom, Choice(2))


async def _wants(own: OwnWorker, rids: tuple[str, ...]) -> bool:
    return own.wanted == rids


async def _flowing(own: OwnWorker, expected: list[bool]) -> bool:
    return [layer.flowing for layer in own.publication().layers] == expected
