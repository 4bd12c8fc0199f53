"""The one negotiation of Tongke: the browser always offers, the server always answers (RFC 9429).

`answer` is a pure function; the WebSocket, WHIP and WHEP all end here. A browser that publishes is answered recvonly
and should send the first codec we list. A browser that watches is answered sendonly: every section is a slot with an
SSRC of its own that stays, and keeps every common codec, so that later any publication fits into it without another
offer.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from media.codecs import Codec, common_codecs
from media.dtls import Role
from media.messages import Direction, Kind
from media.sdp import SdpError, Section, SessionDescription

Flow = Literal["recvonly", "sendonly", "inactive"]  # as in our answer: recvonly = the browser publishes

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
DESCRIPTOR = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
TRANSPORT_WIDE_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

_EXTENSIONS = (MID, RID, REPAIRED_RID, AUDIO_LEVEL, ABS_SEND_TIME, TRANSPORT_WIDE_CC, DESCRIPTOR)
_MIXED = "extmap-allow-mixed"  # header extensions may have the longer form where they need it (RFC 8285 section 6)
MAX_LAYERS = 4  # of one section; browsers send three
_MAX_RID = 16  # characters, as many as a one-byte header extension carries
_MAX_EXTENSION_ID = 14  # one-byte headers only (RFC 8285 section 4.2): shorter, and all that older peers know
_PROTOCOLS = ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF")  # what browsers, past and present, write
_SECURE_DIGESTS = ("sha-256", "sha-384", "sha-512")


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
    rids: tuple[str, ...]  # simulcast layers the browser sends, in its order; empty without simulcast
    local: Source | None  # what we send with: receiving sections only, stable over re-offers
    reports_rtt: bool  # the browser offers to answer XR receiver reference times (rtcp-xr rcvr-rtt); some do unasked


@dataclass(frozen=True, slots=True)
class LocalParameters:
    """What the transport brings to its answers."""

    ufrag: str
    pwd: str
    fingerprint: str  # sha-256
    candidates: tuple[str, ...]  # "candidate:…", see `candidate`
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


def random_ssrc() -> int:
    """Any but zero, which some receivers take for "none"."""
    return secrets.randbelow(0xFFFF_FFFF) + 1


def answer(
    offer: SessionDescription,
    direction: Direction,
    local: LocalParameters,
    known: Mapping[str, Source] | None = None,
    fresh_ssrc: Callable[[], int] = random_ssrc,
) -> Negotiated:
    """Answer an offer; `direction` is the browser's ("send" publishes).

    Raises SdpError: `sdp_malformed` for an offer that is no WebRTC, `no_common_codec` where nothing in it can be
    served. A section we cannot serve beside others that we can is rejected with port 0, data channels included.
    """
    _check_mids(offer)
    known = known or {}
    taken = {ssrc for source in known.values() for ssrc in (source.ssrc, source.rtx_ssrc)}
    served: dict[int, NegotiatedSection] = {}
    for index, section in enumerate(offer.sections):
        if _in_bundle(offer, section, alone=not served):
            negotiated = _negotiate(offer, section, index, direction)
            if negotiated is not None:
                served[index] = negotiated
    if direction == "receive":
        served = {index: _with_source(section, known, taken, fresh_ssrc) for index, section in served.items()}
    if not served and any(_is_live(section) for section in offer.sections):
        raise SdpError("nothing in this offer that we could serve", "no_common_codec")
    first = next(iter(served), None)
    remote = _remote(offer, offer.sections[first] if first is not None else None)
    text = _write(offer, served, local, "passive" if remote.dtls_role == "server" else "active")
    return Negotiated(text, remote, tuple(served.values()))


def candidate(host: str, port: int, index: int) -> str:
    """A UDP host candidate as an SDP attribute without "a=" (RFC 8839); `index` 0 is preferred."""
    priority = (126 << 24) | ((65535 - index) << 8) | 255
    return f"candidate:{index + 1} 1 udp {priority} {host} {port} typ host"


# ── what is agreed ────────────────────────────────────────────────────────────────────────────────────────────────


def _check_mids(offer: SessionDescription) -> None:
    if not offer.sections:
        raise SdpError("an offer without a media section")
    mids = [section.mid for section in offer.sections if section.mid is not None]
    if len(set(mids)) != len(mids):
        raise SdpError("two sections with the same mid")


def _is_live(section: Section) -> bool:
    """Offered at all: a stopped transceiver has port 0, but so has a section that exists only inside the bundle."""
    return section.kind in ("audio", "video") and (section.port != 0 or section.has("bundle-only"))


def _in_bundle(offer: SessionDescription, section: Section, *, alone: bool) -> bool:
    """Whether the section shares the one transport we have; without a group only the first can have it."""
    if offer.bundle is None:
        return alone
    return section.mid in offer.bundle


def _negotiate(
    offer: SessionDescription, section: Section, index: int, direction: Direction
) -> NegotiatedSection | None:
    """What is agreed about a section, but for our SSRCs; None if it is to be rejected."""
    if not _is_live(section) or section.protocol not in _PROTOCOLS or not section.has("rtcp-mux"):
        return None
    codecs = common_codecs(section)
    if not codecs:
        return None
    offered = section.direction or offer.direction or "sendrecv"
    flow: Flow = "inactive"
    if direction == "send" and offered in ("sendonly", "sendrecv"):
        flow = "recvonly"
    elif direction == "receive" and offered in ("recvonly", "sendrecv"):
        flow = "sendonly"
    extensions = _extensions(section, direction)
    if not (offer.has(_MIXED) or section.has(_MIXED)):
        extensions.pop(DESCRIPTOR, None)  # with a key frame it is too long for the short form
    rids: tuple[str, ...] = ()
    if direction == "send" and section.kind == "video" and RID in extensions:  # else nobody could tell them apart
        rids = tuple(rid for rid in section.simulcast("send") if len(rid) <= _MAX_RID)[:MAX_LAYERS]
    if len(rids) == 1:
        rids = ()
    return NegotiatedSection(
        mid=section.mid or str(index),
        kind="audio" if section.kind == "audio" else "video",
        flow=flow,
        codecs=codecs,
        extensions=extensions,
        remote=_remote_sources(section) if direction == "send" and not rids else (),
        rids=rids,
        local=None,
        reports_rtt=any("rcvr-rtt" in value for value in section.values("rtcp-xr")),
    )


def _extensions(section: Section, direction: Direction) -> dict[str, int]:
    useless = ("inactive", "recvonly" if direction == "send" else "sendonly")
    found: dict[str, int] = {}
    for extension in section.extensions:
        if extension.uri in _EXTENSIONS and extension.id <= _MAX_EXTENSION_ID and extension.direction not in useless:
            found.setdefault(extension.uri, extension.id)
    return found


def _remote_sources(section: Section) -> tuple[Source, ...]:
    """The SSRCs a browser names, each with the one of its retransmissions (FID, RFC 4588 section 8.8)."""
    repairs = {group[0]: group[1] for group in section.ssrc_groups("FID") if len(group) == 2}
    return tuple(Source(ssrc, repairs.get(ssrc)) for ssrc in section.ssrcs if ssrc not in repairs.values())


def _with_source(
    section: NegotiatedSection, known: Mapping[str, Source], taken: set[int | None], fresh_ssrc: Callable[[], int]
) -> NegotiatedSection:
    """A slot with the SSRCs it had before, else with new ones that no other slot of the transport has."""

    def fresh() -> int:
        while (ssrc := fresh_ssrc()) in taken:
            pass
        taken.add(ssrc)
        return ssrc

    source = known.get(section.mid)
    if source is None:
        repairs = any(codec.rtx_payload_type is not None for codec in section.codecs)
        source = Source(fresh(), fresh() if repairs else None)
    return replace(section, local=source)


def _remote(offer: SessionDescription, first: Section | None) -> RemoteParameters:
    """Credentials and fingerprint, from the section that carries the bundle or else from the session."""
    places = (offer,) if first is None else (first, offer)
    ufrag = next((value for place in places for value in place.values("ice-ufrag")), "")
    pwd = next((value for place in places for value in place.values("ice-pwd")), "")
    fingerprints = tuple(next((place.fingerprints for place in places if place.fingerprints), []))
    setup = next((value for place in places for value in place.values("setup")), "actpass")
    if first is not None:
        if not (4 <= len(ufrag) <= 256 and 22 <= len(pwd) <= 256):
            raise SdpError("an offer without ICE credentials")
        if not any(algorithm in _SECURE_DIGESTS for algorithm, _ in fingerprints):
            raise SdpError("an offer without a SHA-2 fingerprint")
        if setup not in ("actpass", "active", "passive"):
            raise SdpError(f"setup:{setup[:20]} in an offer")
    return RemoteParameters(ufrag, pwd, fingerprints, "client" if setup == "passive" else "server")


# ── how it is written ─────────────────────────────────────────────────────────────────────────────────────────────


def _write(
    offer: SessionDescription, served: Mapping[int, NegotiatedSection], local: LocalParameters, setup: str
) -> str:
    lines = [
        "v=0",
        f"o=- {local.session_id} {local.session_version} IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
    ]
    if offer.bundle is not None:
        lines.append(" ".join(["a=group:BUNDLE", *(section.mid for section in served.values())]))
    lines += ["a=msid-semantic: WMS *", "a=ice-lite", *([f"a={_MIXED}"] if offer.has(_MIXED) else [])]
    streams = _streams(served)
    first = next(iter(served), None)
    for index, offered in enumerate(offer.sections):
        section = served.get(index)
        if section is None:
            lines += _rejected(offered)
            continue
        lines += [
            f"m={section.kind} 9 {offered.protocol} {' '.join(map(str, _payload_types(section)))}",
            "c=IN IP4 0.0.0.0",
            *([f"a=mid:{section.mid}"] if offered.mid is not None else []),
            f"a={section.flow}",
            "a=rtcp-mux",
            *(["a=rtcp-rsize"] if offered.has("rtcp-rsize") else []),
            f"a=ice-ufrag:{local.ufrag}",
            f"a=ice-pwd:{local.pwd}",
            f"a=fingerprint:sha-256 {local.fingerprint}",
            f"a=setup:{setup}",
            *_codec_lines(section),
            *_layer_lines(section),
            *(["a=rtcp-xr:rcvr-rtt=all"] if section.reports_rtt else []),
            *([f"a={_MIXED}"] if offered.has(_MIXED) else []),
            *(f"a=extmap:{id_} {uri}" for uri, id_ in section.extensions.items()),
            *_source_lines(section, streams[index], local.cname),
        ]
        if index == first:  # all share its transport, so it is enough to say it here
            lines += [*(f"a={value}" for value in local.candidates), "a=end-of-candidates"]
    return "\r\n".join(lines) + "\r\n"


def _rejected(offered: Section) -> list[str]:
    return [
        f"m={offered.kind} 0 {offered.protocol} {' '.join(offered.formats)}",
        "c=IN IP4 0.0.0.0",
        *([f"a=mid:{offered.mid}"] if offered.mid is not None else []),
        "a=inactive",
    ]


def _payload_types(section: NegotiatedSection) -> list[int]:
    """Each codec followed by its retransmission, which two codecs may not share but broken offers do.

    Redundant sound comes before plain, for Chromium sends it only if it is listed first.
    """
    listed: dict[int, None] = {}
    for codec in section.codecs:
        if codec.red_payload_type is not None:
            listed[codec.red_payload_type] = None
        listed[codec.payload_type] = None
        if codec.rtx_payload_type is not None:
            listed[codec.rtx_payload_type] = None
    return list(listed)


def _codec_lines(section: NegotiatedSection) -> list[str]:
    lines = []
    for codec in section.codecs:
        payload_type, channels = codec.payload_type, f"/{codec.channels}" if codec.channels else ""
        lines.append(f"a=rtpmap:{payload_type} {codec.name}/{codec.clock_rate}{channels}")
        lines += [f"a=rtcp-fb:{payload_type} {feedback}" for feedback in codec.feedback]
        if codec.fmtp:
            lines.append(f"a=fmtp:{payload_type} {codec.fmtp}")
        if codec.rtx_payload_type is not None:
            lines.append(f"a=rtpmap:{codec.rtx_payload_type} rtx/{codec.clock_rate}")
            lines.append(f"a=fmtp:{codec.rtx_payload_type} apt={payload_type}")
        if codec.red_payload_type is not None:
            lines.append(f"a=rtpmap:{codec.red_payload_type} red/{codec.clock_rate}{channels}")
            lines.append(f"a=fmtp:{codec.red_payload_type} {payload_type}/{payload_type}")
    return lines


def _layer_lines(section: NegotiatedSection) -> list[str]:
    """Without these Chromium would send its first layer only (RFC 8853 section 5.3)."""
    if not section.rids or section.flow != "recvonly":
        return []
    return [*(f"a=rid:{rid} recv" for rid in section.rids), f"a=simulcast:recv {';'.join(section.rids)}"]


def _streams(served: Mapping[int, NegotiatedSection]) -> dict[int, str]:
    """Which stream each slot belongs to: a browser keeps sound and picture of one stream together, and only those.

    The first audio and the first video are the lead teacher's, the second video is the screen and has no sound of its
    own, and from there on audio k goes with video k + 1 (signaling/PROTOCOL.md section 2). The screen stands alone
    because Chromium keeps only one picture per stream in step with the sound, and not always the first.
    """
    streams = {}
    counts = {"audio": 0, "video": 0}
    for index, section in served.items():
        count = counts[section.kind]
        counts[section.kind] += 1
        if section.kind == "video" and count:
            streams[index] = "screen" if count == 1 else f"pair-{count - 1}"
        else:
            streams[index] = f"pair-{count}"
    return streams


def _source_lines(section: NegotiatedSection, stream: str, cname: str) -> list[str]:
    """Our SSRCs. Without them Firefox and older Chromium would not know which packets repair which."""
    source = section.local
    if source is None or section.flow != "sendonly":
        return []
    msid = f"{stream} slot-{section.mid}"
    lines = [f"a=msid:{msid}"]
    ssrcs = [source.ssrc]
    if source.rtx_ssrc is not None:
        ssrcs.append(source.rtx_ssrc)
        lines.append(f"a=ssrc-group:FID {source.ssrc} {source.rtx_ssrc}")
    for ssrc in ssrcs:
        lines += [f"a=ssrc:{ssrc} cname:{cname}", f"a=ssrc:{ssrc} msid:{msid}"]
    return lines
