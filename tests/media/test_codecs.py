import pytest

from media.codecs import Codec, best_match, common_codecs
from media.sdp import SessionDescription
from tests.support.captured import captured

CONSTRAINED = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
BASELINE = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"
MAIN = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f"
HIGH = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c1f"
SINGLE = "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f"


def codec(name: str, fmtp: str = "", payload_type: int = 96) -> Codec:
    return Codec(name, payload_type, 90000, 0, fmtp, None, ())


def section_codecs(browser: str, kind: str) -> tuple[Codec, ...]:
    offer = SessionDescription.parse(captured(browser).offer)
    return common_codecs(next(section for section in offer.sections if section.kind == kind))


def offered(*lines: str, kind: str = "video", formats: str = "96") -> tuple[Codec, ...]:
    text = "\r\n".join(["v=0", f"m={kind} 9 UDP/TLS/RTP/SAVPF {formats}", *lines])
    return common_codecs(SessionDescription.parse(text).sections[0])


def test_constrained_baseline_comes_first_of_what_chromium_offers_and_then_vp8() -> None:
    codecs = section_codecs("chromium", "video")
    assert [each.name for each in codecs] == ["H264"] * 6 + ["VP8", "VP9", "AV1"]
    assert codecs[0].fmtp == CONSTRAINED
    assert [each.fmtp[-6:] for each in codecs[:3]] == ["42e01f", "42001f", "4d001f"]


def test_firefox_without_its_plug_in_is_taken_with_vp8() -> None:
    assert [each.name for each in section_codecs("firefox", "video")] == ["VP8", "VP9", "AV1"]


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_every_video_codec_has_its_retransmission_and_all_feedback(browser: str) -> None:
    for each in section_codecs(browser, "video"):
        assert each.rtx_payload_type is not None
        assert each.feedback == ("nack", "nack pli", "ccm fir", "goog-remb", "transport-cc")


@pytest.mark.parametrize("browser", ["chromium", "firefox", "ffmpeg"])
def test_opus_asks_for_in_band_fec_and_for_nack_whatever_was_offered(browser: str) -> None:
    (opus,) = section_codecs(browser, "audio")
    assert (opus.name, opus.clock_rate, opus.channels) == ("opus", 48000, 2)
    assert "useinbandfec=1" in opus.fmtp
    assert opus.fmtp.count("useinbandfec") == 1
    assert opus.feedback[0] == "nack"


def test_stereo_that_a_publisher_offers_is_kept() -> None:
    assert "stereo=1" in section_codecs("firefox", "audio")[0].fmtp


def test_names_are_compared_without_case() -> None:
    (opus,) = offered("a=rtpmap:96 OPUS/48000/2", kind="audio")
    assert opus.name == "opus"


@pytest.mark.parametrize(
    "lines",
    [
        ["a=rtpmap:96 VP8/8000"],
        ["a=rtpmap:96 VP9/90000", "a=fmtp:96 profile-id=2"],
        ["a=rtpmap:96 AV1/90000", "a=fmtp:96 profile=1"],
        ["a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=2"],
        ["a=rtpmap:96 H265/90000"],
        ["a=rtpmap:97 VP8/90000"],
        ["a=rtpmap:96 rtx/90000", "a=fmtp:96 apt=96"],
        [],
    ],
)
def test_what_most_viewers_could_not_show_is_left_out(lines: list[str]) -> None:
    assert offered(*lines) == ()


@pytest.mark.parametrize(
    ("published", "accepted", "expected"),
    [
        (codec("VP8"), [codec("H264", CONSTRAINED), codec("VP8")], "VP8"),
        (codec("VP9"), [codec("H264", CONSTRAINED), codec("VP8")], None),
        (codec("H264", CONSTRAINED), [codec("H264", BASELINE), codec("H264", CONSTRAINED)], CONSTRAINED),
        (codec("H264", CONSTRAINED), [codec("H264", MAIN), codec("H264", BASELINE)], BASELINE),
        (codec("H264", CONSTRAINED), [codec("H264", HIGH)], HIGH),
        (codec("H264", CONSTRAINED), [codec("H264", SINGLE)], None),
        (codec("H264", SINGLE), [codec("H264", SINGLE)], SINGLE),
        (codec("H264", MAIN), [codec("H264", CONSTRAINED), codec("H264", HIGH)], HIGH),
        (codec("H264", HIGH), [codec("H264", CONSTRAINED), codec("H264", MAIN)], MAIN),
        (codec("H264", ""), [codec("H264", CONSTRAINED)], CONSTRAINED),
        (codec("H264", "profile-level-id=zz"), [codec("H264", CONSTRAINED)], CONSTRAINED),
    ],
)
def test_a_published_codec_finds_the_one_that_carries_it(
    published: Codec, accepted: list[Codec], expected: str | None
) -> None:
    match = best_match(published, accepted)
    assert (match and (match.fmtp or match.name)) == expected


@pytest.mark.parametrize(("browser", "expected"), [("chromium", 63), ("firefox", None), ("ffmpeg", None)])
def test_redundant_sound_is_taken_where_it_is_offered(browser: str, expected: int | None) -> None:
    (opus,) = section_codecs(browser, "audio")
    assert opus.red_payload_type == expected


@pytest.mark.parametrize(
    "lines",
    [
        ["a=rtpmap:63 red/48000/2"],  # of what?
        ["a=rtpmap:63 red/48000/2", "a=fmtp:63 111/9"],
        ["a=rtpmap:63 red/8000", "a=fmtp:63 111/111"],
        ["a=rtpmap:63 red/48000/2", "a=fmtp:63 111"],
    ],
)
def test_redundancy_of_anything_but_opus_is_not_taken(lines: list[str]) -> None:
    (opus,) = offered("a=rtpmap:111 opus/48000/2", *lines, kind="audio", formats="111 63")
    assert opus.red_payload_type is None


def test_silence_is_asked_to_take_no_packets() -> None:
    (opus,) = offered("a=rtpmap:96 opus/48000/2", "a=fmtp:96 usedtx=0; minptime=10;useinbandfec=1", kind="audio")
    assert opus.fmtp == "minptime=10;useinbandfec=1;usedtx=1"
