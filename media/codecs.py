"""The codecs we forward: which of an offer we take, in which order, and which of a viewer's carries a published one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from media.sdp import Section, parameters

# Preferred first. H.264 because every school PC and recorder has it and the archive needs no conversion.
_NAMES = {"audio": ("opus",), "video": ("H264", "VP8", "VP9", "AV1")}
_VIDEO_FEEDBACK = ("nack", "nack pli", "ccm fir", "goog-remb", "transport-cc")

# H.264 profiles (RFC 6184 table 5) from the least that a decoder must know to the most; each can be decoded by the
# ones after it, which is all we ask: browsers offer constrained baseline, baseline, main, constrained high and high.
_H264_PROFILES = ("constrained baseline", "baseline", "main", "constrained high", "high")


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec as negotiated for one section."""

    name: str  # "opus", "H264", "VP8", "VP9", "AV1"
    payload_type: int
    clock_rate: int  # Hz
    channels: int  # 0 for video
    fmtp: str  # as in the SDP, "" if none
    rtx_payload_type: int | None
    feedback: tuple[str, ...]  # "nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"
    red_payload_type: int | None = None  # of the same sound with redundancy (RFC 2198)


def common_codecs(section: Section) -> tuple[Codec, ...]:
    """Every codec of an offered section that we forward, preferred first."""
    names = {name.lower(): name for name in _NAMES.get(section.kind, ())}
    rtpmaps, fmtps, feedback = section.rtpmaps, section.fmtps, section.feedback
    repairs: dict[str, int] = {}
    for payload_type in section.payload_types:
        if payload_type in rtpmaps and rtpmaps[payload_type].name.lower() == "rtx":
            apt = parameters(fmtps.get(payload_type, "")).get("apt", "")
            repairs.setdefault(apt, payload_type)
    found = []
    for payload_type in dict.fromkeys(section.payload_types):
        rtpmap = rtpmaps.get(payload_type)
        name = names.get(rtpmap.name.lower()) if rtpmap else None
        if rtpmap is None or name is None:
            continue
        fmtp = fmtps.get(payload_type, "")
        audio = name == "opus"
        if (rtpmap.clock_rate, rtpmap.channels if audio else 0) != ((48000, 2) if audio else (90000, 0)):
            continue
        if _is_exotic(name, fmtp):
            continue
        found.append(
            Codec(
                name,
                payload_type,
                rtpmap.clock_rate,
                rtpmap.channels if audio else 0,
                _opus_fmtp(fmtp) if audio else fmtp,
                repairs.get(str(payload_type)),
                _feedback(feedback, payload_type, audio=audio),
                _redundant(section, payload_type) if audio else None,
            )
        )
    return tuple(sorted(found, key=_rank))


def best_match(published: Codec, accepted: Sequence[Codec]) -> Codec | None:
    """Which of a viewer's codecs carries a published one, if any does.

    For H.264 a viewer that did not offer the published profile gets it all the same under another, if the packets
    have the form it expects: decoders go by the stream, and a picture that may fail beats none.
    """
    same = [codec for codec in accepted if codec.name == published.name]
    if published.name != "H264":
        return same[0] if same else None
    wanted = _packetization_mode(published.fmtp)
    fitting = [codec for codec in same if _packetization_mode(codec.fmtp) >= wanted]
    level = _h264_rank(published.fmtp)
    return min(
        fitting,
        key=lambda codec: ((rank := _h264_rank(codec.fmtp)) < level, abs(rank - level)),
        default=None,
    )


def _rank(codec: Codec) -> tuple[int, ...]:
    """Sorts a section's codecs; equal ones stay in the browser's order."""
    if codec.name == "opus":
        return (0,)
    place = _NAMES["video"].index(codec.name)
    if codec.name != "H264":
        return (place,)
    return (place, 1 - _packetization_mode(codec.fmtp), _h264_rank(codec.fmtp))


def _is_exotic(name: str, fmtp: str) -> bool:
    """10-bit and 4:4:4 profiles, which most viewers could not show; interleaved H.264, which nobody speaks."""
    given = parameters(fmtp)
    if name == "H264":
        return given.get("packetization-mode", "0") not in ("0", "1")
    profile = {"VP9": "profile-id", "AV1": "profile"}.get(name)
    return profile is not None and given.get(profile, "0") != "0"


def _packetization_mode(fmtp: str) -> int:
    return 1 if parameters(fmtp).get("packetization-mode") == "1" else 0


def _h264_rank(fmtp: str) -> int:
    """Index into _H264_PROFILES; an unknown profile counts as the most demanding."""
    text = parameters(fmtp).get("profile-level-id", "420010")  # RFC 6184 section 8.1: baseline if absent
    try:
        idc, constraints, _ = bytes.fromhex(text)
    except ValueError:
        return len(_H264_PROFILES)
    if idc == 0x42:
        return 0 if constraints & 0x40 else 1
    if idc == 0x4D:
        return 0 if constraints & 0x80 else 2
    if idc == 0x58:
        return 0 if constraints & 0xC0 == 0xC0 else 1
    if idc == 0x64:
        return 3 if constraints & 0x0C == 0x0C else 4
    return len(_H264_PROFILES)


def _opus_fmtp(fmtp: str) -> str:
    """What was offered, and asked for whether it was or not (RFC 7587 section 6.1): in-band FEC, for sound comes first
    (design section 1), and silence that takes no packets (DTX): most open microphones of a lesson listen.
    """
    ours = {"useinbandfec": "1", "usedtx": "1"}
    others = [part.strip() for part in fmtp.split(";") if part.strip()]
    kept = [part for part in others if part.partition("=")[0].strip().lower() not in ours]
    return ";".join([*kept, *(f"{name}={value}" for name, value in ours.items())])


def _redundant(section: Section, payload_type: int) -> int | None:
    """The payload type that carries this one and older packets of it, as Chromium offers; Firefox offers none."""
    rtpmaps, fmtps = section.rtpmaps, section.fmtps
    for candidate in section.payload_types:
        rtpmap = rtpmaps.get(candidate)
        if rtpmap is not None and (rtpmap.name.lower(), rtpmap.clock_rate, rtpmap.channels) == ("red", 48000, 2):
            inner = fmtps.get(candidate, "").split("/")
            if len(inner) > 1 and {each.strip() for each in inner} == {str(payload_type)}:
                return candidate
    return None


def _feedback(offered: Mapping[str, set[str]], payload_type: int, *, audio: bool) -> tuple[str, ...]:
    places = [offered[key] for key in (str(payload_type), "*") if key in offered]
    known = tuple(feedback for feedback in _VIDEO_FEEDBACK if any(feedback in place for place in places))
    if audio:  # nobody offers NACK for audio, but Chromium does it both ways when the answer says so
        return ("nack", *(feedback for feedback in known if feedback == "transport-cc"))
    return known
