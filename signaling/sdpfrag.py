"""Fragments of SDP as WHIP clients send and receive them by PATCH (application/trickle-ice-sdpfrag, RFC 8840)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from media.sdp import SdpError

_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")  # RFC 8839 section 5.4
_PWD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_LINE = re.compile(r"[a-z]=[^\x00-\x08\x0e-\x1f]*")


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a fragment says of ICE: new credentials, or candidates only."""

    ufrag: str | None
    pwd: str | None
    section: str  # the first m= line, as written
    mid: str

    @classmethod
    def parse(cls, text: str) -> Fragment:
        """Raises SdpError, and nothing else, for what is not a fragment."""
        lines = [line for line in text.replace("\r\n", "\n").split("\n") if line]
        if not lines or not all(_LINE.fullmatch(line) for line in lines):
            raise SdpError("not a fragment of SDP")
        ufrag = _value(lines, "a=ice-ufrag:")
        pwd = _value(lines, "a=ice-pwd:")
        if (ufrag is None) != (pwd is None):
            raise SdpError("ice-ufrag and ice-pwd come together")
        if ufrag is not None and pwd is not None and not (_UFRAG.fullmatch(ufrag) and _PWD.fullmatch(pwd)):
            raise SdpError("ICE credentials of the wrong form")
        section = next((line for line in lines if line.startswith("m=")), "m=audio 9 UDP/TLS/RTP/SAVPF 0")
        return cls(ufrag, pwd, section, _value(lines, "a=mid:") or "0")

    def answer(self, ufrag: str, pwd: str, candidates: Sequence[str]) -> str:
        """The fragment that answers a restart of ICE, for the section this one is about."""
        return "".join(
            line + "\r\n"
            for line in (
                "a=ice-lite",
                f"a=group:BUNDLE {self.mid}",
                self.section,
                f"a=mid:{self.mid}",
                f"a=ice-ufrag:{ufrag}",
                f"a=ice-pwd:{pwd}",
                *(f"a={candidate}" for candidate in candidates),
                "a=end-of-candidates",
            )
        )


def _value(lines: Sequence[str], prefix: str) -> str | None:
    return next((line[len(prefix) :].strip() for line in lines if line.startswith(prefix)), None)
