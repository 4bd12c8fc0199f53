"""What of a lesson's log, and which pages of slides, the archive has."""

from __future__ import annotations

from server.recording_policy import ArchivedLog
from signaling.events import Event, Joined, PageTurned, Payload, Recording, SlidesAdded, SlidesRemoved, Stroke

SET = SlidesAdded("aaaaaaaa", "草原", 3, 1920, 1080)


class Log:
    """Events on their way to the archive, one after the other."""

    def __init__(self) -> None:
        self._archive = ArchivedLog("all")
        self._seq = 0
        self.happen(Joined("t", "lead_teacher", "", None))

    def happen(self, payload: Payload) -> bool:
        """Whether the archive has the event."""
        self._seq += 1
        return self._archive.archived(Event(self._seq, 100 * self._seq, "t", payload)) is not None

    def pages(self) -> list[str]:
        return self._archive.new_pages()


def stroke(surface: str) -> Stroke:
    return Stroke(surface, "s", "pen", "ink", 25, (0, 0, 100, 100))


def test_a_page_is_archived_from_when_it_is_turned_to_and_once() -> None:
    log = Log()
    assert log.happen(SET)
    assert log.pages() == []
    for page in (1, 2, 1):
        assert log.happen(PageTurned(f"aaaaaaaa/{page}"))
    assert log.happen(stroke("aaaaaaaa/1"))
    assert log.pages() == ["aaaaaaaa/1", "aaaaaaaa/2"]
    log.happen(PageTurned("board/1"))
    log.happen(PageTurned("aaaaaaaa/2"))
    assert log.pages() == []


def test_what_was_shown_and_drawn_while_recording_was_paused_is_not() -> None:
    log = Log()
    log.happen(SET)
    log.happen(Recording("paused", None))
    assert log.happen(PageTurned("aaaaaaaa/1"))  # that it was turned is no secret, and where the lesson goes on from
    assert not log.happen(stroke("aaaaaaaa/1"))
    log.happen(PageTurned("aaaaaaaa/2"))
    assert log.pages() == []
    log.happen(Recording("off", None))
    assert log.pages() == ["aaaaaaaa/2"]  # which is there still
    assert log.happen(stroke("aaaaaaaa/2"))


def test_slides_that_are_taken_away_are_shown_no_longer() -> None:
    log = Log()
    log.happen(SET)
    log.happen(Recording("paused", None))
    log.happen(PageTurned("aaaaaaaa/1"))
    log.happen(SlidesRemoved("aaaaaaaa"))
    log.happen(Recording("off", None))
    assert log.pages() == []
