"""The last second of a track's packets, by sequence number: what a NACK is answered from."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Ring(Generic[T]):
    """O(1) both ways; a packet is overwritten by the one that is `size` later, so memory is bounded by `size`."""

    __slots__ = ("_keep", "_mask", "_slots")

    def __init__(self, size: int = 1024, keep: float = 1.0) -> None:
        """`size` is a power of two up to 32768; `keep` is in seconds."""
        assert size.bit_count() == 1
        self._mask = size - 1
        self._keep = keep
        self._slots: list[tuple[int, float, T] | None] = [None] * size

    def put(self, sequence: int, packet: T, now: float) -> None:
        """Keep a packet under its 16-bit sequence number."""
        self._slots[sequence & self._mask] = (sequence, now, packet)

    def get(self, sequence: int, now: float) -> T | None:
        """The packet, if it came within the last `keep` seconds."""
        slot = self._slots[sequence & self._mask]
        if slot is None or slot[0] != sequence or now - slot[1] > self._keep:
            return None
        return slot[2]
