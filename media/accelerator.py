"""The loop of fanout.py in C (hot.c), where a compiler was there when Tongke was installed; else `hot` is None.

It is optional in every way: without it the same bytes leave, for about half as much again of CPU. Nothing is linked:
libsrtp's function is the one srtp.py uses, handed over by its address. A library that was not made from the hot.c
beside it is not used, nor with TONGKE_ACCELERATOR=off in the environment.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cffi

from media import srtp

if TYPE_CHECKING:
    from media.fanout import Prepared, Row

_FOLDER = Path(__file__).parent
_ROW = struct.Struct("=QQ6I")  # struct row
_PACKET = struct.Struct("=10I")  # struct packet
_RUN = struct.Struct("=QII")  # struct run
_NO_PICTURE = 0, 0, 0, 0, 0

_c = cffi.FFI()
_c.cdef(
    """
    const char *hot_source(void);
    int hot_write(void *, void *, int, void *, int, void *, void *);
    void hot_address(void *, int, void *, int, void *, void *, void *);
    """
)


class UnavailableError(Exception):
    """Why there is no accelerator."""


class Hot:
    """The library. What it writes to must have room for it: that is up to the callers."""

    def __init__(self, path: Path, source: Path, protect: int) -> None:
        """`protect` is the address of srtp_protect. Raises UnavailableError."""
        try:
            library: Any = _c.dlopen(str(path))
            made_from = _c.string(library.hot_source())
            digest = hashlib.sha256(source.read_bytes()).hexdigest()
        except (OSError, AttributeError) as error:
            raise UnavailableError("not built") from error
        if made_from != digest.encode():
            raise UnavailableError("built from another source")
        self._library = library
        self._protect = _c.cast("void *", protect)

    def write(self, rows: Packed, first: int, count: int, packets: Packets, to: Any) -> int:
        """Write and protect packets for some of the rows, one behind the other. Returns how many SRTP refused."""
        return int(
            self._library.hot_write(
                self._protect, rows.pointer + first * _ROW.size, count, packets.pointer, packets.count, packets.data, to
            )
        )

    def address(
        self, rows: Packed, first: int, count: int, runs: Sequence[tuple[int, int, int]], at: int, headers: Any,
        vectors: Any,
    ) -> None:  # fmt: skip
        """Make the messages of what was written `at`, `runs` for each row: (control message, its length, size)."""
        packed = b"".join([_RUN.pack(*run) for run in runs])
        self._library.hot_address(
            rows.pointer + first * _ROW.size, count, _c.from_buffer(packed), len(runs), _c.cast("void *", at), headers,
            vectors,
        )  # fmt: skip


class Packed:
    """Rows as hot.c reads them."""

    __slots__ = ("_memory", "pointer")

    def __init__(self, rows: Sequence[Row]) -> None:
        self._memory = b"".join([
            _ROW.pack(
                srtp.address(row.handle), row.name.pointer, row.name.length, row.sequence_offset & 0xFFFFFFFF,
                row.timestamp_offset & 0xFFFFFFFF, row.ssrc,
                *((row.shift.picture & 0xFFFFFFFF, row.shift.layer_zero & 0xFFFFFFFF) if row.shift else (0, 0)),
            )
            for row in rows
        ])  # fmt: skip
        self.pointer: Any = _c.from_buffer(self._memory)


class Packets:
    """Prepared packets as hot.c reads them; `overhead` is what protection adds, bytes."""

    __slots__ = ("_memory", "count", "data", "pointer")

    def __init__(self, packets: Sequence[Prepared], overhead: int) -> None:
        at = 0
        packed = []
        for packet in packets:
            length = packet.length
            picture = _NO_PICTURE if packet.numbers is None else _picture(packet)
            packed.append(
                _PACKET.pack(at, length, length + overhead, packet.number & 0xFFFFFFFF, packet.timestamp, *picture)
            )
            at += length
        self.count = len(packets)
        self.data: Any = _c.from_buffer(b"".join([packet.data for packet in packets]))
        self._memory = b"".join(packed)
        self.pointer: Any = _c.from_buffer(self._memory)


def _picture(packet: Prepared) -> tuple[int, int, int, int, int]:
    """Where a packet's picture numbers are, and what; nothing that would be beyond its end."""
    numbers, at = packet.numbers, packet.numbers_at
    assert numbers is not None
    bits = 15 if numbers.wide else 16 if numbers.described else 7
    layer_zero_at = at + numbers.layer_zero_at if numbers.layer_zero_at else 0
    if max(at + numbers.picture_at + (bits > 7), layer_zero_at) >= packet.length:
        return _NO_PICTURE
    return at + numbers.picture_at, numbers.picture, bits, layer_zero_at, numbers.layer_zero


def load() -> Hot:
    """The accelerator. Raises UnavailableError, which says why there is none."""
    if os.environ.get("TONGKE_ACCELERATOR", "").lower() in ("off", "0", "no"):
        raise UnavailableError("switched off")
    protect = srtp.protect_address()
    if protect is None:
        raise UnavailableError("pylibsrtp has changed inside")
    return Hot(_FOLDER / "hot.so", _FOLDER / "hot.c", protect)


hot: Hot | None
state: str  # for the log: "on", or why not
try:
    hot, state = load(), "on"
except UnavailableError as reason:
    hot, state = None, f"off: {reason}"
