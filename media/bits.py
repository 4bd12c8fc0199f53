"""Bits of codec headers, most significant first (H.264 section 9.1, VP9 section 4)."""

from __future__ import annotations


class BitsError(ValueError):
    """The header ends too early or says what cannot be."""


class BitReader:
    __slots__ = ("_at", "_end", "_value")

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._end = len(data) * 8
        self._at = 0

    def read(self, count: int) -> int:
        """The next `count` bits as a number. Raises BitsError past the end."""
        self._at += count
        if self._at > self._end:
            raise BitsError("a codec header that ends too early")
        return (self._value >> (self._end - self._at)) & ((1 << count) - 1)

    def ue(self) -> int:
        """An unsigned Exp-Golomb code. Raises BitsError."""
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros > 31:
                raise BitsError("an Exp-Golomb code of more than 32 bits")
        return (1 << zeros) - 1 + self.read(zeros)

    def se(self) -> int:
        """A signed Exp-Golomb code. Raises BitsError."""
        code = self.ue()
        return (code + 1) // 2 if code & 1 else -(code // 2)
