import struct
from fractions import Fraction

import av

from tests.bench import stream
from tests.bench.lesson import payload_of
from tests.bench.peer import SAMPLE, _filter


def test_the_stream_is_as_heavy_as_a_camera_in_720p() -> None:
    octets = sum(len(payload) for frame in stream.video_frames() for payload in frame)
    assert 0.9 < octets * 8 / stream.SECONDS / stream.SINGLE.bit_rate < 1.1


def test_only_the_first_frame_is_a_key_frame_and_begins_as_one() -> None:
    starts = [stream.starts_key_frame(payload) for frame in stream.video_frames() for payload in frame]
    assert starts[0]
    assert sum(starts) == 1


def test_no_payload_is_longer_than_a_browser_would_send() -> None:
    assert max(len(payload) for frame in stream.video_frames() for payload in frame) <= stream.MAX_PAYLOAD + 2


def test_the_payloads_put_together_decode_to_the_picture() -> None:
    decoder = av.CodecContext.create("h264", "r")
    pictures = []
    for frame in stream.video_frames()[:10]:
        unit = b""
        for payload in frame:
            kind = payload[0] & 31
            if kind == 24:
                at = 1
                while at < len(payload):
                    size = int.from_bytes(payload[at : at + 2], "big")
                    unit += b"\0\0\0\1" + payload[at + 2 : at + 2 + size]
                    at += 2 + size
            elif kind == 28:
                if payload[1] & 0x80:
                    unit += b"\0\0\0\1" + bytes((payload[0] & 0xE0 | payload[1] & 31,))
                unit += payload[2:]
            else:
                unit += b"\0\0\0\1" + payload
        pictures += decoder.decode(av.Packet(unit))
    pictures += decoder.decode(None)
    assert [(picture.width, picture.height) for picture in pictures] == [(1280, 720)] * 10


def test_a_packet_carries_its_extensions_and_its_payload() -> None:
    source = stream.Source(7, stream.VIDEO_TYPE, (stream.ABS_SEND_TIME, stream.TRANSPORT_CC), sequence=0xFFFF)
    first, second = (source.packet(b"payload", 90_000, marker=True, seconds=1.5) for _ in range(2))
    assert struct.unpack("!BBHII", first[:12]) == (0x90, 0x80 | stream.VIDEO_TYPE, 0xFFFF, 90_000, 7)
    assert second[2:4] == b"\0\0"
    assert first[16] == stream.ABS_SEND_TIME << 4 | 2
    assert Fraction(int.from_bytes(first[17:20], "big"), 1 << 18) == Fraction(3, 2)
    assert payload_of(first) == b"payload"


def passes(datagram: bytes) -> bool:
    """What the kernel's filter decides, by a reading of the same program."""
    packet, at, accumulator = bytes(8) + datagram, 0, 0
    program = list(struct.iter_unpack("@HBBI", _filter()))
    while True:
        code, yes, no, operand = program[at]
        at += 1
        match code:
            case 0x30:
                accumulator = packet[operand]
            case 0x28:
                accumulator = int.from_bytes(packet[operand : operand + 2], "big")
            case 0x54:
                accumulator &= operand
            case 0x15:
                at += yes if accumulator == operand else no
            case 0x35:
                at += yes if accumulator >= operand else no
            case 0x06:
                return bool(operand)


def test_the_kernel_filter_passes_checks_handshakes_and_every_sixteenth_packet() -> None:
    assert passes(b"\x00\x01" + bytes(30))  # STUN
    assert passes(b"\x16\xfe\xfd" + bytes(30))  # DTLS
    assert not passes(b"\x81\xc8" + bytes(30))  # a sender report
    for number in range(64):
        for second in (111, 102, 102 | 0x80):
            assert passes(struct.pack("!BBH", 0x90, second, number) + bytes(30)) == (number % SAMPLE == 0)


def test_a_frame_is_cut_into_packets_of_nearly_one_length_the_longer_ones_last() -> None:
    assert [len(piece) for piece in stream._about_equally(bytes(3302), 1100)] == [825, 825, 826, 826]
    assert b"".join(stream._about_equally(bytes(range(100)), 30)) == bytes(range(100))
