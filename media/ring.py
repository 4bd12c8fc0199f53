"""The last second of a track's packets, by sequence number: what a NACK is answered from."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Ring(Generic[T]):
    """O(1) both ways; an old packet is overwritten by the one that is `size` later."""

    def __init__(self, size: int = 1024, keep: float = 1.0) -> None:
        """`size` is a power of two; `keep` is in seconds."""
        raise NotImplementedError

    def put(self, sequence: int, packet: T, now: float) -> None:
        raise NotImplementedError

    def get(self, sequence: int, now: float) -> T | None:
        raise NotImplementedError
