import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.stream_framing import MAX_FRAME, Frames, FrameTooLongError, framed

DATAGRAMS = st.lists(st.binary(min_size=1, max_size=40), max_size=8)


@given(DATAGRAMS, st.lists(st.integers(1, 30), min_size=1, max_size=5))
def test_datagrams_come_out_as_they_went_in_however_the_stream_is_cut(datagrams: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(framed, datagrams))
    frames, found = Frames(), []
    at = turn = 0
    while at < len(stream):
        size = cuts[turn % len(cuts)]
        found += frames.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert found == datagrams


def test_an_empty_datagram_only_keeps_the_connection_alive() -> None:
    assert Frames().feed(framed(b"") + framed(b"x")) == [b"x"]


def test_a_datagram_longer_than_any_browsers_ends_the_conversation() -> None:
    assert Frames().feed(framed(bytes(MAX_FRAME))) == [bytes(MAX_FRAME)]
    with pytest.raises(FrameTooLongError):
        Frames().feed(b"\x23\x28")  # 9000 bytes are announced


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_no_bytes_make_it_raise_anything_else_or_keep_more_than_one_datagram(pieces: list[bytes]) -> None:
    frames = Frames()
    try:
        for piece in pieces:
            frames.feed(piece)
            assert len(frames._rest) < MAX_FRAME + 2
    except FrameTooLongError:
        pass
