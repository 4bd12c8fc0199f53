"""media/layers.py, and what publication, slot and publisher make of layers: one picture without end in three sizes."""

from __future__ import annotations

from itertools import pairwise

import pytest

from media import rtcp, rtp
from media.layers import Choice, Layer, in_order, nominal
from media.messages import LayersWanted, PublicationFlowing, Record, StopRecording
from media.publication import Publication
from media.recording_link import Frame, FrameType, Reader
from media.subscription import Slot
from tests.support.flow import HEIGHTS, LAYERS, RIDS, VP8_DELTA, Browser, World, vp8_key

pytestmark = pytest.mark.usefixtures("either_way")

CAMERA = "teacher-1"
LOW, MIDDLE, HIGH = Choice(0), Choice(1), Choice(2)
WALL = 1_700_000_000  # seconds since 1970, of a publisher whose clock is right
_choose = Slot.choose


@pytest.fixture(autouse=True)
def _only_the_test_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what the viewer's line can take."""
    monkeypatch.setattr(Slot, "choose", lambda *_: None)


def packet_of(number: int, size: int) -> rtp.Packet:
    packet = rtp.parse(rtp.HEADER.pack(0x80, 96, number, 3600 * number, 1) + bytes(size - 12))
    assert packet is not None
    return packet


class Lesson:
    """A teacher who sends three layers, each frame of all of them, and a class with one slot."""

    def __init__(self) -> None:
        self.world = World()
        self.teacher = self.world.simulcaster()
        self.viewer = self.world.viewer(audio=0, video=1)
        self.sequence = {rid: 1000 * (n + 1) for n, rid in enumerate(RIDS)}
        self.silent: set[str] = set()
        self.frames()  # of which nobody has asked for a key frame yet
        self.world.place(self.viewer, mid0=CAMERA)

    @property
    def publication(self) -> Publication:
        return self.world.worker._publications[CAMERA]

    @property
    def slot(self) -> Slot:
        viewer = self.world.worker._transports["class"].viewer
        assert viewer is not None
        return viewer.slots["0"]

    def choose(self, choice: Choice | None) -> None:
        _choose(self.slot, choice, self.world.now)
        self.world.settle()

    def frames(self, count: int = 1) -> None:
        """Frames at 25 a second; a layer that was asked for a key frame answers with one."""
        for _ in range(count):
            asked = {it.media_ssrc for it in self.teacher.told(rtcp.PictureLoss) if isinstance(it, rtcp.PictureLoss)}
            for rid in RIDS:
                if rid in self.silent:
                    continue
                fresh = self.sequence[rid] % 1000 == 0 or LAYERS[rid] in asked
                payload = vp8_key(HEIGHTS[rid]) if fresh else VP8_DELTA
                self.show(rid, payload)
            self.world.pass_time(0.04)

    def show(self, rid: str, payload: bytes | None = None, later: int = 0) -> None:
        """A frame of one layer, a key frame if nothing is said, taken `later` ticks than now."""
        self.teacher.show_layer(rid, self.sequence[rid], payload, self.timestamp(rid) + later & 0xFFFFFFFF)
        self.sequence[rid] += 1

    def timestamp(self, rid: str) -> int:
        """Of a frame taken now: each layer has an origin of its own."""
        return int(self.world.now * 90000) + LAYERS[rid] * 1_000_003 & 0xFFFFFFFF

    def report(self) -> None:
        """Sender reports of all layers."""
        at = int((2_208_988_800 + WALL + self.world.now) * 2**32)
        self.teacher.report(*(rtcp.SenderReport(LAYERS[rid], at, self.timestamp(rid), 1, 1) for rid in RIDS))

    def wanted(self) -> tuple[str, ...] | None:
        told = [event for event in self.world.events if isinstance(event, LayersWanted)]
        return told[-1].rids if told else None


def test_an_answer_takes_all_layers_and_their_order_is_by_size() -> None:
    lesson = Lesson()
    assert "a=rid:m recv\r\n" in lesson.teacher.answered.answer
    assert "a=simulcast:recv h;m;l\r\n" in lesson.teacher.answered.answer
    assert [(it.rid, it.height) for it in lesson.publication.layers] == [("l", 180), ("m", 360), ("h", 720)]
    assert [event for event in lesson.world.events if isinstance(event, PublicationFlowing)] == [
        PublicationFlowing(CAMERA, "VP8")
    ]


def test_a_slot_gets_the_best_layer_until_somebody_chooses() -> None:
    lesson = Lesson()
    lesson.frames(2)
    assert (lesson.slot.chosen, lesson.slot.carried) == (HIGH, HIGH)
    assert lesson.viewer.take()[0].payload == vp8_key(720)


def test_another_layer_comes_with_its_key_frame_and_the_present_one_goes_on_until_then() -> None:
    lesson = Lesson()
    lesson.frames(2)
    lesson.viewer.take()
    lesson.choose(LOW)
    (asked,) = lesson.teacher.told(rtcp.PictureLoss)
    assert isinstance(asked, rtcp.PictureLoss)
    assert asked.media_ssrc == LAYERS["l"]
    lesson.show("l", VP8_DELTA)
    lesson.show("h", VP8_DELTA + b"still")
    assert lesson.slot.carried == HIGH
    lesson.show("l")
    lesson.show("h", VP8_DELTA)
    assert lesson.slot.carried == LOW
    assert [packet.payload for packet in lesson.viewer.take()] == [VP8_DELTA + b"still", vp8_key(180)]


def test_numbers_have_no_hole_and_no_repetition_over_many_changes() -> None:
    lesson = Lesson()
    began = lesson.world.now
    lesson.frames(3)
    for choice in (LOW, HIGH, MIDDLE, LOW, MIDDLE, HIGH):
        lesson.choose(choice)
        lesson.frames(15)
        assert lesson.slot.carried == choice
    packets = [it for it in lesson.viewer.take() if it.ssrc == lesson.slot.ssrc]  # and probes, as RTX
    first = packets[0]
    assert [(it.sequence - first.sequence) & 0xFFFF for it in packets] == list(range(len(packets)))
    assert len({it.ssrc for it in packets}) == 1
    steps = [(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(packets)]
    assert all(0 < step <= 2 * 3600 for step in steps)
    assert abs(sum(steps) - (lesson.world.now - began) * 90000) < 5 * 3600  # one picture each from two layers at times


def test_vp8_picture_numbers_go_on_from_layer_to_layer() -> None:
    lesson = Lesson()
    numbered = "90e0 {:04x} {:02x} 20 {}"

    def key(rid: str, picture: int, base: int) -> None:
        frame = vp8_key(HEIGHTS[rid])[1:].hex()
        lesson.show(rid, bytes.fromhex(numbered.format(0x8000 | picture, base, frame)))

    key("h", 0x7FFF, 250)
    lesson.choose(LOW)
    key("l", 77, 3)
    lesson.choose(HIGH)
    key("h", 4, 254)
    assert [packet.payload[2:5].hex() for packet in lesson.viewer.take()] == ["fffffa", "8000fb", "8001fc"]


def test_padding_without_a_picture_does_not_set_picture_numbers_back() -> None:
    lesson = Lesson()
    for choice, rid, picture in ((HIGH, "h", 5), (LOW, "l", 900), (HIGH, "h", 6)):
        lesson.choose(choice)
        frame = vp8_key(HEIGHTS[rid])[1:].hex()
        lesson.show(rid, bytes.fromhex(f"90e0 {0x8000 | picture:04x} 01 20 {frame}"))
        lesson.show(rid, b"")
    packets = lesson.viewer.take()
    assert [packet.payload[2:4].hex() for packet in packets if packet.payload] == ["8005", "8006", "8007"]
    assert [(it.sequence - packets[0].sequence) & 0xFFFF for it in packets] == list(range(6))


def test_timestamps_follow_the_sender_reports_of_both_layers() -> None:
    lesson = Lesson()
    lesson.show("h")
    lesson.report()
    lesson.choose(LOW)
    lesson.world.pass_time(0.3)  # the network was slow: by arrival it would be 27000
    lesson.show("l", later=4500 - 27000)
    one, other = lesson.viewer.take()
    assert abs(other.timestamp - one.timestamp - 4500) <= 1  # reports are rounded


def test_a_picture_that_both_layers_show_does_not_come_twice_at_one_time() -> None:
    lesson = Lesson()
    lesson.show("h")
    lesson.report()
    lesson.choose(LOW)
    lesson.world.pass_time(0.3)
    lesson.show("l", later=-27000)
    one, other = lesson.viewer.take()
    assert other.timestamp - one.timestamp == 1


def test_what_was_lost_before_a_change_is_still_repeated() -> None:
    lesson = Lesson()
    lesson.frames(2)
    lost = lesson.viewer.take()[-1]
    lesson.choose(LOW)
    lesson.frames(2)
    lesson.viewer.take()
    lesson.viewer.report(rtcp.Nack(1, lost.ssrc, (lost.sequence,)))
    (again,) = lesson.viewer.take()
    original = again.without_rtx(lost.payload_type, lost.ssrc)
    assert original is not None
    assert (original.sequence, original.timestamp, original.payload) == (lost.sequence, lost.timestamp, lost.payload)


def test_a_slot_paused_for_want_of_bandwidth_is_silent_until_chosen_again() -> None:
    lesson = Lesson()
    lesson.frames(2)
    lesson.choose(None)
    lesson.viewer.take()
    lesson.frames(5)
    assert (lesson.slot.paused, lesson.slot.chosen, lesson.slot.carried) == (True, None, None)
    assert lesson.viewer.take() == []
    lesson.choose(LOW)
    lesson.frames(2)
    assert lesson.slot.carried == LOW
    assert lesson.viewer.take()[0].payload == vp8_key(180)


def test_a_best_layer_that_ceases_is_stood_in_for_within_half_a_second_and_comes_back() -> None:
    lesson = Lesson()
    lesson.frames(10)
    lesson.silent = {"h"}
    before = lesson.world.now
    lesson.viewer.take()
    while lesson.slot.carried != MIDDLE:
        lesson.frames()
        assert lesson.world.now - before < 0.5
    assert lesson.slot.chosen == HIGH
    assert [option.flowing for option in lesson.publication.options(lesson.world.now)] == [True, True, False]
    lesson.silent = set()
    lesson.frames(3)
    assert lesson.slot.carried == HIGH


def test_a_screen_with_five_pictures_a_second_is_not_taken_for_silent() -> None:
    world = World()
    teacher, viewer = world.simulcaster(rids=("h", "l")), world.viewer(audio=0, video=1)
    world.place(viewer, mid0=CAMERA)
    for number in range(60):
        teacher.show_layer("h", number, vp8_key(720) if number == 0 else VP8_DELTA)
        if number % 3 == 0:
            teacher.show_layer("l", number, vp8_key(720) if number == 0 else VP8_DELTA)
        world.pass_time(1 / 15)
    layers = world.worker._publications[CAMERA].layers
    assert [(it.rid, it.height, it.flowing) for it in layers] == [("l", 720, True), ("h", 720, True)]


def test_when_all_cease_at_once_nobody_changes() -> None:
    lesson = Lesson()
    lesson.frames(5)
    lesson.world.pass_time(10.0)
    assert lesson.slot.carried == HIGH


def test_a_layer_nobody_needs_is_told_after_two_seconds_and_one_that_is_needed_at_once() -> None:
    lesson = Lesson()
    lesson.frames(25)
    assert lesson.wanted() is None
    lesson.frames(40)
    assert lesson.wanted() == ("h", "l")  # the least stays: it costs little, and who falls back does not wait
    lesson.silent = {"m"}
    lesson.frames(20)
    lesson.choose(MIDDLE)
    assert lesson.wanted() == ("h", "m", "l")
    lesson.frames(5)
    assert lesson.slot.carried == LOW  # rather than the one that is too much for the line
    lesson.silent = set()
    lesson.frames(2)
    assert lesson.slot.carried == MIDDLE
    lesson.frames(60)
    assert lesson.wanted() == ("m", "l")


def test_a_slot_that_is_emptied_or_paused_needs_nothing() -> None:
    lesson = Lesson()
    lesson.frames(5)
    lesson.choose(None)
    lesson.frames(60)
    assert lesson.wanted() == ("l",)


def recorded(lesson: Lesson) -> list[tuple[str, list[Frame], bytes]]:
    """What the recorder was sent, by layer: what came before its first packet, and the payload of that."""
    rids = {ssrc: rid for rid, ssrc in LAYERS.items()}
    runs: list[tuple[str, list[Frame], bytes]] = []
    others: list[Frame] = []
    for frame in Reader().feed(lesson.world.worker.recorder_feed.take()):
        if frame.type is not FrameType.RTP:
            others.append(frame)
            continue
        packet = rtp.parse(frame.rtp()[1])
        assert packet is not None
        if not runs or runs[-1][0] != rids[packet.ssrc]:
            runs.append((rids[packet.ssrc], others, packet.payload))
        others = []
    return runs


def test_the_recorder_gets_the_best_layer_and_another_only_from_its_key_frame_on() -> None:
    lesson = Lesson()
    worker = lesson.world.worker
    lesson.choose(LOW)
    record = Record(CAMERA, "lesson", "lead", "camera", True, 0)
    worker.handle(record, lesson.world.now)
    lesson.frames(70)
    assert lesson.wanted() == ("h", "l")
    lesson.report()
    lesson.silent = {"h"}
    lesson.frames(20)
    lesson.silent = set()
    lesson.frames(10)
    runs = [(rid, [frame.type for frame in frames], payload) for rid, frames, payload in recorded(lesson)]
    assert [run[0] for run in runs] == ["h", "m", "h"]
    assert [run[2] for run in runs[1:]] == [vp8_key(360), vp8_key(720)]
    assert [run[1][-2:] for run in runs[1:]] == [[FrameType.TRACK, FrameType.REPORT]] * 2
    worker.handle(StopRecording(CAMERA), lesson.world.now)
    lesson.frames(60)
    assert lesson.wanted() == ("l",)


def test_a_recording_wakes_the_best_layer_when_it_had_been_switched_off() -> None:
    lesson = Lesson()
    lesson.choose(LOW)
    lesson.frames(70)
    assert lesson.wanted() == ("l",)
    lesson.silent = {"h", "m"}  # the browser does as it is told
    lesson.frames(20)
    lesson.world.worker.handle(Record(CAMERA, "lesson", "lead", "camera", True, 0), lesson.world.now)
    assert lesson.wanted() == ("h", "l")
    lesson.frames(10)
    lesson.silent = {"m"}
    lesson.frames(10)
    assert [(rid, payload) for rid, _, payload in recorded(lesson)][-1] == ("h", vp8_key(720))


def test_loss_of_a_layer_is_repaired_by_its_own_rtx() -> None:
    lesson = Lesson()
    lesson.frames(3)
    lesson.viewer.take()
    lesson.sequence["h"] += 1  # one is lost on the way
    lesson.frames(2)
    nacks = [it for it in lesson.teacher.told(rtcp.Nack) if isinstance(it, rtcp.Nack)]
    assert {it.media_ssrc for it in nacks} == {LAYERS["h"]}
    (lost,) = {sequence for nack in nacks for sequence in nack.lost}
    timestamp = lesson.publication.streams[-1]._newest - 3600
    lesson.teacher.repair_layer("h", lost, VP8_DELTA + b"again", timestamp=timestamp)
    assert lesson.viewer.take()[-1].payload == VP8_DELTA + b"again"


@pytest.mark.parametrize("extensions", [[(1, b"1"), (5, b"x")], [(1, b"1")], [(5, b"h"), (1, b"7")]])
def test_a_stream_of_no_layer_we_answered_is_counted_and_dropped(extensions: list[tuple[int, bytes]]) -> None:
    lesson = Lesson()
    lesson.teacher.send_rtp(0x9999, 96, vp8_key(720), sequence=1, extensions=extensions)
    assert lesson.world.worker.counters["dropped_unknown_source"] == 1


def test_a_picture_lost_asks_for_the_layer_that_is_carried() -> None:
    lesson = Lesson()
    lesson.choose(LOW)
    lesson.frames(3)
    ssrc = lesson.viewer.take()[0].ssrc
    lesson.world.pass_time(3.0)
    lesson.teacher.told(rtcp.PictureLoss)
    lesson.viewer.report(rtcp.PictureLoss(1, ssrc))
    (asked,) = lesson.teacher.told(rtcp.PictureLoss)
    assert isinstance(asked, rtcp.PictureLoss)
    assert asked.media_ssrc == LAYERS["l"]


def test_options_say_what_each_layer_takes() -> None:
    world = World()
    teacher = world.simulcaster()
    publication = world.worker._publications[CAMERA]
    assert [(it.bitrate, it.flowing) for it in publication.options(0.0)] == [
        (120_000, False),
        (500_000, False),
        (1_500_000, False),
    ]
    for number in range(200):
        teacher.show_layer("l", number, vp8_key(180) + bytes(480))
        world.pass_time(0.04)
    low, *_ = publication.options(world.now)
    assert low.height == 180
    assert abs(low.bitrate - 25 * 8 * (480 + 11 + 12 + 4 + 8)) < 5000
    assert low.flowing


def test_a_layer_just_woken_is_expected_to_take_the_usual_at_least() -> None:
    layer = Layer("m", 1)
    layer.height = 360
    seen = []
    for number in range(500):  # 80 kb/s, as an encoder begins
        layer.receive(packet_of(number, 400), number * 0.04)
        layer.measure(number * 0.04)
        seen.append(layer.options()[0].bitrate)
    assert set(seen[:120]) == {500e3}
    assert all(after >= 0.97 * before for before, after in pairwise(seen))  # slowly, as it may move again
    assert seen[-1] < 200e3


def test_a_layer_is_expected_to_take_more_at_once() -> None:
    layer = Layer("l", 0)
    for number in range(100):
        layer.receive(packet_of(number, 400 if number < 75 else 4000), number * 0.04)
        layer.measure(number * 0.04)
    assert layer.options()[0].bitrate > 700e3


@pytest.mark.parametrize(
    ("heights", "order"),
    [((180, 360, 720), "abc"), ((720, 360, 180), "cba"), ((0, 360, 180), "acb"), ((720, 720, 0), "abc")],
)
def test_layers_stand_by_height_where_it_is_known(heights: tuple[int, ...], order: str) -> None:
    layers = [Layer(rid, index) for index, rid in enumerate("abc")]
    for layer, height in zip(layers, heights, strict=True):
        layer.height = height
    assert "".join(layer.rid for layer in in_order(layers)) == order


def test_a_browser_that_lists_its_layers_the_other_way_round_is_understood() -> None:
    world = World()
    teacher: Browser = world.simulcaster(rids=("l", "m", "h"))
    viewer = world.viewer(audio=0, video=1)
    world.place(viewer, mid0=CAMERA)
    for number in range(3):
        for rid in RIDS:
            teacher.show_layer(rid, number)
    assert [it.rid for it in world.worker._publications[CAMERA].layers] == ["l", "m", "h"]
    assert viewer.take()[-1].payload == vp8_key(720)


def test_layers_that_change_their_size_with_every_picture_are_put_in_order_once_a_second() -> None:
    world = World()
    teacher = world.simulcaster()
    for rid in RIDS:
        teacher.show_layer(rid, 1)
    publication = world.worker._publications[CAMERA]
    orders = []
    for number in range(2, 102):
        world.now += 0.04
        teacher.show_layer("h", number, vp8_key(100 if number % 2 else 720))
        orders.append(tuple(layer.rid for layer in publication.layers))
    assert 2 <= sum(before != after for before, after in pairwise(orders)) <= 4


@pytest.mark.parametrize(
    ("height", "index", "bitrate"), [(0, 0, 120e3), (0, 5, 1.5e6), (180, 2, 120e3), (1200, 0, 3e6)]
)
def test_before_anything_is_measured_a_height_says_what_it_takes(height: int, index: int, bitrate: float) -> None:
    assert nominal(height, index) == bitrate
