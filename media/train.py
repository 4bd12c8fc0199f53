"""How a browser measures its line before a lesson: it gets a train of packets that carry nothing, and sends its own.

The train goes out in a slot that is empty, as sound that nobody plays: sound waits for no estimate, so what arrives
says what the line carries. Either way is counted, so that the browser can tell how much was lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from media import rtp
from media.fanout import Outlet
from media.messages import Counted, Done, Refused, Reply, SendTrain
from media.subscription import Slot

if TYPE_CHECKING:
    from media.transport import Transport

MOST_PACKETS = 500  # a second
LARGEST = 1100  # bytes of payload: with all headers it passes everywhere
LONGEST = 20.0  # seconds
MAX_TRAINS = 8  # at once, of a worker
BEHIND = 0.06  # seconds of the train that may leave at once after a late tick; the rest is left out


class Train:
    """What one transport is sent to be measured. Times are seconds, monotonic."""

    def __init__(self, outlet: Outlet, slot: Slot) -> None:
        self.packets = 0  # sent, by all that went
        self.octets = 0  # of these, RTP headers included
        self.goes = False
        self._outlet = outlet
        self._slot = slot
        self._sequence = 0
        self._rate = 0.0  # packets a second
        self._size = 0
        self._until = 0.0
        self._ticked = 0.0
        self._due = 0.0

    def depart(self, packets: int, size: int, seconds: float, now: float) -> None:
        """From now on so many packets a second with so many bytes each; in place of what goes already."""
        self._rate, self._size = max(1, min(packets, MOST_PACKETS)), max(1, min(size, LARGEST))
        self._until = now + max(0.0, min(seconds, LONGEST))
        self._ticked, self._due, self.goes = now, 0.0, True

    def tick(self, now: float) -> None:
        """Every 20 ms while it `goes`."""
        outlet, slot = self._outlet, self._slot
        end = min(now, self._until)
        self._due = min(self._due + (end - self._ticked) * self._rate, self._rate * BEHIND)
        self._ticked = end
        if now >= self._until or slot.publication is not None or not slot.section.codecs:
            self.goes = False
        if outlet.srtp is None or outlet.batch is None or outlet.name is None or slot.publication is not None:
            return
        payload_type = slot.section.codecs[0].payload_type
        while self._due >= 1:
            self._due -= 1
            timestamp = int(now * 48000) + self.packets & 0xFFFFFFFF  # no two alike
            data = rtp.HEADER.pack(0x80, payload_type, self._sequence, timestamp, slot.ssrc) + bytes(self._size)
            outlet.batch.send(outlet.name, outlet.srtp.rtp(data))
            self._sequence = (self._sequence + 1) & 0xFFFF
            self.packets += 1
            self.octets += len(data)


class Tally:
    """What came of a browser that is measured."""

    def __init__(self) -> None:
        self.packets = 0
        self.octets = 0  # RTP headers included
        self._numbers: dict[int, list[int]] = {}  # first and newest number of each SSRC; srtp.py bounds how many

    @property
    def expected(self) -> int:
        """Packets, from the first to the newest number of each stream."""
        return sum(newest - first + 1 for first, newest in self._numbers.values())

    def receive(self, packet: rtp.Packet) -> None:
        self.packets += 1
        self.octets += len(packet.data)
        numbers = self._numbers.setdefault(packet.ssrc, [packet.sequence, packet.sequence])
        ahead = (packet.sequence - numbers[1] + 0x8000 & 0xFFFF) - 0x8000
        numbers[1] += max(0, ahead)


class Trains:
    """Those of a worker's transports."""

    def __init__(self) -> None:
        self._trains: dict[Transport, Train] = {}

    @property
    def going(self) -> list[tuple[Transport, Train]]:
        return [(transport, train) for transport, train in self._trains.items() if train.goes]

    def send(self, request: SendTrain, transport: Transport, now: float) -> Reply:
        """Let one depart to a transport that watches."""
        assert transport.viewer is not None
        train = self._trains.get(transport)
        if train is None:
            slot = next(iter(transport.viewer.slots.values()), None)
            if slot is None or slot.publication is not None:
                return Refused("unknown_slot", f"no empty slot in {request.transport_id}")
            train = Train(transport.outlet, slot)
        if not train.goes and len(self.going) >= MAX_TRAINS:
            return Refused("limit_reached", f"{MAX_TRAINS} lines are being measured")
        self._trains[transport] = train
        train.depart(request.packets, request.size, request.seconds, now)
        return Done()

    def count(self, transport: Transport, now: float) -> Counted:
        """What was sent to a transport by its train, or else what came of it since this was first asked."""
        if (train := self._trains.get(transport)) is not None:
            return Counted(now * 1000, train.packets, train.packets, train.octets)
        if transport.publisher is None:
            return Counted(now * 1000, 0, 0, 0)
        if (tally := transport.tally) is None:
            tally = transport.tally = Tally()
        return Counted(now * 1000, tally.packets, tally.expected, tally.octets)

    def forget(self, transport: Transport) -> None:
        self._trains.pop(transport, None)
