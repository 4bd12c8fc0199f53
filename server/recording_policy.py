"""Who may be recorded: in pictures and sound, and in the archive's copy of the event log. Decisions, without a clock.

The policy is the lesson's, the consent a class's own, and a pause holds for everybody. What the archive says of a class
that is not recorded is told in signaling/PROTOCOL.md, section 4.
"""

from __future__ import annotations

from dataclasses import replace

from signaling.events import (
    SERVER,
    Chat,
    Consent,
    Event,
    Headcount,
    Joined,
    Photo,
    PhotoShown,
    Private,
    RecordingPolicy,
    Stroke,
)
from signaling.rights import may
from signaling.snapshot import ParticipantState
from signaling.state import RoomState, person


def may_record(policy: RecordingPolicy, sender: ParticipantState) -> bool:
    """Whether what this participant publishes may be recorded, while recording is not paused."""
    if policy == "nothing":
        return False
    if policy == "all" or may(sender.role, "publish"):
        return True
    return policy == "consented" and sender.consent is True


class ArchivedLog:
    """A lesson's events on their way to the archive, from the first, in order."""

    def __init__(self, policy: RecordingPolicy) -> None:
        self._policy = policy
        self._state = RoomState()
        self._photos: set[str] = set()  # that it has
        self._pages: set[str] = set()  # of slides, that it has
        self._new_pages: list[str] = []

    def archived(self, event: Event) -> Event | None:
        """The event as the archive has it; None if it is left out there."""
        self._state.apply(event)
        self._look_at_page()
        payload = event.payload
        match payload:
            case Joined() if self._hidden(payload.participant_id):
                return replace(event, payload=replace(payload, name="", headcount=None))
            case Consent() if self._hidden(payload.participant_id):
                return replace(event, payload=replace(payload, name="", headcount=None))
            case Private() | Chat(to="teachers"):
                return None  # between the teachers of both sides
            case Photo():
                if self._state.recording == "paused" or self._hidden(payload.participant_id):
                    return None
                self._photos.add(payload.photo_id)
            case PhotoShown(photo_id) if photo_id is not None and photo_id not in self._photos:
                return None
            case Chat() if self._state.recording == "paused" or self._hidden(event.actor):
                return None
            case Headcount() if self._hidden(payload.participant_id):
                return None
            case Stroke() if self._state.recording == "paused":
                return None
        return event

    def new_pages(self) -> list[str]:
        """The pages of slides that were shown since this was asked last: those the archive is to have.

        One that was turned to and left again while the recording was paused is none.
        """
        found, self._new_pages = self._new_pages, []
        return found

    def _look_at_page(self) -> None:
        page = self._state.pages.slide_page
        if page is not None and page not in self._pages and self._state.recording != "paused":
            self._pages.add(page)
            self._new_pages.append(page)

    def _hidden(self, participant_id: str) -> bool:
        """Whether it is a class that is not recorded, on whichever of its devices, or nobody we know."""
        known = self._state.participants.get(participant_id)
        if known is None:
            return participant_id != SERVER
        if known.role == "observer" and known.participant_id.startswith("c-"):  # beside its class (seating.py)
            known = self._state.participants.get(person(known.participant_id), known)
        elif known.role != "receiving_class":
            return False
        return not may_record(self._policy, known)
