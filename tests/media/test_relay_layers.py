"""The relay and what a publication consists of: simulcast, scalable streams, what was lost and found again."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import pytest

from media import rtcp
from media.answer import DESCRIPTOR
from media.layers import Choice
from media.messages import Done, LayersWanted, Place, Placement, Pull, Shown, SlotChanged, View
from media.publication import Publication
from tests.bench import offers
from tests.bench.stream import AUDIO_TYPE
from tests.support.flow import AUDIO, HEIGHTS, LAYERS, RIDS, RTX, VIDEO, VP8_DELTA, Browser, World, vp8_key
from tests.support.pair import CAMERA, MICROPHONE, Pair
from tests.support.redundant import RED_TYPE, offering_red, redundant

pytestmark = pytest.mark.usefixtures("either_way")

OCTETS = {"h": 6000, "m": 2000, "l": 480}  # of a frame: 1.2 Mb/s, 400 and 96 kb/s at 25 a second
AV1_TYPE = 45
RTX_TYPE = 97
DESCRIPTOR_ID = 12


class Lesson:
    """A teacher who sends layers, and a class at the other worker that shows them as tall as it says."""

    def __init__(self, rids: Iterable[str] = RIDS, before: int = 30, shown: int = 720) -> None:
        self.pair = pair = Pair(partial(World.simulcaster, rids=tuple(rids)))
        self.rids = set(rids)
        self.sequence = dict.fromkeys(RIDS, 0)
        self.frames(before)
        self.viewer = pair.other.viewer(audio=0, video=1)
        assert pair.other.worker.handle(Pull(CAMERA, "video", "origin"), pair.other.now) == Done()
        self.place(self.viewer, shown)

    def place(self, viewer: Browser, shown: int) -> None:
        """Before the other worker knows more than the id, as the server does."""
        other = self.pair.other
        assert other.worker.handle(Place(viewer.name, (Placement("0", CAMERA, 0),)), other.now) == Done()
        assert other.worker.handle(View(viewer.name, (Shown("0", shown),)), other.now) == Done()
        self.pair.settle()

    def frames(self, count: int) -> None:
        """At 25 a second, of all layers that the publisher has not put to rest; key frames where they are asked for."""
        teacher = self.pair.teacher
        for _ in range(count):
            asked = {it.media_ssrc for it in teacher.told(rtcp.PictureLoss) if isinstance(it, rtcp.PictureLoss)}
            for rid in RIDS:
                if rid not in self.rids:
                    continue
                fresh = not self.sequence[rid] or LAYERS[rid] in asked
                payload = vp8_key(HEIGHTS[rid]) if fresh else VP8_DELTA
                for part in range(-(-OCTETS[rid] // 1000)):
                    self.sequence[rid] += 1
                    body = payload + bytes(480 if rid == "l" else 1000) if not part else bytes((0, *bytes(999)))
                    timestamp = int(self.pair.origin.now * 90000) & 0xFFFFFFFF
                    teacher.show_layer(rid, self.sequence[rid], body, timestamp)
            self.pair.pass_time(0.04)

    @property
    def publication(self) -> Publication:
        found = self.pair.other.worker.relay.find(CAMERA)
        assert found is not None
        return found

    @property
    def carried(self) -> str | None:
        """The rid that the class is shown."""
        viewer = self.pair.other.worker._transports["class"].viewer
        assert viewer is not None
        layer = viewer.slots["0"].layer
        return None if layer is None else layer.rid

    def relayed(self) -> dict[str, int]:
        """Bytes received over the relay so far, by rid."""
        return {layer.rid: layer.octets for layer in self.publication.layers if layer.octets}


def test_only_the_layer_that_is_shown_and_the_smallest_are_relayed() -> None:
    lesson = Lesson(shown=360)
    lesson.frames(10)
    assert lesson.carried == "m"
    assert set(lesson.relayed()) == {"l", "m"}


def test_who_is_placed_before_the_layers_are_known_begins_with_what_a_new_path_carries() -> None:
    lesson = Lesson(shown=720)
    lesson.frames(10)
    assert lesson.carried == "m"
    assert "h" not in lesson.relayed()


def test_what_a_viewer_there_needs_is_asked_of_the_publisher_and_what_nobody_needs_is_put_to_rest() -> None:
    lesson = Lesson(shown=180)
    lesson.frames(80)
    assert lesson.carried == "l"
    told = [event.rids for event in lesson.pair.origin.events if isinstance(event, LayersWanted)]
    assert told[-1] == ("l",)
    lesson.rids.discard("h")  # which the publisher does
    lesson.rids.discard("m")
    lesson.frames(10)
    second = lesson.pair.other.viewer("second", audio=0, video=1)
    lesson.place(second, 360)
    told = [event.rids for event in lesson.pair.origin.events if isinstance(event, LayersWanted)]
    assert "m" in told[-1]
    lesson.rids.add("m")
    lesson.frames(20)
    transport = lesson.pair.other.worker._transports["second"].viewer
    assert transport is not None
    assert transport.slots["0"].layer is lesson.publication.layer("m")


def test_layers_are_put_in_order_there_when_their_pictures_say_how_tall_they_are() -> None:
    lesson = Lesson(rids=("l", "m", "h"), before=0, shown=180)  # offered in the wrong order, and not begun
    assert [layer.rid for layer in lesson.publication.layers] == ["h", "m", "l"]
    lesson.frames(30)
    assert [(layer.rid, layer.height) for layer in lesson.publication.layers] == [("l", 180), ("m", 360), ("h", 720)]
    assert lesson.carried == "l"


def test_layers_put_in_order_keep_their_numbers_over_a_new_connection() -> None:
    lesson = Lesson(rids=("l", "m", "h"), before=0, shown=360)
    lesson.frames(60)
    assert lesson.carried == "m"
    lesson.viewer.take()
    lesson.pair.reconnect()
    lesson.frames(10)
    taken = lesson.viewer.take()
    assert lesson.carried == "m"
    assert len({packet.timestamp for packet in taken}) >= 9
    assert [packet.sequence for packet in taken] == [
        (taken[0].sequence + number) & 0xFFFF for number in range(len(taken))
    ]


def test_a_narrow_path_there_gets_a_smaller_layer_and_is_told() -> None:
    lesson = Lesson(shown=360)
    lesson.frames(60)
    assert lesson.carried == "m"
    ssrc = lesson.viewer.packets[-1].ssrc
    for bitrate in (900_000, 250_000, 200_000):  # the first fall may be a moment's
        lesson.viewer.report(rtcp.ReceiverReport(1), rtcp.Remb(1, bitrate, (ssrc,)))
    lesson.frames(30)
    assert lesson.carried == "l"
    assert SlotChanged("class", "0", "l", 180, paused=False) in lesson.pair.other.events


def test_what_may_be_chosen_there_costs_what_it_costs_at_the_origin() -> None:
    lesson = Lesson(shown=360)
    lesson.frames(60)
    origin = lesson.pair.origin.worker._publications[CAMERA].options(0.0)
    there = lesson.publication.options(0.0)
    assert [(it.choice, it.height, it.flowing) for it in there] == [(it.choice, it.height, it.flowing) for it in origin]
    assert [it.bitrate for it in there] == pytest.approx([it.bitrate for it in origin], rel=0.1)


def test_a_layer_that_stops_is_replaced_there_by_one_that_was_not_relayed_any_more() -> None:
    lesson = Lesson(shown=720)
    lesson.frames(30)
    ssrc = lesson.viewer.packets[-1].ssrc
    lesson.viewer.report(rtcp.ReceiverReport(1), rtcp.Remb(1, 5_000_000, (ssrc,)))
    lesson.frames(100)
    assert lesson.carried == "h"
    relayed = lesson.relayed()["m"]
    lesson.frames(10)
    assert lesson.relayed()["m"] == relayed
    lesson.rids.discard("h")
    lesson.frames(30)
    assert lesson.carried == "m"
    assert lesson.relayed()["m"] > relayed


def test_a_switch_there_waits_for_a_key_frame_and_leaves_no_hole() -> None:
    lesson = Lesson(shown=360)
    lesson.frames(30)
    assert lesson.pair.other.worker.handle(View("class", (Shown("0", 180),)), lesson.pair.other.now) == Done()
    lesson.frames(30)
    taken = lesson.viewer.take()
    assert lesson.carried == "l"
    assert [packet.sequence for packet in taken] == [
        (taken[0].sequence + number) & 0xFFFF for number in range(len(taken))
    ]
    switched = next(number for number, packet in enumerate(taken) if vp8_key(180) in packet.payload)
    assert all(len(packet.payload) < 1000 for packet in taken[switched:])


# ── scalable streams, and what was lost ───────────────────────────────────────────────────────────────────────────


def _descriptor(frame: int, spatial: int = 0, *, structure: bool = False) -> bytes:
    """A dependency descriptor of two spatial sub-layers; its structure makes it longer than the short form holds."""
    head = bytes((0xC0 | spatial, frame >> 8, frame & 0xFF))
    bits = "10000" + "000000" + "00000" + "10" + "11"
    return head + int(bits.ljust(160, "0"), 2).to_bytes(20, "big") if structure else head


def _with_av1(sdp: str) -> str:
    sdp = sdp.replace("VP8", "AV1").replace(" 96 97", " 45 97").replace(":96 ", ":45 ").replace("apt=96", "apt=45")
    return sdp.replace("a=rtcp-mux", f"a=extmap:{DESCRIPTOR_ID} {DESCRIPTOR}\r\na=rtcp-mux")


def _av1_teacher(world: World) -> Browser:
    browser = Browser(world, "teacher")
    offer = _with_av1(offers.publishing(browser.credentials, AUDIO, VIDEO, RTX))
    browser.answer("send", offer)
    browser.connect()
    return browser


def _watching_av1(pair: Pair) -> Browser:
    viewer = Browser(pair.other, "class")
    viewer.answer("receive", _with_av1(offers.watching(viewer.credentials, 0, 1)))
    viewer.connect()
    pair.pull(CAMERA)
    pair.other.place(viewer, mid0=CAMERA)
    pair.settle()
    return viewer


def _show_av1(
    pair: Pair, sequence: int, frame: int, *, spatial: int = 0, key: bool = False, repaired: bool = False
) -> None:
    extensions = [(DESCRIPTOR_ID, _descriptor(frame, spatial, structure=key))]
    payload = b"\x18key" if key else b"\x10frame"
    if repaired:
        payload = sequence.to_bytes(2, "big") + payload
    ssrc, kind = (RTX, RTX_TYPE) if repaired else (VIDEO, AV1_TYPE)
    pair.teacher.send_rtp(ssrc, kind, payload, sequence=sequence, marker=spatial, extensions=extensions)
    pair.settle()


def test_dependency_descriptors_go_along_however_long_and_a_sub_layer_may_be_left_out_there() -> None:
    pair = Pair(_av1_teacher)
    viewer = _watching_av1(pair)
    _show_av1(pair, 1, 100, key=True)
    _show_av1(pair, 2, 101, spatial=1)
    assert [it.extensions[DESCRIPTOR_ID] for it in viewer.take()] == [
        _descriptor(100, structure=True),
        _descriptor(101, 1),
    ]
    found = pair.other.worker.relay.find(CAMERA)
    assert found is not None
    assert [option.choice for option in found.options(0.0)] == [Choice(0, 0, 9), Choice(0)]


def test_a_repaired_packet_keeps_its_long_descriptor_over_the_relay() -> None:
    pair = Pair(_av1_teacher)
    viewer = _watching_av1(pair)
    _show_av1(pair, 1, 100, key=True)
    _show_av1(pair, 3, 102)
    _show_av1(pair, 2, 101, key=True, repaired=True)
    taken = {it.sequence: it for it in viewer.take()}
    late = taken[(min(taken) + 1) & 0xFFFF]
    assert late.extensions[DESCRIPTOR_ID] == _descriptor(101, structure=True)
    assert late.payload == b"\x18key"


def _redundant_teacher(world: World) -> Browser:
    browser = Browser(world, "teacher")
    browser.answer("send", offering_red(offers.publishing(browser.credentials, AUDIO, VIDEO, RTX)))
    browser.connect()
    return browser


def test_sound_saved_by_redundancy_is_relayed_once_and_plain() -> None:
    pair = Pair(_redundant_teacher)
    pair.pull(MICROPHONE)
    viewer = pair.other.viewer()
    pair.other.place(viewer, mid0=MICROPHONE)
    pair.settle()

    def say(sequence: int, payload: bytes, *older: bytes) -> None:
        pair.teacher.send_rtp(AUDIO, RED_TYPE, redundant(payload, *older), sequence=sequence, timestamp=sequence * 960)
        pair.settle()

    say(1, b"one")
    say(3, b"three", b"two")  # the second was lost
    say(4, b"four", b"three")
    taken = sorted(viewer.take(), key=lambda packet: packet.sequence)
    assert [(it.payload_type, it.payload) for it in taken] == [
        (AUDIO_TYPE, payload) for payload in (b"one", b"two", b"three", b"four")
    ]
    assert pair.other.worker.counters["relayed_in"] == 4
