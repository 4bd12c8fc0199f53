"""The synthetic teacher at the slides: turns pages, draws on them and on the board, as a second connection to the room.

What it does is a script of moments, from the beginning again when it is through. Somebody else who turns a page or
draws in its lesson has it to himself for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp

AGAIN = 3.0  # seconds until a connection that was lost is made anew
PIECE = 0.1  # seconds of drawing in one message
YIELDS = 180.0  # seconds it leaves the page to somebody else
LONGEST_WAIT = 120.0  # seconds for the slides to be drawn
PING = 5.0  # seconds between signs of life

_HANDS_ON = frozenset({"page_turned", "stroke", "strokes_removed", "surface_cleared", "shown"})

_log = logging.getLogger("tongke.demo")

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    after: float  # seconds since the one before
    message: Message


def script(slides_id: str) -> Iterator[Moment]:
    """A round of some two minutes. What is drawn is wiped away at the beginning of the next."""

    def page(number: int) -> str:
        return f"{slides_id}/{number}"

    for surface in (page(2), page(3), "board/1"):
        yield Moment(0, {"type": "surface_cleared", "surface": surface})
    yield Moment(4, {"type": "page_turned", "surface": page(1)})
    yield Moment(0, {"type": "shown", "source": "slides", "layout": "content"})
    yield Moment(14, {"type": "page_turned", "surface": page(2)})
    yield from _stroke(3, page(2), "ring", _ring((3000, 6900), 1500, 1100), "red")
    yield from _stroke(
        2, page(2), "under", [(5200, 8900), (6400, 8840), (7600, 8900), (8800, 8850)], "yellow", "marker"
    )
    yield Moment(12, {"type": "page_turned", "surface": page(3)})
    yield from _stroke(4, page(3), "arrow", [(4800, 2300), (4300, 3100), (3800, 3900), (3500, 4700)], "red")
    yield from _stroke(0.2, page(3), "head", [(3900, 4300), (3500, 4750), (3460, 4050)], "red")
    yield Moment(12, {"type": "page_turned", "surface": "board/1"})
    yield Moment(0, {"type": "shown", "source": "whiteboard", "layout": "side_by_side"})
    yield from _stroke(2, "board/1", "circle", _ring((2600, 5000), 1500, 2660), "ink")
    yield from _stroke(1, "board/1", "radius", [(2600, 5000), (4100, 5000)], "red")
    yield from _stroke(
        1, "board/1", "wave", [(5200 + 80 * x, 5000 - int(1800 * math.sin(x / 6.4))) for x in range(52)], "blue"
    )
    yield Moment(14, {"type": "page_turned", "surface": page(4)})
    yield Moment(0, {"type": "shown", "source": "slides", "layout": "content"})
    yield Moment(16, {"type": "shown", "source": "camera", "layout": "portrait"})
    yield Moment(14, {"type": "ping"})


def _ring(centre: tuple[int, int], across: int, down: int) -> list[tuple[int, int]]:
    """Not quite round and not quite closed, as one drawn by hand."""
    turns = [math.tau * step / 40 - 1.2 for step in range(42)]
    return [
        (int(centre[0] + across * math.cos(one)), int(centre[1] + (down + 6 * step) * math.sin(one)))
        for step, one in enumerate(turns)
    ]


def _stroke(
    after: float, surface: str, stroke_id: str, points: list[tuple[int, int]], colour: str, tool: str = "pen"
) -> Iterator[Moment]:
    """A stroke in pieces, as it comes from a hand."""
    for start in range(0, len(points), 4):
        flat = list(itertools.chain.from_iterable(points[start : start + 4]))
        message = {"type": "stroke", "surface": surface, "stroke_id": stroke_id, "tool": tool, "colour": colour}
        yield Moment(after if start == 0 else PIECE, {**message, "width": 30 if tool == "pen" else 160, "points": flat})


class Lecturer:
    """Shows the slides of one lesson on the server at `http`, until cancelled."""

    def __init__(self, http: str, lesson_id: str, token: str) -> None:
        self._http = http
        self._lesson_id = lesson_id
        self._headers = {"Authorization": f"Bearer {token}"}
        self._token = token
        self._yields_until = 0.0

    async def run(self, title: str, pdf: bytes) -> None:
        """Bring the slides, if there are none, then lecture."""
        async with aiohttp.ClientSession(trust_env=False) as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, _NotYetError):
                    await self._lecture(http, await self._slides(http, title, pdf))
                await asyncio.sleep(AGAIN)

    async def _slides(self, http: aiohttp.ClientSession, title: str, pdf: bytes) -> str:
        """The id of the slides, once they are ready. Raises _NotYetError."""
        address = f"{self._http}/api/lessons/{self._lesson_id}/slides"
        async with asyncio.timeout(LONGEST_WAIT):
            while True:
                async with http.get(address, headers=self._headers) as answer:
                    if answer.status != 200:
                        raise _NotYetError
                    here = [one for one in (await answer.json())["slides"] if one["state"] != "failed"]
                if not here:
                    form = aiohttp.FormData()
                    form.add_field("file", pdf, filename="slides.pdf", content_type="application/pdf")
                    (await http.post(address, params={"title": title}, data=form, headers=self._headers)).close()
                elif here[0]["state"] == "ready":
                    return str(here[0]["slides_id"])
                await asyncio.sleep(0.5)

    async def _lecture(self, http: aiohttp.ClientSession, slides_id: str) -> None:
        """One connection, until it is lost. Raises _NotYetError."""
        async with http.ws_connect(f"{self._http}/ws/{self._lesson_id}") as room:
            await room.send_json({"type": "hello", "token": self._token})
            welcome = await room.receive_json(timeout=10)
            if welcome.get("type") != "welcome":
                raise _NotYetError
            speaking = [asyncio.create_task(one) for one in (self._speak(room, slides_id), self._ping(room))]
            try:
                await self._listen(room, welcome["participant_id"])
            finally:
                for task in speaking:
                    task.cancel()
                await asyncio.gather(*speaking, return_exceptions=True)  # what the loss of the connection made of them

    async def _speak(self, room: aiohttp.ClientWebSocketResponse, slides_id: str) -> None:
        for round_ in itertools.count():
            for moment in script(slides_id):
                await self._pause(moment.after)
                message = moment.message
                if message["type"] == "stroke":  # a stroke that was wiped away does not come back under its name
                    message = {**message, "stroke_id": f"{message['stroke_id']}-{round_}"}
                await room.send_json(message)

    async def _pause(self, seconds: float) -> None:
        """So long, and until nobody else is at the page any more."""
        await asyncio.sleep(seconds)
        if (left := self._yields_until - asyncio.get_running_loop().time()) > 0:
            await self._pause(left)

    async def _ping(self, room: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            await asyncio.sleep(PING)
            await room.send_json({"type": "ping"})

    async def _listen(self, room: aiohttp.ClientWebSocketResponse, own_id: str) -> None:
        async for message in room:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            said = message.json()
            if said.get("type") == "event" and said["kind"] in _HANDS_ON and said["actor"] not in (own_id, "server"):
                self._yields_until = asyncio.get_running_loop().time() + YIELDS


class _NotYetError(Exception):
    """The server does not take us, or not any more; asked again, it may."""
