"""Who is told what: in order, once, and nothing to one that stands at the door but of itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from signaling.attendance import CLOSE_REMOVED, Attendance
from signaling.messages import Speaking
from signaling.presence import Presence
from signaling.room import Room
from signaling.welcome import welcome_to


class Page:
    """A socket that keeps what is sent."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.closed: int | None = None

    def send(self, text: str) -> None:
        assert self.closed is None
        self.heard.append(json.loads(text))

    def close(self, code: int, reason: str) -> None:
        self.closed = code


class Hall:
    """A room, who is in it, and what is still to be stored."""

    def __init__(self) -> None:
        self.room = Room()
        self.later: list[Callable[[], None]] = []
        self.attendance = Attendance(self.room.state, self.later.append)
        self.again: list[str] = []

    def enter(self, participant_id: str, *, waits: bool = False) -> Page:
        page = Page()
        self.room.join(1, participant_id, "receiving_class", "", None, waits=waits)
        viewer = self.room.state.participants[participant_id]
        presence = self.attendance.here(participant_id, "socket")
        presence.connection = page
        presence.seen = self.room.state.seq
        if waits:
            presence.let_in = lambda: None
        welcome = welcome_to(
            self.room, viewer, lesson_id="l-1", title="", session="", now_ms=1, role=viewer.role, resumed=False,
            ice_servers=(), re=None,
        )  # fmt: skip
        self.attendance.greet(viewer, page, welcome, None, self.again.append)
        self.store()
        return page

    def store(self) -> None:
        for call in self.later:
            call()
        self.later.clear()


def kinds(page: Page) -> list[str]:
    return [message.get("kind", message["type"]) for message in page.heard]


def test_one_that_stands_at_the_door_hears_neither_events_nor_who_speaks() -> None:
    hall = Hall()
    inside, waiting = hall.enter("c-1"), hall.enter("c-2", waits=True)
    assert hall.again == ["c-1"]
    for event in hall.room.hand(2, "c-1", raised=True):
        hall.attendance.deliver(event)
    hall.attendance.tell_all(Speaking(publication_ids=("p",)))
    assert kinds(inside) == ["welcome", "hand", "speaking"]
    assert kinds(waiting) == ["welcome"]
    assert [one["participant_id"] for one in waiting.heard[0]["snapshot"]["participants"]] == ["c-2"]


def test_an_event_is_told_once_and_not_to_whom_the_welcome_said_it() -> None:
    hall = Hall()
    first = hall.enter("c-1")
    (raised,) = hall.room.hand(2, "c-1", raised=True)
    late = hall.enter("c-2")
    hall.attendance.deliver(raised)
    assert (kinds(first), kinds(late)) == (["welcome", "hand"], ["welcome"])


def test_who_has_left_hears_so_before_the_socket_closes() -> None:
    hall = Hall()
    page = hall.enter("c-1")
    (left,) = hall.room.leave(2, "c-1", "removed", "t-1")
    presence = hall.attendance.left("c-1", "removed")
    assert isinstance(presence, Presence)
    hall.attendance.deliver(left)
    assert (kinds(page), page.closed) == (["welcome", "left"], None)
    hall.store()
    assert page.closed == CLOSE_REMOVED
    assert hall.attendance.left("c-1", "removed") is None
