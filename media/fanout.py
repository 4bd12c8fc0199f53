"""The hot path: one stream's packets to all slots that carry it.

A packet's header and payload are put together once per *profile* (what viewers have in common: payload type,
extension ids). For each viewer it is copied into the batch of the socket it leaves from, the three fields that differ
are written over it (sequence number, timestamp, SSRC), and it is protected in place. What can be known before the loop
is in a `Row`, made when a viewer joins and not looked at again.

Packets go viewer by viewer, not packet by packet: a picture of several packets is then complete at the first viewer
while the last one still waits, and its equally long packets are one message for the kernel (see sendmmsg.py).
Measured by tests/bench/fanout.py; whoever adds something to the inner loop says there what it costs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from media import accelerator, red, rtp
from media.pictures import Numbers, Shift
from media.sendmmsg import CAPACITY, MAX_RUN, MAX_SEGMENTS, Batch, Name
from media.srtp import Outbound, length_cell, protect

if TYPE_CHECKING:
    from media.subscription import Slot

MAX_VALUE = rtp.MAX_SHORT  # bytes of an extension passed on; a publisher may send longer ones in the other form
MAX_DESCRIPTOR = 250  # bytes of a dependency descriptor; browsers send up to 100
MAX_AT_ONCE = 32  # packets per pass over the viewers: 64 would make the last of 200 wait 60 ms for the first
ACCELERATED = 4  # rows from which on the accelerator pays: it has to be told each packet first
SLACK = 4  # bytes of padding that one packet may get
_REWRITTEN = struct.Struct("!HII")  # sequence number, timestamp, SSRC; they follow the first two bytes


class Outlet:
    """A transport's way out, shared by its slots; complete once it is connected."""

    __slots__ = ("batch", "name", "srtp")

    def __init__(self) -> None:
        self.srtp: Outbound | None = None
        self.name: Name | None = None
        self.batch: Batch | None = None

    @property
    def open(self) -> bool:
        return self.srtp is not None and self.name is not None


class Profile(NamedTuple):
    """What several viewers' packets have in common."""

    payload_type: int
    abs_send_time: int  # extension id, 0 for none
    extensions: tuple[tuple[int, int], ...]  # those passed on: (the publisher's id, the viewer's id)
    descriptor: tuple[int, int] = 0, 0  # the same for the dependency descriptor, which may be longer; 0 for none
    redundant: int = 0  # payload type that takes `payload_type` with what was before it (red.py); 0 for none


class Row(NamedTuple):
    """What is a viewer's own in its packets, and where they go."""

    handle: Any  # of its SRTP
    sequence_offset: int  # from the stream's index
    timestamp_offset: int
    ssrc: int
    name: Name
    shift: Shift | None  # of picture numbers; None while there is nothing to shift


class Rows(list[Row]):
    """Rows that serve many packets: what the accelerator wants to know of them is kept with them."""

    __slots__ = ("_names", "_packed")

    def __init__(self, rows: Iterable[Row]) -> None:
        super().__init__(rows)
        self._packed: accelerator.Packed | None = None
        self._names: list[Name] = []

    @property
    def packed(self) -> accelerator.Packed:
        if self._packed is None:
            self._packed = accelerator.Packed(self)
        return self._packed

    @property
    def names(self) -> list[Name]:
        if not self._names:
            self._names = [row.name for row in self]
        return self._names


class Prepared(NamedTuple):
    """A packet for one profile; sequence number, timestamp and SSRC are still to be written."""

    number: int  # the stream's index
    timestamp: int
    data: bytes
    length: int
    numbers_at: int  # where `numbers` count from
    numbers: Numbers | None
    payload_at: int


class Run(NamedTuple):
    """Packets that may go as one message: `size` bytes, in datagrams of `segment` (the last may be shorter)."""

    size: int
    segment: int


def prepare(packet: rtp.Packet, profile: Profile) -> Prepared:
    """The packet as this profile's viewers get it; its `send_time`, `older` and `padding` are set."""
    extensions = []
    numbers = packet.numbers
    if numbers is not None and not numbers.described and packet.start == packet.end:
        numbers = None  # nothing of it is wanted here, see sieve.py
    descriptor = packet.extensions.get(profile.descriptor[0]) if profile.descriptor[0] else None
    if descriptor and len(descriptor) <= MAX_DESCRIPTOR:
        extensions.append((profile.descriptor[1], descriptor))
    elif numbers is not None and numbers.described:
        numbers = None
    if profile.abs_send_time:
        extensions.append((profile.abs_send_time, packet.send_time))
    for theirs, ours in profile.extensions:
        value = packet.extensions.get(theirs)
        if value and len(value) <= MAX_VALUE:
            extensions.append((ours, value))
    payload_type, payload = profile.payload_type, packet.payload
    if profile.redundant and payload:
        payload = red.make(payload, payload_type, packet.older)
        payload_type = profile.redundant
    head = rtp.header(packet.marker, payload_type, extensions)
    if packet.padding > 0:
        head = bytes((head[0] | 0x20,)) + head[1:]
        payload += bytes(packet.padding - 1) + bytes((packet.padding,))
    data = head + payload
    numbers_at = len(head)
    if numbers is not None and numbers.described:  # the first extension
        numbers_at = rtp.first_value_at(head)
    return Prepared(packet.index, packet.timestamp, data, len(data), numbers_at, numbers, len(head))


def level(packets: Sequence[rtp.Packet]) -> None:
    """Set the padding (RFC 3550 section 5.1) that makes neighbours of nearly one length have one length.

    libwebrtc cuts a picture into packets whose lengths differ by one byte, the longer ones last, which is just what
    UDP_SEGMENT does not take. With a byte more, a picture is one message for the kernel instead of two or three; at 200
    viewers that saves a tenth of all CPU (docs/performance.md). A repetition has to be padded alike, so it is set once.
    """
    stretch: list[rtp.Packet] = []
    least = most = 0
    for packet in packets:
        size = packet.end - packet.start
        if stretch and max(most, size) - min(least, size) > SLACK:
            _pad(stretch, most)
            stretch.clear()
        least, most = (min(least, size), max(most, size)) if stretch else (size, size)
        stretch.append(packet)
    _pad(stretch, most)


def _pad(stretch: list[rtp.Packet], length: int) -> None:
    last = stretch[-1]
    for packet in stretch:
        if packet.padding < 0:
            packet.padding = length - (packet.end - packet.start) if packet is not last else 0


def runs(sizes: Sequence[int], segments: bool) -> list[Run]:
    """How packets of these sizes go into messages."""
    if not segments:
        return [Run(size, size) for size in sizes]
    found: list[Run] = []
    at = 0
    while at < len(sizes):
        segment = total = sizes[at]
        first = at
        at += 1
        while at < len(sizes) and at - first < MAX_SEGMENTS and sizes[at] <= segment and total + sizes[at] <= MAX_RUN:
            total += sizes[at]
            at += 1
            if sizes[at - 1] < segment:
                break
        found.append(Run(total, segment))
    return found


def forward(packets: Sequence[Prepared], rows: Iterable[Row], overhead: int, batch: Batch) -> int:
    """Write, protect and put `packets` for every row. Returns how many packets SRTP refused."""
    if not packets:
        return 0
    messages = runs([packet.length + overhead for packet in packets], batch.segments)
    hot = accelerator.hot
    if hot is not None and isinstance(rows, Rows) and len(rows) >= ACCELERATED:
        return _accelerated(hot, packets, rows, overhead, batch, messages)
    total = sum(message.size for message in messages)
    memory, base, put = batch.memory, batch.base, batch.put
    rewrite, cell = _REWRITTEN.pack_into, length_cell
    plain = [(*packet[:4], packet.length + overhead) for packet in packets]
    refused = fit = 0
    for handle, sequence_offset, timestamp_offset, ssrc, name, shift in rows:
        if not fit:  # nobody else writes meanwhile, so what fits is reckoned once for many rows
            if batch.at + total > CAPACITY or batch.room < len(messages):
                batch.flush()
            fit = max(1, min((CAPACITY - batch.at) // total, batch.room // len(messages)))
        fit -= 1
        start = at = batch.at
        for number, timestamp, data, length, size in plain:
            memory[at : at + length] = data
            rewrite(
                memory, at + 2, (number + sequence_offset) & 0xFFFF, (timestamp + timestamp_offset) & 0xFFFFFFFF, ssrc
            )
            if shift is None:
                cell[0] = length
                if protect(handle, base + at, cell):
                    refused += 1
                    memory[at : at + size] = bytes(size)  # plain text must not leave
            at += size
        if shift is not None:
            refused += _shift_and_protect(packets, handle, shift, overhead, batch)
        for size, segment in messages:
            put(name, start, size, segment)
            start += size
        batch.at = at
    return refused


def _accelerated(
    hot: accelerator.Hot, packets: Sequence[Prepared], rows: Rows, overhead: int, batch: Batch, messages: Sequence[Run]
) -> int:
    """The same in C, for as many rows at once as fit into the batch."""
    total = sum(message.size for message in messages)
    assert total <= CAPACITY
    packed, names, written = rows.packed, rows.names, accelerator.Packets(packets, overhead)
    refused = done = 0
    while done < len(rows):
        if batch.at + total > CAPACITY or batch.room < len(messages):
            batch.flush()
        count = min(len(rows) - done, (CAPACITY - batch.at) // total, batch.room // len(messages))
        refused += hot.write(packed, done, count, written, batch.base + batch.at)
        batch.put_rows(names[done : done + count], batch.at, messages, packed, done)
        batch.at += count * total
        done += count
    return refused


def _shift_and_protect(packets: Sequence[Prepared], handle: Any, shift: Shift, overhead: int, batch: Batch) -> int:
    """The rest of the work for a viewer whose picture numbers are other than the publisher's."""
    refused, at = 0, batch.at
    for _, _, _, length, numbers_at, numbers, _ in packets:
        if numbers is not None:
            shift.write(batch.memory, at + numbers_at, numbers)
        length_cell[0] = length
        if protect(handle, batch.base + at, length_cell):
            refused += 1
            batch.memory[at : at + length + overhead] = bytes(length + overhead)
        at += length + overhead
    return refused


class _Group:
    """The slots that share a profile, a socket and the length of the SRTP tag."""

    __slots__ = ("rows", "slots")

    def __init__(self) -> None:
        self.slots: dict[Slot, None] = {}
        self.rows: Rows | None = None  # None after a change: made anew with the next packet

    def fresh_rows(self) -> Rows:
        if self.rows is None:
            self.rows = Rows(slot.row() for slot in self.slots)
        return self.rows


_Key = tuple[Profile, Batch, int]


class Fanout:
    """Which slots get a stream's packets."""

    __slots__ = ("_groups", "_keys", "refused")

    def __init__(self) -> None:
        self._groups: dict[_Key, _Group] = {}
        self._keys: dict[Slot, _Key] = {}
        self.refused = 0

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Slot]:
        return iter(list(self._keys))

    def __contains__(self, slot: Slot) -> bool:
        return slot in self._keys

    def add(self, slot: Slot) -> None:
        """The slot gets the packets from now on; also when its offsets or its path have changed."""
        self.remove(slot)
        outlet = slot.outlet
        assert outlet.batch is not None
        assert outlet.srtp is not None
        key = slot.profile, outlet.batch, outlet.srtp.overhead
        group = self._groups.setdefault(key, _Group())
        group.slots[slot] = None
        group.rows = None
        self._keys[slot] = key

    def remove(self, slot: Slot) -> None:
        key = self._keys.pop(slot, None)
        if key is None:
            return
        group = self._groups[key]
        del group.slots[slot]
        group.rows = None
        if not group.slots:
            del self._groups[key]

    def forward(self, packets: Sequence[rtp.Packet], now: float) -> None:
        """Packets in order, all newer than what was forwarded before."""
        send_time = rtp.abs_send_time(now)
        for packet in packets:
            packet.send_time = send_time
        if not self._groups:
            return
        level(packets)
        for first in range(0, len(packets), MAX_AT_ONCE):
            some = packets[first : first + MAX_AT_ONCE]
            for (profile, batch, overhead), group in self._groups.items():
                prepared = [prepare(packet, profile) for packet in some]
                self.refused += forward(prepared, group.fresh_rows(), overhead, batch)

    def forward_late(self, packet: rtp.Packet, now: float) -> None:
        """A packet out of order: only to slots that had joined by then, for others it would repeat a number."""
        packet.send_time = rtp.abs_send_time(now)
        level([packet])
        for (profile, batch, overhead), group in self._groups.items():
            rows = [slot.row() for slot in group.slots if packet.index >= slot.first_index]
            self.refused += forward([prepare(packet, profile)], rows, overhead, batch)
