"""media/red.py: sound that carries the packets before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtp
from media.red import MAX_LENGTH, MAX_OFFSET, Block, carried, make, undo
from tests.bench import offers
from tests.bench.stream import AUDIO_TYPE
from tests.support.flow import AUDIO, RTX, VIDEO, Browser, World
from tests.support.redundant import RED_TYPE, offering_red, redundant


def packet(payload: bytes, sequence: int = 10, timestamp: int = 9600) -> rtp.Packet:
    made = rtp.parse(rtp.HEADER.pack(0x80, RED_TYPE, sequence, timestamp, 7) + payload)
    assert made is not None
    return made


def test_what_is_undone_is_plain_and_gives_the_packets_before() -> None:
    it = packet(redundant(b"now", b"older", b"old"))
    blocks = undo(it, AUDIO_TYPE)
    assert (it.payload_type, it.payload) == (AUDIO_TYPE, b"now")
    assert it.plain()[1] & 0x7F == AUDIO_TYPE
    assert blocks == [Block(2, 1920, b"older"), Block(1, 960, b"old")]
    before = carried(it, blocks[0])
    assert (before.sequence, before.timestamp, before.ssrc, before.payload) == (8, 9600 - 1920, 7, b"older")
    assert before.payload_type == AUDIO_TYPE


def test_numbers_of_what_is_carried_wrap() -> None:
    it = packet(redundant(b"now", b"old"), sequence=0, timestamp=0)
    blocks = undo(it, AUDIO_TYPE)
    assert blocks is not None
    before = carried(it, blocks[0])
    assert (before.sequence, before.timestamp) == (0xFFFF, 0x1_0000_0000 - 960)


def test_a_packet_may_carry_nothing_besides_itself() -> None:
    it = packet(redundant(b"now"))
    assert undo(it, AUDIO_TYPE) == []
    assert it.payload == b"now"


def test_an_empty_block_keeps_its_place_and_is_none() -> None:
    it = packet(redundant(b"now", b"older", b""))
    assert undo(it, AUDIO_TYPE) == [Block(2, 1920, b"older")]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xef",  # a head cut off
        b"\xef\x0f\x00\x03",  # no own head
        b"\xef\x0f\x00\x03\x6fab",  # a block longer than the packet
        b"\x00own of another type",
        (b"\xef\x0f\x00\x01" * 20) + b"\x6f" + b"a" * 30,  # more blocks than anybody sends
    ],
)
def test_what_is_no_redundancy_stays_as_it_is(payload: bytes) -> None:
    it = packet(payload)
    assert undo(it, AUDIO_TYPE) is None
    assert (it.payload_type, it.payload) == (RED_TYPE, payload)


@given(st.binary(max_size=60))
def test_no_bytes_make_it_raise(payload: bytes) -> None:
    undo(packet(payload), AUDIO_TYPE)


_BLOCKS = st.lists(
    st.builds(Block, st.just(1), st.integers(1, MAX_OFFSET), st.binary(min_size=1, max_size=MAX_LENGTH)),
    max_size=3,
)


@given(st.binary(min_size=1, max_size=200), _BLOCKS)
def test_what_is_made_can_be_undone(payload: bytes, older: list[Block]) -> None:
    it = packet(make(payload, AUDIO_TYPE, older))
    found = undo(it, AUDIO_TYPE)
    assert found is not None
    assert it.payload == payload
    assert [block[1:] for block in found] == [block[1:] for block in older]


def test_what_is_made_is_what_chromium_sends() -> None:
    older = [Block(2, 1920, b"older"), Block(1, 960, b"old")]
    assert make(b"now", AUDIO_TYPE, older) == redundant(b"now", b"older", b"old")


# ── from a publisher ──────────────────────────────────────────────────────────────────────────────────────────────


def red_publisher(world: World) -> Browser:
    browser = Browser(world, "red")
    browser.answer("send", offering_red(offers.publishing(browser.credentials, AUDIO, VIDEO, RTX)))
    browser.connect()
    return browser


def test_lost_sound_comes_with_the_next_packet_and_is_not_asked_for() -> None:
    world = World()
    teacher = red_publisher(world)
    viewer = world.viewer()
    world.place(viewer, mid0="red-0")

    def say(sequence: int, payload: bytes) -> None:
        teacher.send_rtp(AUDIO, RED_TYPE, payload, sequence=sequence, timestamp=sequence * 960)
        world.settle()

    say(1, redundant(b"one"))
    say(2, redundant(b"two", b"one"))
    say(4, redundant(b"four", b"three"))
    say(6, redundant(b"six", b"five"))
    world.pass_time(0.1)
    packets = viewer.take()
    assert [it.payload for it in packets] == [b"one", b"two", b"three", b"four", b"five", b"six"]
    assert {it.payload_type for it in packets} == {AUDIO_TYPE}
    first = packets[0]
    assert [(it.sequence - first.sequence) & 0xFFFF for it in packets] == list(range(6))
    assert [(it.timestamp - first.timestamp) & 0xFFFFFFFF for it in packets] == [n * 960 for n in range(6)]
    assert world.worker.counters["recovered_by_redundancy"] == 2
    assert world.worker.counters["nacked_upstream"] == 0
    assert world.worker.counters["dropped_repeated"] == 0


def test_redundancy_of_a_wider_spacing_is_not_taken_for_the_packet_before() -> None:
    world = World()
    teacher = red_publisher(world)
    teacher.send_rtp(AUDIO, RED_TYPE, redundant(b"one"), sequence=1, timestamp=960)
    teacher.send_rtp(AUDIO, RED_TYPE, redundant(b"three", b"one", apart=1920), sequence=3, timestamp=2880)
    assert world.worker.counters["recovered_by_redundancy"] == 0
