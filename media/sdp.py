"""SDP as browsers write it (RFC 8866, RFC 8829): text in, lines kept in order, typed views of what negotiation needs.

A description keeps every line, so `str(parse(text))` gives the text back, rid, simulcast and all. The views return what
is well-formed and leave out the rest; what must be there is for `answer.py` to insist on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_LENGTH = 64 * 1024  # characters; a browser with thirty slots offers about 50 000
MAX_SECTIONS = 64
MAX_LINES = 1000  # of the session or of one section, which all the views walk over; a browser writes about 150

Direction = str  # sendrecv, sendonly, recvonly, inactive
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_LINE = re.compile(r"([a-z])=(.*)")
_TOKEN = re.compile(r"[!#-'*+\-.0-9A-Z^-~]{1,64}")  # RFC 8866 section 9, of a length that a name may have


class SdpError(ValueError):
    """An offer that cannot be answered. `code` is `sdp_malformed` or `no_common_codec`."""

    def __init__(self, message: str, code: str = "sdp_malformed") -> None:
        super().__init__(message)
        self.code = code


class RtpMap(NamedTuple):
    name: str  # as written; compare without case
    clock_rate: int  # Hz
    channels: int  # 0 where none are given


class Extension(NamedTuple):
    id: int
    uri: str
    direction: Direction


class Rid(NamedTuple):
    id: str
    direction: str  # send, recv


@dataclass(slots=True)
class _Block:
    """Lines of the session or of one section, in order, as (letter, rest)."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def values(self, name: str) -> Iterator[str]:
        """The values of all `a=name:` lines; "" for those without a value."""
        prefix = name + ":"
        for letter, rest in self.lines:
            if letter == "a":
                if rest == name:
                    yield ""
                elif rest.startswith(prefix):
                    yield rest[len(prefix) :].strip()

    def value(self, name: str) -> str | None:
        """The first of them, None if there is none."""
        return next(self.values(name), None)

    def has(self, name: str) -> bool:
        return self.value(name) is not None

    @property
    def fingerprints(self) -> list[tuple[str, str]]:
        """(algorithm, value) pairs (RFC 8122)."""
        pairs = (value.split() for value in self.values("fingerprint"))
        return [(pair[0].lower(), pair[1].upper()) for pair in pairs if len(pair) == 2]

    @property
    def direction(self) -> Direction | None:
        return next((name for name in _DIRECTIONS if self.has(name)), None)


@dataclass(slots=True)
class Section(_Block):
    """One m= section."""

    kind: str = ""  # audio, video, application, …
    port: int = 0
    protocol: str = ""
    formats: list[str] = field(default_factory=list)

    @property
    def mid(self) -> str | None:
        mid = self.value("mid")
        return mid if mid is not None and _TOKEN.fullmatch(mid) else None

    @property
    def payload_types(self) -> list[int]:
        """Those of the m= line, in its order, which is the order of preference."""
        numbers = (number(text, 127) for text in self.formats)
        return [n for n in numbers if n is not None]

    @property
    def rtpmaps(self) -> dict[int, RtpMap]:
        """Payload type -> codec."""
        found = {}
        for value in self.values("rtpmap"):
            head, _, rest = value.partition(" ")
            parts = rest.strip().split("/")
            payload_type = number(head, 127)
            clock_rate = number(parts[1], 10_000_000) if len(parts) > 1 else None
            channels = number(parts[2], 255) if len(parts) > 2 else 0
            if payload_type is not None and clock_rate and channels is not None and _TOKEN.fullmatch(parts[0]):
                found[payload_type] = RtpMap(parts[0], clock_rate, channels)
        return found

    @property
    def fmtps(self) -> dict[int, str]:
        """Payload type -> format parameters, as written."""
        found = {}
        for value in self.values("fmtp"):
            head, _, rest = value.partition(" ")
            payload_type = number(head, 127)
            if payload_type is not None:
                found[payload_type] = rest.strip()
        return found

    @property
    def feedback(self) -> dict[str, set[str]]:
        """Payload type as written, or "*" -> RTCP feedback: "nack", "nack pli", … (RFC 4585 section 4.2)."""
        found: dict[str, set[str]] = {}
        for value in self.values("rtcp-fb"):
            head, _, rest = value.partition(" ")
            found.setdefault(head, set()).add(rest.strip())
        return found

    @property
    def extensions(self) -> list[Extension]:
        """Header extensions (RFC 8285)."""
        found = []
        for value in self.values("extmap"):
            head, _, rest = value.partition(" ")
            id_text, _, direction = head.partition("/")
            id_, uri = number(id_text, 255), rest.split(" ", 1)[0]
            if id_ and uri:
                found.append(Extension(id_, uri, direction or "sendrecv"))
        return found

    @property
    def ssrcs(self) -> list[int]:
        """SSRCs the section names, each once, in order (RFC 5576)."""
        numbers = (number(value.split(" ", 1)[0], 0xFFFF_FFFF) for value in self.values("ssrc"))
        return list(dict.fromkeys(n for n in numbers if n is not None))

    def ssrc_groups(self, semantics: str) -> list[tuple[int, ...]]:
        """SSRC groups of one meaning: "FID", "SIM"."""
        found = []
        for value in self.values("ssrc-group"):
            head, *rest = value.split()[:65] or [""]
            numbers = [number(text, 0xFFFF_FFFF) for text in rest]
            if head == semantics and numbers and None not in numbers:
                found.append(tuple(n for n in numbers if n is not None))
        return found

    @property
    def rids(self) -> list[Rid]:
        """Restriction ids in order (RFC 8851)."""
        pairs = (value.split()[:2] for value in self.values("rid"))
        return [
            Rid(*pair)
            for pair in pairs
            if len(pair) == 2 and pair[0].isascii() and pair[0].isalnum() and pair[1] in ("send", "recv")
        ]

    def simulcast(self, direction: str) -> list[str]:
        """The rids of its simulcast streams, most preferred first (RFC 8853 section 5.1); of alternatives the first.

        A stream offered as paused ("~") counts like any other.
        """
        words = (self.value("simulcast") or "").split()
        listed = dict(zip(words[::2], words[1::2], strict=False)).get(direction, "")
        known = {rid.id for rid in self.rids if rid.direction == direction}
        first = (stream.split(",")[0].removeprefix("~") for stream in listed.split(";"))
        return list(dict.fromkeys(rid for rid in first if rid in known))

    def __str__(self) -> str:
        head = f"m={self.kind} {self.port} {self.protocol} {' '.join(self.formats)}".rstrip()
        return head + "\r\n" + _joined(self.lines)


@dataclass(slots=True)
class SessionDescription(_Block):
    """A whole description: the session's lines and the sections."""

    sections: list[Section] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str) -> SessionDescription:
        """Raises SdpError, and nothing else, for what is not an SDP."""
        if len(text) > MAX_LENGTH:
            raise SdpError(f"an SDP of {len(text)} characters")
        session = cls()
        block: _Block = session
        for line in text.replace("\r\n", "\n").split("\n"):
            if not line:
                continue
            match = _LINE.fullmatch(line)
            if match is None:
                raise SdpError(f"not a line of SDP: {line[:60]!r}")
            letter, rest = match.groups()
            if letter == "m":
                block = _section(rest)
                session.sections.append(block)
            elif len(block.lines) == MAX_LINES:
                raise SdpError(f"more than {MAX_LINES} lines in a section")
            else:
                block.lines.append((letter, rest))
        if not session.lines or session.lines[0] != ("v", "0"):
            raise SdpError("an SDP begins with v=0")
        if len(session.sections) > MAX_SECTIONS:
            raise SdpError(f"an SDP of {len(session.sections)} sections")
        return session

    @property
    def bundle(self) -> list[str] | None:
        """The mids of the BUNDLE group in its order, None without one (RFC 9143)."""
        for value in self.values("group"):
            head, *mids = value.split() or [""]
            if head == "BUNDLE":
                return mids
        return None

    def __str__(self) -> str:
        return _joined(self.lines) + "".join(map(str, self.sections))


def number(text: str, maximum: int) -> int | None:
    """A decimal number without sign from 0 to `maximum`, else None."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    value = int(text)
    return value if value <= maximum else None


def parameters(fmtp: str) -> dict[str, str]:
    """Format parameters as a dictionary, names in lower case."""
    pairs = (part.partition("=") for part in fmtp.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}


def _section(rest: str) -> Section:
    fields = rest.split()
    if len(fields) < 4:
        raise SdpError(f"not a media section: m={rest[:60]!r}")
    port = number(fields[1].split("/")[0], 65535)
    if port is None or not all(_TOKEN.fullmatch(part) for part in (fields[0], fields[2].replace("/", ""))):
        raise SdpError(f"not a media section: m={rest[:60]!r}")
    return Section(kind=fields[0], port=port, protocol=fields[2], formats=fields[3:])


def _joined(lines: list[tuple[str, str]]) -> str:
    return "".join(f"{letter}={rest}\r\n" for letter, rest in lines)
