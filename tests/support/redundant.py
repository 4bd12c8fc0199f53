"""Redundant sound (RFC 2198) as Chromium offers and sends it, written without the code that is tested by it."""

from __future__ import annotations

from tests.bench.stream import AUDIO_TYPE

RED_TYPE = 63


def offering_red(sdp: str) -> str:
    """An offer with redundancy beside Opus in its audio sections, in Chromium's words."""
    return sdp.replace(f"SAVPF {AUDIO_TYPE}\r\n", f"SAVPF {AUDIO_TYPE} {RED_TYPE}\r\n").replace(
        f"a=rtpmap:{AUDIO_TYPE} opus/48000/2\r\n",
        f"a=rtpmap:{AUDIO_TYPE} opus/48000/2\r\n"
        f"a=rtpmap:{RED_TYPE} red/48000/2\r\na=fmtp:{RED_TYPE} {AUDIO_TYPE}/{AUDIO_TYPE}\r\n",
    )


def redundant(payload: bytes, *older: bytes, apart: int = 960) -> bytes:
    """A payload with older ones, the oldest first, each `apart` ticks from the next."""
    heads = b""
    for number, block in enumerate(older):
        offset = (len(older) - number) * apart
        heads += bytes((0x80 | AUDIO_TYPE, offset >> 6, (offset & 0x3F) << 2 | len(block) >> 8, len(block) & 0xFF))
    return heads + bytes((AUDIO_TYPE,)) + b"".join(older) + payload
