"""The transports of one room: who sends and receives through which media worker, and what their slots carry.

A lesson has one worker for its home. Who sends does so there; who watches is served there too until it has enough to
do, then by others (placement.py). What is published becomes events; slots follow the state of the room. When a
transport or a whole worker is lost, its publications end, and who sits at a browser is told to offer anew. Workers are
asked without holding anything still: after each await, rights and presence are checked again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace

from media import messages as media
from signaling.announcements import Announcements
from signaling.arrangement import Arrangement
from signaling.bus import Door, TransportNote
from signaling.commands import OfferedTrack, ShownSlot
from signaling.errands import Errands
from signaling.home import Home
from signaling.layers import LayerNews
from signaling.messages import AnsweredTrack, MediaLost
from signaling.publishing import Publishing
from signaling.pulls import Pulls
from signaling.room import Room, RoomError
from signaling.slots import Slot
from signaling.speech import Speech
from signaling.stage import Stage
from signaling.transport import Negotiated, Transport, sends
from signaling.workers import MediaUnavailableError, Worker, Workers

_DIRECTIONS: tuple[media.Direction, ...] = ("send", "receive")
CROWDED = 3  # open microphones: one of them may be the lead teacher's, the others share two slots
_OFFERS_FAULT = ("sdp_malformed", "no_common_codec")  # refusals that say something of the offer


class Transports:
    """All transports of a room, and where the lesson lives."""

    def __init__(self, lesson_id: str, room: Room, workers: Workers, stage: Stage) -> None:
        self._room = room
        self._stage = stage
        self._home = Home(lesson_id, workers, self._receiving)
        self._transports: dict[tuple[str, media.Direction], Transport] = {}
        self._publishing = Publishing(room, stage)
        self._publications = self._publishing.holders
        self._lost: dict[tuple[str, media.Direction], int] = {}  # generation; told again when the participant is back
        self._locks: dict[tuple[str, media.Direction], asyncio.Lock] = {}
        self._seen: object = None  # of the state, at the last `changed`
        self._settled = asyncio.Event()  # every transport of the log has been found, or given up
        self._settled.set()
        self._errands = Errands()
        self._speech = Speech(stage.tell_all)
        self._pulls = Pulls(room.state, self._publications, self._receiving, self._errands.start)
        self._arrangement = Arrangement(room.state, self._pulls, stage.tell, self._errands.start, self._speech.levels)
        self._announcements = Announcements(room.state, stage)
        self._layer_news = LayerNews(stage.tell)

    @property
    def ids(self) -> set[str]:
        """Of all transports of this room."""
        return {transport.note.transport_id for transport in self._transports.values()}

    @property
    def held(self) -> list[Transport]:
        """Those that a worker is known to have."""
        return [transport for transport in self._transports.values() if transport.worker is not None]

    def find(self, participant_id: str, direction: media.Direction) -> Transport | None:
        return self._transports.get((participant_id, direction))

    def note(self, transport_id: str) -> TransportNote | None:
        """Whose transport it is, and by which door; None if it is no more."""
        notes = (transport.note for transport in self._transports.values())
        return next((note for note in notes if note.transport_id == transport_id), None)

    # ── offers ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def offer(
        self,
        participant_id: str,
        direction: media.Direction,
        generation: int,
        sdp: str,
        tracks: Sequence[OfferedTrack],
    ) -> tuple[str, tuple[AnsweredTrack, ...]]:
        """Answer a browser's offer: the SDP, and what it publishes by it. Raises RoomError."""
        key = (participant_id, direction)
        self._room.participant(participant_id)
        async with self._locks.setdefault(key, asyncio.Lock()):
            self._room.participant(participant_id)
            known = self._transports.get(key)
            again = known is not None and known.note.generation == generation
            if self._lost.get(key) == generation:
                raise RoomError("media_unavailable", "this transport is lost, offer the next generation")
            if direction == "send" and not (again and not sends(sdp)):
                self._room.check_may_publish(participant_id, *(track.source for track in tracks))
            negotiated = await self.negotiate(direction, sdp, known.note.transport_id if known and again else None)
            return self.register(participant_id, "socket", direction, generation, negotiated, tracks)

    async def negotiate(self, direction: media.Direction, sdp: str, known: str | None = None) -> Negotiated:
        """Have an offer answered by a worker; `known` is the transport it re-offers. Raises RoomError."""
        transport_id = known or f"{direction[0]}-{secrets.token_hex(6)}"
        worker: Worker | None = None
        try:
            worker = await self._place(transport_id, direction)
            reply = await worker.request(media.Answer(transport_id, direction, sdp))
        except MediaUnavailableError as error:
            self._count_out(worker, transport_id)
            raise RoomError("media_unavailable", str(error)) from error
        if isinstance(reply, media.Refused):
            self._count_out(worker, transport_id)
            raise RoomError(reply.code if reply.code in _OFFERS_FAULT else "media_unavailable", reply.message)
        assert isinstance(reply, media.Answered)
        return Negotiated(transport_id, worker, reply)

    def register(
        self,
        participant_id: str,
        door: Door,
        direction: media.Direction,
        generation: int,
        negotiated: Negotiated,
        tracks: Sequence[OfferedTrack] = (),
    ) -> tuple[str, tuple[AnsweredTrack, ...]]:
        """Make an answered transport the participant's, in place of its last one. Raises RoomError if it has gone."""
        key = (participant_id, direction)
        worker, answered = negotiated.worker, negotiated.answered
        known = self._transports.get(key)
        again = known is not None and known.note.transport_id == negotiated.transport_id
        try:
            self._room.participant(participant_id)
            if direction == "send" and not again:
                self._room.check_may_publish(participant_id, *(track.source for track in tracks))
        except RoomError:
            self.discard(negotiated)
            raise
        if known is None or not again:
            if known is not None:
                self._close(known)
            note = TransportNote(
                negotiated.transport_id, participant_id, direction, door, generation, ice_generation=1, open=True
            )
            known = self._transports[key] = Transport(note, worker)
            self._stage.commit([note])
        self._lost.pop(key, None)
        if direction == "receive":
            known.slots = [Slot(slot.mid, slot.kind, slot.publication_id) for slot in answered.slots]
            known.told = False
            self._arrangement.arrange(known)
            return answered.answer, ()
        return answered.answer, self._publishing.update(known, answered.publications, tracks)

    def discard(self, negotiated: Negotiated) -> None:
        """Nobody is there any more for whom this was negotiated."""
        if all(one.note.transport_id != negotiated.transport_id for one in self._transports.values()):
            self._errands.ask(negotiated.worker, media.CloseTransport(negotiated.transport_id))
            self._count_out(negotiated.worker, negotiated.transport_id)

    def request_key_frame(self, publication_id: str) -> None:
        """A viewer's picture is broken. The worker asks the sender, and not too often. Raises RoomError."""
        holder = self._publications.get(publication_id)
        if publication_id not in self._room.state.publications:
            raise RoomError("unknown_publication", "no such publication in this room")
        if holder is not None and holder.worker is not None:
            self._errands.ask(holder.worker, media.RequestKeyFrame(publication_id))

    def view(self, participant_id: str, shown: Sequence[ShownSlot]) -> None:
        """How tall a page shows its slots; those it does not have (any more) are passed over."""
        known = self.find(participant_id, "receive")
        if known is None or known.worker is None:
            return
        mids = {slot.mid for slot in known.slots}
        heights = tuple(media.Shown(slot.mid, slot.height) for slot in shown if slot.mid in mids)
        if heights:
            self._errands.ask(known.worker, media.View(known.note.transport_id, heights))

    # ── the room has changed ──────────────────────────────────────────────────────────────────────────────────────

    def changed(self) -> None:
        """Bring slots and observers to the state of the room; called after every change of it."""
        state = self._room.state
        floor = tuple(participant.participant_id for participant in state.on_floor())
        sent = tuple((one.publication_id, one.source, one.since_ms) for one in state.publications.values())
        shown = state.shown.source if state.shown else None
        seen = (sent, floor, shown, state.started_ms is None, state.ended_ms is None)
        if seen == self._seen:
            return
        self._seen = seen
        self._speech.keep(state.publications)
        self._announcements.update(self._publications)
        self._arrange_all()

    def closed_by(self, participant_id: str) -> None:
        """The participant has gone: its transports go too."""
        for direction in _DIRECTIONS:
            self._lost.pop((participant_id, direction), None)
            self._locks.pop((participant_id, direction), None)
            if known := self._transports.get((participant_id, direction)):
                self._close(known)

    def close(self) -> None:
        """The lesson is over."""
        for transport in list(self._transports.values()):
            self._close(transport)
        self.changed()
        self._home.move(None)

    async def stop(self) -> None:
        """Wait until the workers were told everything; the transports stay as they are."""
        await self._errands.stop()

    # ── workers ───────────────────────────────────────────────────────────────────────────────────────────────────

    def remember(self, notes: Iterable[TransportNote]) -> None:
        """The open transports of a log, to be found again at the workers."""
        for note in notes:
            self._transports[note.participant_id, note.direction] = Transport(note, None, told=True)
        self._settle()

    def give_up(self) -> None:
        """What no worker holds by now is lost."""
        self._drop([one for one in self._transports.values() if one.worker is None], tell=True)
        for publication_id in [id for id in self._room.state.publications if id not in self._publications]:
            self._stage.commit(self._room.unpublish(self._stage.now_ms(), publication_id))
        self._settle()

    def worker_up(self, worker: Worker, held: media.Held) -> set[str]:
        """Take back what the worker holds of this room; what it should hold and does not is lost.

        Gives the ids of what it pulls for us.
        """
        there = {info.transport_id: info for info in held.transports}
        missing = []
        for transport in self._transports.values():
            info = there.get(transport.note.transport_id)
            if info is None:
                if transport.worker is worker:
                    missing.append(transport)
                continue
            if transport.worker is None:
                if self._home.worker is None or transport.note.direction == "send":
                    self._home.move(worker)  # home is where is sent
                transport.worker = worker
            if transport.note.direction == "receive":
                worker.viewers.add(info.transport_id)
            transport.connected = info.connected
            transport.slots = [
                Slot(slot.mid, slot.kind, slot.publication_id)
                for slot in held.slots
                if slot.transport_id == info.transport_id
            ]
            mine = [one for one in held.publications if one.transport_id == info.transport_id]
            if transport.note.direction == "send":
                self._publishing.update(transport, mine, known_only=True)
        pulled = self._pulls.adopt(worker, held)
        self._drop(missing, tell=True)
        self._settle()
        self._seen = None
        self.changed()
        self._pulls.tidy()
        return pulled

    def worker_down(self, worker: Worker) -> None:
        self._pulls.lost(worker)
        self._drop([one for one in self._transports.values() if one.worker is worker], tell=True)
        if self._home.worker is worker:
            self._home.move(None)

    def worker_event(self, worker: Worker, event: media.Event) -> bool:
        """Take notice of what a worker tells if it is of this room; False if it is not."""
        match event:
            case media.TransportChanged():
                return self._transport_changed(worker, event)
            case media.LayersWanted():
                return self._layers_wanted(event)
            case media.SlotChanged():
                return self._slot_changed(event)
            case media.SpeechChanged():
                return self._speech_changed(event)
            case _:
                return False

    def _transport_changed(self, worker: Worker, event: media.TransportChanged) -> bool:
        for transport in self._transports.values():
            if transport.note.transport_id == event.transport_id and transport.worker is worker:
                if event.state == "connected":
                    transport.connected = True
                else:
                    # Whoever said goodbye knows; only who was cut off must be told to come again.
                    self._drop([transport], tell=event.state == "lost")
                return True
        return False

    def _layers_wanted(self, event: media.LayersWanted) -> bool:
        sender = self._publications.get(event.publication_id)
        if sender is not None:
            self._layer_news.wanted(sender, event)
        return sender is not None

    def _slot_changed(self, event: media.SlotChanged) -> bool:
        for transport in self._transports.values():
            if transport.note.transport_id == event.transport_id:
                self._layer_news.slot_changed(transport, event)
                return True
        return False

    def _speech_changed(self, event: media.SpeechChanged) -> bool:
        publications = self._room.state.publications
        if event.publication_id not in publications:
            return event.publication_id in self._publications
        crowded = sum(one.kind == "audio" for one in publications.values()) >= CROWDED
        if self._speech.heard(event) and crowded:
            self._arrange_all()
        return True

    def tell_again(self, participant_id: str) -> None:
        """What a participant whose socket is back must know of its transports."""
        lost = [direction for direction in _DIRECTIONS if (participant_id, direction) in self._lost]
        if lost:
            self._stage.tell(participant_id, MediaLost(directions=tuple(lost)))
        if receiving := self.find(participant_id, "receive"):
            self._arrangement.tell_slots(receiving)
        if (speech := self._speech.message) is not None:
            self._stage.tell(participant_id, speech)
        for direction in _DIRECTIONS:
            if known := self.find(participant_id, direction):
                self._layer_news.again(known)

    # ── helpers ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _place(self, transport_id: str, direction: media.Direction) -> Worker:
        """The worker of a transport, chosen now if it has none. Raises MediaUnavailableError."""
        await self._settled.wait()
        known = next((it for it in self._transports.values() if it.note.transport_id == transport_id), None)
        if known is not None and known.worker is not None:
            return known.worker
        return await (self._home.for_sending() if direction == "send" else self._home.for_watching(transport_id))

    def _receiving(self) -> list[Transport]:
        return [transport for transport in self._transports.values() if transport.note.direction == "receive"]

    def _count_out(self, worker: Worker | None, transport_id: str) -> None:
        """It is no viewer of the worker, unless it was one before."""
        if worker is not None and self.note(transport_id) is None:
            worker.viewers.discard(transport_id)

    def _arrange_all(self) -> None:
        for transport in self._receiving():
            self._arrangement.arrange(transport)

    def _settle(self) -> None:
        if any(one.worker is None for one in self._transports.values()):
            self._settled.clear()
        else:
            self._settled.set()

    def _close(self, transport: Transport) -> None:
        """Have the worker close a transport, and forget it."""
        if transport.worker is not None:
            self._errands.ask(transport.worker, media.CloseTransport(transport.note.transport_id))
        self._forget(transport)

    def _drop(self, transports: Sequence[Transport], tell: bool) -> None:
        """Transports that exist no more. `tell`: ask those at a browser to offer anew."""
        lost: dict[str, list[media.Direction]] = {}
        for transport in transports:
            note = transport.note
            self._forget(transport)
            if tell and note.door == "socket":
                self._lost[note.participant_id, note.direction] = note.generation
                lost.setdefault(note.participant_id, []).append(note.direction)
        for participant_id, directions in lost.items():
            self._stage.tell(participant_id, MediaLost(directions=tuple(directions)))
        for transport in transports:
            if transport.note.door != "socket":
                self._stage.transport_gone(transport.note)

    def _forget(self, transport: Transport) -> None:
        note = transport.note
        transport.gone = True
        self._transports.pop((note.participant_id, note.direction), None)
        self._count_out(transport.worker, note.transport_id)
        if note.direction == "receive":
            self._pulls.tidy()
        self._publishing.forget(transport)
        self._stage.commit([replace(note, open=False)])
