"""WHIP and WHEP sessions of one room: each is a participant of its own for as long as its transport lives."""

from __future__ import annotations

from dataclasses import replace

from media import messages as media
from signaling.attendance import Attendance
from signaling.bus import Door
from signaling.grants import Grant
from signaling.rights import RIGHTS, may_watch
from signaling.room import Room, RoomError
from signaling.seating import new_id, waits
from signaling.stage import Stage
from signaling.transport import Transport
from signaling.transports import Transports
from signaling.workers import MediaUnavailableError

CONNECTING = 30.0  # seconds a session has to connect its transport


class HttpSessions:
    def __init__(self, room: Room, transports: Transports, attendance: Attendance, stage: Stage) -> None:
        self._room = room
        self._transports = transports
        self._attendance = attendance
        self._stage = stage

    async def open(self, grant: Grant, door: Door, sdp: str) -> tuple[str, str, str]:
        """Its id, the id of its transport and the answer.

        A grant that names a participant has one session per door; the next takes the place of the last.
        Raises RoomError.
        """
        room = self._room
        direction: media.Direction = "send" if door == "whip" else "receive"
        if direction == "send" and "publish" not in RIGHTS[grant.room_role]:
            raise RoomError("not_allowed", f"{grant.room_role} may not publish by WHIP")
        if not may_watch(grant.room_role):
            raise RoomError("not_allowed", f"{grant.room_role} receives no media")
        # Never the grant's own id: a device beside the same person's browser is another participant.
        named = grant.participant_id
        participant_id = f"{named}-{door}" if named is not None else new_id(grant)
        if waits(grant, participant_id, room.state) and not room.was_in(participant_id):
            raise RoomError("not_admitted", "a teacher has not let you in yet")
        if participant_id not in room.state.participants:
            room.check_place(grant.room_role)
        negotiated = await self._transports.negotiate(direction, sdp)
        try:
            name = grant.name or ""
            joined = room.join(
                self._stage.now_ms(), participant_id, grant.room_role, name, None, class_id=grant.class_id
            )
            self._stage.commit(joined)
        except RoomError:
            self._transports.discard(negotiated)
            raise
        presence = self._attendance.here(participant_id, door)
        presence.expect(CONNECTING, lambda: self._connected_or_left(participant_id))
        answer, _ = self._transports.register(participant_id, door, direction, 1, negotiated)
        if direction == "send" and "start" in RIGHTS[grant.room_role]:
            self._stage.commit(room.start(self._stage.now_ms(), participant_id))
        return participant_id, negotiated.transport_id, answer

    def find(self, door: Door, transport_id: str) -> str | None:
        """The participant whose session by this door has this transport, None if there is no such session."""
        note = self._transports.note(transport_id)
        return note.participant_id if note is not None and note.door == door else None

    def ice_generation(self, participant_id: str) -> int:
        """How many times a session has had ICE credentials; 0 if there is no such session."""
        known = self._transport(participant_id)
        return known.note.ice_generation if known is not None else 0

    async def restart_ice(self, participant_id: str) -> tuple[media.IceRestarted, int]:
        """New ICE credentials for a session, and the count of its restarts. Raises RoomError."""
        known = self._transport(participant_id)
        if known is None or known.worker is None:
            raise RoomError("media_unavailable", "the session has no transport")
        try:
            reply = await known.worker.request(media.RestartIce(known.note.transport_id))
        except MediaUnavailableError as error:
            raise RoomError("media_unavailable", str(error)) from error
        if not isinstance(reply, media.IceRestarted):
            raise RoomError("media_unavailable", "the session's transport is gone")
        known.note = replace(known.note, ice_generation=known.note.ice_generation + 1)
        self._stage.commit([known.note])
        return reply, known.note.ice_generation

    def _transport(self, participant_id: str) -> Transport | None:
        return self._transports.find(participant_id, "send") or self._transports.find(participant_id, "receive")

    def _connected_or_left(self, participant_id: str) -> None:
        known = self._transport(participant_id)
        if known is None or not known.connected:
            self._stage.commit(self._room.leave(self._stage.now_ms(), participant_id, "lost"))
