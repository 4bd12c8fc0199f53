"""media/recvmmsg.py over real sockets on the loopback interface."""

from __future__ import annotations

import socket
import time

import pytest

from media import recvmmsg
from media.ice import Path
from media.recvmmsg import AT_ONCE, MAX_DATAGRAM, Inlet, Mmsg, RecvFrom, address, inlet_for


@pytest.fixture(params=[Mmsg, RecvFrom])
def inlet(request: pytest.FixtureRequest, ends: tuple[socket.socket, socket.socket]) -> Inlet:
    return request.param(ends[0], 3)  # type: ignore[no-any-return]


def test_datagrams_come_whole_and_in_order_with_the_path_recvfrom_would_say(
    ends: tuple[socket.socket, socket.socket], inlet: Inlet
) -> None:
    here, there = ends
    assert inlet.read() == []
    for _ in range(3):
        sent = [bytes([n]) * (n * 30) for n in range(AT_ONCE)]
        for data in sent:
            there.sendto(data, here.getsockname())
        assert inlet.read() == [(data, Path(3, there.getsockname())) for data in sent]
        assert inlet.read() == []


def test_no_more_than_a_wake_up_may_take_is_read(ends: tuple[socket.socket, socket.socket], inlet: Inlet) -> None:
    here, there = ends
    for n in range(AT_ONCE + 1):
        there.sendto(bytes([n]), here.getsockname())
    assert [data for data, _ in inlet.read()] == [bytes([n]) for n in range(AT_ONCE)]
    assert [data for data, _ in inlet.read()] == [bytes([AT_ONCE])]


def test_how_long_each_datagram_waited_is_known(ends: tuple[socket.socket, socket.socket]) -> None:
    here, there = ends
    inlet = Mmsg(here, 0)
    for _ in range(2):
        first_sent = time.time()
        there.sendto(b"first", here.getsockname())
        sent = time.time()
        while time.time() < sent + 0.01:
            pass
        second_sent = time.time()
        there.sendto(b"second", here.getsockname())
        assert [data for data, _ in inlet.read()] == [b"first", b"second"]
        first, second = inlet.waited(0), inlet.waited(1)
        now = time.time()
        assert 0.009 < first < now - first_sent
        assert 0.0 < second < now - second_sent


def test_nobody_says_how_long_it_waited_where_the_kernel_does_not(ends: tuple[socket.socket, socket.socket]) -> None:
    here, there = ends
    silent = Mmsg(here, 0)
    here.setsockopt(socket.SOL_SOCKET, recvmmsg._SO_TIMESTAMPNS, 0)
    for inlet in (silent, RecvFrom(here, 0)):
        there.sendto(b"x", here.getsockname())
        assert len(inlet.read()) == 1
        assert inlet.waited(0) == 0.0


def test_datagrams_too_long_to_be_ours_are_cut(ends: tuple[socket.socket, socket.socket], inlet: Inlet) -> None:
    here, there = ends
    for data in (b"", bytes(9000), b"x"):
        there.sendto(data, here.getsockname())
    assert [len(data) for data, _ in inlet.read()] == [0, MAX_DATAGRAM, 1]


def test_each_address_has_its_path_and_few_are_remembered(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recvmmsg, "MAX_PATHS", 2)
    here, there = ends
    inlet = Mmsg(here, 0)
    with (
        socket.socket(here.family, socket.SOCK_DGRAM) as second,
        socket.socket(here.family, socket.SOCK_DGRAM) as third,
    ):
        senders = [there, second, third]
        for sock in senders:
            sock.sendto(b"x", here.getsockname())
        ports = [sock.getsockname()[1] for sock in senders]
        assert [path.address[1] for _, path in inlet.read()] == ports
        assert len(inlet._paths) <= 2


def test_an_error_of_something_sent_does_not_hide_what_came(
    ends: tuple[socket.socket, socket.socket], inlet: Inlet
) -> None:
    here, there = ends
    gone = socket.socket(here.family, socket.SOCK_DGRAM)
    gone.bind((here.getsockname()[0], 0))
    name = gone.getsockname()
    gone.close()
    here.setsockopt(*((socket.IPPROTO_IP, 11) if here.family == socket.AF_INET else (socket.IPPROTO_IPV6, 25)), 1)
    here.sendto(b"nobody is there", name)
    there.sendto(b"x", here.getsockname())
    assert [data for data, _ in inlet.read()] == [b"x"]


def test_a_closed_socket_gives_nothing(ends: tuple[socket.socket, socket.socket]) -> None:
    inlet = inlet_for(ends[0], 0)
    ends[0].close()
    assert inlet.read() == []


def test_an_address_with_a_zone_reads_as_recvfrom_reads_it() -> None:
    name = b"\x0a\x00" + bytes.fromhex("1f90 00000000 fe800000000000000000000000000001") + b"\x02\x00\x00\x00"
    assert address(name) == ("fe80::1", 8080, 0, 2)
