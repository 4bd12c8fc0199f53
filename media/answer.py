"""The one negotiation of Tongke: the browser always offers, the server always answers (RFC 9429).

`answer` is a pure function; the WebSocket, WHIP and WHEP all end here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from media.dtls import Role
from media.messages import Direction, Kind
from media.sdp import SessionDescription

Flow = Literal["recvonly", "sendonly", "inactive"]  # as in our answer: recvonly = the browser publishes


@dataclass(frozen=True, slots=True)
class Codec:
    name: str  # "opus", "H264", "VP8", "VP9", "AV1"
    payload_type: int
    clock_rate: int  # Hz
    channels: int  # 0 for video
    fmtp: str  # as in the SDP, "" if none
    rtx_payload_type: int | None
    feedback: tuple[str, ...]  # "nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"


@dataclass(frozen=True, slots=True)
class Source:
    """The SSRCs of one stream: its packets and their retransmissions."""

    ssrc: int
    rtx_ssrc: int | None


@dataclass(frozen=True, slots=True)
class NegotiatedSection:
    mid: str
    kind: Kind
    flow: Flow
    codecs: tuple[Codec, ...]  # preferred first
    extensions: dict[str, int]  # header extension URI -> id, both as negotiated
    remote: tuple[Source, ...]  # what the browser says it will send with; empty with rids
    rids: tuple[str, ...]  # simulcast layers the browser offers to send, in its order
    local: Source | None  # what we send with: receiving sections only, stable over re-offers
    reports_rtt: bool  # both sides know XR receiver reference times (rtcp-xr rcvr-rtt)


@dataclass(frozen=True, slots=True)
class LocalParameters:
    ufrag: str
    pwd: str
    fingerprint: str  # sha-256
    candidates: tuple[str, ...]  # candidate-attribute values, without "a=candidate:"… see `candidate`
    cname: str
    session_id: int
    session_version: int = 1  # to be raised with every answer of the same transport


@dataclass(frozen=True, slots=True)
class RemoteParameters:
    ufrag: str
    pwd: str
    fingerprints: tuple[tuple[str, str], ...]  # (algorithm, value)
    dtls_role: Role  # ours: server, unless the offer insists on being it


@dataclass(frozen=True, slots=True)
class Negotiated:
    sdp: str  # the answer
    remote: RemoteParameters
    sections: tuple[NegotiatedSection, ...]  # served ones, in the order of the offer

    @property
    def sources(self) -> dict[str, Source]:
        """Our SSRCs by mid: give them to the next `answer` of this transport as `known`."""
        return {section.mid: section.local for section in self.sections if section.local}


def answer(
    offer: SessionDescription,
    direction: Direction,
    local: LocalParameters,
    known: Mapping[str, Source] | None = None,
    fresh_ssrc: Callable[[], int] = lambda: secrets.randbelow(0xFFFF_FFFE) + 1,
) -> Negotiated:
    """Answer an offer; `direction` is the browser's ("send" publishes). Raises SdpError."""
    raise NotImplementedError


def candidate(host: str, port: int, index: int) -> str:
    """A UDP host candidate as a candidate-attribute value (RFC 8839); `index` 0 is preferred."""
    raise NotImplementedError


def best_match(published: Codec, accepted: Sequence[Codec]) -> Codec | None:
    """Which of a viewer's codecs carries a published one, if any does."""
    raise NotImplementedError
