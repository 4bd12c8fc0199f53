import struct

from media.backlog import MOST, PICTURE_BEHIND, SOUND_BEHIND, Backlog
from media.stream_framing import Frames, framed

CAMERA, SCREEN, VOICE = 1, 2, 3
SOUND = frozenset({VOICE})
STUN = b"\x01\x01" + bytes(30)
REPORT = b"\x80\xc8" + bytes(26)


def packet(ssrc: int, sequence: int, frame: int, size: int = 1000) -> bytes:
    return struct.pack("!BBHII", 0x80, 96, sequence, frame * 3000, ssrc) + bytes(size - 12)


def sequences(backlog: Backlog, ssrc: int) -> list[int]:
    datagrams = Frames().feed(b"".join(backlog.take(1 << 30)))
    return [int.from_bytes(each[2:4], "big") for each in datagrams if int.from_bytes(each[8:12], "big") == ssrc]


def test_while_the_other_end_reads_everything_goes_in_order() -> None:
    backlog = Backlog()
    sent = [packet(CAMERA, 1, 1), packet(VOICE, 1, 1, 80), STUN, packet(CAMERA, 2, 1)]
    assert all(backlog.put(datagram, SOUND, 0.0) for datagram in sent)
    assert b"".join(backlog.take()) == b"".join(map(framed, sent))


def test_a_picture_that_would_be_late_is_dropped_to_the_end_of_its_frame() -> None:
    backlog = Backlog()
    assert backlog.put(packet(CAMERA, 1, 1), SOUND, 0.0)
    assert backlog.put(packet(CAMERA, 2, 2), SOUND, PICTURE_BEHIND)
    late = PICTURE_BEHIND + 0.01
    assert not backlog.put(packet(CAMERA, 3, 2), SOUND, late)
    backlog.sent(backlog.size)  # now it reads again, but this frame is broken already
    assert not backlog.put(packet(CAMERA, 4, 2), SOUND, late)
    assert backlog.put(packet(SCREEN, 1, 2), SOUND, late)
    assert backlog.put(packet(CAMERA, 5, 3), SOUND, late)
    assert sequences(backlog, CAMERA) == [5]


def test_sound_waits_longer_than_pictures_and_then_goes_too() -> None:
    backlog = Backlog()
    backlog.put(packet(CAMERA, 1, 1), SOUND, 0.0)
    assert not backlog.put(packet(CAMERA, 2, 2), SOUND, 0.9)
    assert backlog.put(packet(VOICE, 1, 1), SOUND, 0.9)
    assert not backlog.put(packet(VOICE, 2, 2), SOUND, SOUND_BEHIND + 0.01)


def test_checks_handshakes_and_reports_are_dropped_only_when_memory_must_end() -> None:
    backlog = Backlog()
    backlog.put(packet(CAMERA, 1, 1), SOUND, 0.0)
    for datagram in (STUN, REPORT, b"\x16" + bytes(50)):
        assert backlog.put(datagram, SOUND, 60.0)
    while backlog.put(STUN, SOUND, 60.0):
        assert backlog.size <= MOST + len(STUN) + 2


def test_a_burst_larger_than_the_memory_is_cut_at_a_frame() -> None:
    backlog = Backlog()
    taken = sum(backlog.put(packet(CAMERA, n, 1), SOUND, 0.0) for n in range(2000))
    assert taken * 1002 <= MOST + 1002
    assert not backlog.put(packet(VOICE, 1, 1), SOUND, 0.0)


def test_what_the_connection_took_only_in_part_goes_on_where_it_stopped() -> None:
    backlog = Backlog()
    sent = [packet(CAMERA, n, n) for n in range(3)]
    for datagram in sent:
        backlog.put(datagram, SOUND, 0.0)
    stream = b""
    whole = 0
    for count in (500, 502, 1, 1503, 500):
        stream += b"".join(backlog.take())[:count]
        whole += backlog.sent(count)
    assert Frames().feed(stream) == sent
    assert (whole, backlog.size, len(backlog)) == (3, 0, 0)


def test_how_far_behind_is_the_age_of_the_oldest() -> None:
    backlog = Backlog()
    assert backlog.behind(5.0) == 0.0
    backlog.put(STUN, SOUND, 5.0)
    backlog.put(STUN, SOUND, 6.0)
    assert backlog.behind(7.0) == 2.0
    backlog.sent(len(STUN) + 2)
    assert backlog.behind(7.0) == 1.0
