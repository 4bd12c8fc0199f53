"""Between the slides of lessons and their rooms: what can be shown when a room opens, and what comes and goes later."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Protocol

from server.slides.slide_set import SlideSet
from server.slides.store import Slides
from signaling.events import SlidesAdded
from signaling.live import LiveRoom
from signaling.room_error import RoomError


class OpenRooms(Protocol):
    """What is needed of signaling's Rooms."""

    def find(self, lesson_id: str) -> LiveRoom | None: ...


class Shelf:
    """What rooms are told of slides: signaling's SlidesShelf, and the listener of a Renderer."""

    def __init__(self, slides: Slides) -> None:
        self._slides = slides
        self._rooms: OpenRooms | None = None

    def attach(self, rooms: OpenRooms) -> None:
        """Rooms need their shelf first, so the rooms come afterwards."""
        self._rooms = rooms

    async def ready(self, lesson_id: str) -> Sequence[SlidesAdded]:
        here = await asyncio.to_thread(self._slides.of, lesson_id)
        return [_told(one) for one in here if one.state == "ready"]

    def settled(self, lesson_id: str, one: SlideSet) -> None:
        room = self._rooms.find(lesson_id) if self._rooms is not None else None
        if room is not None and one.state == "ready":
            with contextlib.suppress(RoomError):  # it is over
                room.add_slides(_told(one))

    def removed(self, lesson_id: str, slides_id: str) -> None:
        room = self._rooms.find(lesson_id) if self._rooms is not None else None
        if room is not None:
            room.remove_slides(slides_id)


def _told(one: SlideSet) -> SlidesAdded:
    return SlidesAdded(one.slides_id, one.title, one.pages or 0, one.width, one.height)
