"""What the recorder knows of Opus packets: how long they play, and how silence is written (RFC 6716)."""

from __future__ import annotations

RATE = 48000  # ticks per second, whatever the sender samples at
GRID = 120  # ticks: 2.5 ms, the shortest frame

# Frame length by the configuration in the first five bits, in ticks: SILK, hybrid, CELT.
_FRAME = (
    *([480, 960, 1920, 2880] * 3),
    *([480, 960] * 2),
    *([120, 240, 480, 960] * 4),
)
# A fullband CELT frame whose first symbol says silence; by its length, the longest first.
_SILENCE = ((960, b"\xf8\xff\xfe"), (480, b"\xf0\xff\xfe"), (240, b"\xe8\xff\xfe"), (120, b"\xe0\xff\xfe"))


def duration(packet: bytes) -> int:
    """How long a packet plays, in ticks; 0 if it is none."""
    if not packet:
        return 0
    frame = _FRAME[packet[0] >> 3]
    count = packet[0] & 3
    if count == 0:
        return frame
    if count < 3:
        return 2 * frame
    total = frame * (packet[1] & 0x3F) if len(packet) > 1 else 0
    return total if total <= 5760 else 0


def silence(ticks: int) -> list[tuple[int, bytes]]:
    """Packets of silence, with their lengths, for `ticks` less what the grid leaves over."""
    packets = []
    for length, packet in _SILENCE:
        count, ticks = divmod(ticks, length)
        packets += [(length, packet)] * count
    return packets
