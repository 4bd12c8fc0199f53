import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.answer import (
    ABS_SEND_TIME,
    AUDIO_LEVEL,
    MID,
    TRANSPORT_WIDE_CC,
    LocalParameters,
    Negotiated,
    Source,
    answer,
    candidate,
)
from media.messages import Direction
from media.sdp import SdpError, SessionDescription
from tests.support.captured import CONNECTIONS, captured

LOCAL = LocalParameters(
    "ourufrag", "ourpassword0123456789abcd", "AA:BB", (candidate("192.0.2.7", 7000, 0),), "cname", 42
)


def answered(text: str, direction: Direction = "send", known: dict[str, Source] | None = None) -> Negotiated:
    numbers = itertools.count(1000)
    return answer(SessionDescription.parse(text), direction, LOCAL, known, lambda: next(numbers))


def browsers(browser: str, direction: str) -> Negotiated:
    return answered(captured(browser, direction).offer, "send" if direction == "send" else "receive")


def without(text: str, *beginnings: str) -> str:
    return "".join(line for line in text.splitlines(True) if not line.startswith(beginnings))


# ── both directions ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("browser", "direction"), CONNECTIONS)
def test_an_answer_is_one_ice_lite_bundle_that_waits_for_the_browsers_handshake(browser: str, direction: str) -> None:
    session = SessionDescription.parse(browsers(browser, direction).sdp)
    assert session.bundle == ["0", "1"]
    assert session.has("ice-lite")
    for section in session.sections:
        assert section.port == 9
        assert section.value("setup") == "passive"
        assert section.value("ice-ufrag") == "ourufrag"
        assert section.fingerprints == [("sha-256", "AA:BB")]
        assert section.has("rtcp-mux")
    first, second = session.sections
    assert first.value("candidate") == "1 1 udp 2130706431 192.0.2.7 7000 typ host"
    assert first.has("end-of-candidates")
    assert not second.has("candidate")


@pytest.mark.parametrize(("browser", "direction"), CONNECTIONS)
def test_the_browsers_own_parameters_are_taken(browser: str, direction: str) -> None:
    remote = browsers(browser, direction).remote
    offer = captured(browser, direction).offer
    assert f"a=ice-ufrag:{remote.ufrag}\r\n" in offer
    assert f"a=ice-pwd:{remote.pwd}\r\n" in offer
    assert [f"a=fingerprint:{algorithm} {value}\r\n" in offer for algorithm, value in remote.fingerprints] == [True]
    assert remote.dtls_role == "server"


@pytest.mark.parametrize(("browser", "direction"), CONNECTIONS)
def test_payload_types_and_extension_ids_are_the_browsers(browser: str, direction: str) -> None:
    offer = SessionDescription.parse(captured(browser, direction).offer)
    negotiated = browsers(browser, direction)
    for section, offered in zip(negotiated.sections, offer.sections, strict=True):
        for codec in section.codecs:
            assert offered.rtpmaps[codec.payload_type].name == codec.name
        assert section.extensions.items() <= {each.uri: each.id for each in offered.extensions}.items()
        assert MID in section.extensions


def test_the_answer_lists_codecs_as_negotiated_each_before_its_retransmission() -> None:
    negotiated = browsers("chromium", "send")
    line = SessionDescription.parse(negotiated.sdp).sections[1].payload_types
    expected = [n for codec in negotiated.sections[1].codecs for n in (codec.payload_type, codec.rtx_payload_type)]
    assert line == expected


# ── a browser that publishes ──────────────────────────────────────────────────────────────────────────────────────


def test_a_publishing_browser_is_answered_recvonly_without_ssrcs_of_ours() -> None:
    negotiated = browsers("chromium", "send")
    assert [section.flow for section in negotiated.sections] == ["recvonly", "recvonly"]
    assert [section.local for section in negotiated.sections] == [None, None]
    assert "a=ssrc" not in negotiated.sdp
    assert "a=recvonly" in negotiated.sdp


@pytest.mark.parametrize("browser", ["chromium", "firefox", "ffmpeg"])
def test_the_ssrcs_a_publisher_names_are_known_with_their_retransmissions(browser: str) -> None:
    audio, video = browsers(browser, "send").sections
    assert len(audio.remote) == len(video.remote) == 1
    assert audio.remote[0].rtx_ssrc is None
    assert video.remote[0].rtx_ssrc is not None
    sent = {int.from_bytes(packet[8:12], "big") for packet in captured(browser).rtp}
    assert {audio.remote[0].ssrc, video.remote[0].ssrc} <= sent


def test_the_extensions_that_congestion_control_and_sound_levels_need_are_agreed() -> None:
    audio, video = browsers("chromium", "send").sections
    assert {AUDIO_LEVEL, TRANSPORT_WIDE_CC} <= audio.extensions.keys()
    assert {ABS_SEND_TIME, TRANSPORT_WIDE_CC} <= video.extensions.keys()
    assert "video-orientation" not in "".join(video.extensions)  # so the phone itself turns the picture upright


def test_chromiums_round_trip_reports_are_agreed() -> None:
    negotiated = browsers("chromium", "send")
    assert all(section.reports_rtt for section in negotiated.sections)
    assert negotiated.sdp.count("a=rtcp-xr:rcvr-rtt=all") == 2
    assert "rtcp-xr" not in browsers("firefox", "send").sdp


def test_a_publisher_that_waits_for_our_handshake_gets_it() -> None:
    negotiated = browsers("ffmpeg", "send")
    assert negotiated.remote.dtls_role == "client"
    assert "a=setup:active" in negotiated.sdp


def test_a_section_made_inactive_is_answered_inactive_and_stays_served() -> None:
    offer = captured("chromium").offer.replace("a=sendonly", "a=inactive", 1)
    audio, video = answered(offer).sections
    assert (audio.flow, video.flow) == ("inactive", "recvonly")


def test_layers_are_told_though_only_one_is_taken() -> None:
    offer = without(captured("chromium").offer, "a=ssrc") + "a=rid:h send\r\na=rid:l send\r\na=simulcast:send h;l\r\n"
    video = answered(offer).sections[1]
    assert video.rids == ("h", "l")
    assert video.remote == ()


# ── a browser that watches ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_a_slot_has_an_ssrc_with_retransmission_a_stream_and_the_transports_cname(browser: str) -> None:
    negotiated = browsers(browser, "receive")
    audio, video = negotiated.sections
    assert (audio.flow, video.flow) == ("sendonly", "sendonly")
    assert (audio.local, video.local) == (Source(1000, None), Source(1001, 1002))
    section = SessionDescription.parse(negotiated.sdp).sections[1]
    assert section.ssrc_groups("FID") == [(1001, 1002)]
    assert section.value("msid") == "pair-0 slot-1"
    assert next(section.values("ssrc")) == "1001 cname:cname"


def test_a_slot_keeps_every_common_codec() -> None:
    names = [codec.name for codec in browsers("chromium", "receive").sections[1].codecs]
    assert list(dict.fromkeys(names)) == ["H264", "VP8", "VP9", "AV1"]


def test_a_reoffer_keeps_known_ssrcs_and_gives_new_slots_their_own() -> None:
    offer = captured("firefox", "receive").offer
    known = {"0": Source(7, None), "1": Source(1000, 9)}
    more = offer.replace("BUNDLE 0 1", "BUNDLE 0 1 2") + _sections(offer)[1].replace("a=mid:1", "a=mid:2")
    negotiated = answered(more, "receive", known)
    assert negotiated.sources == {**known, "2": Source(1001, 1002)}
    assert answered(more, "receive", negotiated.sources).sources == negotiated.sources


def test_a_slot_that_is_inactive_for_a_while_keeps_its_ssrcs() -> None:
    offer = captured("chromium", "receive").offer
    first = answered(offer, "receive")
    stopped = answered(offer.replace("a=recvonly", "a=inactive"), "receive", first.sources)
    assert [section.flow for section in stopped.sections] == ["inactive", "inactive"]
    assert "a=ssrc" not in stopped.sdp
    assert stopped.sources == first.sources


def test_sound_and_picture_of_one_person_share_a_stream_and_the_screen_has_its_own() -> None:
    offer = captured("chromium", "receive").offer
    audio, video = _sections(offer)
    kinds = [audio, audio, audio, video, video, video, video]
    sections = [text.replace("a=mid:0", f"a=mid:{n}").replace("a=mid:1", f"a=mid:{n}") for n, text in enumerate(kinds)]
    whole = offer[: offer.index("m=audio")].replace("BUNDLE 0 1", "BUNDLE 0 1 2 3 4 5 6") + "".join(sections)
    session = SessionDescription.parse(answered(whole, "receive").sdp)
    streams = [(section.value("msid") or "").split()[0] for section in session.sections]
    assert streams == ["pair-0", "pair-1", "pair-2", "pair-0", "screen", "pair-1", "pair-2"]


def test_a_browser_that_offers_both_ways_is_only_sent_to() -> None:
    offer = captured("chromium", "receive").offer.replace("a=recvonly", "a=sendrecv")
    assert [section.flow for section in answered(offer, "receive").sections] == ["sendonly", "sendonly"]


# ── what cannot be served ─────────────────────────────────────────────────────────────────────────────────────────

DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=sctp-port:5000\r\n"


def test_a_data_channel_is_rejected_beside_what_is_served() -> None:
    offer = captured("chromium").offer.replace("BUNDLE 0 1", "BUNDLE 0 1 2") + DATA
    negotiated = answered(offer)
    assert [section.mid for section in negotiated.sections] == ["0", "1"]
    rejected = SessionDescription.parse(negotiated.sdp).sections[2]
    assert (rejected.port, rejected.mid, rejected.protocol) == (0, "2", "UDP/DTLS/SCTP")
    assert SessionDescription.parse(negotiated.sdp).bundle == ["0", "1"]


def test_a_section_without_a_common_codec_is_rejected_beside_what_is_served() -> None:
    offer = captured("chromium").offer.replace("opus/48000", "speex/16000")
    negotiated = answered(offer)
    assert [section.kind for section in negotiated.sections] == ["video"]
    first, second = SessionDescription.parse(negotiated.sdp).sections
    assert (first.port, second.port) == (0, 9)
    assert second.has("candidate")


def test_a_stopped_transceiver_is_no_error_even_when_all_are_stopped() -> None:
    offer = captured("chromium").offer.replace("m=audio 9", "m=audio 0").replace("m=video 9", "m=video 0")
    negotiated = answered(offer)
    assert negotiated.sections == ()
    assert [section.port for section in SessionDescription.parse(negotiated.sdp).sections] == [0, 0]


def test_without_a_bundle_only_the_first_section_is_served() -> None:
    offer = captured("chromium").offer.replace("a=group:BUNDLE 0 1\r\n", "")
    assert [section.mid for section in answered(offer).sections] == ["0"]


def test_an_extension_that_needs_a_long_header_is_left_out() -> None:
    offer = captured("chromium").offer.replace(f"a=extmap:4 {MID}", f"a=extmap:15 {MID}")
    assert MID not in answered(offer).sections[0].extensions


@pytest.mark.parametrize(
    ("offer", "code"),
    [
        (captured("chromium").offer.replace("opus", "speex").replace("90000", "8000"), "no_common_codec"),
        (without(captured("chromium").offer, "a=rtpmap"), "no_common_codec"),
        (without(captured("chromium").offer, "a=rtcp-mux"), "no_common_codec"),
        (without(captured("chromium").offer, "a=ice-ufrag"), "sdp_malformed"),
        (without(captured("chromium").offer, "a=ice-pwd"), "sdp_malformed"),
        (without(captured("chromium").offer, "a=fingerprint"), "sdp_malformed"),
        (captured("chromium").offer.replace("sha-256", "md5"), "sdp_malformed"),
        (captured("chromium").offer.replace("setup:actpass", "setup:holdconn"), "sdp_malformed"),
        (captured("chromium").offer.replace("a=mid:1", "a=mid:0"), "sdp_malformed"),
        ("v=0\r\ns=-\r\n", "sdp_malformed"),
    ],
)
def test_an_offer_that_cannot_be_answered_says_why(offer: str, code: str) -> None:
    with pytest.raises(SdpError) as raised:
        answered(offer)
    assert raised.value.code == code


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_to_a_real_offer_makes_it_raise_anything_else(data: st.DataObject) -> None:
    browser, direction = data.draw(st.sampled_from(CONNECTIONS))
    lines = captured(browser, direction).offer.splitlines()
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(lines) - 1))
        what = data.draw(st.sampled_from(["drop", "double", "swap", "cut", "insert"]))
        if what == "drop":
            lines[at : at + 1] = ["s=-"]
        elif what == "double":
            lines.insert(at, lines[at])
        elif what == "swap":
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        elif what == "cut":
            lines[at] = lines[at][: data.draw(st.integers(2, 40))]
        else:
            lines[at] += data.draw(st.text(max_size=8))
    try:
        negotiated = answered("\r\n".join(lines), "send" if direction == "send" else "receive")
    except SdpError:
        return
    SessionDescription.parse(negotiated.sdp)


def _sections(offer: str) -> tuple[str, str]:
    at = offer.index("m=video")
    return offer[offer.index("m=audio") : at], offer[at:]


@pytest.mark.parametrize("direction", ["send", "receive"])
def test_redundant_sound_is_listed_first_because_chromium_sends_no_other(direction: str) -> None:
    section = SessionDescription.parse(browsers("chromium", direction).sdp).sections[0]
    assert list(section.formats) == ["63", "111"]
    assert section.rtpmaps[63].name == "red"
    assert section.fmtps[63] == "111/111"
    firefox = SessionDescription.parse(browsers("firefox", direction).sdp).sections[0]
    assert list(firefox.formats) == ["109"]
