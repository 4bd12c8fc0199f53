"""The address of a STUN or TURN server as browsers take it (RFC 7064, RFC 7065).

Stricter than the two: a browser refuses the whole peer connection for one URL it does not like.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal, Self

PORT, TLS_PORT = 3478, 5349  # when the URI names none

_FORM = re.compile(
    r"(?P<scheme>stun|turns?):"
    r"(?:\[(?P<ipv6>[0-9a-f:.]+)\]|(?P<host>[a-z0-9_]([a-z0-9_.-]{0,252}[a-z0-9_])?\.?))"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class IceUri:
    """`turn:turn.example.org:3478?transport=udp` and its like, in its parts."""

    scheme: str
    host: str
    explicit_port: int | None = None
    explicit_transport: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError, with the text, for what is no such URI."""
        form = _FORM.fullmatch(text)
        if form is None:
            raise ValueError(text)
        scheme, port, transport = form["scheme"].lower(), form["port"], form["transport"]
        if port is not None and not 0 < int(port) <= 65535:
            raise ValueError(text)
        if scheme == "stun" and transport is not None:  # RFC 7064 has no such part
            raise ValueError(text)
        try:
            host = str(ipaddress.IPv6Address(form["ipv6"])) if form["ipv6"] else form["host"].lower()
        except ValueError as error:
            raise ValueError(text) from error
        return cls(scheme, host, int(port) if port else None, transport.lower() if transport else None)

    @property
    def relays(self) -> bool:
        """Whether it is a TURN server, which wants credentials."""
        return self.scheme != "stun"

    @property
    def transport(self) -> Literal["udp", "tcp", "tls", "dtls"]:
        """How a browser speaks to it."""
        if self.scheme == "turns":
            return "dtls" if self.explicit_transport == "udp" else "tls"
        return "tcp" if self.explicit_transport == "tcp" else "udp"

    @property
    def port(self) -> int:
        return self.explicit_port or (TLS_PORT if self.scheme == "turns" else PORT)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.explicit_port}" if self.explicit_port else ""
        transport = f"?transport={self.explicit_transport}" if self.explicit_transport else ""
        return f"{self.scheme}:{host}{port}{transport}"
