"""Offers like a browser's, and the few facts the load generator needs from an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.stream import (
    ABS_SEND_TIME,
    AUDIO_LEVEL,
    AUDIO_TYPE,
    MID,
    REPAIRED_RID,
    RID,
    RTX_TYPE,
    TRANSPORT_CC,
    VIDEO_TYPE,
)

EXTENSIONS = {
    MID: "urn:ietf:params:rtp-hdrext:sdes:mid",
    ABS_SEND_TIME: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    TRANSPORT_CC: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    AUDIO_LEVEL: "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    RID: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    REPAIRED_RID: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
}
_EVERYWHERE = (MID, ABS_SEND_TIME, TRANSPORT_CC)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a peer says of itself in an offer."""

    ufrag: str
    pwd: str
    fingerprint: str
    candidate: tuple[str, int] | None = None  # for answerers that are not ICE-lite and check us too
    setup: str = "actpass"  # "active" for answerers that would rather be the DTLS client


@dataclass(frozen=True, slots=True)
class Remote:
    """What the answer says of the other side."""

    ufrag: str
    pwd: str
    fingerprint: str
    address: tuple[str, int]


def publishing(credentials: Credentials, audio_ssrc: int, video_ssrc: int, rtx_ssrc: int) -> str:
    """A microphone and a camera."""
    audio = _microphone(audio_ssrc)
    video = [
        "a=sendonly",
        f"a=ssrc-group:FID {video_ssrc} {rtx_ssrc}",
        f"a=ssrc:{video_ssrc} cname:bench",
        f"a=ssrc:{rtx_ssrc} cname:bench",
    ]
    return _offer(credentials, [("audio", audio), ("video", video)])


def simulcasting(credentials: Credentials, audio_ssrc: int, rids: Sequence[str]) -> str:
    """A microphone and a camera of several layers, named and not numbered (RFC 8853)."""
    video = ["a=sendonly"]
    video += [f"a=extmap:{number} {EXTENSIONS[number]}" for number in (RID, REPAIRED_RID)]
    video += [f"a=rid:{rid} send" for rid in rids]
    video.append("a=simulcast:send " + ";".join(rids))
    return _offer(credentials, [("audio", _microphone(audio_ssrc)), ("video", video)])


def _microphone(ssrc: int) -> list[str]:
    return [f"a=extmap:{AUDIO_LEVEL} {EXTENSIONS[AUDIO_LEVEL]}", "a=sendonly", f"a=ssrc:{ssrc} cname:bench"]


def watching(credentials: Credentials, audio: int = 3, video: int = 4) -> str:
    """As many slots as a class asks for."""
    return _offer(credentials, [("audio", ["a=recvonly"])] * audio + [("video", ["a=recvonly"])] * video)


def answering(offer: str, credentials: Credentials) -> str:
    """The answer of a viewer that takes what a server offers it, as DTLS client; all but transport-wide feedback."""
    own = {
        "ice-ufrag": credentials.ufrag,
        "ice-pwd": credentials.pwd,
        "fingerprint": f"sha-256 {credentials.fingerprint}",
        "setup": "active",
    }
    kept = ("group", "extmap-allow-mixed", "mid", "rtcp-mux", "rtcp-rsize", "rtpmap", "fmtp", "rtcp-fb", "extmap")
    lines = []
    for line in offer.splitlines():
        name = line[2:].partition(":")[0]
        if not line.startswith("a="):
            lines.append(line)
            if line.startswith("m="):
                lines += [f"a={key}:{value}" for key, value in own.items()] + ["a=recvonly"]
        elif name in kept and EXTENSIONS[TRANSPORT_CC] not in line and not line.endswith(" transport-cc"):
            lines.append(line)
    return "\r\n".join(lines) + "\r\n"


def remote(answer: str) -> Remote:
    """The answer's side, with its first IPv4 UDP candidate."""
    (ufrag, pwd, fingerprint) = (
        _first(rf"^a={name}:(\S+(?: \S+)?)", answer) for name in ("ice-ufrag", "ice-pwd", "fingerprint")
    )
    host, port = re.findall(r"^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+)", answer, re.M | re.I)[0]
    return Remote(ufrag, pwd, fingerprint.partition(" ")[2], (host, int(port)))


def payload_type(description: str, codec: str) -> int:
    """The first payload type that a description gives to a codec."""
    return int(_first(rf"^a=rtpmap:(\d+) {codec}/", description))


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.M)
    if found is None:
        raise ValueError(f"an answer without {pattern}")
    return found[1]


def _offer(credentials: Credentials, sections: list[tuple[str, list[str]]]) -> str:
    lines = [
        "v=0",
        "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE " + " ".join(str(mid) for mid in range(len(sections))),
        "a=extmap-allow-mixed",
        "a=msid-semantic: WMS",
    ]
    for mid, (kind, more) in enumerate(sections):
        lines += [*_section(kind, mid, credentials), *more]
    return "\r\n".join(lines) + "\r\n"


def _section(kind: str, mid: int, credentials: Credentials) -> list[str]:
    types = f"{AUDIO_TYPE}" if kind == "audio" else f"{VIDEO_TYPE} {RTX_TYPE} 96 97"
    lines = [
        f"m={kind} 9 UDP/TLS/RTP/SAVPF {types}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a=ice-ufrag:{credentials.ufrag}",
        f"a=ice-pwd:{credentials.pwd}",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {credentials.fingerprint}",
        f"a=setup:{credentials.setup}",
        f"a=mid:{mid}",
        *(f"a=extmap:{number} {uri}" for number, uri in EXTENSIONS.items() if number in _EVERYWHERE),
        "a=rtcp-mux",
        "a=rtcp-rsize",
    ]
    if credentials.candidate is not None:
        host, port = credentials.candidate
        lines += [f"a=candidate:1 1 udp 2122260223 {host} {port} typ host", "a=end-of-candidates"]
    if kind == "audio":
        return [
            *lines,
            f"a=rtpmap:{AUDIO_TYPE} opus/48000/2",
            f"a=rtcp-fb:{AUDIO_TYPE} transport-cc",
            f"a=fmtp:{AUDIO_TYPE} minptime=10;useinbandfec=1",
        ]
    for number, codec, rtx in ((VIDEO_TYPE, "H264", RTX_TYPE), (96, "VP8", 97)):
        lines += [f"a=rtpmap:{number} {codec}/90000"]
        lines += [f"a=rtcp-fb:{number} {what}" for what in _FEEDBACK]
        if codec == "H264":
            lines += [f"a=fmtp:{number} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"]
        lines += [f"a=rtpmap:{rtx} rtx/90000", f"a=fmtp:{rtx} apt={number}"]
    return lines


_FEEDBACK = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
