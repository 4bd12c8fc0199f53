import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.sdp import MAX_LENGTH, MAX_LINES, MAX_SECTIONS, RtpMap, SdpError, SessionDescription, number, parameters
from tests.support.captured import CONNECTIONS, captured

SIMULCAST = """v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=mid:0
a=extmap:3/sendonly urn:ietf:params:rtp-hdrext:sdes:mid
a=rtpmap:96 VP8/90000
a=rtcp-fb:* nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96;rtx-time=3000
a=ssrc-group:FID 11 12
a=ssrc:11 cname:x
a=ssrc:11 msid:a b
a=ssrc:12 cname:x
a=rid:h send
a=rid:m send max-width=640;max-height=360
a=simulcast:send h;m
"""


def test_every_line_of_a_browsers_offer_survives() -> None:
    for browser, direction in [*CONNECTIONS, ("ffmpeg", "send")]:
        offer = captured(browser, direction).offer
        assert str(SessionDescription.parse(offer)) == offer


def test_bare_newlines_are_read_and_written_as_the_standard_wants() -> None:
    assert str(SessionDescription.parse(SIMULCAST)) == SIMULCAST.replace("\n", "\r\n")


def test_the_views_give_what_negotiation_needs() -> None:
    session = SessionDescription.parse(SIMULCAST)
    (section,) = session.sections
    assert session.bundle == ["0"]
    assert (section.kind, section.port, section.mid) == ("video", 9, "0")
    assert section.payload_types == [96, 97]
    assert section.rtpmaps == {96: RtpMap("VP8", 90000, 0), 97: RtpMap("rtx", 90000, 0)}
    assert parameters(section.fmtps[97]) == {"apt": "96", "rtx-time": "3000"}
    assert section.feedback["96"] == {"nack pli"}
    assert section.feedback["*"] == {"nack"}
    assert [(each.id, each.direction) for each in section.extensions] == [(3, "sendonly")]
    assert section.ssrcs == [11, 12]
    assert section.ssrc_groups("FID") == [(11, 12)]
    assert [(rid.id, rid.direction) for rid in section.rids] == [("h", "send"), ("m", "send")]
    assert section.value("simulcast") == "send h;m"


def test_a_fingerprint_may_stand_at_the_session_or_in_a_section() -> None:
    assert len(SessionDescription.parse(captured("firefox").offer).fingerprints) == 1
    assert len(SessionDescription.parse(captured("chromium").offer).sections[0].fingerprints) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "hello",
        "v=1\r\n",
        "o=- 1 1 IN IP4 0.0.0.0\r\nv=0\r\n",
        "v=0\r\nm=audio\r\n",
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF\r\n",
        "v=0\r\nm=audio -9 UDP/TLS/RTP/SAVPF 0\r\n",
        "v=0\r\nm=audio 99999 UDP/TLS/RTP/SAVPF 0\r\n",
        "v=0\r\nm=audio \u0661 UDP/TLS/RTP/SAVPF 0\r\n",
        "v=0\r\nM=audio 9 UDP/TLS/RTP/SAVPF 0\r\n",
        "v=0\r\na\r\n",
        '{"type": "offer"}',
        "v=0\r\n" + "m=audio 9 RTP/AVP 0\r\n" * (MAX_SECTIONS + 1),
        "v=0\r\n" + "a=x\r\n" * MAX_LENGTH,
        "v=0\r\n" + "a=x\r\n" * MAX_LINES,
        "v=0\r\nm=audio 9 RTP/AVP 0\r\n" + "a=x\r\n" * (MAX_LINES + 1),
    ],
)
def test_what_is_no_sdp_is_said_to_be_malformed(text: str) -> None:
    with pytest.raises(SdpError) as raised:
        SessionDescription.parse(text)
    assert raised.value.code == "sdp_malformed"


@pytest.mark.parametrize(
    ("text", "maximum", "expected"),
    [("0", 5, 0), ("5", 5, 5), ("6", 5, None), ("-1", 5, None), ("1_0", 99, None), ("", 5, None), ("٣", 5, None),
     ("9" * 5000, 5, None)],
)  # fmt: skip
def test_a_number_is_plain_decimal_digits_within_its_bound(text: str, maximum: int, expected: int | None) -> None:
    assert number(text, maximum) == expected


ATTRIBUTES = [
    "mid", "rtpmap", "fmtp", "rtcp-fb", "extmap", "ssrc", "ssrc-group", "rid", "simulcast", "group", "fingerprint",
    "sendonly", "ice-ufrag", "setup",
]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(ATTRIBUTES), st.text(max_size=30)), max_size=12))
def test_no_value_of_any_attribute_makes_a_view_raise(attributes: list[tuple[str, str]]) -> None:
    lines = [f"a={name}:{value}" for name, value in attributes]
    text = "\r\n".join(["v=0", *lines, "m=video 9 UDP/TLS/RTP/SAVPF 96", *lines])
    try:
        session = SessionDescription.parse(text)
    except SdpError:
        return
    _ = session.bundle, session.fingerprints, session.direction
    for section in session.sections:
        _ = (section.mid, section.payload_types, section.rtpmaps, section.fmtps, section.extensions, section.ssrcs,
             section.rids, section.feedback, section.ssrc_groups("FID"), section.fingerprints)  # fmt: skip


@given(st.text(max_size=300))
def test_no_text_makes_it_raise_anything_else(text: str) -> None:
    try:
        parsed = SessionDescription.parse(text)
    except SdpError:
        return
    assert str(SessionDescription.parse(str(parsed))) == str(parsed)
