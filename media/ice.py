"""ICE-lite for one transport: which addresses the browser may send from, and where we send to (RFC 8445, RFC 7675).

We never send a check and need no remote candidate: any address with a valid check is accepted inbound, and
USE-CANDIDATE only chooses where we send. So viewers that offer nothing but `.local` names work, and roaming is a
dictionary update. No socket and no clock in here: datagrams, paths and `now` (seconds, monotonic) are arguments.

Where we send. Chromium repeats USE-CANDIDATE on the pair it has selected, and on another when it changes its mind:
the latest nomination wins. Firefox nominates with its first checks and never again; when its address changes behind a
NAT, only plain checks come from the new one. So a target that was silent for longer than either browser pauses gives
way to the path that is checked now. Firefox nominates its TCP paths as well, in whatever order their first checks come:
so TCP takes over from a UDP path only when that one is no longer nominated and stays so for longer than Chromium
pauses, who means what it says.
"""

from __future__ import annotations

import secrets
import string
from typing import Any, Literal, NamedTuple

from media import stun

CONSENT = 30.0  # seconds without a valid check before we stop sending (RFC 7675 section 5.1)
MAX_PATHS = 8
TARGET_SILENCE = 7.5  # seconds; Chromium checks its pair every 2.5, Firefox every 4 to 6
UDP_FIRST = 5.0  # seconds a nominated UDP path is kept when TCP is nominated; Chromium repeats itself every 2.5

Protocol = Literal["udp", "tcp"]

_ICE_CHARS = string.ascii_letters + string.digits


class Path(NamedTuple):
    """A way to the browser: one of our sockets and the address at the other end."""

    via: int  # which of our sockets, as the endpoint numbers them
    address: tuple[Any, ...]  # as recvfrom() gave it: (host, port, …); for TCP (host, port, number of the connection)
    protocol: Protocol = "udp"


class Checked(NamedTuple):
    """What came of one STUN datagram."""

    reply: bytes | None  # to send back on the path it came from
    accepted: bool  # a valid check: media from this path may be believed
    evicted: Path | None = None  # a path that had to go for this one
    retired: str | None = None  # our ufrag of before an ICE restart, which nobody will use any more


_IGNORED = Checked(None, False)


class IceLite:
    """One browser's paths."""

    __slots__ = ("_checked", "_former", "_key", "_mark", "_nominated", "paths", "pwd", "target", "ufrag")

    def __init__(self, now: float, mark: str = "") -> None:
        """Our ufrags begin with `mark`, see handover.py."""
        self._mark = mark
        self.ufrag, self.pwd = _credentials(mark)
        self.target: Path | None = None  # where to send; None until the first valid check
        self.paths: dict[Path, float] = {}  # valid ones, with the time of their last check
        self._key = self.pwd.encode()
        self._former: tuple[str, bytes] | None = None  # ufrag and key of before a restart
        self._nominated = 0.0  # when the target was last nominated
        self._checked = now  # the last valid check on any path; a browser that never comes is lost like one that left

    def check(self, data: bytes, path: Path, now: float) -> Checked:
        """Take a STUN datagram whose ufrag was ours. Never raises."""
        message = stun.parse(data)
        if message is None or message.type != stun.BINDING_REQUEST:
            return _IGNORED
        if message.username is None or message.integrity is None:
            return Checked(stun.error(message.transaction_id, 400), False)
        ufrag = message.username.partition(":")[0]
        if ufrag == self.ufrag:
            key = self._key
        elif self._former is not None and ufrag == self._former[0]:
            key = self._former[1]
        else:
            return _IGNORED
        if not message.is_signed_with(key):
            return Checked(stun.error(message.transaction_id, 401), False)
        if message.unknown:
            return Checked(stun.error(message.transaction_id, 420, key, message.unknown), False)
        if message.controlled:  # a lite agent never controls (RFC 8445 section 6.1.1): the browser has to change
            return Checked(stun.error(message.transaction_id, 487, key), False)
        host, port = path.address[:2]
        reply = stun.response(message.transaction_id, host, port, key)
        retired = None
        if self._former is not None and key is self._key:
            retired, self._former = self._former[0], None
        evicted = self._accept(path, now, nominated=message.use_candidate, restarted=retired is not None)
        return Checked(reply, True, evicted, retired)

    def lost(self, now: float) -> bool:
        """Whether no valid check came for 30 s."""
        return now >= self._checked + CONSENT

    def restart(self) -> None:
        """Take fresh credentials (`ufrag`, `pwd`); the last ones stay good until a check uses the new ones."""
        self._former = (self.ufrag, self._key)
        self.ufrag, self.pwd = _credentials(self._mark)
        self._key = self.pwd.encode()

    def forget(self, path: Path) -> None:
        """A path is gone for good, as a TCP connection that was closed. We turn to the one checked last, if any."""
        self.paths.pop(path, None)
        if path == self.target:
            self.target = max(self.paths, key=self.paths.__getitem__, default=None)
            self._nominated = 0.0

    @property
    def ufrags(self) -> tuple[str, ...]:
        """Ours, under which checks may come: one, or two during a restart."""
        return (self.ufrag,) if self._former is None else (self.ufrag, self._former[0])

    def _accept(self, path: Path, now: float, *, nominated: bool, restarted: bool) -> Path | None:
        """Note a valid check; returns the path that had to go to keep the number bounded."""
        self._checked = now
        evicted = None
        if path not in self.paths and len(self.paths) >= MAX_PATHS:
            evicted = min((other for other in self.paths if other != self.target), key=self.paths.__getitem__)
            del self.paths[evicted]
        self.paths[path] = now
        target = self.target
        if (
            target is None
            or restarted
            or now - self.paths[target] > TARGET_SILENCE
            or (nominated and not self._keeps_udp(target, path, now))
        ):
            self.target = path
        if nominated and self.target == path:
            self._nominated = now
        return evicted

    def _keeps_udp(self, target: Path, path: Path, now: float) -> bool:
        return target.protocol == "udp" and path.protocol == "tcp" and now - self._nominated <= UDP_FIRST


def _credentials(mark: str) -> tuple[str, str]:
    """A ufrag of 48 bits, unique on the worker for all practical purposes, and a password of 143 (RFC 8445 5.3)."""
    ufrag = mark + "".join(secrets.choice(_ICE_CHARS) for _ in range(8))
    return ufrag, "".join(secrets.choice(_ICE_CHARS) for _ in range(24))
