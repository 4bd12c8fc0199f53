import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtp
from media.keyframes import GIVE_UP, KeyFrameRequests, OneViewersLosses, starts_key_frame
from media.sdp import SessionDescription
from tests.support.captured import captured


def video(browser: str) -> tuple[str, list[bytes]]:
    """The codec a browser chose and the payloads it sent with it."""
    rtpmaps = SessionDescription.parse(captured(browser).offer).sections[1].rtpmaps
    found = [rtp.parse(data) for data in captured(browser).rtp]
    packets = [each for each in found if each is not None and each.payload_type in rtpmaps]
    names = {each.payload_type: rtpmaps[each.payload_type].name for each in packets}
    payload_type, name = next((number, name) for number, name in names.items() if name in ("H264", "VP8"))
    return name, [each.payload for each in packets if each.payload_type == payload_type and each.payload]


@pytest.mark.parametrize(("browser", "codec"), [("chromium", "H264"), ("firefox", "VP8"), ("ffmpeg", "H264")])
def test_a_real_picture_starts_with_a_key_frame_and_goes_on_without(browser: str, codec: str) -> None:
    name, payloads = video(browser)
    assert name == codec
    starts = [starts_key_frame(codec, payload) for payload in payloads]
    assert starts[0]
    assert not all(starts)
    assert not starts_key_frame(codec, payloads[-1])


@pytest.mark.parametrize(
    ("codec", "payload", "expected"),
    [
        ("H264", "67 42", True),  # parameter set
        ("H264", "65 88", False),  # IDR slice: of no use to who has not had the parameter set
        ("H264", "41 9a", False),  # other slice
        ("H264", "06 05", False),  # SEI
        ("H264", "78 0002 6742 0002 68ce 0002 6588", True),  # STAP-A
        ("H264", "78 0002 419a 0002 419b", False),
        ("H264", "78 0002 0605 0002 6588", False),
        ("H264", "78 0002 0605 0002 6742", True),
        ("H264", "7c 85 88", False),  # first fragment of an IDR slice
        ("H264", "7c 87 42", True),  # of a parameter set
        ("H264", "7c 05 88", False),  # middle fragment
        ("H264", "7c 45 88", False),  # last fragment
        ("H264", "7c 81 9a", False),
        ("VP8", "10 50", True),
        ("VP8", "10 51", False),  # P bit
        ("VP8", "00 50", False),  # middle of a partition
        ("VP8", "11 50", False),  # second partition
        ("VP8", "90 80 12 50", True),  # short picture id
        ("VP8", "90 80 92 34 50", True),  # long picture id
        ("VP8", "90 f0 92 34 05 60 50", True),  # with TL0PICIDX, TID, KEYIDX
        ("VP8", "90 f0 92 34 05 60 51", False),
        ("VP9", "08", True),
        ("VP9", "48", False),  # predicted
        ("VP9", "00", False),  # not the beginning
        ("VP9", "a8 92 34 00 00", True),
        ("VP9", "a8 92 34 02 00", False),  # second spatial layer
        ("AV1", "18", True),
        ("AV1", "10", False),
        ("opus", "08", False),
        ("H265", "67", False),
    ],
)
def test_first_bytes_tell_a_key_frame(codec: str, payload: str, expected: bool) -> None:
    assert starts_key_frame(codec, bytes.fromhex(payload)) is expected
    assert starts_key_frame(codec, memoryview(bytes.fromhex(payload))) is expected


@given(st.sampled_from(["H264", "VP8", "VP9", "AV1"]), st.binary(max_size=40))
def test_no_payload_makes_it_raise(codec: str, payload: bytes) -> None:
    starts_key_frame(codec, payload)


def test_the_first_request_goes_out_at_once() -> None:
    assert KeyFrameRequests().ask(0.0)


def test_two_hundred_joining_at_once_make_two_requests_in_half_a_second() -> None:
    requests = KeyFrameRequests()
    sent = [at / 400 for at in range(200) if requests.ask(at / 400)]
    assert sent == [0.0]
    assert not requests.due(0.49)
    assert requests.due(0.5)
    assert not requests.due(0.51)


def test_a_key_frame_satisfies_all_who_waited() -> None:
    requests = KeyFrameRequests()
    requests.ask(0.0)
    requests.ask(0.1)
    requests.arrived(0.2)
    assert not requests.due(5.0)


def test_who_joins_right_after_a_key_frame_waits_for_the_interval() -> None:
    requests = KeyFrameRequests()
    requests.ask(0.0)
    requests.arrived(0.1)
    assert not requests.ask(0.2)
    assert not requests.due(0.4)
    assert requests.due(0.5)


def test_loss_asks_only_every_two_seconds() -> None:
    requests = KeyFrameRequests()
    assert requests.ask(0.0, loss=True)
    requests.arrived(0.1)
    assert not requests.ask(1.0, loss=True)
    assert not requests.due(1.9)
    assert requests.due(2.0)


def test_a_join_does_not_wait_for_the_interval_of_loss() -> None:
    requests = KeyFrameRequests()
    requests.ask(0.0, loss=True)
    requests.arrived(0.1)
    requests.ask(0.2, loss=True)
    assert requests.ask(0.6)


def test_a_request_nobody_answers_is_repeated_ever_more_slowly_and_at_last_not() -> None:
    requests = KeyFrameRequests()
    requests.ask(0.0)
    times = [at / 10 for at in range(1000) if requests.due(at / 10)]
    assert times[:4] == [0.5, 1.5, 3.5, 5.5]
    assert GIVE_UP - 2.0 < times[-1] <= GIVE_UP


def test_without_a_request_nothing_is_due() -> None:
    assert not KeyFrameRequests().due(100.0)


def heeded(begin: float, end: float, every: float, losses: OneViewersLosses | None = None) -> int:
    """How many key frames it takes to heed a viewer that has lost pictures all that time."""
    losses = losses or OneViewersLosses()
    moments = [begin + number * every for number in range(round((end - begin) / every))]
    said = [moment for moment in moments if losses.heed(moment)]
    return sum(after - before > OneViewersLosses.SAME for before, after in zip([-99.0, *said], said, strict=False))


def test_a_viewer_that_lost_a_picture_is_heeded_however_often_it_says_so() -> None:
    losses = OneViewersLosses()
    assert all(losses.heed(5.0 + tick * 0.2) for tick in range(5))
    assert losses.heed(15.0)


def test_a_viewer_that_loses_without_end_costs_the_class_a_key_frame_in_eight_seconds() -> None:
    assert heeded(0.0, 80.0, 0.01) <= OneViewersLosses.AT_ONCE + 80 / OneViewersLosses.EVERY
    assert heeded(0.0, 80.0, 20.0) == 4
