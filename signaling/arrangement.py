"""Brings the slots of receiving transports to what slots.py decides, and tells whoever sits before them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace

from media import messages as media
from signaling.events import Source
from signaling.messages import ServerMessage, Slots, SlotState
from signaling.pulls import Pulls
from signaling.slots import CONTENT, decide
from signaling.state import RoomState
from signaling.transport import Transport
from signaling.wall import on_wall
from signaling.workers import MediaUnavailableError

log = logging.getLogger(__name__)


class Arrangement:
    """`pulls` carry out placements, `tell` says something to a participant, `start` runs a task of the room's,
    `speaking` is as `decide` has it."""

    def __init__(
        self,
        state: RoomState,
        pulls: Pulls,
        tell: Callable[[str, ServerMessage], None],
        start: Callable[[Coroutine[None, None, None]], None],
        speaking: Mapping[str, int] | None = None,
    ) -> None:
        self._state = state
        self._pulls = pulls
        self._tell = tell
        self._start = start
        self._speaking: Mapping[str, int] = {} if speaking is None else speaking

    def arrange(self, transport: Transport) -> None:
        """See to it, soon, that the slots of a receiving transport carry what they should."""
        transport.changed = True
        if not transport.arranging:
            transport.arranging = True
            self._start(self._arrange_until_right(transport))

    def tell_slots(self, transport: Transport) -> None:
        """Say what the slots carry."""
        transport.told = True
        publications = self._state.publications
        states = []
        for slot in transport.slots:
            carried = publications.get(slot.publication_id or "")
            states.append(
                SlotState(slot.mid, slot.kind, carried.publication_id, carried.participant_id, carried.source)
                if carried
                else SlotState(slot.mid, slot.kind, None, None, None)
            )
        self._tell(transport.note.participant_id, Slots(slots=tuple(states)))

    async def _arrange_until_right(self, transport: Transport) -> None:
        """One at a time for each transport, so that placements arrive in the order in which they were decided."""
        try:
            while transport.changed:
                transport.changed = False
                await self._arrange_once(transport)
        finally:
            transport.arranging = False

    async def _arrange_once(self, transport: Transport) -> None:
        if transport.worker is None or transport.gone:
            return
        state = self._state
        viewer_id = transport.note.participant_id
        content: Source = "document_camera" if state.shown and state.shown.source == "document_camera" else "screen"
        plan = decide(
            viewer_id, transport.slots, state.publications.values(), state.participants, self._speaking, content
        )
        small = {mid: self._small(publication_id) for mid, publication_id in plan.items()}
        placements = tuple(
            media.Placement(slot.mid, plan[slot.mid], self._rank(plan[slot.mid]), small[slot.mid])
            for slot in transport.slots
            if slot.publication_id != plan[slot.mid] or (slot.publication_id and slot.small != small[slot.mid])
        )
        if placements:
            try:
                reply = await self._pulls.place(transport.worker, media.Place(transport.note.transport_id, placements))
            except MediaUnavailableError:
                transport.changed = transport.worker.alive  # it was slow: again; its loss is told separately
                return
            if isinstance(reply, media.Refused):
                # Something has gone at the worker of which we are about to hear; then we decide anew.
                log.info("slots of a transport stay as they are: %s", reply.code)
                return
            # A re-offer may have added slots meanwhile; they are arranged next.
            transport.slots = [
                replace(slot, publication_id=plan[slot.mid], small=small[slot.mid]) if slot.mid in plan else slot
                for slot in transport.slots
            ]
            self._pulls.tidy()
        if placements or not transport.told:
            self.tell_slots(transport)

    def _small(self, publication_id: str | None) -> bool:
        """Whether it is for the teachers' wall: whatever a class sends there, its smallest layer goes on."""
        publication = self._state.publications.get(publication_id or "")
        return publication is not None and on_wall(publication, self._state.participants)

    def _rank(self, publication_id: str | None) -> int:
        """Which picture is the last to be given up when bandwidth is short: the screen, then the lead teacher's."""
        publication = self._state.publications.get(publication_id or "")
        if publication is None:
            return 9
        if publication.kind == "audio" or publication.source in CONTENT:
            return 0
        sender = self._state.participants.get(publication.participant_id)
        if sender is not None and sender.role == "lead_teacher":
            return 1
        return 2 if sender is not None and sender.on_floor else 3
