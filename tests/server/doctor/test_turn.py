import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from media import stun
from server import tls
from server.doctor import turn
from server.doctor.finding import Finding
from server.ice_uri import IceUri
from server.settings import Settings

Answer = Callable[[bytes], bytes]


def answered(request: bytes) -> bytes:
    return stun.response(request[8:20], "192.0.2.1", 4000, b"")


def refused(request: bytes) -> bytes:
    return stun.error(request[8:20], 401)


def of_another(request: bytes) -> bytes:
    return stun.response(bytes(12), "192.0.2.1", 4000, b"")


@contextlib.contextmanager
def by_datagram(answer: Answer, lost: int = 0) -> Iterator[int]:
    """A STUN server's port; it does not get the first datagrams."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            with contextlib.suppress(OSError):
                for _ in range(lost):
                    server.recvfrom(2048)
                while True:
                    request, sender = server.recvfrom(2048)
                    server.sendto(answer(request), sender)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


@contextlib.contextmanager
def by_stream(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """The same on TCP, its answer in two pieces."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                plain, _ = server.accept()
                with plain, context.wrap_socket(plain, server_side=True) if context else plain as client:
                    data = answer(client.recv(2048))
                    client.sendall(data[:7])
                    client.sendall(data[7:])
                    client.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def look(uri: str) -> Finding:
    (finding,) = turn.servers(Settings(turn_server=(IceUri.parse(uri),)))
    assert finding.check == uri
    return finding


def test_without_a_turn_server_it_says_who_cannot_take_part() -> None:
    (finding,) = turn.servers(Settings())
    assert finding.status == "ok"
    assert "--turn-server" in finding.do


@pytest.mark.parametrize("answer", [answered, refused])
def test_a_server_that_answers_is_fine(answer: Answer) -> None:
    with by_datagram(answer) as port:
        assert look(f"turn:127.0.0.1:{port}?transport=udp").status == "ok"
        assert look(f"stun:localhost:{port}").status == "ok"
    with by_stream(answer) as port:
        assert look(f"turn:127.0.0.1:{port}?transport=tcp").status == "ok"


def test_a_datagram_that_is_lost_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "AGAIN", 0.01)
    with by_datagram(answered, lost=2) as port:
        assert look(f"turn:127.0.0.1:{port}").status == "ok"


def test_an_answer_to_someone_else_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "WAIT", 0.1)
    with by_datagram(of_another) as port:
        finding = look(f"turn:127.0.0.1:{port}")
    assert finding.status == "warn"
    assert f"UDP {port}" in finding.do


def test_nobody_there_is_told_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for transport in ("tcp", "udp"):
        finding = look(f"turn:127.0.0.1:{port}?transport={transport}")
        assert finding.status == "warn"
        assert f"{transport.upper()} {port}" in finding.do


def test_a_name_without_an_address_is_told() -> None:
    finding = look("turn:turn.invalid")
    assert (finding.status, finding.says) == ("warn", "turn.invalid has no address here.")


def test_a_resolver_that_takes_its_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(turn, "WAIT", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: never.wait() and [])
    assert look("turn:turn.example.org").status == "warn"
    never.set()


def test_a_certificate_no_browser_would_trust_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    tls.make_self_signed(certificate, key, ["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with by_stream(answered, context) as port:
        finding = look(f"turns:127.0.0.1:{port}")
    assert finding.status == "warn"
    assert "certificate" in finding.do
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with by_stream(answered, context) as port:
        assert look(f"turns:127.0.0.1:{port}").status == "ok"


def test_a_secret_that_cannot_be_read_is_bad_and_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "turn.secret"
    settings = Settings(turn_server=(IceUri.parse("turns:t.invalid?transport=udp"),), turn_secret_file=secret)
    assert next(iter(turn.servers(settings))).status == "bad"
    secret.write_text("north wind\n")
    assert "north wind" not in repr(list(turn.servers(settings)))
