"""media/worker.py: what the server may ask, and that nothing which comes to the port can hurt."""

from __future__ import annotations

import contextlib
import itertools
import logging
import secrets

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media import stun
from media.ice import Path
from media.messages import (
    Answer,
    CloseTransport,
    Done,
    Held,
    LayersWanted,
    ListHeld,
    Measure,
    Measured,
    Place,
    Placement,
    PublicationInfo,
    Record,
    Refused,
    Request,
    RequestKeyFrame,
    RestartIce,
    SlotInfo,
    StopRecording,
    TransportChanged,
    TransportInfo,
)
from media.rtcp import PictureLoss
from media.srtp import SrtpError
from media.worker import Worker
from tests.bench import offers
from tests.support.flow import H264_KEY, Browser, World

pytestmark = pytest.mark.usefixtures("either_way")

BROKEN = Worker._broken  # as it is outside tests, see conftest.py


def record(publication_id: str) -> Record:
    return Record(publication_id, "lesson", "p-1", "camera", True, 0)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (Answer("new", "send", "no offer"), "sdp_malformed"),
        (Answer("new", "receive", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"), "sdp_malformed"),
        (Answer("teacher", "receive", "v=0"), "unknown_transport"),
        (Place("nobody", ()), "unknown_transport"),
        (Place("teacher", ()), "unknown_transport"),
        (Place("class", (Placement("9", None),)), "unknown_slot"),
        (Place("class", (Placement("1", "nothing"),)), "unknown_publication"),
        (Place("class", (Placement("1", "teacher-0"),)), "unknown_publication"),
        (RestartIce("nobody"), "unknown_transport"),
        (CloseTransport("nobody"), "unknown_transport"),
        (RequestKeyFrame("nothing"), "unknown_publication"),
        (record("nothing"), "unknown_publication"),
        (StopRecording("nothing"), "unknown_publication"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_code(request_: Request, code: str) -> None:
    world = World()
    world.publisher()
    world.viewer()
    before = world.worker._requests._held()
    reply = world.worker.handle(request_, world.now)
    assert isinstance(reply, Refused)
    assert reply.code == code
    assert world.worker._requests._held() == before


@pytest.mark.parametrize(
    ("offered", "instead"),
    [
        ("opus/48000/2", "G722/8000"),
        ("m=audio 9 ", "m=audio 0 "),
        ("m=audio 9 UDP/TLS/RTP/SAVPF", "m=application 9 UDP/DTLS/SCTP"),
    ],
)
def test_an_offer_without_a_common_codec_is_refused(offered: str, instead: str) -> None:
    world = World()
    browser = Browser(world, "class")
    offer = offers.watching(browser.credentials, 1, 0)
    assert offered in offer
    offer = offer.replace(offered, instead)
    reply = world.handle(Answer("class", "receive", offer))
    assert isinstance(reply, Refused)
    assert reply.code == "no_common_codec"


def test_a_placement_is_carried_out_whole_or_not_at_all() -> None:
    world = World()
    world.publisher()
    viewer = world.viewer()
    reply = world.place(viewer, mid0="teacher-0", mid1="nothing")
    assert isinstance(reply, Refused)
    assert all(slot.publication_id is None for slot in world.worker._requests._held().slots)


def test_a_new_server_learns_what_is_held() -> None:
    world = World()
    world.publisher()
    viewer = world.viewer(video=1)
    world.place(viewer, mid1="teacher-1")
    world.worker.handle(record("teacher-1"), world.now)
    assert world.worker.handle(ListHeld(), world.now) == Held(
        (TransportInfo("teacher", "send", True), TransportInfo("class", "receive", True)),
        (
            PublicationInfo("teacher-0", "teacher", "0", "audio", ("opus",), True),
            PublicationInfo("teacher-1", "teacher", "1", "video", ("H264", "VP8"), True),
        ),
        (SlotInfo("class", "0", "audio", None), SlotInfo("class", "1", "video", "teacher-1")),
        ("teacher-1",),
    )
    assert world.worker.handle(StopRecording("teacher-1"), world.now) == Done()
    assert world.worker._requests._held().recorded == ()


def test_a_page_with_a_broken_picture_gets_a_key_frame() -> None:
    world = World()
    teacher = world.publisher()
    teacher.show(1, H264_KEY)
    assert world.worker.handle(RequestKeyFrame("teacher-1"), world.now) == Done()
    world.settle()
    assert len(teacher.told(PictureLoss)) == 1


def test_what_is_closed_leaves_nothing_behind() -> None:
    world = World()
    world.publisher()
    world.viewer()
    for transport_id in ("teacher", "class"):
        assert world.worker.handle(CloseTransport(transport_id), world.now) == Done()
    worker = world.worker
    assert not worker._transports
    assert not worker._publications
    assert not worker._by_path
    assert not worker._by_ufrag
    assert not worker._ticking
    assert not any(worker._slices)


def test_the_counters_tell_how_much_is_there() -> None:
    world = World()
    world.publisher()
    viewer = world.viewer()
    world.place(viewer, mid0="teacher-0")
    measured = world.worker.handle(Measure(), world.now)
    assert isinstance(measured, Measured)
    for name, value in {"transports": 2, "transports_connected": 2, "publications": 2, "slots": 3}.items():
        assert measured.counters[name] == value
    assert all(type(value) is float for value in measured.counters.values())


# ── hostile bytes ─────────────────────────────────────────────────────────────────────────────────────────────────

WORLD = World()
TEACHER, VIEWER = WORLD.publisher(), WORLD.viewer()
WORLD.place(VIEWER, mid0="teacher-0", mid1="teacher-1")
TEACHER.say(1)
TEACHER.show(1, H264_KEY)
COUNTER = itertools.count()
SAID = itertools.count(2)
STRANGER = ("198.51.100.9", 9)

addresses = st.sampled_from([STRANGER, TEACHER.address, VIEWER.address])
first_bytes = st.sampled_from([0, 1, 20, 22, 63, 64, 128, 144, 191, 200])
anything = st.one_of(
    st.binary(max_size=300),
    st.tuples(first_bytes, st.binary(max_size=300)).map(lambda it: bytes([it[0]]) + it[1]),
)


def receive(data: bytes, address: tuple[str, int]) -> None:
    """Hand a datagram over and see that it was counted; what would be sent for it is discarded."""
    WORLD.worker.receive(data, Path(0, address), WORLD.now)
    WORLD.worker.flush(WORLD.now)
    WORLD.batch.take()


def still_works() -> None:
    VIEWER.take()
    TEACHER.say(next(SAID) & 0xFFFF)
    assert len(VIEWER.take()) == 1


@given(anything, addresses)
@settings(max_examples=400, deadline=None)
def test_no_datagram_raises_or_disturbs(data: bytes, address: tuple[str, int]) -> None:
    receive(data, address)
    still_works()


@given(st.binary(max_size=200), st.booleans(), addresses)
@settings(max_examples=200, deadline=None)
def test_nothing_that_authenticates_raises(payload: bytes, rtcp: bool, address: tuple[str, int]) -> None:
    """A browser that is let in may send anything, too."""
    browser = VIEWER if address == VIEWER.address else TEACHER
    assert browser.outbound is not None
    if rtcp:
        data = browser.outbound.rtcp(b"\x80\xc9\0\1" + (payload + bytes(8))[: max(8, len(payload))])
    else:
        first = 0x80 | payload[0] & 0x3F if payload else 0x80  # padding, extension and sources as it comes
        head = bytes([first, 0x66]) + next(COUNTER).to_bytes(2, "big") + secrets.token_bytes(4) + b"\0\0\x20\x02"
        data = b""
        with contextlib.suppress(SrtpError):  # libsrtp itself refuses some broken headers
            data = browser.outbound.rtp(head + payload)
    receive(data, browser.address)
    still_works()


@given(
    st.integers(0, 15),
    st.integers(200, 207),
    st.integers(0, 31),
    st.lists(st.integers(0, 0xFFFFFFFF), max_size=40),
    st.sampled_from([TEACHER, VIEWER]),
)
@settings(max_examples=300, deadline=None)
def test_no_absurd_report_raises(length: int, kind: int, count: int, words: list[int], browser: Browser) -> None:
    assert browser.outbound is not None
    body = b"".join(word.to_bytes(4, "big") for word in words)
    data = bytes([0x80 | count, kind]) + (len(words) if length > 7 else length).to_bytes(2, "big") + body
    receive(browser.outbound.rtcp(data.ljust(8, b"\0")), browser.address)
    still_works()


@given(st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_damaged_check_raises(data: st.DataObject) -> None:
    name = f"{VIEWER.remote.ufrag}:{VIEWER.credentials.ufrag}"
    check = bytearray(stun.request(name, VIEWER.remote.pwd.encode(), bytes(12), priority=1, use_candidate=True))
    for at in data.draw(st.lists(st.integers(0, len(check) - 1), min_size=1, max_size=4, unique=True)):
        check[at] ^= data.draw(st.integers(1, 255))
    receive(bytes(check)[: data.draw(st.integers(0, len(check)))], STRANGER)
    assert Path(0, STRANGER) not in WORLD.worker._by_path
    still_works()


@given(st.binary(min_size=1, max_size=120), st.integers(20, 63))
@settings(max_examples=100, deadline=None)
def test_no_record_in_a_handshake_raises(record: bytes, first: int) -> None:
    world = World()
    browser = Browser(world, "class")
    browser.answer("receive", offers.watching(browser.credentials, 1, 1))
    browser.check()
    del world.browsers[browser.address]  # it says nothing else
    browser.send(bytes([first]) + record)
    browser.send(bytes([first]) + bytes.fromhex("fefd 0000 000000000001") + len(record).to_bytes(2, "big") + record)
    world.pass_time(0.1)


def test_hostile_datagrams_are_counted_by_reason_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    with caplog.at_level(logging.INFO):
        for data in (b"", b"\0", b"\0\1" + bytes(18), b"\x16" * 20, b"\x80" * 20, b"\x50" * 20, b"\xc8" * 20):
            world.worker.receive(data, Path(0, STRANGER), world.now)
    counters = world.worker.counters
    assert counters["packets_in"] == 7
    assert sum(value for name, value in counters.items() if name.startswith("dropped_")) == 7
    assert caplog.text == ""


def test_a_stranger_who_knows_a_ufrag_but_no_password_gets_nowhere() -> None:
    world = World()
    viewer = world.viewer()
    name = f"{viewer.remote.ufrag}:{viewer.credentials.ufrag}"
    forged = stun.request(name, b"wrong password", bytes(12), priority=1, use_candidate=True)
    world.worker.receive(forged, Path(0, STRANGER), world.now)
    assert Path(0, STRANGER) not in world.worker._by_path
    assert world.worker.counters["dropped_stun_refused"] == 1


def test_a_server_that_adopts_a_worker_hears_which_layers_are_needed() -> None:
    world = World()
    world.simulcaster()
    world.events.clear()
    world.worker.handle(ListHeld(), world.now)
    assert LayersWanted("teacher-1", ("h", "m", "l")) in world.events


def test_a_bug_that_meets_one_transport_ends_it_and_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Worker, "_broken", BROKEN)
    world = World()
    for name in ("teacher", "other"):
        world.publisher(name)
    monkeypatch.setattr(world.worker._transports["teacher"], "tick", lambda now: 1 / 0)
    world.pass_time(0.1)
    assert "transport teacher ends because of a bug" in caplog.text
    assert TransportChanged("teacher", "lost") in world.events
    held = world.worker.handle(ListHeld(), world.now)
    assert isinstance(held, Held)
    assert [it.transport_id for it in held.transports] == ["other"]


def test_a_bug_in_what_a_browser_sends_does_not_reach_the_socket(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Worker, "_broken", BROKEN)
    world = World()
    teacher = world.publisher("teacher")
    monkeypatch.setattr(world.worker._transports["teacher"], "receive_rtp", lambda data, now: 1 / 0)
    teacher.say(1)
    world.settle()
    assert TransportChanged("teacher", "lost") in world.events
    assert "transport teacher ends because of a bug" in caplog.text
