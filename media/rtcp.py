"""RTCP packets (RFC 3550, 4585, 5104, 3611, transport-wide congestion control, REMB): parse and `__bytes__`."""

from __future__ import annotations

from dataclasses import dataclass


class RtcpError(ValueError):
    """Bytes that are no compound RTCP packet."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    ssrc: int
    fraction_lost: int  # 1/256
    cumulative_lost: int  # signed
    highest_sequence: int  # extended
    jitter: int  # RTP clock units
    last_sr: int  # middle 32 bits of the NTP time of the last sender report, 0 if none
    delay_since_last_sr: int  # 1/65536 s


@dataclass(frozen=True, slots=True)
class SenderReport:
    ssrc: int
    ntp: int  # 64-bit NTP time
    rtp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceDescription:
    cnames: tuple[tuple[int, str], ...]  # (ssrc, cname)


@dataclass(frozen=True, slots=True)
class Bye:
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Nack:
    ssrc: int  # who asks
    media_ssrc: int
    lost: tuple[int, ...]  # sequence numbers


@dataclass(frozen=True, slots=True)
class PictureLoss:
    ssrc: int
    media_ssrc: int


@dataclass(frozen=True, slots=True)
class FullIntraRequest:
    ssrc: int
    requests: tuple[tuple[int, int], ...]  # (media ssrc, command sequence number)


@dataclass(frozen=True, slots=True)
class Remb:
    ssrc: int
    bitrate: int  # bit/s
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReceiverReferenceTime:
    """XR RRTR: the clock of one who sends nothing."""

    ssrc: int
    ntp: int


@dataclass(frozen=True, slots=True)
class LastReceiverReference:
    """XR DLRR: the answers to reference times; (ssrc, last RR, delay in 1/65536 s)."""

    ssrc: int
    blocks: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class TransportFeedback:
    """Transport-wide feedback: (sequence number, arrival in 250 us units from the reference | None if lost)."""

    ssrc: int
    media_ssrc: int
    base_sequence: int
    reference_time: int  # 64 ms
    count: int  # feedback packet count, 8 bits
    arrivals: tuple[int | None, ...]


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
    """The packets of a compound (or reduced-size) RTCP datagram; unknown ones are left out. Raises RtcpError only."""
    raise NotImplementedError
