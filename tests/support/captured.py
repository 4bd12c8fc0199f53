"""The captures that `tests.support.capture` made, as bytes."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent / "captures"


@dataclass(frozen=True, slots=True)
class Captured:
    """One peer connection of a real browser: offer, and in the order they came its first packets of each kind."""

    offer: str
    answer: str
    checks: tuple[bytes, ...]
    dtls: tuple[bytes, ...]
    rtp: tuple[bytes, ...]  # decrypted, as are the next
    rtcp: tuple[bytes, ...]

    @property
    def ufrag(self) -> str:
        """Ours, which the browser's checks name."""
        return self._of_answer("a=ice-ufrag:")

    @property
    def pwd(self) -> str:
        """Ours, which the browser's checks are signed with."""
        return self._of_answer("a=ice-pwd:")

    def _of_answer(self, prefix: str) -> str:
        return next(line[len(prefix) :] for line in self.answer.splitlines() if line.startswith(prefix))


BROWSERS = ("chromium", "firefox")
CONNECTIONS = [(browser, direction) for browser in BROWSERS for direction in ("send", "receive")]


@functools.cache
def captured(browser: str, direction: str = "send") -> Captured:
    """What `browser` (chromium, firefox, ffmpeg) sent on its connection of that direction (send, receive)."""
    kept = json.loads((_FOLDER / f"{browser}.json").read_text())[direction]
    packets = {name: tuple(map(bytes.fromhex, kept[name])) for name in ("checks", "dtls", "rtp", "rtcp")}
    return Captured(kept["offer"], kept["answer"], **packets)
