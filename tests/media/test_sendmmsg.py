"""media/sendmmsg.py over real sockets on the loopback interface."""

from __future__ import annotations

import errno
import socket

import pytest

from media import sendmmsg
from media.sendmmsg import Batch, Mmsg, Name, SendTo, batch_for


@pytest.fixture(params=[Mmsg, SendTo])
def kind(request: pytest.FixtureRequest) -> type[Mmsg] | type[SendTo]:
    return request.param  # type: ignore[no-any-return]


def test_datagrams_arrive_whole_and_in_order(
    ends: tuple[socket.socket, socket.socket], kind: type[Mmsg] | type[SendTo]
) -> None:
    here, there = ends
    batch, name = kind(here), Name(there.getsockname())
    sent = [bytes([n]) * (n + 1) for n in range(50)]
    for data in sent:
        batch.send(name, data)
    batch.flush()
    assert [there.recvfrom(2048) for _ in sent] == [(data, here.getsockname()) for data in sent]
    assert (batch.sent, batch.dropped, batch.failed) == (50, 0, 0)


def put_run(batch: Batch, name: Name, sizes: list[int]) -> list[bytes]:
    packets = [bytes([n + 1]) * size for n, size in enumerate(sizes)]
    whole = b"".join(packets)
    batch.memory[: len(whole)] = whole
    batch.put(name, 0, len(whole), sizes[0])
    batch.at = len(whole)
    return packets


def test_a_run_of_equal_packets_arrives_as_its_packets(
    ends: tuple[socket.socket, socket.socket], kind: type[Mmsg] | type[SendTo]
) -> None:
    here, there = ends
    batch = kind(here)
    packets = put_run(batch, Name(there.getsockname()), [1100, 1100, 1100, 700])
    batch.flush()
    assert [there.recv(2048) for _ in packets] == packets
    assert batch.sent == 4


def test_what_cannot_be_reached_is_counted_and_does_not_stop_the_rest(
    ends: tuple[socket.socket, socket.socket], kind: type[Mmsg] | type[SendTo]
) -> None:
    here, there = ends
    batch = kind(here)
    nowhere = Name(("255.255.255.255", 9) if here.family == socket.AF_INET else ("ff0e::1", 0))
    batch.send(nowhere, b"refused: broadcast without permission, or port 0")
    batch.send(Name(there.getsockname()), b"through")
    batch.flush()
    assert there.recv(2048) == b"through"
    assert (batch.sent, batch.failed) == (1, 1)


class Library:
    """sendmmsg as an interface without checksum offload, or a full one, would answer."""

    def __init__(self, real: object, code: int) -> None:
        self.real, self.code = real, code

    def sendmmsg(self, *arguments: object) -> int:
        sendmmsg._c.errno = self.code
        return -1


@pytest.mark.parametrize("code", [errno.EIO, errno.EINVAL])
def test_where_segments_are_refused_the_run_is_sent_one_by_one_and_never_tried_again(
    ends: tuple[socket.socket, socket.socket], code: int
) -> None:
    here, there = ends
    batch = Mmsg(here)
    batch._library = Library(batch._library, code)
    packets = put_run(batch, Name(there.getsockname()), [500, 500, 20])
    batch.flush()
    assert [there.recv(2048) for _ in packets] == packets
    assert not batch.segments
    assert (batch.sent, batch.failed) == (3, 0)


def test_a_full_socket_drops_and_counts_and_never_waits(ends: tuple[socket.socket, socket.socket]) -> None:
    here, there = ends
    batch = Mmsg(here)
    batch._library = Library(batch._library, errno.EAGAIN)
    put_run(batch, Name(there.getsockname()), [500, 500, 20])
    batch.flush()
    assert (batch.sent, batch.dropped, batch.at) == (0, 3, 0)


def test_more_than_the_memory_holds_is_flushed_on_the_way(ends: tuple[socket.socket, socket.socket]) -> None:
    here, there = ends
    batch, name = batch_for(here), Name(there.getsockname())
    for _ in range(sendmmsg.MAX_MESSAGES + 1):
        batch.send(name, b"x" * 1000)
    batch.flush()
    assert batch.sent + batch.dropped == sendmmsg.MAX_MESSAGES + 1
