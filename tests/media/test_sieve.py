"""media/sieve.py: a scalable stream without some of its sub-layers, to the viewer a stream without holes."""

from __future__ import annotations

import pytest

from media import rtcp
from media.answer import DESCRIPTOR
from media.descriptors import Templates, vp9
from media.layers import Choice
from media.sdp import SessionDescription
from media.subscription import Slot
from tests.bench import offers
from tests.support.flow import VIDEO, Browser, World

pytestmark = pytest.mark.usefixtures("either_way")

CAMERA = "teacher-1"
VP9_TYPE = 98
ALL, SMALL, FEW = Choice(0), Choice(0, 0), Choice(0, 9, 0)


def offer_of_vp9(sdp: str) -> str:
    """The VP8 of an offer made VP9."""
    return sdp.replace("VP8", "VP9").replace(" 96 97", " 98 97").replace(":96 ", ":98 ").replace("apt=96", "apt=98")


_choose = Slot.choose


@pytest.fixture(autouse=True)
def _only_the_test_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what the viewer's line can take."""
    monkeypatch.setattr(Slot, "choose", lambda *_: None)


class Lesson:
    """A teacher who sends two sizes and two rates (L2T2) in VP9, one packet for each frame, and a class."""

    def __init__(self) -> None:
        self.world = World()
        teacher, viewer = Browser(self.world, "teacher"), Browser(self.world, "class")
        teacher.answer("send", offer_of_vp9(offers.publishing(teacher.credentials, 0x1001, VIDEO, 0x1003)))
        viewer.answer("receive", offer_of_vp9(offers.watching(viewer.credentials, 0, 1)))
        for browser in (teacher, viewer):
            browser.connect()
        self.teacher, self.viewer = teacher, viewer
        self.world.place(viewer, mid0=CAMERA)
        self.sequence = 65_530
        self.picture = 0x7FFE
        self.lost: list[bytes] = []  # payloads that do not arrive, in order
        self.pictures(4, key=True)

    @property
    def slot(self) -> Slot:
        viewer = self.world.worker._transports["class"].viewer
        assert viewer is not None
        return viewer.slots["0"]

    def choose(self, choice: Choice) -> None:
        _choose(self.slot, choice, self.world.now)
        self.world.settle()

    def frame(self, spatial: int, temporal: int, *, key: bool = False) -> bytes:
        """I, P unless a key picture, L, F, B and E; the picture id; the layer indices with U and D; a reference."""
        first = 0x80 | (0 if key and spatial == 0 else 0x40) | 0x20 | 0x10 | 0x08 | 0x04
        layer = temporal << 5 | 0x10 | spatial << 1 | (spatial > 0)
        reference = b"" if key and spatial == 0 else b"\x02"
        return bytes((first, 0x80 | self.picture >> 8, self.picture & 0xFF, layer)) + reference + b"frame"

    def pictures(self, count: int, *, key: bool = False, lose: int | None = None) -> None:
        """At 25 a second, of the two rates in turn; `lose` says which packet, counted from here, does not come."""
        number = 0
        for each in range(count):
            temporal = each % 2
            for spatial in (0, 1):
                payload = self.frame(spatial, temporal, key=key and each == 0)
                if number != lose:
                    self.send(self.sequence, payload, marker=spatial)
                number += 1
                self.sequence = self.sequence + 1 & 0xFFFF
            self.picture = self.picture + 1 & 0x7FFF
            self.world.pass_time(0.04)

    def send(self, sequence: int, payload: bytes, marker: int = 1) -> None:
        timestamp = int(self.world.now * 90000) & 0xFFFFFFFF
        self.teacher.send_rtp(VIDEO, VP9_TYPE, payload, sequence=sequence, timestamp=timestamp, marker=marker)
        self.world.settle()

    def taken(self) -> list[tuple[int, int, int, int]]:
        """Sequence number, spatial and temporal sub-layer and marker of what has come."""
        found = []
        for packet in self.viewer.take():
            sub = vp9(packet.payload)
            found.append((packet.sequence, *((sub.spatial, sub.temporal) if sub else (-1, -1)), packet.marker))
        return found


def test_all_of_it_comes_to_who_chooses_nothing() -> None:
    lesson = Lesson()
    assert [it[1:] for it in lesson.taken()] == [(0, 0, 0), (1, 0, 1), (0, 1, 0), (1, 1, 1)] * 2


def test_options_are_its_parts_from_few_small_pictures_to_all() -> None:
    lesson = Lesson()
    lesson.pictures(30)
    options = lesson.world.worker._publications[CAMERA].options(lesson.world.now)
    assert [it.choice for it in options] == [Choice(0, 0, 0), Choice(0, 0, 9), Choice(0)]
    few, small, whole = (it.bitrate for it in options)
    assert few < small < whole
    assert abs(small / whole - 0.5) < 0.05


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (SMALL, [(0, 0, 1), (0, 1, 1)] * 2),
        (FEW, [(0, 0, 0), (1, 0, 1)] * 2),
        (Choice(0, 0, 0), [(0, 0, 1)] * 2),
        (Choice(0, 1, 1), [(0, 0, 0), (1, 0, 1), (0, 1, 0), (1, 1, 1)] * 2),
    ],
)
def test_what_is_left_has_no_hole_and_its_pictures_end_with_a_marker(
    choice: Choice, expected: list[tuple[int, int, int]]
) -> None:
    lesson = Lesson()
    before = lesson.taken()[-1][0]
    lesson.choose(choice)
    lesson.pictures(4)
    taken = lesson.taken()
    assert [it[1:] for it in taken] == expected
    assert [(it[0] - before) & 0xFFFF for it in taken] == list(range(1, len(taken) + 1))
    assert lesson.slot.carried == choice


def test_larger_pictures_come_back_with_a_key_frame_and_more_of_them_without() -> None:
    lesson = Lesson()
    lesson.choose(Choice(0, 0, 0))
    lesson.pictures(4)
    lesson.taken()
    lesson.choose(SMALL)
    lesson.pictures(2)
    assert [it[1:] for it in lesson.taken()] == [(0, 0, 1), (0, 1, 1)]
    lesson.world.pass_time(0.6)  # requests are coalesced
    lesson.teacher.told(rtcp.PictureLoss)
    lesson.choose(ALL)
    assert len(lesson.teacher.told(rtcp.PictureLoss)) == 1
    lesson.pictures(2)
    assert [it[1:] for it in lesson.taken()] == [(0, 0, 1), (0, 1, 1)]
    lesson.pictures(2, key=True)
    assert [it[1:] for it in lesson.taken()] == [(0, 0, 0), (1, 0, 1), (0, 1, 0), (1, 1, 1)]
    assert not lesson.world.worker._publications[CAMERA].streams[0]._parts


def test_picture_numbers_stay_as_they_are_for_they_are_what_pictures_refer_to() -> None:
    lesson = Lesson()
    lesson.choose(SMALL)
    lesson.pictures(4)
    pictures = [int.from_bytes(packet.payload[1:3], "big") & 0x7FFF for packet in lesson.viewer.take()]
    assert list(dict.fromkeys(pictures)) == [(0x7FFE + n) & 0x7FFF for n in range(8)]


def test_what_was_lost_before_us_leaves_a_hole_that_is_filled_when_it_comes() -> None:
    lesson = Lesson()
    lesson.choose(SMALL)
    lesson.pictures(2)
    first = lesson.taken()[-1][0]
    missing, payload = lesson.sequence, lesson.frame(0, 0)
    lesson.pictures(2, lose=0)
    assert [(it[0] - first) & 0xFFFF for it in lesson.taken()] == [2]
    lesson.send(missing, payload)
    assert [((it[0] - first) & 0xFFFF, it[1]) for it in lesson.taken()] == [(1, 0)]


def test_a_hole_of_what_is_left_out_is_filled_with_nothing_so_that_nobody_asks_for_it() -> None:
    lesson = Lesson()
    lesson.choose(SMALL)
    lesson.pictures(2)
    first = lesson.taken()[-1][0]
    missing, payload = lesson.sequence + 1, lesson.frame(1, 0)
    lesson.pictures(2, lose=1)
    lesson.send(missing, payload)
    assert [((it[0] - first) & 0xFFFF, it[1]) for it in lesson.taken()] == [(1, 0), (3, 0), (2, -1)]


def test_a_nack_is_answered_from_what_is_left() -> None:
    lesson = Lesson()
    lesson.choose(SMALL)
    lesson.pictures(4)
    lost = lesson.viewer.take()[-2]
    lesson.viewer.report(rtcp.Nack(1, lost.ssrc, (lost.sequence,)))
    (again,) = lesson.viewer.take()
    original = again.without_rtx(lost.payload_type, lost.ssrc)
    assert original is not None
    assert (original.sequence, original.payload, original.marker) == (lost.sequence, lost.payload, lost.marker)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("fd f4e8 52 02", (1, 2, True, True, True)),  # as Chromium sends L3T3_KEY
        ("f1 f4e9 12 08", (1, 0, False, False, True)),
        ("f5 f4e9 14 08", (2, 0, False, True, True)),
        ("a9 12 60", (0, 3, True, False, False)),  # short picture id
        ("80 f4e9", None),
        ("f1 f4", None),
        ("", None),
    ],
)
def test_vp9_says_where_a_packet_belongs(payload: str, expected: tuple[int, int, bool, bool, bool] | None) -> None:
    assert vp9(bytes.fromhex(payload)) == expected


def test_av1_says_it_by_templates_that_came_with_a_key_frame() -> None:
    templates = Templates()
    assert templates.read(bytes.fromhex("c00001")) is None
    # start and end of a frame, template 0, frame 1; a structure from template 0 on, one decode target, T0 T1 | T0 end
    bits = "11000000" + "00000000" + "00000001" + "10000" + "000000" + "00000" + "01" + "10" + "11"
    descriptor = int(bits.ljust(64, "0"), 2).to_bytes(8, "big")
    assert templates.read(descriptor) == (0, 0, True, True, True)
    assert templates.read(bytes.fromhex("c10002")) == (0, 1, True, True, False)
    assert templates.read(bytes.fromhex("820003")) == (1, 0, True, False, True)
    assert templates.read(bytes.fromhex("830003")) is None
    assert templates.highest == (1, 1)
    assert templates.read(None) is None


def test_the_offer_of_these_tests_is_one() -> None:
    assert SessionDescription.parse(Lesson().teacher.answered.answer).sections[1].rtpmaps[VP9_TYPE].name == "VP9"


# ── AV1 ───────────────────────────────────────────────────────────────────────────────────────────────────────────

AV1_TYPE = 45
_STRUCTURE = "10000" + "000000" + "00000" + "10" + "11"  # templates 0 and 1: two spatial sub-layers


def offer_of_av1(sdp: str) -> str:
    """The VP8 of an offer made AV1."""
    return sdp.replace("VP8", "AV1").replace(" 96 97", " 45 97").replace(":96 ", ":45 ").replace("apt=96", "apt=45")


def descriptor(template: int, frame: int, *, structure: bool = False) -> bytes:
    """Of a frame in one packet; the structure made long, as real ones are."""
    head = bytes((0xC0 | template, frame >> 8, frame & 0xFF))
    return head + int(_STRUCTURE.ljust(160, "0"), 2).to_bytes(20, "big") if structure else head


def av1(*, described: bool) -> tuple[World, Browser, Browser]:
    """A teacher who offers AV1 with dependency descriptors, and a class that does so or not."""
    extension = f"a=extmap:12 {DESCRIPTOR}\r\na=rtcp-mux"
    world = World()
    teacher, viewer = Browser(world, "teacher"), Browser(world, "class")
    sending = offer_of_av1(offers.publishing(teacher.credentials, 0x1001, VIDEO, 0x1003))
    watching = offer_of_av1(offers.watching(viewer.credentials, 0, 1))
    teacher.answer("send", sending.replace("a=rtcp-mux", extension))
    viewer.answer("receive", watching.replace("a=rtcp-mux", extension) if described else watching)
    for browser in (teacher, viewer):
        browser.connect()
    world.place(viewer, mid0=CAMERA)
    return world, teacher, viewer


def show(world: World, teacher: Browser, sequence: int, frame: int, spatial: int, *, key: bool = False) -> None:
    head = descriptor(spatial, frame, structure=key)
    payload = b"\x18key" if key else b"\x10frame"
    data = bytes((0x90, spatial << 7 | AV1_TYPE)) + sequence.to_bytes(2, "big") + bytes(4) + VIDEO.to_bytes(4, "big")
    block = bytes((12, len(head))) + head
    block += bytes(-len(block) % 4)
    assert teacher.outbound is not None
    data += b"\x10\x00" + (len(block) // 4).to_bytes(2, "big") + block + payload
    teacher.send(teacher.outbound.rtp(data))
    world.settle()


def test_av1_comes_with_its_descriptors_and_their_numbers_go_on() -> None:
    world, teacher, viewer = av1(described=True)
    show(world, teacher, 1, 0xFFFF, 0, key=True)
    show(world, teacher, 2, 0, 1)
    assert [it.extensions[12] for it in viewer.take()] == [descriptor(0, 0xFFFF, structure=True), descriptor(1, 0)]
    world.place(viewer, mid0=None)
    world.place(viewer, mid0=CAMERA)
    show(world, teacher, 3, 700, 0, key=True)
    show(world, teacher, 4, 701, 1)
    taken = viewer.take()
    assert [it.extensions[12] for it in taken] == [descriptor(0, 1, structure=True), descriptor(1, 2)]
    viewer.report(rtcp.Nack(1, taken[1].ssrc, (taken[1].sequence,)))
    (again,) = viewer.take()
    assert again.extensions[12] == descriptor(1, 2)
    assert again.payload[2:] == b"\x10frame"


def test_who_takes_no_descriptors_gets_the_smallest_pictures_of_av1() -> None:
    world, teacher, viewer = av1(described=False)
    show(world, teacher, 1, 1, 0, key=True)
    show(world, teacher, 2, 2, 1)
    show(world, teacher, 3, 3, 0)
    show(world, teacher, 4, 4, 1)
    taken = viewer.take()
    assert [(it.payload, it.marker) for it in taken] == [(b"\x18key", 1), (b"\x10frame", 1)]
    assert taken[1].sequence == (taken[0].sequence + 1) & 0xFFFF


@pytest.mark.parametrize("mixed", [True, False])
def test_descriptors_are_agreed_on_only_where_header_extensions_may_be_long(mixed: bool) -> None:
    world = World()
    browser = Browser(world, "teacher")
    sdp = offers.publishing(browser.credentials, 0x1001, VIDEO, 0x1003)
    sdp = sdp.replace("a=rtcp-mux", f"a=extmap:12 {DESCRIPTOR}\r\na=rtcp-mux")
    browser.answer("send", sdp if mixed else sdp.replace("a=extmap-allow-mixed\r\n", ""))
    assert (DESCRIPTOR in browser.answered.answer) is mixed
    assert ("a=extmap-allow-mixed" in browser.answered.answer) is mixed
