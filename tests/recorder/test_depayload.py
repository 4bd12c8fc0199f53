import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.depayload import H264, for_codec
from recorder.frame import Depayloader, Frame
from tests.recorder.source import Sample, payloads, picture

CODECS = ["H264", "VP8", "VP9", "AV1"]
MTU = {"H264": 40, "VP8": 40, "VP9": 40, "AV1": 14}  # so small that a frame takes several packets


def frames(depayloader: Depayloader, codec: str, samples: list[Sample], lost: int = -1) -> list[Frame]:
    """The frames that come out of small packets, when packet `lost` of the first sample is missing."""
    found = []
    for number, sample in enumerate(samples):
        made = payloads(codec, sample, MTU[codec])
        for at, payload in enumerate(made):
            if (number, at) == (0, lost):
                depayloader.lost()
            elif frame := depayloader.push(number * 3000, at == len(made) - 1, payload):
                found.append(frame)
    return found


@pytest.mark.parametrize("codec", CODECS)
def test_every_frame_comes_out_with_its_size_on_key_frames(codec: str) -> None:
    found = frames(for_codec(codec, ""), codec, picture(codec, 4))
    assert len(found) == 80
    assert [frame.key for frame in found] == [sample.key for sample in picture(codec, 4)]
    sizes = {(frame.format.width, frame.format.height) for frame in found if frame.format}
    assert sizes == {(320, 180)}


@pytest.mark.parametrize("codec", CODECS)
def test_a_frame_that_lacks_a_packet_does_not_come_out(codec: str) -> None:
    samples = picture(codec, 4)[:5]
    count = len(payloads(codec, samples[0], MTU[codec]))
    assert count > 2
    for missing in range(count):
        found = frames(for_codec(codec, ""), codec, samples, missing)
        assert not any(frame.key for frame in found), missing


@pytest.mark.parametrize("codec", CODECS)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.binary(max_size=60)), max_size=30))
def test_no_payload_whatever_its_bytes_raises(codec: str, packets: list[tuple[int, bool, bytes]]) -> None:
    depayloader = for_codec(codec, "profile-level-id=42e01f;sprop-parameter-sets=Z0LgH9oBQBbE,aM4G4g==,%%%")
    for timestamp, marker, payload in packets:
        depayloader.push(timestamp, marker, payload)


def test_a_frame_without_marker_ends_where_the_next_begins() -> None:
    depayloader = H264()
    sets, slice_ = payloads("H264", picture("H264", 4)[0])[:2]
    assert depayloader.push(0, False, sets) is None
    if slice_[0] & 31 == 28:
        slice_ = bytes([0x65]) + slice_[2:]
    assert depayloader.push(0, False, slice_) is None
    frame = depayloader.push(3000, True, b"\x41\x9a\x00")
    assert frame is not None
    assert (frame.timestamp, frame.key) == (0, True)


def test_parameter_sets_may_stand_in_the_session_description() -> None:
    depayloader = for_codec(
        "H264", "packetization-mode=1;sprop-parameter-sets=Z0LAFNoFB+wFqDCAgAAAAwCAAAAZR4oVUA==,aM48gA=="
    )
    frame = depayloader.push(0, True, b"\x65\x88\x84\x00")
    assert frame is not None
    assert frame.format is not None
    assert frame.format.codecs == "avc3.42c014"


def test_parameter_sets_stand_before_each_key_frame_and_nowhere_else() -> None:
    for frame in frames(for_codec("H264", ""), "H264", picture("H264", 4)):
        kinds, at = [], 0
        while at < len(frame.data):
            kinds.append(frame.data[at + 4] & 31)
            at += 4 + int.from_bytes(frame.data[at : at + 4], "big")
        sets = [kind for kind in kinds if kind in (7, 8)]
        assert sets == ([7, 8] if frame.key else [])
        assert kinds[: len(sets)] == sets


def test_av1_samples_hold_units_that_say_their_size_and_no_delimiters() -> None:
    samples = picture("AV1", 4)
    found = frames(for_codec("AV1", ""), "AV1", samples)
    for frame, sample in zip(found, samples, strict=True):
        assert sample.data[:2] == b"\x12\x00"  # the delimiter that the encoder put there
        assert frame.data == sample.data[2:]
    form = found[0].format
    assert form is not None
    assert form.codecs == "av01.0.00M.08"
    assert b"av1C\x81" in form.entry
    assert samples[0].data[4:6] in form.entry  # the sequence header once more


def test_av1_that_does_not_follow_is_not_given_until_a_sequence_begins() -> None:
    depayloader = for_codec("AV1", "")
    samples = picture("AV1", 4)
    made = [payloads("AV1", sample, MTU["AV1"]) for sample in samples]

    def push(number: int, left_out: int = -1) -> Frame | None:
        done = None
        for at, payload in enumerate(made[number]):
            if at != left_out:
                done = depayloader.push(number * 3000, at == len(made[number]) - 1, payload) or done
        return done

    assert push(0) is not None
    assert push(1, left_out=0) is None
    assert depayloader.failed  # a piece without its beginning, although nobody had said that something was lost
    assert push(2) is None
    depayloader.lost()
    assert not depayloader.failed
    assert push(3) is None
    assert push(40) is not None
