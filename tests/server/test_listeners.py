import socket

import pytest

from server.failure import CannotWorkError
from server.listeners import bind, bind_media, listen, local_addresses
from server.settings import Address, Settings


def test_a_taken_tcp_port_is_one_plain_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotWorkError) as raised:
            listen(Address("127.0.0.1", port), "--http")
    assert str(raised.value) == (
        f"TCP port {port} is already taken on 127.0.0.1:{port}: stop what uses it or choose another with --http."
    )


def test_a_taken_media_port_is_one_plain_sentence() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(CannotWorkError, match=f"UDP port {port} is already taken on 127.0.0.1"):
            bind_media(port, 1)


def test_an_address_of_another_machine_is_said_to_be_none_of_ours() -> None:
    with pytest.raises(CannotWorkError, match="is no address of this machine"):
        listen(Address("203.0.113.77", 0), "--http")


def test_a_media_port_that_is_taken_for_tcp_only_is_told_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotWorkError, match=f"TCP port {port} is already taken on 127.0.0.1"):
            bind_media(port, 1)
    for one in bind_media(port, 1):  # nothing of it stayed bound
        one.close()


def test_each_worker_has_the_next_port_on_every_local_address() -> None:
    first, second = bind_media(0, 2)
    try:
        assert second.port == first.port + 1
        assert [ip for ip, _ in first.sockets] == local_addresses()
        assert [ip for ip, _ in first.listeners] == local_addresses()
        for media in (first, second):
            everything = (*media.sockets, *media.listeners)
            assert {one.getsockname()[1] for _, one in everything} == {media.port}
        socket.create_connection(second.listeners[0][1].getsockname()[:2]).close()
    finally:
        for media in (first, second):
            media.close()


def test_loopback_comes_last_and_link_local_never() -> None:
    addresses = local_addresses()
    assert addresses[-1] in ("127.0.0.1", "::1")
    assert not any(address.startswith(("fe80", "169.254")) for address in addresses)


def test_nothing_stays_bound_when_one_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = Address("127.0.0.1", other.getsockname()[1])
        with socket.create_server(("127.0.0.1", 0)) as free:
            http = Address("127.0.0.1", free.getsockname()[1])
        with pytest.raises(CannotWorkError):
            bind(Settings(http=http, https=taken))
        socket.create_server((http.host, http.port)).close()
