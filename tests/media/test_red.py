"""media/red.py: sound that carries the packets before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtcp, rtp
from media.red import MAX_LENGTH, MAX_OFFSET, Block, Need, carried, make, undo
from media.subscription import Slot
from tests.bench import offers
from tests.bench.stream import AUDIO_TYPE
from tests.support.flow import AUDIO, RTX, VIDEO, Browser, World
from tests.support.redundant import RED_TYPE, offering_red, redundant

pytestmark = pytest.mark.usefixtures("either_way")


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


def test_padding_is_counted_as_sound_is_and_not_asked_for() -> None:
    world = World()
    teacher, viewer, recent = red_publisher(world), world.viewer(), red_viewer(world, "recent")
    world.place(viewer, mid0="red-0")
    world.place(recent, mid0="red-0")
    lose(world, recent, teacher, RED_TYPE)
    teacher.told(rtcp.Nack)
    teacher.send_rtp(AUDIO, RED_TYPE, redundant(b"one"), sequence=61, timestamp=61 * 960)
    teacher.send_rtp(AUDIO, RED_TYPE, b"", sequence=62, timestamp=61 * 960)
    teacher.send_rtp(AUDIO, RED_TYPE, redundant(b"three", b"one"), sequence=63, timestamp=62 * 960)
    world.settle()
    world.pass_time(0.1)
    assert teacher.told(rtcp.Nack) == []
    assert [it.payload for it in viewer.take()] == [b"one", b"", b"three"]
    assert [(it.payload_type, it.payload) for it in recent.take()] == [
        (RED_TYPE, redundant(b"one", b"sound")),
        (AUDIO_TYPE, b""),
        (RED_TYPE, redundant(b"three")),
    ]


def test_redundancy_of_a_wider_spacing_is_not_taken_for_the_packet_before() -> None:
    world = World()
    teacher = red_publisher(world)
    teacher.send_rtp(AUDIO, RED_TYPE, redundant(b"one"), sequence=1, timestamp=960)
    teacher.send_rtp(AUDIO, RED_TYPE, redundant(b"three", b"one", apart=1920), sequence=3, timestamp=2880)
    assert world.worker.counters["recovered_by_redundancy"] == 0


# ── whether a viewer needs it ─────────────────────────────────────────────────────────────────────────────────────────


def needed(seconds: list[tuple[int, int]]) -> list[bool]:
    """Second by second, given packets sent and lost in each."""
    need, sent, lost, found = Need(), 0, 0, []
    need.look(0, 0, 99.0)
    for now, (more, gone) in enumerate(seconds, 100):
        sent, lost = sent + more, lost + gone
        found.append(need.look(sent, lost, float(now)))
    return found


@pytest.mark.parametrize(
    ("seconds", "within"),
    [
        ([(50, 3)] * 10, 2),  # 5 %
        ([(50, 1)] * 10, 4),  # 2 %
        ([(50, 1), (50, 0)] * 20, 8),  # 1 %
        ([(150, 3)] * 10, 2),  # three microphones
    ],
)
def test_a_line_that_loses_gets_it_within_seconds(seconds: list[tuple[int, int]], within: int) -> None:
    assert any(needed(seconds)[:within])


@pytest.mark.parametrize(
    "seconds",
    [[(50, 0)] * 60, [(50, 2)] + [(50, 0)] * 60, [(3, 0), (0, 0), (2, 1)] * 3, ([(150, 0)] * 9 + [(150, 1)]) * 6],
)
def test_a_good_line_does_not_pay_for_it(seconds: list[tuple[int, int]]) -> None:
    assert not any(needed(seconds))


def test_it_ends_after_half_a_minute_of_calm() -> None:
    found = needed([(50, 3)] * 10 + [(50, 0)] * 90)
    assert (found[9], found[35], found[-1]) == (True, True, False)
    assert found == sorted(found[:2]) + sorted(found[2:], reverse=True)


def test_counters_that_begin_anew_harm_nothing() -> None:
    need = Need()
    assert not need.look(5000, 700, 1.0)
    assert not need.look(10, 0, 2.0)


# ── to a viewer ───────────────────────────────────────────────────────────────────────────────────────────────────


def red_viewer(world: World, name: str = "class") -> Browser:
    browser = Browser(world, name)
    browser.answer("receive", offering_red(offers.watching(browser.credentials, 1, 1)))
    browser.connect()
    return browser


def lose(world: World, viewer: Browser, teacher: Browser, payload_type: int = AUDIO_TYPE) -> None:
    """A second of sound of which the viewer asks for one packet in ten again; the next packet may be the 101st."""
    inner = b"sound" if payload_type == AUDIO_TYPE else redundant(b"sound")
    for sequence in range(1, 61):
        teacher.send_rtp(AUDIO, payload_type, inner, sequence=sequence, timestamp=sequence * 960)
        world.settle()
        world.pass_time(0.02)
        last = viewer.packets[-1]
        if sequence % 10 == 0 and sequence < 60:
            viewer.lost.add((last.sequence + 1) & 0xFFFF)
        elif sequence % 10 == 2 and sequence > 10:
            viewer.report(rtcp.Nack(1, last.ssrc, ((last.sequence - 1) & 0xFFFF,)))
    world.pass_time(1.0)
    for each in world.browsers.values():
        each.take()
        each.datagrams.clear()


def test_a_viewer_whose_line_loses_gets_each_packet_with_the_one_before() -> None:
    world = World()
    teacher, old, good, viewer = world.publisher(), world.viewer("old"), red_viewer(world, "good"), red_viewer(world)
    for each in (old, good, viewer):
        world.place(each, mid0="teacher-0")
    lose(world, viewer, teacher)
    for sequence, payload in enumerate((b"one", b"two", b"three"), 101):
        teacher.say(sequence, payload)
    plain = [(AUDIO_TYPE, b"one"), (AUDIO_TYPE, b"two"), (AUDIO_TYPE, b"three")]
    assert [(it.payload_type, it.payload) for it in old.take()] == plain
    assert [(it.payload_type, it.payload) for it in good.take()] == plain
    assert [(it.payload_type, it.payload) for it in viewer.take()] == [
        (RED_TYPE, redundant(b"one")),
        (RED_TYPE, redundant(b"two", b"one")),
        (RED_TYPE, redundant(b"three", b"two")),
    ]


def test_what_is_sent_again_is_the_same_byte_for_byte_whatever_came_since() -> None:
    world = World()
    teacher, viewer = world.publisher(), red_viewer(world)
    world.place(viewer, mid0="teacher-0")
    lose(world, viewer, teacher)
    teacher.say(101, b"one")
    teacher.say(103, b"three")  # goes out without the second, which is late
    teacher.say(102, b"two")
    teacher.say(104, b"four")
    sent = list(viewer.datagrams)
    packets = viewer.take()
    assert [it.payload for it in packets] == [
        redundant(b"one"),
        redundant(b"three"),
        redundant(b"two", b"one"),
        redundant(b"four", b"three"),
    ]
    assert sorted(again(viewer, packets)) == sorted(sent)


def again(viewer: Browser, packets: list[rtp.Packet]) -> list[bytes]:
    """Ask for packets again; the datagrams that come, which a browser that knows them already would refuse."""
    found: list[bytes] = []
    viewer.receive = found.append  # type: ignore[assignment, method-assign]
    viewer.report(rtcp.Nack(1, packets[0].ssrc, tuple(sorted(it.sequence for it in packets))))
    return [data for data in found if data[0] >= 128 and not rtp.is_rtcp(data)]


def test_what_went_out_plain_before_the_line_was_bad_is_sent_again_plain() -> None:
    world = World()
    teacher, viewer = world.publisher(), red_viewer(world)
    world.place(viewer, mid0="teacher-0")
    lose(world, viewer, teacher)
    slot = next(iter(_slots(world)))
    slot.set_redundancy(False)
    teacher.say(101, b"plain")
    slot.set_redundancy(True)
    teacher.say(102, b"redundant")
    sent = list(viewer.datagrams)
    packets = viewer.take()
    assert [it.payload_type for it in packets] == [AUDIO_TYPE, RED_TYPE]
    first, second = packets
    assert (second.sequence - first.sequence) & 0xFFFF == 1
    assert (second.timestamp - first.timestamp) & 0xFFFFFFFF == 960
    assert again(viewer, packets) == sent


def _slots(world: World) -> list[Slot]:
    transport = world.worker._transports["class"]
    assert transport.viewer is not None
    return list(transport.viewer.slots.values())


def test_sound_after_a_pause_carries_nothing_from_before_it() -> None:
    world = World()
    teacher, viewer = world.publisher(), red_viewer(world)
    world.place(viewer, mid0="teacher-0")
    lose(world, viewer, teacher)
    teacher.send_rtp(AUDIO, AUDIO_TYPE, b"one", sequence=101, timestamp=101 * 960)
    world.settle()
    teacher.send_rtp(AUDIO, AUDIO_TYPE, b"two", sequence=102, timestamp=101 * 960 + 19200)
    world.settle()
    assert [it.payload for it in viewer.take()] == [redundant(b"one"), redundant(b"two")]


# ── to a viewer that knows no redundancy ──────────────────────────────────────────────────────────────────────────────


def test_a_viewer_without_it_that_loses_gets_each_packet_twice_and_plays_it_once() -> None:
    world = World()
    teacher, good, viewer = world.publisher(), world.viewer("good"), world.viewer()
    world.place(good, mid0="teacher-0")
    world.place(viewer, mid0="teacher-0")
    world.pass_time(1.0)
    for sequence in range(1, 51):
        teacher.say(sequence)
        last = viewer.packets[-1]
        if sequence in (10, 50):
            viewer.report(
                rtcp.ReceiverReport(1, (rtcp.ReportBlock(last.ssrc, 0, sequence // 10, last.sequence, 0, 0, 0),))
            )
    world.pass_time(1.0)
    datagrams: list[bytes] = []
    viewer.receive = datagrams.append  # type: ignore[assignment, method-assign]
    good.take()
    for sequence in range(51, 55):
        teacher.say(sequence)
    sound = [data for data in datagrams if not rtp.is_rtcp(data)]
    first, second, first_again, third, second_again, fourth, third_again = sound
    assert (first, second, third) == (first_again, second_again, third_again)
    assert len({first, second, third, fourth}) == 4
    assert len(good.take()) == 4


def test_what_is_left_of_the_losses_once_each_packet_comes_twice_is_still_loss() -> None:
    need = Need(remains=0.05)
    need.look(0, 0, 0.0)
    assert need.look(250, 12, 5.0)
    sent, lost = 250, 12
    for second in range(6, 300):
        sent, lost = sent + 50, lost + (second % 8 == 0)
        assert need.look(sent, lost, float(second))
    for second in range(300, 360):
        sent += 50
        need.look(sent, lost, float(second))
    assert not need.look(sent, lost, 361.0)
