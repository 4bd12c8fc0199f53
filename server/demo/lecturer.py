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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp

from server.demo.deck import Deck, Mark, ring

AGAIN = 3.0  # seconds until a connection that was lost is made anew
PIECE = 0.1  # seconds of drawing in one message
YIELDS = 180.0  # seconds it leaves the page to somebody else
LONGEST_WAIT = 120.0  # seconds for the slides to be drawn
PING = 5.0  # seconds between signs of life

BOARD = "board/1"
WIDTHS = {"pen": 30, "marker": 160}  # of ten thousand of a page's width
WAVE = (  # what the blackboard beside it shows
    Mark(ring((2600, 5000), 1500, 2660), "ink"),
    Mark(((2600, 5000), (3300, 5010), (4100, 5000)), "red"),
    Mark(tuple((5200 + 80 * x, 5000 - int(1800 * math.sin(x / 6.4))) for x in range(52)), "blue"),
)

_HANDS_ON = frozenset({"page_turned", "stroke", "strokes_removed", "surface_cleared", "shown"})

_log = logging.getLogger("tongke.demo")

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    after: float  # seconds since the one before
    message: Message


def script(slides_id: str, deck: Deck) -> Iterator[Moment]:
    """A round of less than two minutes. What is drawn is wiped away at the beginning of the next."""

    def page(number: int) -> str:
        return f"{slides_id}/{number}"

    for surface in (*map(page, deck.marks), BOARD):
        yield Moment(0, {"type": "surface_cleared", "surface": surface})
    yield Moment(4, {"type": "page_turned", "surface": page(1)})
    yield Moment(0, {"type": "shown", "source": "slides", "layout": "content"})
    for number in (2, 3):
        yield Moment(14, {"type": "page_turned", "surface": page(number)})
        yield from _marks(page(number), deck.marks.get(number, ()))
    yield Moment(14, {"type": "page_turned", "surface": BOARD})
    yield Moment(0, {"type": "shown", "source": "whiteboard", "layout": "side_by_side"})
    yield from _marks(BOARD, WAVE)
    yield Moment(14, {"type": "page_turned", "surface": page(4)})
    yield Moment(0, {"type": "shown", "source": "slides", "layout": "content"})
    yield from _marks(page(4), deck.marks.get(4, ()))
    yield Moment(14, {"type": "shown", "source": "camera", "layout": "portrait"})
    yield Moment(12, {"type": "ping"})


def _marks(surface: str, marks: Iterable[Mark]) -> Iterator[Moment]:
    """Strokes in pieces, as they come from a hand."""
    for number, mark in enumerate(marks):
        said = {
            "type": "stroke",
            "surface": surface,
            "stroke_id": str(number),
            "tool": mark.tool,
            "colour": mark.colour,
        }
        for start in range(0, len(mark.points), 4):
            points = list(itertools.chain.from_iterable(mark.points[start : start + 4]))
            yield Moment(PIECE if start else 2, {**said, "width": WIDTHS[mark.tool], "points": points})


class Lecturer:
    """Shows the slides of one lesson on the server at `http`, until cancelled."""

    def __init__(self, http: str, lesson_id: str, token: str) -> None:
        self._http = http
        self._lesson_id = lesson_id
        self._headers = {"Authorization": f"Bearer {token}"}
        self._token = token
        self._yields_until = 0.0

    async def run(self, deck: Deck) -> None:
        """Bring the slides, if there are none, then lecture."""
        async with aiohttp.ClientSession(trust_env=False) as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, _NotYetError):
                    await self._lecture(http, await self._slides(http, deck), deck)
                await asyncio.sleep(AGAIN)

    async def _slides(self, http: aiohttp.ClientSession, deck: Deck) -> str:
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
                    form.add_field("file", deck.pdf(), filename="slides.pdf", content_type="application/pdf")
                    (await http.post(address, params={"title": deck.title}, data=form, headers=self._headers)).close()
                elif here[0]["state"] == "ready":
                    return str(here[0]["slides_id"])
                await asyncio.sleep(0.5)

    async def _lecture(self, http: aiohttp.ClientSession, slides_id: str, deck: Deck) -> None:
        """One connection, until it is lost. Raises _NotYetError."""
        async with http.ws_connect(f"{self._http}/ws/{self._lesson_id}") as room:
            await room.send_json({"type": "hello", "token": self._token})
            welcome = await room.receive_json(timeout=10)
            if welcome.get("type") != "welcome":
                raise _NotYetError
            speaking = [asyncio.create_task(one) for one in (self._speak(room, slides_id, deck), self._ping(room))]
            try:
                await self._listen(room, welcome["participant_id"])
            finally:
                for task in speaking:
                    task.cancel()
                await asyncio.gather(*speaking, return_exceptions=True)  # what the loss of the connection made of them

    async def _speak(self, room: aiohttp.ClientWebSocketResponse, slides_id: str, deck: Deck) -> None:
        for round_ in itertools.count():
            for moment in script(slides_id, deck):
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
