"""One browser's media path: ICE, DTLS and SRTP around a `Publisher` or a `Viewer`.

The worker finds out which transport a datagram is for; from there on it is plain here. Nothing in here has a socket:
what goes out is put into the batch of the socket that reaches the browser, and leaves with the worker's next flush.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from media import rtcp, rtp
from media.answer import LocalParameters, Negotiated, NegotiatedSection, RemoteParameters, answer
from media.certificate import Rotation
from media.dtls import Dtls
from media.fanout import Outlet
from media.ice import Checked, IceLite, Path, Protocol
from media.messages import Answered, Direction, IceRestarted, SlotInfo
from media.publication import Publication
from media.publisher import Publisher
from media.sdp import SdpError, SessionDescription
from media.sendmmsg import Batch
from media.srtp import Inbound, Outbound, SrtpError
from media.train import Tally
from media.viewer import Viewer

MAX_SECTIONS = 64  # media sections of one offer; a viewer with 3 + 4 slots is far below
MAX_RTCP = 32  # packets of one compound that are looked at; browsers send four or five
MAX_COMPOUND = 1200  # bytes that we send in one datagram, where one packet is not longer


@dataclass(frozen=True, slots=True)
class Shared:
    """What all transports of a worker share."""

    certificates: Rotation
    candidates: tuple[str, ...]  # candidate attributes, preferred first
    batches: tuple[Batch, ...]  # one per socket, by `Path.via`
    counters: Counter[str]
    flowing: Callable[[Publication, str], None]
    layers_wanted: Callable[[Publication, tuple[str, ...]], None]
    ufrag_mark: str = ""


class Transport:
    """See above. Times: `now` monotonic seconds, `wall` seconds since 1970."""

    def __init__(self, transport_id: str, direction: Direction, shared: Shared, now: float) -> None:
        self.transport_id = transport_id
        self.direction: Direction = direction
        self.ice = IceLite(now, shared.ufrag_mark)
        self.dtls: Dtls | None = None  # until the first offer is answered
        self.outlet = Outlet()
        self.sections: tuple[NegotiatedSection, ...] = ()
        cname = secrets.token_hex(8)
        self.publisher: Publisher | None = None
        self.viewer: Viewer | None = None
        if direction == "send":
            self.publisher = Publisher(
                transport_id, self.send_rtcp, shared.counters, shared.flowing, shared.layers_wanted
            )
        else:
            self.viewer = Viewer(transport_id, self.outlet, cname, self.send_rtcp, shared.counters)
        self.tally: Tally | None = None  # of one that is there only to be measured
        self._shared = shared
        self._certificate = shared.certificates.current(now)
        self._counters = shared.counters
        self._remote: RemoteParameters | None = None
        self._inbound: Inbound | None = None
        self._target: Path | None = None
        self._local = LocalParameters(
            self.ice.ufrag,
            self.ice.pwd,
            self._certificate.fingerprint,
            shared.candidates,
            cname,
            session_id=secrets.randbelow(1 << 62),
            session_version=0,
        )

    # ── negotiation ───────────────────────────────────────────────────────────────────────────────────────────────

    def answer(self, offer: str) -> Answered:
        """Answer an offer or re-offer; new credentials in it restart ICE. Raises SdpError, then nothing has changed."""
        description = SessionDescription.parse(offer)
        if len(description.sections) > MAX_SECTIONS:
            raise SdpError(f"an offer of {len(description.sections)} sections")
        known = {section.mid: section.local for section in self.sections if section.local is not None}
        self._local = replace(self._local, session_version=self._local.session_version + 1)
        negotiated = answer(description, self.direction, self._local, known)
        sections = self._with_former(negotiated.sections)
        if self._remote is None and not negotiated.sections:
            raise SdpError("a first offer of stopped sections or data channels only", "no_common_codec")
        if self._remote is not None:
            negotiated = self._again(description, negotiated, self._remote)
        self._remote = negotiated.remote
        self.sections = sections
        if self.dtls is None:
            self.dtls = Dtls(self._certificate, self._remote.fingerprints, self._remote.dtls_role)
        if self.publisher is not None:
            self.publisher.negotiated(sections)
        if self.viewer is not None:
            self.viewer.negotiated(sections)
            self._mark_sound()
        return Answered(
            self.transport_id,
            negotiated.sdp,
            tuple(publication.info for publication in self.publications),
            tuple(self.slot_infos),
        )

    def restart_ice(self) -> IceRestarted:
        """Fresh credentials of ours."""
        self.ice.restart()
        self._local = replace(self._local, ufrag=self.ice.ufrag, pwd=self.ice.pwd)
        return IceRestarted(self.transport_id, self.ice.ufrag, self.ice.pwd, self._shared.candidates)

    @property
    def publications(self) -> list[Publication]:
        return list(self.publisher.publications.values()) if self.publisher is not None else []

    @property
    def slot_infos(self) -> list[SlotInfo]:
        if self.viewer is None:
            return []
        return [
            SlotInfo(
                self.transport_id,
                slot.mid,
                slot.kind,
                slot.publication.publication_id if slot.publication is not None else None,
            )
            for slot in self.viewer.slots.values()
        ]

    @property
    def connected(self) -> bool:
        return self.outlet.open

    @property
    def protocol(self) -> Protocol:
        """How the browser is reached; "udp" until it is."""
        return self._target.protocol if self._target is not None else "udp"

    def _again(self, description: SessionDescription, negotiated: Negotiated, former: RemoteParameters) -> Negotiated:
        """A re-offer: the same browser, perhaps with ICE restarted."""
        remote = negotiated.remote
        if not negotiated.sections:  # everything stopped: there is nothing to compare
            return replace(negotiated, remote=former)
        if set(remote.fingerprints) != set(former.fingerprints):
            raise SdpError("a re-offer with another certificate; that takes a new transport")
        if (remote.ufrag, remote.pwd) == (former.ufrag, former.pwd):
            return negotiated
        self.restart_ice()
        return replace(answer(description, self.direction, self._local, negotiated.sources), remote=remote)

    def _with_former(self, sections: tuple[NegotiatedSection, ...]) -> tuple[NegotiatedSection, ...]:
        """Sections that a re-offer leaves out or stops stay known, inactive: their ids and SSRCs may come back."""
        mids = {section.mid for section in sections}
        gone = tuple(replace(section, flow="inactive") for section in self.sections if section.mid not in mids)
        if len(sections) + len(gone) > MAX_SECTIONS:
            raise SdpError("re-offers with ever new sections")
        return sections + gone

    # ── datagrams ─────────────────────────────────────────────────────────────────────────────────────────────────

    def receive_stun(self, data: bytes, path: Path, now: float) -> Checked:
        """A datagram with our ufrag; the worker learns from the result which paths are ours."""
        checked = self.ice.check(data, path, now)
        if checked.reply is not None:
            batch = self._shared.batches[path.via]
            batch.send(batch.name(path.address), checked.reply)
        if checked.evicted is not None:
            self._shared.batches[checked.evicted.via].release(checked.evicted.address)
        if checked.accepted:
            if self.ice.target != self._target:
                self._reroute()
            if self.dtls is not None and not self.dtls.connected:
                self._send_all(self.dtls.begin(now))
        else:
            self._counters["dropped_stun_refused"] += 1
        return checked

    def path_lost(self, path: Path) -> None:
        """A TCP connection was closed. With no other path left, what is sent to it is dropped until one comes."""
        self.ice.forget(path)
        if self.ice.target is not None and self.ice.target != self._target:
            self._reroute()

    def receive_dtls(self, data: bytes, now: float) -> None:
        """A datagram from one of our paths. Afterwards `connected`, `dtls.failed` or `dtls.closed` may have changed."""
        dtls = self.dtls
        if dtls is None:
            return
        self._send_all(dtls.receive(data, now))
        if dtls.connected and self._inbound is None:
            keys = dtls.keys()
            self._inbound = Inbound(keys.profile, keys.remote)
            self.outlet.srtp = Outbound(keys.profile, keys.local)
            if self.viewer is not None:
                self.viewer.connected(now)

    def receive_rtp(self, data: bytes, now: float) -> None:
        """Protected RTP from one of our paths; only a publisher has any business to send it."""
        if self._inbound is None or self.publisher is None:
            self._counters["dropped_unexpected"] += 1
            return
        try:
            packet = rtp.parse(self._inbound.rtp(data))
        except SrtpError as error:
            self._counters[f"dropped_srtp_{error.reason}"] += 1
            return
        if packet is None:
            self._counters["dropped_rtp_malformed"] += 1
            return
        if self.tally is not None:
            self.tally.receive(packet)
            return
        self.publisher.receive_rtp(packet, now)

    def receive_rtcp(self, data: bytes, now: float, wall: float) -> None:
        """Protected RTCP from one of our paths."""
        if self._inbound is None:
            self._counters["dropped_unexpected"] += 1
            return
        try:
            packets = rtcp.parse(self._inbound.rtcp(data))[:MAX_RTCP]
        except SrtpError as error:
            self._counters[f"dropped_srtcp_{error.reason}"] += 1
            return
        except rtcp.RtcpError:
            self._counters["dropped_rtcp_malformed"] += 1
            return
        if self.publisher is not None:
            self.publisher.receive_rtcp(packets, now, wall)
        if self.viewer is not None:
            self.viewer.receive_rtcp(packets, now, wall)

    def send_rtcp(self, packets: Iterable[rtcp.Packet]) -> None:
        """One compound packet, or several where it is too long for one; nothing while we are not connected."""
        outlet = self.outlet
        if outlet.srtp is None or outlet.batch is None or outlet.name is None:
            return
        for compound in compounds(packets):
            try:
                outlet.batch.send(outlet.name, outlet.srtp.rtcp(compound))
            except SrtpError:  # a NACK of a thousand losses far apart
                self._counters["dropped_rtcp_too_long"] += 1
            else:
                self._counters["rtcp_out"] += 1

    # ── time, and the end ─────────────────────────────────────────────────────────────────────────────────────────

    def tick(self, now: float) -> None:
        """Every 20 ms or so."""
        if self.dtls is not None and not self.dtls.connected:
            self._send_all(self.dtls.poll(now))
        elif self.publisher is not None:
            self.publisher.tick(now)

    def report(self, now: float, wall: float) -> None:
        """Every second."""
        if not self.outlet.open:
            return
        if self.publisher is not None:
            self.publisher.report(now, wall)
        if self.viewer is not None:
            self.viewer.report(now, wall)

    def close(self) -> None:
        """Say goodbye and let go of everything. Closing twice is harmless."""
        if self.publisher is not None:
            self.publisher.close()
        if self.viewer is not None:
            self.viewer.close()
        if self.dtls is not None:
            self._send_all(self.dtls.close())
        self.outlet.srtp = None
        for path in self.ice.paths:
            self._shared.batches[path.via].release(path.address)

    def _reroute(self) -> None:
        """The browser is to be reached by another path now."""
        self._target = target = self.ice.target
        assert target is not None
        self.outlet.batch = self._shared.batches[target.via]
        self.outlet.name = self.outlet.batch.name(target.address)
        self._mark_sound()
        if self.viewer is not None and self.outlet.open:
            self.viewer.rerouted()

    def _mark_sound(self) -> None:
        name = self.outlet.name
        if name is not None:
            name.sound = frozenset(
                section.local.ssrc for section in self.sections if section.kind == "audio" and section.local is not None
            )

    def _send_all(self, datagrams: Iterable[bytes]) -> None:
        outlet = self.outlet
        if outlet.batch is not None and outlet.name is not None:
            for datagram in datagrams:
                outlet.batch.send(outlet.name, datagram)


def compounds(packets: Iterable[rtcp.Packet]) -> list[bytes]:
    """The packets in as few datagrams as hold them; those after the first are of reduced size (RFC 5506)."""
    found: list[bytes] = []
    for data in map(bytes, packets):
        if found and len(found[-1]) + len(data) <= MAX_COMPOUND:
            found[-1] += data
        else:
            found.append(data)
    return found
