"""SDP as browsers write it (RFC 8866, RFC 8829): text in, lines kept in order, typed views of what negotiation needs."""

from __future__ import annotations

from dataclasses import dataclass, field


class SdpError(ValueError):
    """An offer that cannot be answered. `code` is `sdp_malformed` or `no_common_codec`."""

    def __init__(self, message: str, code: str = "sdp_malformed") -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Section:
    """One m= section."""

    kind: str  # audio, video, application
    port: int
    protocol: str
    formats: list[str]
    attributes: list[tuple[str, str | None]] = field(default_factory=list)  # (name, value) in order


@dataclass(slots=True)
class SessionDescription:
    attributes: list[tuple[str, str | None]] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str) -> SessionDescription:
        """Raises SdpError, and nothing else, for what is not an SDP."""
        raise NotImplementedError
