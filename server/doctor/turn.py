"""Checks of the STUN and TURN servers: the secret is there, the address resolves, and something speaks STUN behind it.

From here, that is; a class may sit behind other walls. TURN itself is not tried: who answers a binding request runs.
"""

from __future__ import annotations

import secrets
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator

from media import stun
from server.doctor.finding import Finding
from server.failure import CannotWorkError
from server.ice_uri import IceUri
from server.secret import load_turn_secret
from server.settings import Settings

WAIT = 2.0  # seconds for a name, and again for an answer
MAX_ADDRESSES = 2  # of one name: one of IPv6 and one of IPv4, as a rule
AGAIN = 0.5  # seconds until a datagram that may be lost is sent again (RFC 8489 section 6.2.1)

_NAMES = {"udp": "UDP", "tcp": "TCP", "tls": "TLS"}


def servers(settings: Settings) -> Iterator[Finding]:
    """What is configured, and whether it is there."""
    if not settings.turn_server:
        yield Finding(
            "turn",
            "ok",
            "No TURN server: classes whose network lets nothing out to the media ports, and only TLS to the "
            "HTTPS port, cannot take part.",
            "For those, run coturn with use-auth-secret; name it with --turn-server and --turn-secret-file.",
        )
        return
    if settings.turn_secret_file is not None:
        try:
            load_turn_secret(settings.turn_secret_file)
        except CannotWorkError as error:
            yield Finding("turn", "bad", str(error), "Put coturn's static-auth-secret there.")
    for uri in settings.turn_server:
        yield _server(uri)


def _server(uri: IceUri) -> Finding:
    finding = Finding(str(uri), "warn", f"{uri.host} has no address here.", "Check --turn-server, and the DNS.")
    for address in _resolve(uri):
        finding = _at(uri, address)
        if finding.status == "ok":
            break
    return finding


def _at(uri: IceUri, address: tuple[str, int]) -> Finding:
    check = str(uri)
    where = f"{address[0]} port {uri.port}"
    if uri.transport == "dtls":
        return Finding(check, "ok", f"Configured, {where}; DTLS is not tried.")
    name = _NAMES[uri.transport]
    try:
        answered = _ask_by_datagram(address) if uri.transport == "udp" else _ask_by_stream(uri, address)
    except ssl.SSLCertVerificationError as error:
        does = f"Give it a certificate for {uri.host} that browsers trust."
        return Finding(check, "warn", f"Its certificate is not good: {error.verify_message}.", does)
    except OSError as error:
        answered, problem = False, f"{where} does not answer by {name}: {error.strerror or error}."
    else:
        problem = f"{where} gives no STUN answer by {name} within {WAIT:.0f} s."
    if not answered:
        return Finding(check, "warn", problem, f"See that it runs and that {_protocol(uri)} {uri.port} is open to it.")
    return Finding(check, "ok", f"{where} answers by {name}.")


def _protocol(uri: IceUri) -> str:
    return "UDP" if uri.transport == "udp" else "TCP"


def _resolve(uri: IceUri) -> list[tuple[str, int]]:
    """The first addresses of the name, none if there are none in time."""
    found: list[tuple[str, int]] = []

    def look() -> None:
        try:
            infos = socket.getaddrinfo(uri.host, uri.port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError):  # UnicodeError: a label too long for the DNS
            return
        found.extend((str(info[4][0]), uri.port) for info in infos)

    # A resolver without a server waits longer than anyone wants to, and cannot be told not to.
    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(WAIT)
    return found[:MAX_ADDRESSES]


def _ask_by_datagram(address: tuple[str, int]) -> bool:
    request, transaction_id = _binding_request()
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asked:
        asked.connect(address)
        deadline = time.monotonic() + WAIT
        while (left := deadline - time.monotonic()) > 0:
            asked.send(request)
            asked.settimeout(min(AGAIN, left))
            try:
                if _answers(asked.recv(2048), transaction_id):
                    return True
            except TimeoutError:
                pass
    return False


def _ask_by_stream(uri: IceUri, address: tuple[str, int]) -> bool:
    request, transaction_id = _binding_request()
    deadline = time.monotonic() + WAIT
    with socket.create_connection(address, timeout=WAIT) as plain:
        stream = plain
        if uri.transport == "tls":
            stream = ssl.create_default_context().wrap_socket(plain, server_hostname=uri.host)
        with stream:
            stream.sendall(request)
            data = b""
            try:
                while len(data) < 20 or len(data) < 20 + int.from_bytes(data[2:4], "big"):
                    stream.settimeout(max(0.001, deadline - time.monotonic()))
                    more = stream.recv(2048)
                    if not more:
                        return False
                    data += more
            except TimeoutError:
                return False
    return _answers(data, transaction_id)


def _binding_request() -> tuple[bytes, bytes]:
    """A bare one (RFC 8489 section 5), which any STUN server answers, and its transaction id."""
    transaction_id = secrets.token_bytes(12)
    return struct.pack("!HHI12s", stun.BINDING_REQUEST, 0, 0x2112A442, transaction_id), transaction_id


def _answers(data: bytes, transaction_id: bytes) -> bool:
    """Whether this is an answer to it; a refusal is one as well."""
    message = stun.parse(data)
    return (
        message is not None
        and message.type in (stun.BINDING_RESPONSE, stun.BINDING_ERROR)
        and message.transaction_id == transaction_id
    )
