"""media/relay_link.py: tracks between workers, as bytes and back."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import relay_link
from media.answer import AUDIO_LEVEL, NegotiatedSection, Source
from media.codecs import Codec
from media.relay_link import Frame, FrameType, LayerState, Reader, RelayError, Report, Track

H264 = Codec("H264", 102, 90000, 0, "packetization-mode=1", 103, ("nack", "nack pli"))
SECTION = NegotiatedSection(
    "1", "video", "recvonly", (H264,), {AUDIO_LEVEL: 4}, (Source(7, 8), Source(9, None)), ("q", "h"), None, True
)


def one(data: bytes) -> Frame:
    (frame,) = Reader().feed(data)
    return frame


def test_what_must_be_known_of_a_publication_comes_back_as_it_was() -> None:
    track = Track("s-1", ("h", "q"), SECTION)
    frame = one(relay_link.pack_track(5, track))
    assert (frame.type, frame.handle, frame.track()) == (FrameType.TRACK, 5, track)


def test_every_frame_says_what_was_put_into_it() -> None:
    assert one(relay_link.pack_time(12.345678)).time() == 12.345678
    assert one(relay_link.pack_report(3, Report(2, 7, 1 << 60, 0xFFFFFFFF))).report() == Report(
        2, 7, 1 << 60, 0xFFFFFFFF
    )
    states = [LayerState(0, True, 180, 120_000.0), LayerState(1, False, 0, 0.0)]
    assert one(relay_link.pack_state(3, states)).state() == states
    assert one(relay_link.pack_pull(3, "s-1-x摄")).publication_id() == "s-1-x摄"
    assert one(relay_link.pack_want(3, {2, 0})).layers() == {0, 2}
    assert one(relay_link.pack_want(3, ())).layers() == frozenset()
    assert one(relay_link.pack_key_frame(3, 1)).layer() == 1
    packet = one(relay_link.pack_rtp(3, 1, b"\x80packet"))
    assert (packet.type, packet.handle, packet.layer(), packet.payload[1:]) == (FrameType.RTP, 3, 1, b"\x80packet")


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.integers(1, 30))
def test_frames_come_out_whole_however_the_bytes_are_cut(packets: list[bytes], step: int) -> None:
    data = b"".join(relay_link.pack_rtp(number, 0, packet) for number, packet in enumerate(packets))
    reader = Reader()
    frames = [frame for at in range(0, len(data), step) for frame in reader.feed(data[at : at + step])]
    assert [(frame.handle, frame.payload[1:]) for frame in frames] == list(enumerate(packets))


@pytest.mark.parametrize("length", [0, 4, relay_link.MAX_FRAME + 1, 0xFFFFFFFF])
def test_a_length_that_cannot_be_ends_the_connection(length: int) -> None:
    with pytest.raises(RelayError):
        Reader().feed(length.to_bytes(4, "big") + bytes(9))


@pytest.mark.parametrize("payload", [b"", b"{}", b"[1]", b"\xff", b'{"type":"Track","transport_id":"sec"}', b"\x11"])
def test_a_payload_that_is_none_ends_the_connection(payload: bytes) -> None:
    frame = Frame(FrameType.TRACK, 1, payload)
    for read in (frame.track, frame.report, frame.time, *([frame.state] if payload else [])):
        with pytest.raises(RelayError):
            read()
    if payload in (b"", b"\xff"):
        with pytest.raises(RelayError):
            frame.layer()


def test_layers_and_ids_that_cannot_be_end_the_connection() -> None:
    with pytest.raises(RelayError):
        Frame(FrameType.WANT, 1, b"\x00\x10").layers()
    with pytest.raises(RelayError):
        Frame(FrameType.PULL, 1, b"\xff").publication_id()


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    try:
        frames = Reader().feed(data)
    except RelayError:
        return
    for frame in frames:
        for read in (
            frame.time,
            frame.track,
            frame.layer,
            frame.layers,
            frame.report,
            frame.state,
            frame.publication_id,
        ):
            with contextlib.suppress(RelayError):
                read()
