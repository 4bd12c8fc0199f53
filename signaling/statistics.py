"""What the workers measure, asked every two seconds and told to whom it concerns.

Everybody hears of their own transports; teachers hear of the line of each class. The last word on every room is kept
for the administrator and for /metrics.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from media import messages as media
from signaling.live import LiveRoom
from signaling.messages import ClassLine, OwnTransport, Rung, SlotQualities, SlotQuality, Statistics
from signaling.rooms import Rooms
from signaling.transport import Transport
from signaling.workers import MediaUnavailableError, Worker

EVERY = 2.0  # seconds
AT_ONCE = 25  # transports in one question: a worker counts them for less than a millisecond, and forwards again
HIGH = 540  # lines from which a picture is high, and below; the twin is web/src/room/rung.ts
MEDIUM = 270

_TEACHERS = ("lead_teacher", "co_teacher")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RoomStatistics:
    """The last word on a room."""

    at_ms: int  # on the lesson clock
    transports: dict[str, tuple[media.TransportStatistics, ...]]  # by participant


class Surveys:
    """Asks the workers about the transports of all open rooms."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._latest: dict[str, RoomStatistics] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.survey()
            except Exception:  # a bug in here must not end the lessons' statistics for good
                log.exception("the rooms could not be surveyed")

    async def survey(self) -> None:
        """Ask once, and tell."""
        held = {room: room.transports.held for room in self._rooms.open}
        asked: defaultdict[Worker, list[str]] = defaultdict(list)
        for transports in held.values():
            for transport in transports:
                assert transport.worker is not None
                asked[transport.worker].append(transport.note.transport_id)
        found: dict[str, media.TransportStatistics] = {}
        for answers in await asyncio.gather(*(_ask(worker, ids) for worker, ids in asked.items())):
            found.update((one.transport_id, one) for one in answers)
        self._latest = {room.lesson_id: _tell(room, transports, found) for room, transports in held.items()}

    def latest(self, lesson_id: str) -> RoomStatistics | None:
        """Of an open room, at most two seconds old; None before the first survey of it."""
        return self._latest.get(lesson_id) if self._rooms.find(lesson_id) is not None else None

    @property
    def transports(self) -> Iterator[media.TransportStatistics]:
        """Of all rooms, as they were last."""
        for room in self._latest.values():
            for transports in room.transports.values():
                yield from transports


def rung(slots: Iterable[media.SlotStatistics]) -> Rung | None:
    """The rung of the ladder by what these slots for pictures carry: the tallest counts.

    `audio` when every picture stands still; None when there is none, or its size is not known yet.
    """
    carried = [slot for slot in slots if slot.publication_id is not None]
    flowing = [slot.height for slot in carried if slot.rid is not None and not slot.paused]
    if not flowing:
        return "audio" if any(slot.paused for slot in carried) else None
    tallest = max(flowing)
    if not tallest:
        return None
    return "high" if tallest >= HIGH else "medium" if tallest >= MEDIUM else "low"


def loss(transport: media.TransportStatistics) -> float:
    """The share of packets lost on a transport, each stream counted by its bitrate."""
    streams = [(slot.bitrate, slot.loss) for slot in transport.slots]
    streams += [(layer.bitrate, layer.loss) for one in transport.publications for layer in one.layers]
    total = sum(bitrate for bitrate, _ in streams)
    return round(sum(bitrate * share for bitrate, share in streams) / total, 4) if total else 0.0


async def _ask(worker: Worker, transport_ids: Sequence[str]) -> list[media.TransportStatistics]:
    found: list[media.TransportStatistics] = []
    for first in range(0, len(transport_ids), AT_ONCE):
        try:
            reply = await worker.request(media.Survey(tuple(transport_ids[first : first + AT_ONCE])))
        except MediaUnavailableError:
            break  # its loss is told elsewhere
        if isinstance(reply, media.Surveyed):
            found += reply.transports
    return found


def _tell(
    room: LiveRoom, transports: Iterable[Transport], found: dict[str, media.TransportStatistics]
) -> RoomStatistics:
    """Tell everybody at a page in the room."""
    at_ms = room.now_ms()
    participants = room.room.state.participants
    by_participant: defaultdict[str, list[media.TransportStatistics]] = defaultdict(list)
    lines: list[ClassLine] = []
    listening: dict[str, None] = {}
    for transport in transports:
        one = found.get(transport.note.transport_id)
        who = participants.get(transport.note.participant_id)
        if one is None or who is None:
            continue  # it has gone meanwhile
        by_participant[who.participant_id].append(one)
        pictures = {slot.mid for slot in transport.slots if slot.kind == "video"}
        if transport.note.door == "socket":
            listening[who.participant_id] = None
            _tell_missed(room, transport, [slot for slot in one.slots if slot.mid in pictures])
        if who.role == "receiving_class" and one.direction == "receive" and one.connected:
            shown = rung(slot for slot in one.slots if slot.mid in pictures)
            lines.append(ClassLine(who.participant_id, one.rtt_ms, loss(one), shown, one.protocol))
    for participant_id in listening:
        own = tuple(_own(one) for one in by_participant[participant_id])
        teaches = participants[participant_id].role in _TEACHERS
        room.tell(participant_id, Statistics(at_ms=at_ms, transports=own, lines=tuple(lines) if teaches else ()))
    return RoomStatistics(at_ms, {id: tuple(some) for id, some in by_participant.items()})


def _tell_missed(room: LiveRoom, viewer: Transport, slots: Iterable[media.SlotStatistics]) -> None:
    """What pictures carry, where the page was told otherwise or nothing: it changed while no server listened.

    A survey may be older than what was told meanwhile; so it is believed where nothing is known, or when it says the
    same for the second time.
    """
    found = {slot.mid: SlotQuality(slot.mid, slot.rid, slot.height, slot.paused) for slot in slots}
    missed = [
        one
        for mid, one in found.items()
        if one != viewer.qualities.get(mid) and (mid not in viewer.qualities or one == viewer.surveyed.get(mid))
    ]
    viewer.surveyed = found
    if missed:
        viewer.qualities.update((one.mid, one) for one in missed)
        room.tell(viewer.note.participant_id, SlotQualities(slots=tuple(missed)))


def _own(one: media.TransportStatistics) -> OwnTransport:
    return OwnTransport(one.direction, one.protocol, one.rtt_ms, one.estimate, one.bitrate, one.publications, one.slots)
