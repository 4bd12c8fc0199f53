"""The status symbols of transport-wide feedback, in chunks of 16 bits (transport-wide-cc-extensions-01 section 3.1).

A symbol stands for one packet: 0 has not come, 1 has with a delta of one byte, 2 with a delta of two.
"""

from __future__ import annotations


def pack(symbols: list[int]) -> bytes:
    """Symbols packed greedily into chunks of 16 bits: a run of up to 8191 equal ones, or 14 or 7 single ones."""
    packed = bytearray()
    at, size = 0, len(symbols)
    if 0 < size < 8192 and symbols.count(symbols[0]) == size:
        return (symbols[0] << 13 | size).to_bytes(2, "big")
    while at < size:
        symbol = symbols[at]
        run = 1
        while at + run < size and run < 8191 and symbols[at + run] == symbol:
            run += 1
        if run >= 14 or at + run == size:
            chunk = symbol << 13 | run
            at += run
        elif 2 in symbols[at : at + 14]:
            chunk = 0xC000
            for place, each in enumerate(symbols[at : at + 7]):
                chunk |= each << (12 - 2 * place)
            at += 7
        else:
            chunk = 0x8000
            for place, each in enumerate(symbols[at : at + 14]):
                chunk |= each << (13 - place)
            at += 14
        packed += chunk.to_bytes(2, "big")
    return bytes(packed)


def read(body: bytes, at: int, count: int) -> tuple[list[int], int]:
    """`count` symbols from the chunks at `at`, and where the deltas begin. Raises IndexError where some are missing."""
    symbols: list[int] = []
    while len(symbols) < count:
        chunk = body[at] << 8 | body[at + 1]
        at += 2
        if not chunk & 0x8000:
            symbols += [chunk >> 13 & 3] * (chunk & 0x1FFF)
        elif chunk & 0x4000:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    return symbols[:count], at
