"""media/transport.py: a browser's path over re-offers, another address, ICE restarts and its end."""

from __future__ import annotations

import pytest

from media import rtcp
from media.ice import Path
from media.messages import Answer, Answered, IceRestarted, Refused, RestartIce, TransportChanged
from media.transport import MAX_COMPOUND, compounds
from tests.bench import offers
from tests.support.flow import AUDIO, H264_KEY, VIDEO, Browser, World

pytestmark = pytest.mark.usefixtures("either_way")


def watching(world: World) -> tuple[Browser, Browser]:
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid0="teacher-0", mid1="teacher-1")
    teacher.say(1)
    teacher.show(1, H264_KEY)
    assert len(viewer.take()) == 2
    return teacher, viewer


def test_a_viewer_that_moves_goes_on_at_its_new_address_with_its_next_nomination() -> None:
    world = World()
    teacher, viewer = watching(world)
    viewer.move()
    teacher.say(2)
    assert viewer.take() == []
    viewer.check()
    teacher.say(3)
    teacher.show(2)
    assert len(viewer.take()) == 2


def test_a_publisher_that_moves_is_heard_from_its_new_address_after_a_check() -> None:
    world = World()
    teacher, viewer = watching(world)
    teacher.move()
    teacher.say(2)
    assert viewer.take() == []
    assert world.worker.counters["dropped_unknown_source"] == 1
    teacher.check(nominate=False)
    teacher.say(3)
    assert len(viewer.take()) == 1


def test_a_browser_that_no_longer_checks_is_lost_after_30_seconds() -> None:
    world = World()
    teacher, _ = watching(world)
    world.pass_time(28.0)
    teacher.check()
    world.events.clear()
    world.pass_time(4.0)
    assert world.events == [TransportChanged("class", "lost")]
    world.pass_time(28.0)
    assert world.events[1:] == [TransportChanged("teacher", "lost")]
    assert not world.worker._by_ufrag
    assert not world.worker._by_path
    assert not any(world.worker._slices)


def test_a_browser_that_says_goodbye_is_closed_at_once() -> None:
    world = World()
    _, viewer = watching(world)
    world.events.clear()
    viewer.goodbye()
    assert world.events == [TransportChanged("class", "closed")]


def test_a_re_offer_adds_slots_and_keeps_the_others_flowing() -> None:
    world = World()
    teacher, viewer = watching(world)
    before = {slot.mid: slot for slot in viewer.answered.slots}
    answered = viewer.answer("receive", offers.watching(viewer.credentials, 1, 4))
    assert [(slot.mid, slot.publication_id) for slot in answered.slots] == [
        ("0", "teacher-0"),
        ("1", "teacher-1"),
        ("2", None),
        ("3", None),
        ("4", None),
    ]
    assert before.keys() <= {slot.mid for slot in answered.slots}
    teacher.say(2)
    assert len(viewer.take()) == 1


@pytest.mark.parametrize("way", ["re-offer", "patch"])
def test_ice_restarts_without_a_break(way: str) -> None:
    world = World()
    teacher, viewer = watching(world)
    former = viewer.remote
    if way == "patch":
        reply = world.worker.handle(RestartIce("class"), world.now)
        assert isinstance(reply, IceRestarted)
        viewer.remote = offers.Remote(reply.ufrag, reply.pwd, former.fingerprint, former.address)
    else:
        viewer.credentials = offers.Credentials("fresh", "f" * 24, viewer.credentials.fingerprint)
        viewer.answer("receive", offers.watching(viewer.credentials, 1, 2))
    assert viewer.remote.ufrag != former.ufrag
    teacher.say(2)
    assert len(viewer.take()) == 1  # under the old credentials
    viewer.move()
    viewer.check(nominate=False)
    teacher.say(3)
    assert len(viewer.take()) == 1
    assert former.ufrag not in world.worker._by_ufrag


def test_a_re_offer_that_is_refused_changes_nothing() -> None:
    world = World()
    teacher, viewer = watching(world)
    offer = offers.watching(viewer.credentials, 1, 2)
    stranger = offer.replace(viewer.credentials.fingerprint, ":".join(["AB"] * 32))
    for sdp, code in (("v=0", "sdp_malformed"), (stranger, "sdp_malformed"), (offer * 2, "sdp_malformed")):
        reply = world.handle(Answer("class", "receive", sdp))
        assert isinstance(reply, Refused)
        assert reply.code == code
    teacher.say(2)
    assert len(viewer.take()) == 1


def test_what_only_publishers_send_is_counted_when_a_viewer_sends_it() -> None:
    world = World()
    _, viewer = watching(world)
    viewer.send_rtp(AUDIO, 111, b"sound", sequence=1)
    assert world.worker.counters["dropped_unexpected"] == 1


def test_forged_and_replayed_packets_are_counted_apart() -> None:
    world = World()
    teacher, _ = watching(world)
    assert teacher.outbound is not None
    packet = teacher.outbound.rtp(bytes.fromhex("806f0009 00000000 00001001") + b"sound")
    forged = teacher.outbound.rtp(bytes.fromhex("806f000a 00000000 00001001") + b"sound")[:-1] + b"\0"
    report = teacher.outbound.rtcp(bytes(rtcp.ReceiverReport(AUDIO)))
    forged_report = teacher.outbound.rtcp(bytes(rtcp.ReceiverReport(AUDIO)))[:-5] + b"\0" * 5
    for data in (packet, packet, forged, report, report, forged_report):
        teacher.send(data)
    counters = world.worker.counters
    assert counters["dropped_srtp_replayed"] == counters["dropped_srtcp_replayed"] == 1
    assert counters["dropped_srtp_unauthentic"] == counters["dropped_srtcp_unauthentic"] == 1


def test_authentic_nonsense_is_counted_and_dropped() -> None:
    world = World()
    teacher, _ = watching(world)
    assert teacher.outbound is not None
    teacher.send(teacher.outbound.rtcp(bytes.fromhex("81c9ffff 00001001") + b"x" * 4))
    teacher.send(teacher.outbound.rtp(bytes.fromhex("a06f0009 00000000 00001001") + b"\xff"))
    assert world.worker.counters["dropped_rtcp_malformed"] == 1
    assert world.worker.counters["dropped_rtp_malformed"] == 1


def test_a_handshake_with_the_wrong_certificate_loses_the_transport() -> None:
    world = World()
    viewer = Browser(world, "class")
    offer = offers.watching(viewer.credentials, 1, 1)
    viewer.answer("receive", offer.replace(viewer.credentials.fingerprint, ":".join(["AB"] * 32)))
    with pytest.raises(AssertionError):  # it is told so in the handshake
        viewer.connect()
    assert world.events == [TransportChanged("class", "lost")]


def test_an_offer_of_a_hundred_sections_is_refused() -> None:
    world = World()
    viewer = Browser(world, "class")
    reply = world.handle(Answer("class", "receive", offers.watching(viewer.credentials, 1, 100)))
    assert isinstance(reply, Refused)


def test_offers_that_name_ever_new_sections_and_sources_do_not_fill_our_memory() -> None:
    world = World()
    teacher, viewer = watching(world)
    refused = 0
    for number in range(100):
        sdp = offers.watching(viewer.credentials, 1, 1)
        sdp = sdp.replace("a=mid:1", f"a=mid:x{number}").replace("BUNDLE 0 1", f"BUNDLE 0 x{number}")
        refused += isinstance(world.handle(Answer("class", "receive", sdp)), Refused)
        ssrc = 0x10000 + 4 * number
        world.handle(Answer("teacher", "send", offers.publishing(teacher.credentials, ssrc, ssrc + 1, ssrc + 2)))
    assert refused >= 36
    transport = world.worker._transports["class"]
    assert len(transport.sections) == 64
    publisher = world.worker._transports["teacher"].publisher
    assert publisher is not None
    assert len(publisher._sources) + len(publisher._repairs) < 10


def test_the_same_port_may_be_used_for_another_connection() -> None:
    world = World()
    _, viewer = watching(world)
    again = Browser(world, "class-2")
    del world.browsers[again.address]
    again.address = viewer.address
    world.browsers[again.address] = again
    again.answer("receive", offers.watching(again.credentials, 1, 1))
    again.connect()
    assert world.worker._by_path[Path(0, again.address)].transport_id == "class-2"


def test_a_publisher_that_reoffers_with_other_sources_is_followed() -> None:
    world = World()
    teacher, viewer = watching(world)
    reply = world.handle(Answer("teacher", "send", offers.publishing(teacher.credentials, AUDIO, 0x3002, 0x3003)))
    assert isinstance(reply, Answered)
    teacher.send_rtp(0x3002, 102, H264_KEY, sequence=77)
    world.settle()
    assert [packet.payload for packet in viewer.take()] == [H264_KEY]


def test_a_viewer_of_many_tracks_gets_all_its_reports() -> None:
    world = World()
    teacher = world.publisher()
    viewer = world.viewer(audio=20, video=30)
    world.place(viewer, **{f"mid{mid}": "teacher-0" if mid < 20 else "teacher-1" for mid in range(50)})
    for number in (1, 2):
        teacher.say(number)
        teacher.show(number, H264_KEY)
    teacher.report(rtcp.SenderReport(AUDIO, 1 << 60, 960, 1, 1), rtcp.SenderReport(VIDEO, 1 << 60, 3000, 1, 1))
    world.pass_time(1.0)
    assert len(viewer.told(rtcp.SenderReport)) == len({packet.ssrc for packet in viewer.packets}) == 50


def test_reports_that_are_too_long_for_a_datagram_take_several() -> None:
    report = rtcp.ReceiverReport(1)
    whole = rtcp.Nack(1, 2, tuple(range(0, 0x8000, 17)))
    found = compounds([*[report] * 200, whole, report])
    assert [len(found[0]), len(found[1]), len(found[-1])] == [MAX_COMPOUND, 200 * 8 - MAX_COMPOUND, 8]
    assert b"".join(found) == b"".join([*[bytes(report)] * 200, bytes(whole), bytes(report)])
