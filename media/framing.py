"""JSON objects over a Unix stream socket, for control: `length u32 | JSON`, both directions.

A request carries `id`, its reply the same as `re`; an event carries neither. Used between server and worker and between
server and recorder; what the objects mean is the business of each pair (see messages.py).
"""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

MAX_MESSAGE = 4 * 1024 * 1024  # bytes; a worker that lists 2000 slots stays far below
_LENGTH = struct.Struct("!I")


class FramingError(ValueError):
    """The other side does not speak this protocol; close the connection."""


def pack(value: dict[str, Any]) -> bytes:
    """One JSON object as a frame."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return _LENGTH.pack(len(body)) + body


async def read(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next object, or None at the end of the stream. Raises FramingError."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > MAX_MESSAGE:
            raise FramingError(f"a control message of {length} bytes")
        value = json.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except ValueError as error:
        raise FramingError("a control message that is no JSON") from error
    if not isinstance(value, dict):
        raise FramingError("a control message that is no object")
    return value
