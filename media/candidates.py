"""Where browsers may reach a worker, as candidate attributes of its answers (RFC 8839, RFC 6544).

By UDP first, then by TCP, where the browser is the one who connects. Within each: what is announced, then our own
addresses, loopback last.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from media.answer import candidate

# RFC 6544 section 4.2 leaves the preference of TCP to us: below every kind of UDP, a relay's excepted. The browser's
# connections to us come after its UDP checks then, and it selects one only where those fail.
_TCP_PREFERENCE = 90
_HANDED_PREFERENCE = 80  # by the HTTPS port after all others: such a connection passes through another process first
_PASSIVE = 4  # direction preference of a host candidate, RFC 6544 section 4.2


def hosts(announced: Sequence[str], own: Iterable[str]) -> list[str]:
    """Addresses in the order of preference, each once, wildcards left out."""
    usable = [host for host in own if not ipaddress.ip_address(host).is_unspecified]
    return list(dict.fromkeys([*announced, *sorted(usable, key=lambda host: ipaddress.ip_address(host).is_loopback)]))


def tcp_candidate(host: str, port: int, index: int, preference: int = _TCP_PREFERENCE, letter: str = "t") -> str:
    """A TCP host candidate that waits to be connected to; `index` 0 is preferred. `letter` begins its foundation."""
    priority = preference << 24 | (_PASSIVE << 13 | 8191 - index) << 8 | 255
    return f"candidate:{letter}{index + 1} 1 tcp {priority} {host} {port} typ host tcptype passive"


def candidates(udp: Sequence[str], tcp: Sequence[str], port: int, handed: Sequence[tuple[str, int]] = ()) -> list[str]:
    """All candidates: `port` on the `udp` hosts, then on the `tcp` hosts, then where connections are `handed` on."""
    found = [candidate(host, port, index) for index, host in enumerate(udp)]
    found += [tcp_candidate(host, port, index) for index, host in enumerate(tcp)]
    usable = [(host, port) for host, port in handed if _believed(host, port)]
    return found + [
        tcp_candidate(host, port, index, _HANDED_PREFERENCE, "h") for index, (host, port) in enumerate(usable)
    ]


def _believed(host: str, port: int) -> bool:
    """Whether Chromium takes such a TCP candidate: of the low ports 80 and 443 only, and only of public addresses."""
    return port >= 1024 or (port in (80, 443) and ipaddress.ip_address(host).is_global)
