"""What a slot sends again: packets that were lost, by RTX (RFC 4588) or as they were, and to fill a probe anything."""

from __future__ import annotations

import secrets
from collections import deque
from copy import copy
from typing import TYPE_CHECKING

from media import rtp
from media.answer import ABS_SEND_TIME, TRANSPORT_WIDE_CC
from media.fanout import prepare
from media.srtp import SrtpError

if TYPE_CHECKING:
    from media.carriage import Carriage
    from media.subscription import Slot

LATER = 0.04  # seconds between the two times
MAX_REPEATS = 1024  # retransmissions remembered, so that a NACK said twice is answered once


class Repeats:
    """Of one slot. Times are monotonic seconds."""

    __slots__ = ("_later", "_looked_later", "_repeated", "_rtx_sequence", "_slot", "octets")

    def __init__(self, slot: Slot) -> None:
        self.octets = 0  # of repetitions sent so far, headers included
        self._slot = slot
        self._rtx_sequence = secrets.randbelow(0x8000)
        self._later: deque[tuple[float, int]] = deque()  # when to send again a second time, and what
        self._looked_later = float("-inf")  # when that was last looked at
        self._repeated: dict[int, float] = {}  # the viewer's sequence number -> when it was last sent again

    def repeat(self, sequences: tuple[int, ...], rtt: float, now: float) -> int:
        """Send lost packets again: through RTX where the viewer knows it, else exactly as they were. Says how many.

        A packet asked for twice within one round trip (`rtt`, seconds) is sent once: the first answer is under way. One
        that is asked for again after that goes out twice by RTX: its time is running out, and few are lost three times.
        The second time comes with `repeat_later`, where that is called: what is lost is often lost in a row.
        """
        if not self._slot.outlet.open:
            return 0
        if len(self._repeated) > MAX_REPEATS:
            self._repeated.clear()
        sent = 0
        for sequence in sequences:
            found = self._slot.sent(sequence, now)
            if found is None:
                continue
            before = self._repeated.get(sequence)
            if before is not None and now - before < 0.75 * rtt:  # neither side measures it exactly
                continue
            self._repeated[sequence] = now
            sent += self.send_again(*found, now)
            if before is not None and found[1].codec.rtx_payload_type is not None:
                if now - self._looked_later < LATER:
                    self._later.append((now + LATER, sequence))
                else:
                    sent += self.send_again(*found, now)
        return sent

    def repeat_later(self, now: float) -> None:
        """Every 20 ms on a lossy line: send what is due for the second time."""
        self._looked_later = now
        while self._later and self._later[0][0] <= now:
            found = self._slot.sent(self._later.popleft()[1], now)
            if found is not None:
                self.send_again(*found, now)

    def send_again(self, packet: rtp.Packet, carriage: Carriage, now: float) -> bool:
        """Send one packet of those that the slot carries so. False if it could not go out."""
        outlet = self._slot.outlet
        if outlet.srtp is None or outlet.batch is None or outlet.name is None:
            return False
        try:
            data = self._again(packet, carriage, now)
            outlet.batch.send(outlet.name, outlet.srtp.rtp(data))
        except SrtpError:  # libsrtp's window is past it
            return False
        self.octets += len(data)
        return True

    @property
    def can_pad(self) -> bool:
        """Whether something can be sent that nobody needs: as RTX, beside a picture that it carries or has carried."""
        carriage, local = self._slot.carriage or self._slot.former, self._slot.section.local
        return (
            carriage is not None
            and carriage.codec.rtx_payload_type is not None
            and local is not None
            and local.rtx_ssrc is not None
            and self._slot.outlet.open
        )

    def pad(self, number: int | None, now: float) -> int:
        """Send something nobody needs, as RTX (RFC 4588): the newest picture's packet again, or mere padding.

        With a transport-wide `number` it is small. Returns the bytes of payload sent.
        """
        carriage, local, outlet = self._slot.carriage or self._slot.former, self._slot.section.local, self._slot.outlet
        if not self.can_pad or carriage is None or local is None or local.rtx_ssrc is None:
            return 0
        assert outlet.srtp is not None
        assert outlet.batch is not None
        assert outlet.name is not None
        ours = self._slot.section.extensions
        extensions = []
        if ABS_SEND_TIME in ours:
            extensions.append((ours[ABS_SEND_TIME], rtp.abs_send_time(now)))
        if number is not None and TRANSPORT_WIDE_CC in ours:
            extensions.append((ours[TRANSPORT_WIDE_CC], number.to_bytes(2, "big")))
        last = carriage.sieve.last
        timestamp = ((0 if last is None else last.timestamp) + carriage.timestamp_offset) & 0xFFFFFFFF
        again = None
        if (
            number is None
            and last is not None
            and self._slot.carriage is carriage
            and last.index >= carriage.first_index
        ):
            again = self._again(last, carriage, now)
        if again is not None:
            plain = rtp.parse(again)
            assert plain is not None
            payload, padded = plain.payload, 0
        else:
            size = 8 if number is not None else 240
            payload, padded = bytes(size - 1) + bytes((size,)), 0x20
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        assert carriage.codec.rtx_payload_type is not None
        data = bytearray(rtp.header(0, carriage.codec.rtx_payload_type, extensions))
        rtp.HEADER.pack_into(data, 0, data[0] | padded, data[1], (self._rtx_sequence - 1) & 0xFFFF, timestamp,
                             local.rtx_ssrc)  # fmt: skip
        try:
            outlet.batch.send(outlet.name, outlet.srtp.rtp(bytes(data) + payload))
        except SrtpError:
            return 0
        return len(payload)

    def _again(self, packet: rtp.Packet, carriage: Carriage, now: float) -> bytes:
        """The packet in plain text, as RTX (RFC 4588) or as it was.

        As it was means byte for byte, `send_time` included: AES-GCM must never see two texts with one number. RTX has
        numbers of its own, and says when it really leaves: else a browser takes the time until it asked for a queue.
        """
        local = self._slot.section.local
        assert local is not None
        if carriage.codec.rtx_payload_type is not None and local.rtx_ssrc is not None:
            packet = copy(packet)
            packet.send_time = rtp.abs_send_time(now)
        prepared = prepare(packet, carriage.profile)
        data = bytearray(prepared.data)
        sequence = (packet.index + carriage.sequence_offset) & 0xFFFF
        timestamp = (packet.timestamp + carriage.timestamp_offset) & 0xFFFFFFFF
        if carriage.shift is not None and prepared.numbers is not None:
            carriage.shift.write(memoryview(data), prepared.numbers_at, prepared.numbers)
        if carriage.codec.rtx_payload_type is None or local.rtx_ssrc is None:
            rtp.HEADER.pack_into(data, 0, data[0], data[1], sequence, timestamp, self._slot.ssrc)
            return bytes(data)
        rtp.HEADER.pack_into(data, 0, data[0], packet.marker << 7 | carriage.codec.rtx_payload_type, self._rtx_sequence,
                             timestamp, local.rtx_ssrc)  # fmt: skip
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        data[prepared.payload_at : prepared.payload_at] = sequence.to_bytes(2, "big")
        return bytes(data)
