"""The other end of one browser's peer connection, made of nothing but media/'s wire modules, that keeps what it gets.

A publishing peer hands its packets to its partner, which sends them on in the slot of their kind, one in forty left
out, and answers the NACKs. Far simpler than a worker, and on purpose: it proves the wire without the flow.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from media import rtcp, rtp, stun
from media.answer import TRANSPORT_WIDE_CC, LocalParameters, Negotiated, answer, candidate
from media.certificate import Certificate
from media.codecs import best_match
from media.dtls import Dtls, SrtpKeys
from media.feedback import TransportWideFeedback
from media.ice import IceLite, Path
from media.messages import Direction
from media.reports import Inbound, RoundTrip
from media.sdp import SessionDescription


@dataclass
class Capture:
    """What is kept of one peer connection; datagrams in hexadecimal."""

    offer: str = ""
    answer: str = ""
    checks: list[str] = field(default_factory=list)
    dtls: list[str] = field(default_factory=list)
    rtp: list[str] = field(default_factory=list)
    rtcp: list[str] = field(default_factory=list)


class WirePeer(asyncio.DatagramProtocol):
    """The other end of one peer connection."""

    def __init__(self, direction: Direction, offer: str, certificate: Certificate, host: str) -> None:
        self.direction = direction
        self.capture = Capture(offer=offer)
        self.ice = IceLite(time.monotonic())
        self.partner: WirePeer | None = None
        self.negotiated: Negotiated
        self.dtls: Dtls
        self._certificate = certificate
        self._host = host
        self._inbound: Session | None = None
        self._outbound: Session | None = None
        self._kinds: Counter[tuple[int, int]] = Counter()
        self._forwarded: dict[tuple[int, int], bytes] = {}  # (ssrc, sequence) as sent -> the plain packet
        self._count = 0
        self._rtx_sequence = 0
        self._feedback = TransportWideFeedback(1)
        self._feedback_id = 0
        self._receptions: dict[int, Inbound] = {}
        self._report_at = 0.0
        self.round_trip = RoundTrip()

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.DatagramTransport = transport
        port = transport.get_extra_info("sockname")[1]
        local = LocalParameters(
            self.ice.ufrag,
            self.ice.pwd,
            self._certificate.fingerprint,
            (candidate(self._host, port, 0),),
            "capture",
            1,
        )
        self.negotiated = answer(SessionDescription.parse(self.capture.offer), self.direction, local)
        self.capture.answer = self.negotiated.sdp
        for section in self.negotiated.sections:
            self._feedback_id = section.extensions.get(TRANSPORT_WIDE_CC, self._feedback_id)
            for source in section.remote:
                self._receptions[source.ssrc] = Inbound(source.ssrc, section.codecs[0].clock_rate)
        remote = self.negotiated.remote
        self.dtls = Dtls(self._certificate, remote.fingerprints, remote.dtls_role)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        now = time.monotonic()
        if data[0] < 4:
            _keep(self.capture.checks, data, 6)
            assert stun.ufrag_of(data) == self.ice.ufrag
            checked = self.ice.check(data, Path(0, address), now)
            if checked.reply is not None:
                self._transport.sendto(checked.reply, address)
            if checked.accepted:
                self._send_all(self.dtls.begin(now))
        elif 20 <= data[0] < 64:
            _keep(self.capture.dtls, data, 8)
            self._send_all(self.dtls.receive(data, now))
            if self.dtls.connected and self._inbound is None:
                keys = self.dtls.keys()
                self._inbound = _session(keys, inbound=True)
                self._outbound = _session(keys, inbound=False)
        elif 128 <= data[0] < 192 and self._inbound is not None:
            try:
                if 192 <= data[1] < 224:
                    self._rtcp(self._inbound.unprotect_rtcp(data))
                else:
                    self._rtp(self._inbound.unprotect(data), now)
            except SrtpError:
                pass  # sound repeated as it was, though it had come: we only pretend that it was lost

    def poll(self) -> None:
        self._send_all(self.dtls.poll(time.monotonic()))

        now = time.monotonic()
        for feedback in self._feedback.build(now):
            self.ask(feedback)
        if self.direction == "send" and now >= self._report_at:
            self._report_at = now + 1.0
            self.ask(self.round_trip.reference_time(1, time.time()))

    def ask(self, packet: rtcp.Packet) -> None:
        """Send feedback to the browser, with reports as every compound packet has."""
        if self._outbound is not None and self.ice.target is not None:
            now = time.monotonic()
            blocks = tuple(block for each in self._receptions.values() if (block := each.block(now)) is not None)
            data = bytes(rtcp.ReceiverReport(1, blocks)) + bytes(packet)
            self._transport.sendto(self._outbound.protect_rtcp(data), self.ice.target.address)

    def _send_all(self, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            if self.ice.target is not None:
                self._transport.sendto(datagram, self.ice.target.address)

    def _rtp(self, packet: bytes, now: float) -> None:
        parsed = rtp.parse(packet)
        assert parsed is not None
        number = parsed.extensions.get(self._feedback_id)
        if number is not None:
            self._feedback.arrived(int.from_bytes(number, "big"), parsed.ssrc, now)
        if parsed.ssrc in self._receptions:
            self._receptions[parsed.ssrc].receive(parsed.sequence, parsed.timestamp, now)
        kind = packet[1] & 127, struct.unpack_from("!I", packet, 8)[0]
        self._kinds[kind] += 1
        if self._kinds[kind] <= 12:
            self.capture.rtp.append(packet.hex())
        if self.partner is not None:
            self.partner.forward(packet, self.negotiated)
        media_ssrcs = {source.ssrc for section in self.negotiated.sections for source in section.remote}
        if kind[1] in media_ssrcs and self._kinds[kind] % 50 == 49:  # as if it had been lost
            self.ask(rtcp.Nack(1, kind[1], (int.from_bytes(packet[2:4], "big"),)))

    def forward(self, packet: bytes, published: Negotiated) -> None:
        """Send a publisher's packet into the slot of its kind."""
        for section in published.sections:
            codec = next((each for each in section.codecs if each.payload_type == packet[1] & 127), None)
            slot = next((each for each in self.negotiated.sections if each.kind == section.kind), None)
            if codec is None or slot is None or slot.local is None or self._outbound is None:
                continue
            match = best_match(codec, slot.codecs)
            if match is None or self.ice.target is None:
                continue
            plain = bytes((packet[0] & 0xEF, packet[1] & 0x80 | match.payload_type)) + packet[2:8]
            plain += slot.local.ssrc.to_bytes(4, "big") + _without_extensions(packet)
            self._forwarded[slot.local.ssrc, int.from_bytes(packet[2:4], "big")] = plain
            self._count += 1
            if self._count % 40:
                self._transport.sendto(self._outbound.protect(plain), self.ice.target.address)

    def _rtcp(self, data: bytes) -> None:
        _keep(self.capture.rtcp, data, 60)
        for packet in rtcp.parse(data):
            if isinstance(packet, rtcp.SenderReport) and packet.ssrc in self._receptions:
                self._receptions[packet.ssrc].sender_report(packet, time.monotonic())
            elif isinstance(packet, rtcp.LastReceiverReference):
                self.round_trip.from_dlrr(packet, time.time())
            if self.direction == "receive" and isinstance(packet, rtcp.Nack):
                for sequence in packet.lost:
                    self._repair(packet.media_ssrc, sequence)
            elif isinstance(packet, rtcp.PictureLoss | rtcp.FullIntraRequest) and self.partner is not None:
                for section in self.partner.negotiated.sections:
                    if section.kind == "video":
                        for source in section.remote:
                            self.partner.ask(rtcp.PictureLoss(1, source.ssrc))

    def _repair(self, ssrc: int, sequence: int) -> None:
        plain = self._forwarded.get((ssrc, sequence))
        slot = next(each for each in self.negotiated.sections if each.local and each.local.ssrc == ssrc)
        assert slot.local is not None
        if plain is None or self._outbound is None or self.ice.target is None:
            return
        if slot.local.rtx_ssrc is not None:
            codec = next(each for each in slot.codecs if each.payload_type == plain[1] & 127)
            assert codec.rtx_payload_type is not None
            self._rtx_sequence += 1
            head = struct.pack("!BBH", plain[0], plain[1] & 0x80 | codec.rtx_payload_type, self._rtx_sequence)
            plain = head + plain[4:8] + slot.local.rtx_ssrc.to_bytes(4, "big") + plain[2:4] + plain[12:]
        self._transport.sendto(self._outbound.protect(plain), self.ice.target.address)


def _keep(kept: list[str], data: bytes, most: int) -> None:
    if len(kept) < most:
        kept.append(data.hex())


def _without_extensions(packet: bytes) -> bytes:
    at = 12 + 4 * (packet[0] & 15)
    if packet[0] & 0x10:
        at += 4 + 4 * int.from_bytes(packet[at + 2 : at + 4], "big")
    return packet[at:]


def _session(keys: SrtpKeys, *, inbound: bool) -> Session:
    profiles = {
        "AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
        "AES128_CM_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    }
    policy = Policy(
        key=keys.remote if inbound else keys.local,
        ssrc_type=Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND,
        srtp_profile=profiles[keys.profile],
    )
    policy.allow_repeat_tx = True  # sound is repeated as it was
    return Session(policy)
