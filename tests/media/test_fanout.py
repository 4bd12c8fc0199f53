"""media/fanout.py: what each viewer's packets look like, and how they are put into messages."""

from __future__ import annotations

import os

import pytest

from media import fanout, rtp
from media.fanout import Profile, Row, Rows, Run, forward, level, prepare, runs
from media.pictures import Shift, numbers
from media.sendmmsg import MAX_SEGMENTS, Name
from media.srtp import Inbound, Outbound
from tests.support.flow import Collected

pytestmark = pytest.mark.usefixtures("either_way")

NAME = Name(("192.0.2.7", 4000))


def packet(payload: bytes, index: int = 7, extensions: dict[int, bytes] | None = None) -> rtp.Packet:
    data = rtp.HEADER.pack(0x80, 0x80 | 96, index & 0xFFFF, 3000, 0xAAAA) + payload
    made = rtp.Packet(data, rtp.HEADER.size, len(data), extensions or {})
    made.index, made.send_time = index, b"\1\2\3"
    return made


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([100], [Run(100, 100)]),
        ([100, 100, 100], [Run(300, 100)]),
        ([100, 100, 40], [Run(240, 100)]),
        ([100, 40, 100], [Run(140, 100), Run(100, 100)]),
        ([100, 100, 101, 101], [Run(200, 100), Run(202, 101)]),
        ([40, 100], [Run(40, 40), Run(100, 100)]),
        ([9] * (MAX_SEGMENTS + 1), [Run(9 * MAX_SEGMENTS, 9), Run(9, 9)]),
        ([1400] * 50, [Run(1400 * 46, 1400), Run(1400 * 4, 1400)]),
    ],
)
def test_equally_long_packets_share_a_message_that_only_the_last_may_be_shorter_in(
    sizes: list[int], expected: list[Run]
) -> None:
    assert runs(sizes, segments=True) == expected
    assert sum(run.size for run in expected) == sum(sizes)


@pytest.mark.parametrize(
    ("lengths", "padded"),
    [
        ([100], [100]),
        ([100, 100, 101, 101], [101, 101, 101, 101]),
        ([1000, 1000, 999], [1000, 1000, 999]),  # the last may be shorter anyway
        ([40, 1000, 1001, 1001], [40, 1001, 1001, 1001]),
        ([1000, 1001, 1010, 1010], [1001, 1001, 1010, 1010]),
        ([1000, 1003, 1006], [1003, 1003, 1006]),  # no packet gets more than SLACK
    ],
)
def test_neighbours_of_nearly_one_length_are_padded_to_one_length(lengths: list[int], padded: list[int]) -> None:
    packets = [packet(os.urandom(length), index) for index, length in enumerate(lengths)]
    level(packets)
    made = [prepare(each, Profile(96, 0, ())) for each in packets]
    assert [len(each.data) - each.payload_at for each in made] == padded
    for before, after in zip(packets, made, strict=True):
        parsed = rtp.parse(after.data)
        assert parsed is not None
        assert parsed.payload == before.payload


def test_padding_is_decided_once_so_that_a_repetition_is_the_same() -> None:
    alone, longer = packet(b"x" * 10), packet(b"x" * 11)
    level([alone])
    before = prepare(alone, Profile(96, 0, ())).data
    level([alone, longer])
    assert prepare(alone, Profile(96, 0, ())).data == before


def test_without_segments_each_packet_is_a_message() -> None:
    assert runs([100, 100], segments=False) == [Run(100, 100), Run(100, 100)]


def test_a_profile_has_its_own_payload_type_and_extension_ids() -> None:
    prepared = prepare(packet(b"x", extensions={5: b"\x7f", 6: b"other"}), Profile(102, 3, ((5, 1),)))
    parsed = rtp.parse(prepared.data)
    assert parsed is not None
    assert (parsed.payload_type, parsed.marker, parsed.payload) == (102, 1, b"x")
    assert parsed.extensions == {3: b"\1\2\3", 1: b"\x7f"}


def test_each_viewer_gets_its_numbers_under_its_key() -> None:
    batch = Collected()
    keys = [os.urandom(28) for _ in range(3)]
    sessions = [Outbound("AEAD_AES_128_GCM", key) for key in keys]
    rows = Rows(Row(session.handle, 0xFFFF, n, 100 + n, NAME, None) for n, session in enumerate(sessions))
    prepared = [prepare(packet(bytes([n]) * 50, index=0x10000 + n), Profile(96, 0, ())) for n in range(4)]
    assert forward(prepared, rows, 16, batch) == 0
    sent = [data for _, data in batch.take()]
    for n, key in enumerate(keys):
        inbound = Inbound("AEAD_AES_128_GCM", key)
        read = [rtp.parse(inbound.rtp(data)) for data in sent[4 * n : 4 * n + 4]]
        assert [(it.sequence, it.timestamp, it.ssrc, it.payload) for it in read if it is not None] == [
            ((k - 1) & 0xFFFF, 3000 + n, 100 + n, bytes([k]) * 50) for k in range(4)
        ]


def test_picture_numbers_are_shifted_for_those_who_changed() -> None:
    batch = Collected()
    key = os.urandom(28)
    session = Outbound("AEAD_AES_128_GCM", key)
    made = packet(bytes.fromhex("90e0 8005 07 20 1000"))
    made.numbers = numbers("VP8", made.payload)
    forward([prepare(made, Profile(96, 3, ()))], Rows([Row(session.handle, 0, 0, 1, NAME, Shift(10, 1))]), 16, batch)
    read = rtp.parse(Inbound("AEAD_AES_128_GCM", key).rtp(batch.take()[0][1]))
    assert read is not None
    assert read.payload == bytes.fromhex("90e0 800f 08 20 1000")


def test_what_srtp_refuses_leaves_no_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "protect", lambda *_: 1)
    batch = Collected()
    assert forward([prepare(packet(b"secret"), Profile(96, 0, ()))], [Row(None, 0, 0, 1, NAME, None)], 16, batch) == 1
    assert batch.take() == [(NAME.address, bytes(12 + 6 + 16))]
