"""Slots: the fixed receiving sections of a viewer, into which publications are switched (design section 4).

To the browser a slot is one stream that never ends: same SSRC, sequence numbers without a hole, timestamps that go on,
whichever publication it carries. So a change of camera costs no negotiation. A slot is *placed* when the server says
what it should carry, and *started* by the first packet it may carry: for a picture that is a key frame.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from media import rtp
from media.answer import ABS_SEND_TIME, AUDIO_LEVEL, NegotiatedSection
from media.codecs import Codec, best_match
from media.fanout import Outlet, Profile, Row, prepare
from media.pictures import Shift
from media.rtcp import SenderReport
from media.srtp import SrtpError

if TYPE_CHECKING:
    from media.publication import Publication
    from media.stream import Stream

PASSED_ON = (AUDIO_LEVEL,)  # header extensions that viewers get as published, where they know them
MAX_REPEATS = 1024  # retransmissions remembered per slot, so that a NACK said twice is answered once


class Slot:
    """One receiving section of a viewer."""

    __slots__ = (
        "_base",
        "_counted",
        "_last_time",
        "_last_timestamp",
        "_next_layer_zero",
        "_next_picture",
        "_next_sequence",
        "_octets",
        "_packets",
        "_repeated",
        "_rtx_sequence",
        "_sequence_offset",
        "_shift",
        "_stream",
        "_timestamp_offset",
        "codec",
        "first_index",
        "kind",
        "mid",
        "outlet",
        "profile",
        "publication",
        "section",
        "ssrc",
        "transport_id",
    )

    def __init__(self, transport_id: str, section: NegotiatedSection, outlet: Outlet) -> None:
        assert section.local is not None
        self.transport_id = transport_id
        self.mid = section.mid
        self.kind = section.kind
        self.section = section  # replaced by a re-offer
        self.ssrc = section.local.ssrc
        self.outlet = outlet
        self.publication: Publication | None = None
        self.codec: Codec | None = None  # of the stream it carries, in the viewer's numbers
        self.profile = Profile(0, 0, ())
        self.first_index = 0  # of the stream: what is older belongs to what the slot carried before
        self._stream: Stream | None = None
        # libsrtp guesses the rollover counter of a first packet well only below 2**15.
        self._next_sequence = secrets.randbelow(0x8000)
        self._last_timestamp = secrets.randbelow(0x80000000)
        self._last_time: float | None = None
        self._next_picture: int | None = None
        self._next_layer_zero = 0
        self._sequence_offset = 0
        self._timestamp_offset = 0
        self._shift: Shift | None = None
        self._packets = 0  # sent before the present stream
        self._octets = 0
        self._base = 0, 0  # packets and octets the stream had forwarded when we joined
        self._rtx_sequence = secrets.randbelow(0x8000)
        self._repeated: dict[int, float] = {}  # index -> when it was last sent again

    @property
    def flowing(self) -> bool:
        """Whether it carries a stream now."""
        return self._stream is not None

    def match(self, codec: Codec) -> Codec | None:
        """The viewer's codec that carries a publication's, if any does."""
        return best_match(codec, self.section.codecs)

    def start(self, stream: Stream, packet: rtp.Packet, now: float) -> bool:
        """Carry `stream` from `packet` on. False if this viewer cannot decode it."""
        self.stop()
        codec = self.match(stream.codec)
        if codec is None:
            return False
        self.codec = codec
        self.profile = self._make_profile(codec, stream.extensions)
        self.first_index = packet.index
        self._sequence_offset = (self._next_sequence - packet.index) & 0xFFFF
        elapsed = 0 if self._last_time is None else max(1, round((now - self._last_time) * codec.clock_rate))
        self._timestamp_offset = (self._last_timestamp + elapsed - packet.timestamp) & 0xFFFFFFFF
        self._shift = None
        if packet.numbers is not None and self._next_picture is not None:
            self._shift = Shift(
                self._next_picture - packet.numbers.picture, self._next_layer_zero - packet.numbers.layer_zero
            )
        self._stream = stream
        self._base = stream.forwarded_packets, stream.forwarded_octets
        self._repeated.clear()
        stream.fanout.add(self)
        return True

    def stop(self) -> None:
        """Carry nothing, and remember where to go on."""
        stream = self._stream
        if stream is None:
            return
        stream.fanout.remove(self)
        self._stream = None
        self._packets, self._octets = self._totals(stream)
        last = stream.last_forwarded
        if last is None or last.index < self.first_index:
            return
        self._next_sequence = (last.index + 1 + self._sequence_offset) & 0xFFFF
        self._last_timestamp = (last.timestamp + self._timestamp_offset) & 0xFFFFFFFF
        self._last_time = last.arrival
        if last.numbers is not None:
            shift = self._shift or Shift()
            self._next_picture = last.numbers.picture + shift.picture + 1
            self._next_layer_zero = last.numbers.layer_zero + shift.layer_zero + 1

    def rerouted(self) -> None:
        """The outlet's path has changed."""
        if self._stream is not None:
            self._stream.fanout.add(self)

    def row(self) -> Row:
        outlet = self.outlet
        assert outlet.srtp is not None
        assert outlet.name is not None
        return Row(
            outlet.srtp.handle, self._sequence_offset, self._timestamp_offset, self.ssrc, outlet.name, self._shift
        )

    def repeat(self, sequences: tuple[int, ...], rtt: float, now: float) -> int:
        """Send lost packets again: through RTX where the viewer knows it, else exactly as they were. Says how many.

        A packet asked for twice within one round trip (`rtt`, seconds) is sent once: the first answer is under way.
        """
        stream, codec, outlet = self._stream, self.codec, self.outlet
        if stream is None or codec is None or outlet.srtp is None or outlet.batch is None or outlet.name is None:
            return 0
        if len(self._repeated) > MAX_REPEATS:
            self._repeated.clear()
        sent = 0
        for sequence in sequences:
            back = (stream.highest + self._sequence_offset - sequence) & 0xFFFF
            index = stream.highest - back
            packet = stream.ring.get(index & 0xFFFF, now)
            if packet is None or packet.index != index or index < self.first_index:
                continue
            if now - self._repeated.get(index, -1e9) < 0.75 * rtt:  # neither side measures it exactly
                continue
            self._repeated[index] = now
            try:
                outlet.batch.send(outlet.name, outlet.srtp.rtp(self._again(packet, codec)))
            except SrtpError:  # libsrtp's window is past it
                continue
            sent += 1
        return sent

    def report(self, wall: float) -> SenderReport | None:
        """Our sender report for the viewer at `wall` (seconds since 1970); None while there is nothing to say."""
        stream = self._stream
        if stream is None:
            return None
        instant = stream.instant(wall)
        if instant is None:
            return None
        ntp, timestamp = instant
        packets, octets = self._totals(stream)
        return SenderReport(
            self.ssrc, ntp, (timestamp + self._timestamp_offset) & 0xFFFFFFFF, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF
        )

    def _totals(self, stream: Stream) -> tuple[int, int]:
        return (
            self._packets + stream.forwarded_packets - self._base[0],
            self._octets + stream.forwarded_octets - self._base[1],
        )

    def _make_profile(self, codec: Codec, published: dict[str, int]) -> Profile:
        ours = self.section.extensions
        passed_on = tuple((published[uri], ours[uri]) for uri in PASSED_ON if uri in published and uri in ours)
        return Profile(codec.payload_type, ours.get(ABS_SEND_TIME, 0), passed_on)

    def _again(self, packet: rtp.Packet, codec: Codec) -> bytes:
        """The packet in plain text, as RTX (RFC 4588) or as it was.

        As it was means byte for byte, `send_time` included: AES-GCM must never see two texts with one number.
        """
        prepared = prepare(packet, self.profile)
        data = bytearray(prepared.data)
        sequence = (packet.index + self._sequence_offset) & 0xFFFF
        timestamp = (packet.timestamp + self._timestamp_offset) & 0xFFFFFFFF
        if self._shift is not None and packet.numbers is not None:
            self._shift.write(memoryview(data), prepared.payload_at, packet.numbers)
        local = self.section.local
        assert local is not None
        if codec.rtx_payload_type is None or local.rtx_ssrc is None:
            rtp.HEADER.pack_into(data, 0, data[0], data[1], sequence, timestamp, self.ssrc)
            return bytes(data)
        rtp.HEADER.pack_into(data, 0, data[0], packet.marker << 7 | codec.rtx_payload_type, self._rtx_sequence,
                             timestamp, local.rtx_ssrc)  # fmt: skip
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        data[prepared.payload_at : prepared.payload_at] = sequence.to_bytes(2, "big")
        return bytes(data)
