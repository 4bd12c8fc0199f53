"""RTCP packets: parse and `__bytes__`.

Sender and receiver reports, SDES, BYE (RFC 3550), NACK and PLI (RFC 4585), FIR (RFC 5104), reference times (RFC 3611),
REMB and transport-wide feedback. Others are skipped, as RFC 3550 asks. Hostile bytes raise RtcpError, nothing else.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import sub

from media import status_chunks

_SR, _RR, _SDES, _BYE, _RTPFB, _PSFB, _XR = 200, 201, 202, 203, 205, 206, 207
_NACK, _TRANSPORT_WIDE = 1, 15  # formats of RTPFB
_PLI, _FIR, _APPLICATION = 1, 4, 15  # formats of PSFB
_RRTR, _DLRR = 4, 5  # block types of XR

_TWO = struct.Struct("!II")
_BLOCK = struct.Struct("!IIIIII")
_SENDER = struct.Struct("!IQIII")
_PID_BLP = struct.Struct("!HH")
_FEEDBACK = struct.Struct("!IIHHI")

MAX_COUNT = 31  # blocks or chunks of one packet: what its five bits can say
# Statuses in all the transport-wide feedback of one datagram: a single one of 24 bytes may claim 65535, and a browser
# whose line was away for ten seconds tells of 4000 at once.
MAX_STATUSES = 4096


class RtcpError(ValueError):
    """Bytes that are no compound RTCP packet."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """How one stream was received."""

    ssrc: int
    fraction_lost: int  # 1/256, since the last report
    cumulative_lost: int  # signed: duplicates count as negative loss
    highest_sequence: int  # extended: cycles << 16 | sequence number
    jitter: int  # RTP clock units
    last_sr: int  # middle 32 bits of the NTP time of the last sender report, 0 if none
    delay_since_last_sr: int  # 1/65536 s

    def __bytes__(self) -> bytes:
        loss = self.fraction_lost << 24 | self.cumulative_lost & 0xFFFFFF
        return _BLOCK.pack(self.ssrc, loss, self.highest_sequence, self.jitter, self.last_sr, self.delay_since_last_sr)


@dataclass(frozen=True, slots=True)
class SenderReport:
    ssrc: int
    ntp: int  # 64-bit NTP time
    rtp: int  # RTP timestamp of the same instant
    packets: int
    octets: int  # of payload
    blocks: tuple[ReportBlock, ...] = ()

    def __bytes__(self) -> bytes:
        head = _SENDER.pack(self.ssrc, self.ntp, self.rtp, self.packets & 0xFFFF_FFFF, self.octets & 0xFFFF_FFFF)
        return _pack(len(self.blocks), _SR, head + b"".join(map(bytes, self.blocks)))


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()

    def __bytes__(self) -> bytes:
        return _pack(len(self.blocks), _RR, self.ssrc.to_bytes(4, "big") + b"".join(map(bytes, self.blocks)))


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """SDES, of which only CNAME means anything in WebRTC."""

    cnames: tuple[tuple[int, str], ...]  # (ssrc, cname)

    def __bytes__(self) -> bytes:
        body = b""
        for ssrc, cname in self.cnames:
            name = cname.encode()[:255]
            item = ssrc.to_bytes(4, "big") + bytes((1, len(name))) + name
            body += item + bytes(4 - len(item) % 4)  # at least one zero ends the list of items
        return _pack(len(self.cnames), _SDES, body)


@dataclass(frozen=True, slots=True)
class Bye:
    ssrcs: tuple[int, ...]

    def __bytes__(self) -> bytes:
        return _pack(len(self.ssrcs), _BYE, struct.pack(f"!{len(self.ssrcs)}I", *self.ssrcs))


@dataclass(frozen=True, slots=True)
class Nack:
    ssrc: int  # who asks
    media_ssrc: int
    lost: tuple[int, ...]  # sequence numbers, 16 bits, ascending

    def __bytes__(self) -> bytes:
        pairs: list[tuple[int, int]] = []
        for sequence in self.lost:
            behind = (sequence - pairs[-1][0] & 0xFFFF) if pairs else 0
            if 1 <= behind <= 16:
                pairs[-1] = pairs[-1][0], pairs[-1][1] | 1 << (behind - 1)
            else:
                pairs.append((sequence, 0))
        body = b"".join(_PID_BLP.pack(*pair) for pair in pairs)
        return _pack(_NACK, _RTPFB, _TWO.pack(self.ssrc, self.media_ssrc) + body)


@dataclass(frozen=True, slots=True)
class PictureLoss:
    """PLI: a key frame, please."""

    ssrc: int
    media_ssrc: int

    def __bytes__(self) -> bytes:
        return _pack(_PLI, _PSFB, _TWO.pack(self.ssrc, self.media_ssrc))


@dataclass(frozen=True, slots=True)
class FullIntraRequest:
    """FIR: a key frame, please, in the older way."""

    ssrc: int
    requests: tuple[tuple[int, int], ...]  # (media ssrc, command sequence number)

    def __bytes__(self) -> bytes:
        body = b"".join(struct.pack("!IB3x", *request) for request in self.requests)
        return _pack(_FIR, _PSFB, _TWO.pack(self.ssrc, 0) + body)


@dataclass(frozen=True, slots=True)
class Remb:
    """What the receiver believes the path can carry (draft-alvestrand-rmcat-remb)."""

    ssrc: int
    bitrate: int  # bit/s; 18 significant bits survive
    ssrcs: tuple[int, ...]

    def __bytes__(self) -> bytes:
        exponent = max(0, self.bitrate.bit_length() - 18)
        value = exponent << 18 | self.bitrate >> exponent
        head = _TWO.pack(self.ssrc, 0) + b"REMB" + (len(self.ssrcs) << 24 | value).to_bytes(4, "big")
        return _pack(_APPLICATION, _PSFB, head + struct.pack(f"!{len(self.ssrcs)}I", *self.ssrcs))


@dataclass(frozen=True, slots=True)
class ReceiverReferenceTime:
    """XR RRTR: the clock of one who sends nothing, so that it learns its round trip all the same."""

    ssrc: int
    ntp: int  # 64-bit NTP time

    def __bytes__(self) -> bytes:
        return _pack(0, _XR, struct.pack("!IBBHQ", self.ssrc, _RRTR, 0, 2, self.ntp))


@dataclass(frozen=True, slots=True)
class LastReceiverReference:
    """XR DLRR: the answers to reference times."""

    ssrc: int
    blocks: tuple[tuple[int, int, int], ...]  # (ssrc of the reference, its middle 32 bits, delay in 1/65536 s)

    def __bytes__(self) -> bytes:
        head = struct.pack("!IBBH", self.ssrc, _DLRR, 0, 3 * len(self.blocks))
        return _pack(0, _XR, head + b"".join(struct.pack("!III", *block) for block in self.blocks))


@dataclass(frozen=True, slots=True)
class TransportFeedback:
    """Transport-wide feedback: what became of packets `base_sequence`, +1, … (transport-wide-cc-extensions-01)."""

    ssrc: int
    media_ssrc: int
    base_sequence: int
    reference_time: int  # 64 ms, 24 bits
    count: int  # of feedback packets, 8 bits
    arrivals: tuple[int | None, ...]  # 250 us after the reference time; None = has not come

    def __bytes__(self) -> bytes:
        """Raises RtcpError where two arrivals are further apart than the format can say: 8.19 s."""
        arrivals = self.arrivals
        deltas: bytes | bytearray
        try:  # nearly always all have come, none of them late
            deltas = bytes(map(sub, arrivals, (0, *arrivals[:-1])))  # TypeError where one is None
            return self._packed([1] * len(arrivals), deltas)
        except (TypeError, ValueError):
            pass
        symbols: list[int] = []
        deltas = bytearray()
        last = 0
        for arrival in arrivals:
            if arrival is None:
                symbols.append(0)
                continue
            delta, last = arrival - last, arrival
            if 0 <= delta <= 255:
                symbols.append(1)
                deltas.append(delta)
            elif -32768 <= delta <= 32767:
                symbols.append(2)
                deltas += delta.to_bytes(2, "big", signed=True)
            else:
                raise RtcpError(f"arrivals {delta * 250} us apart")
        return self._packed(symbols, deltas)

    def _packed(self, symbols: list[int], deltas: bytes | bytearray) -> bytes:
        reference = (self.reference_time & 0xFFFFFF) << 8 | self.count & 0xFF
        head = _FEEDBACK.pack(self.ssrc, self.media_ssrc, self.base_sequence, len(symbols), reference)
        return _pack(_TRANSPORT_WIDE, _RTPFB, head + status_chunks.pack(symbols) + deltas)


Packet = (
    SenderReport
    | ReceiverReport
    | SourceDescription
    | Bye
    | Nack
    | PictureLoss
    | FullIntraRequest
    | Remb
    | ReceiverReferenceTime
    | LastReceiverReference
    | TransportFeedback
)


def parse(data: bytes) -> list[Packet]:
    """The packets of a compound or reduced-size RTCP datagram; unknown ones are left out. Raises RtcpError only."""
    packets: list[Packet] = []
    at, size = 0, len(data)
    statuses = 0
    if size < 4:
        raise RtcpError("RTCP of less than four bytes")
    while at < size:
        if size - at < 4:
            raise RtcpError("bytes behind the last RTCP packet")
        first, type_, length = data[at], data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 4 + 4 * length
        if first >> 6 != 2 or end > size:
            raise RtcpError("not an RTCP packet")
        body = data[at + 4 : end]
        if first & 0x20:  # padding
            if not body or not 0 < body[-1] <= len(body):
                raise RtcpError("RTCP padding that is longer than the packet")
            body = body[: -body[-1]]
        reader = _READERS.get(type_)
        if reader is not None:
            try:
                found = list(reader(body, first & 31))
            except (struct.error, IndexError) as error:
                raise RtcpError(f"an RTCP packet of type {type_} that is too short") from error
            packets += found
            statuses += sum(len(it.arrivals) for it in found if isinstance(it, TransportFeedback))
            if statuses > MAX_STATUSES:
                raise RtcpError(f"transport-wide feedback on {statuses} packets at once")
        at = end
    return packets


def _pack(count: int, type_: int, body: bytes) -> bytes:
    """Header and body; zeros to a multiple of four are counted as padding, which only deltas ever need."""
    missing = -len(body) & 3
    if missing:
        body += bytes(missing - 1) + bytes((missing,))
    return struct.pack("!BBH", 0x80 | (0x20 if missing else 0) | count, type_, len(body) // 4) + body


# ── readers: body and count (or format) in, packets out; may raise struct.error, IndexError and RtcpError ─────────────


def _blocks(body: bytes, at: int, count: int) -> tuple[ReportBlock, ...]:
    found = []
    for start in range(at, at + 24 * count, 24):
        ssrc, loss, highest, jitter, last_sr, delay = _BLOCK.unpack_from(body, start)
        lost = loss & 0xFFFFFF
        lost -= (lost & 0x800000) << 1
        found.append(ReportBlock(ssrc, loss >> 24, lost, highest, jitter, last_sr, delay))
    return tuple(found)


def _sender_report(body: bytes, count: int) -> Iterator[Packet]:
    ssrc, ntp, rtp, packets, octets = _SENDER.unpack_from(body)
    yield SenderReport(ssrc, ntp, rtp, packets, octets, _blocks(body, _SENDER.size, count))


def _receiver_report(body: bytes, count: int) -> Iterator[Packet]:
    yield ReceiverReport(int.from_bytes(_exactly(body, 0, 4), "big"), _blocks(body, 4, count))


def _source_description(body: bytes, count: int) -> Iterator[Packet]:
    cnames = []
    at = 0
    for _ in range(count):
        ssrc = int.from_bytes(_exactly(body, at, 4), "big")
        at += 4
        while body[at]:
            item, length = body[at], body[at + 1]
            if item == 1:
                cnames.append((ssrc, _exactly(body, at + 2, length).decode(errors="replace")))
            at += 2 + length
        at += 4 - at % 4
    yield SourceDescription(tuple(cnames))


def _bye(body: bytes, count: int) -> Iterator[Packet]:
    yield Bye(struct.unpack_from(f"!{count}I", body))


def _transport_layer(body: bytes, format_: int) -> Iterator[Packet]:
    ssrc, media_ssrc = _TWO.unpack_from(body)
    if format_ == _NACK:
        lost = []
        for pid, mask in _PID_BLP.iter_unpack(body[8 : len(body) & ~3]):
            lost.append(pid)
            lost += [pid + bit + 1 & 0xFFFF for bit in range(16) if mask >> bit & 1]
        yield Nack(ssrc, media_ssrc, tuple(lost))
    elif format_ == _TRANSPORT_WIDE:
        yield _transport_feedback(body)


def _payload_specific(body: bytes, format_: int) -> Iterator[Packet]:
    ssrc, media_ssrc = _TWO.unpack_from(body)
    if format_ == _PLI:
        yield PictureLoss(ssrc, media_ssrc)
    elif format_ == _FIR:
        yield FullIntraRequest(ssrc, tuple(struct.iter_unpack("!IB3x", body[8 : len(body) & ~7])))
    elif format_ == _APPLICATION and body[8:12] == b"REMB":
        value = int.from_bytes(_exactly(body, 12, 4), "big")
        bitrate = (value & 0x3FFFF) << (value >> 18 & 63)
        yield Remb(ssrc, bitrate, struct.unpack_from(f"!{value >> 24}I", body, 16))


def _extended(body: bytes, _: int) -> Iterator[Packet]:
    ssrc = int.from_bytes(_exactly(body, 0, 4), "big")
    at = 4
    while at < len(body):
        type_, length = body[at], 4 * int.from_bytes(_exactly(body, at + 2, 2), "big")
        block = _exactly(body, at + 4, length)
        if type_ == _RRTR:
            yield ReceiverReferenceTime(ssrc, int.from_bytes(_exactly(block, 0, 8), "big"))
        elif type_ == _DLRR:
            yield LastReceiverReference(ssrc, tuple(struct.iter_unpack("!III", block[: length // 12 * 12])))
        at += 4 + length


_READERS: dict[int, Callable[[bytes, int], Iterator[Packet]]] = {
    _SR: _sender_report,
    _RR: _receiver_report,
    _SDES: _source_description,
    _BYE: _bye,
    _RTPFB: _transport_layer,
    _PSFB: _payload_specific,
    _XR: _extended,
}


def _exactly(body: bytes, at: int, length: int) -> bytes:
    part = body[at : at + length]
    if len(part) < length:
        raise IndexError
    return part


def _transport_feedback(body: bytes) -> TransportFeedback:
    ssrc, media_ssrc, base, statuses, reference = _FEEDBACK.unpack_from(body)
    if statuses > MAX_STATUSES:
        raise RtcpError(f"transport-wide feedback on {statuses} packets")
    symbols, at = status_chunks.read(body, _FEEDBACK.size, statuses)
    arrivals: list[int | None] = []
    last = 0
    for symbol in symbols:
        if symbol in (1, 2):
            last += int.from_bytes(_exactly(body, at, symbol), "big", signed=symbol == 2)
            at += symbol
        arrivals.append(last if symbol in (1, 2) else None)
    return TransportFeedback(ssrc, media_ssrc, base, reference >> 8, reference & 0xFF, tuple(arrivals))
