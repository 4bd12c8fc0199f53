"""ICE-lite for one transport: which addresses the browser may send from, and where we send to (RFC 8445, RFC 7675).

We never send a check and need no remote candidate: any address with a valid check is accepted inbound, and
USE-CANDIDATE only chooses where we send. So viewers that offer nothing but `.local` names work, and roaming is a
dictionary update. No socket and no clock in here: datagrams, paths and `now` (seconds, monotonic) are arguments.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Path(NamedTuple):
    """A way to the browser: one of our sockets and the address at the other end."""

    via: int  # which of our sockets, as the endpoint numbers them
    address: tuple[Any, ...]  # as recvfrom() gave it: (host, port, …)


class Checked(NamedTuple):
    """What came of one STUN datagram."""

    reply: bytes | None  # to send back on the path it came from
    accepted: bool  # a valid check: media from this path may be believed
    evicted: Path | None = None  # a path that had to go for this one
    retired: str | None = None  # our ufrag of before an ICE restart, which nobody will use any more


class IceLite:
    """One browser's paths."""

    def __init__(self, now: float) -> None:
        self.ufrag: str
        self.pwd: str
        self.target: Path | None  # where to send; None until the first valid check
        self.paths: dict[Path, float]  # valid ones, with the time of the last check
        raise NotImplementedError

    def check(self, data: bytes, path: Path, now: float) -> Checked:
        """Take a STUN datagram whose ufrag was ours. Never raises."""
        raise NotImplementedError

    def lost(self, now: float) -> bool:
        """Whether no valid check came for 30 s (RFC 7675 section 5.1)."""
        raise NotImplementedError

    def restart(self) -> None:
        """Take fresh credentials (`ufrag`, `pwd`); the old ones stay good until a check uses the new ones."""
        raise NotImplementedError
