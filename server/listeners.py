"""The sockets of a node, bound once by the supervisor and inherited by its children.

Because the supervisor holds them, "port taken" is one plain sentence at the start, and a child that is started again
finds its port as it was, with what came in meanwhile.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import ifaddr

from server.failure import CannotWorkError
from server.settings import Address, Settings

BACKLOG = 1024  # connections that wait while the server process is started again


@dataclass(frozen=True, slots=True)
class MediaPort:
    """The port of one media worker, a socket for each local address: replies leave from where they were reached.

    The same number is open for TCP, for those whose network lets no UDP through (RFC 6544).
    """

    port: int
    sockets: tuple[tuple[str, socket.socket], ...]  # IP, UDP socket
    listeners: tuple[tuple[str, socket.socket], ...]  # IP, TCP socket

    def close(self) -> None:
        for _, one in (*self.sockets, *self.listeners):
            one.close()


@dataclass(frozen=True, slots=True)
class Listeners:
    http: socket.socket
    https: socket.socket | None
    media: tuple[MediaPort, ...]

    def close(self) -> None:
        for one in self._all():
            one.close()

    def _all(self) -> Iterator[socket.socket]:
        yield self.http
        if self.https is not None:
            yield self.https
        for media in self.media:
            yield from (one for _, one in (*media.sockets, *media.listeners))


def bind(settings: Settings) -> Listeners:
    """All sockets of this node. Raises CannotWorkError naming the port that is taken."""
    bound: list[socket.socket] = []
    try:
        bound.append(listen(settings.http, "--http"))
        if settings.https is not None:
            bound.append(listen(settings.https, "--https"))
        media = bind_media(settings.media_port, settings.worker_count)
    except CannotWorkError:
        for one in bound:
            one.close()
        raise
    return Listeners(bound[0], bound[1] if len(bound) > 1 else None, media)


def listen(address: Address, flag: str) -> socket.socket:
    """A listening TCP socket. Raises CannotWorkError."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        if family == socket.AF_INET:
            family, _, _, _, where = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        else:
            where = (address.host, address.port)
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(where)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise CannotWorkError(why_not(error, "TCP", address.port, str(address), flag)) from error
    listener.setblocking(False)
    return listener


def https_hosts(listeners: Listeners, announced: Sequence[str]) -> list[str]:
    """Where browsers may reach the HTTPS port for media: what is announced, else the addresses it is open on.

    Fewer than the media ports are reached by, for it is the last resort, and each costs a browser one more connection.
    """
    if listeners.https is None:
        return []
    bound = ipaddress.ip_address(listeners.https.getsockname()[0])
    if not bound.is_unspecified:
        return [str(bound)] if bound.is_loopback or not announced else list(announced)
    own = (ip for ip, _ in listeners.media[0].listeners if bound.version == 6 or ":" not in ip)
    return list(announced) or list(own)


def bind_media(port: int, workers: int) -> tuple[MediaPort, ...]:
    """The ports of the media workers, UDP and TCP, worker n on `port` + n. Raises CannotWorkError."""
    addresses = local_addresses()
    if port:
        if port + workers - 1 > 65535:
            raise CannotWorkError(f"--media-port {port} leaves no room for {workers} workers below 65536.")
        return tuple(_bind_port(port + number, addresses) for number in range(workers))
    for _ in range(20):  # any free port: the kernel's choice on one address may be taken on another
        try:
            first = _bind_port(0, addresses)
        except CannotWorkError:
            continue
        others: list[MediaPort] = []
        try:
            for number in range(1, workers):
                others.append(_bind_port(first.port + number, addresses))
        except CannotWorkError:
            for media in (first, *others):
                media.close()
            continue
        return (first, *others)
    raise CannotWorkError(f"No {workers} ports in a row are free on every address of this machine.")


def local_addresses() -> list[str]:
    """The addresses of this machine that a browser may use, best first, loopback last.

    Link-local ones are left out: a browser would have to name its own interface to reach them.
    """
    found = set()
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            found.add(ipaddress.ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0]))
    usable = [ip for ip in found if not (ip.is_link_local or ip.is_unspecified or ip.is_multicast)]
    usable.sort(key=lambda ip: (ip.is_loopback, ip.version, int(ip)))
    return [str(ip) for ip in usable] or ["127.0.0.1"]


def why_not(error: OSError, protocol: str, port: int, where: str, flag: str) -> str:
    """What keeps a socket from being bound, in one sentence."""
    if error.errno == errno.EADDRINUSE:
        return f"{protocol} port {port} is already taken on {where}: stop what uses it or choose another with {flag}."
    if error.errno == errno.EACCES:
        return f"{protocol} port {port} may not be opened by this user: choose one above 1023 with {flag}."
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"{where} is no address of this machine: choose another with {flag}."
    return f"{protocol} port {port} on {where} cannot be opened: {error.strerror or error}."


def _bind_port(port: int, addresses: list[str]) -> MediaPort:
    bound: list[tuple[str, socket.socket]] = []
    try:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            for ip in addresses:
                one = _bind_one(kind, ip, port, missing_will_do=bool(bound))
                if one is not None:
                    bound.append((ip, one))
                    port = port or one.getsockname()[1]
    except CannotWorkError:
        for _, one in bound:
            one.close()
        raise
    udp, tcp = (
        tuple((ip, one) for ip, one in bound if one.type == kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)
    )
    return MediaPort(port, udp, tcp)


def _bind_one(kind: socket.SocketKind, ip: str, port: int, *, missing_will_do: bool) -> socket.socket | None:
    one = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, kind)
    try:
        if one.family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of before may still be closing
        one.bind((ip, port))
        if kind == socket.SOCK_STREAM:
            one.listen(BACKLOG)
    except OSError as error:
        one.close()
        if error.errno == errno.EADDRNOTAVAIL and missing_will_do:
            return None  # an address still being set up (IPv6 duplicate address detection)
        protocol = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
        raise CannotWorkError(why_not(error, protocol, port, ip, "--media-port")) from error
    one.setblocking(False)
    return one
